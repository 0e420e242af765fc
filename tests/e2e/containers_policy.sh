#!/bin/sh
# The policy of Podman, CRI-O and skopeo accepts what we sign (sigstoreSigned, containers-policy.json).
# Debian 12's skopeo is built without it: a newer one is unpacked beside the system by the shared tools
# and run with its own libc; where those are absent the test is skipped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
unpack=$CLOISTER_SOURCE_DIR/../shared/tools/newer-deb.sh
place=$E2E_SHARED/skopeo
libraries=$place/usr/lib/x86_64-linux-gnu
if [ ! -x "$place/usr/bin/skopeo" ] && [ -e "$unpack" ]; then
  XDG_CACHE_HOME=$place/apt bash "$unpack" trixie "$place" skopeo libc6 libgpgme11t64 libassuan9 \
    libgpg-error0 libsqlite3-0 >/dev/null 2>&1 || :
fi
[ -x "$place/usr/bin/skopeo" ] || skip "no newer skopeo: no tools to unpack it with"
newer() { "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$place/usr/bin/skopeo" "$@"; }
newer --version >/dev/null 2>&1 || skip "the newer skopeo does not run here"

start_registry plain
must push "oci:$images:glibc" "$registry/app:1"
must push "oci:$images:glibc-two-layers" "$registry/app:unsigned"
mkdir "$work/registries.d"
printf 'docker:\n  %s:\n    use-sigstore-attachments: true\n' "$registry" >"$work/registries.d/local.yaml"
# policy KEY [IDENTITY]: only images signed by KEY, under their own name or as IDENTITY says.
policy() {
  jq -n --arg registry "$registry" --arg key "$1" --arg identity "${2:-}" '{default: [{type: "reject"}],
    transports: {docker: {($registry): [{type: "sigstoreSigned", keyPath: $key} +
      (if $identity == "" then {} else {signedIdentity: {type: $identity}} end)]}, dir: {"": [{type: "insecureAcceptAnything"}]}}}' >"$work/policy.json"
}
# shellcheck disable=SC2317  # through claim
fetch() {
  rm -rf "$work/fetched"
  newer --policy "$work/policy.json" --registries.d "$work/registries.d" copy --src-tls-verify=false \
    "docker://$registry/app:$1" "dir:$work/fetched"
}
# shellcheck disable=SC2317  # through claim
not() { ! "$@"; }
must keygen image -o "$work/stranger.pem"
for type in ecdsa-p256 ecdsa-p384 ed25519 rsa; do
  must keygen image --type "$type" -o "$work/$type.pem"
  must sign "$registry/app:1" --key "$work/$type.pem"
  policy "$work/$type.pub"
  claim "$type: accepted under its name" fetch 1
  policy "$work/$type.pub" matchRepository
  claim "$type: accepted in its repository" fetch 1
done
claim "an image without a signature is not" not fetch unsigned
policy "$work/stranger.pub"
claim "nor one signed by others" not fetch 1
finish
