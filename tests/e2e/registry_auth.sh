#!/bin/sh
# A registry that wants a password: where it is looked for, and what is said without one.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry htpasswd jq
start_registry basic basic

skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-creds test:test-pass \
  "oci:$images:glibc" "docker://$registry/app:1"
auth() { # auth FILE USER:PASSWORD
  mkdir -p "$(dirname "$1")"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf %s "$2" | base64 -w 0)" >"$1"
}
auth "$work/good.json" test:test-pass
auth "$work/bad.json" test:wrong

refused 4 "unauthori[sz]ed|401|not authorised|credentials" pull "$registry/app:1"
refused 4 "unauthori[sz]ed|401|not authorised|credentials" pull "$registry/app:1" --authfile "$work/bad.json"
refused 4 "." build "$registry/app:1" --key "$key" --runtime "$runtime" -o "oci:$work/result-auth:x"

must pull "$registry/app:1" --authfile "$work/good.json"
echo "ok: --authfile"
CLOISTER_AUTHFILE="$work/good.json"
CLOISTER_STORE="$work/store-by-variable"
CLOISTER_PARALLEL=2
export CLOISTER_AUTHFILE CLOISTER_STORE CLOISTER_PARALLEL
must pull "$registry/app:1"
claim "variables are options" test -e "$CLOISTER_STORE/oci-layout"
refused 4 "." pull "$registry/app:1" --authfile "$work/bad.json" --store "$work/store-option"
echo "ok: an option overrules its variable"
CLOISTER_PARALLEL=many
refused 2 "." pull "$registry/app:1"
unset CLOISTER_AUTHFILE CLOISTER_STORE CLOISTER_PARALLEL
mkdir -p "$HOME/.docker"
cp "$work/good.json" "$HOME/.docker/config.json"
must pull "$registry/app:1"
echo "ok: Docker's file"
rm "$HOME/.docker/config.json"
DOCKER_CONFIG="$work/dc"
export DOCKER_CONFIG
auth "$DOCKER_CONFIG/config.json" test:test-pass
must pull "$registry/app:1"
echo "ok: DOCKER_CONFIG"
unset DOCKER_CONFIG
auth "$XDG_RUNTIME_DIR/containers/auth.json" test:test-pass
must build "$registry/app:1" --key "$key" --runtime "$runtime" -t "$registry/app:1-sgx" --push
echo "ok: Podman's file, for a push too"
same "what was pushed is there" \
  "$(skopeo inspect --tls-verify=false --creds test:test-pass --format '{{.Digest}}' "docker://$registry/app:1-sgx")" \
  "$(cat "$out")"
same "the password is shown nowhere" "$(grep -c test-pass "$out" "$err" | grep -v ':0$' || :)" ""
finish
