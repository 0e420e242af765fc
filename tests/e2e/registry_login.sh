#!/bin/sh
# login and logout: the files that Docker's and Podman's tools read and write too.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry htpasswd jq
start_registry basic basic

login() { # login PASSWORD ARGS…
  password=$1
  shift
  code=0
  printf '%s\n' "$password" | "$CLOISTER" login "$registry" -u test --password-stdin "$@" >"$out" 2>"$err" || code=$?
}

login wrong
same "a wrong password is not authorised" "$code" 4
claim "and says what to check" grep -q '^hint: check user name and password' "$err"
same "and is not kept" "$(find "$HOME" -name config.json)" ""

login test-pass
same "login" "$code" 0
config=$HOME/.docker/config.json
same "the file is private" "$(stat -c %a "$config")" 600
same "nothing is printed but on standard error" "$(cat "$out")" ""
same "the password is not shown" "$(grep -c test-pass "$err" || :)" 0
must push "oci:$images:glibc" "$registry/app:1"
digest=$(cat "$out")
same "skopeo logs in with our file" \
  "$(skopeo inspect --tls-verify=false --authfile "$config" --format '{{.Digest}}' "docker://$registry/app:1")" "$digest"
must logout "$registry"
refused 4 "not authorised" pull "$registry/app:1"
same "logout leaves the rest of the file" "$(jq -c . "$config")" '{"auths":{}}'

printf 'test-pass' | skopeo login --tls-verify=false --authfile "$work/skopeo.json" -u test --password-stdin "$registry" >/dev/null
must pull "$registry/app:1" --authfile "$work/skopeo.json"
echo "ok: skopeo's file is ours too"
REGISTRY_AUTH_FILE=$work/skopeo.json
export REGISTRY_AUTH_FILE
must pull "$registry/app:1" --store "$work/store-env"
must logout "$registry"
same "logout understands it" "$(jq -r '.auths | length' "$work/skopeo.json")" 0
unset REGISTRY_AUTH_FILE

# Other entries and settings stay, in their order.
printf '{"zeta":true,"auths":{"other.example":{"auth":"YTpi"}},"HttpHeaders":{"x":"y"}}' >"$config"
login test-pass
same "other entries stay" "$(jq -r '.auths["other.example"].auth' "$config")" YTpi
same "other settings stay, in their order" "$(jq -r 'keys_unsorted | join(" ")' "$config")" "zeta auths HttpHeaders"

# Many at once, each a registry of its own: one server behind a proxy's names.
logins=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  printf 'test-pass\n' | HTTP_PROXY="http://$registry" "$CLOISTER" login "r$i.example" --plain-http \
    -u test --password-stdin --authfile "$work/many.json" >"$work/login.$i" 2>&1 &
  logins="$logins $!"
done
for login in $logins; do wait "$login" || :; done
same "of twenty logins at once none is lost" "$(jq '.auths | length' "$work/many.json")" 20

# A credential helper.
mkdir -p "$work/bin"
cat >"$work/bin/docker-credential-e2e" <<'HELPER'
#!/bin/sh
case $1 in
  store) cat >"$HOME/secret" ;;
  get) [ -e "$HOME/secret" ] || { echo "credentials not found in native keychain"; exit 1; }; cat "$HOME/secret" ;;
  erase) cat >/dev/null; rm -f "$HOME/secret" ;;
esac
HELPER
chmod +x "$work/bin/docker-credential-e2e"
PATH=$work/bin:$PATH
export PATH
printf '{"credsStore":"e2e"}' >"$config"
login test-pass
same "login with a helper" "$code" 0
same "the secret is the helper's" "$(jq -r .Secret "$HOME/secret")" test-pass
same "and not in the file" "$(jq -c ".auths[\"$registry\"]" "$config")" '{}'
must pull "$registry/app:1" --store "$work/store-helper"
must logout "$registry"
same "logout makes it forget" "$(find "$HOME" -name secret)" ""

# Asked on the terminal, without echo.
if command -v script >/dev/null; then
  rm -f "$config"
  { sleep 1; printf 'test\n'; sleep 1; printf 'test-pass\n'; sleep 1; } |
    script -qec "$CLOISTER login $registry" "$work/typescript" >/dev/null 2>&1 || :
  same "a prompt works as well" "$(jq -r ".auths[\"$registry\"].auth" "$config" 2>/dev/null | base64 -d)" test:test-pass
  same "what is typed as password is not shown" "$(grep -c test-pass "$work/typescript" || :)" 0
fi

refused 2 "not a registry" login "r.io/ns" -u test
refused 2 "not a registry" logout "a b"
code=0
echo x | "$CLOISTER" login registry.invalid -u x --password-stdin --authfile "$work/never.json" 2>"$err" || code=$?
same "a registry that is not there" "$code $(grep -cE '^error: (unknown host|cannot connect|connecting)' "$err")" "1 1"
same "and nothing is kept" "$(find "$work" -name never.json)" ""
finish
