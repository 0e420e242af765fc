#!/bin/sh
# A registry behind a token server: scopes for pulling, pushing and mounting, against Debian's registry.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry openssl jq
make_pki
start_token_server
start_registry token token

tokens() { grep -c "^token $1" "$work/token-server" || :; }

refused 4 "not authorised|authentication required" push "oci:$images:glibc" "$registry/private/app:1"
claim "without a name a token is asked for, and does not do" \
  test "$(tokens "anonymous for repository:private/app:pull,push")" -gt 0
printf 'test-pass\n' | "$CLOISTER" login "$registry" -u test --password-stdin >"$out" 2>"$err" || fail "login: $(cat "$err")"
must push "oci:$images:glibc" "$registry/private/app:1"
digest=$(cat "$out")
same "a token for both ways serves the whole push" "$(tokens "user for repository:private/app:pull,push")" 1
same "skopeo sees it" "$(skopeo inspect --tls-verify=false --creds test:test-pass --format '{{.Digest}}' "docker://$registry/private/app:1")" "$digest"
must push "$registry/private/app:1" "$registry/public/app:1"
same "one token for the target and the source of mounts" \
  "$(tokens "user for repository:public/app:pull,push repository:private/app:pull")" 1
same "all was mounted" "$(grep 'http.request.useragent=cloister' "$work/registry-token/log" |
  grep 'http.response.status=201' | grep -c 'public/app/blobs/uploads/?mount=' || :)" 2
skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-creds test:test-pass \
  "oci:$images:glibc-two-layers" "docker://$registry/private/by-skopeo:1"
must pull "$registry/private/by-skopeo:1"
echo "ok: what skopeo pushed is pulled"

must logout "$registry"
must pull "$registry/public/app:1" --store "$work/store-anonymous"
same "everybody may pull what is public" "$(cat "$out")" "$digest"
refused 4 "not authorised|authentication required" pull "$registry/private/app:1" --store "$work/store-anonymous-2"
cloister login "$registry" -u test --password-stdin
same "login without a password is wrong usage" "$code" 2
finish
