#!/bin/sh
# Stock cosign, versions 2 and 3, accepts what we sign, and we what it signs. COSIGN_2 and COSIGN_3
# name the programs; without them they are unpacked from newer Debian suites by the shared tools, and
# where those are absent the test is skipped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
unpack=$CLOISTER_SOURCE_DIR/../shared/tools/newer-deb.sh

# cosign_of VERSION SUITE: prints the path of that cosign, made once for the whole build tree.
cosign_of() {
  place=$E2E_SHARED/cosign-$1
  if [ ! -x "$place/usr/bin/cosign" ] && [ -e "$unpack" ]; then
    XDG_CACHE_HOME=$place/apt bash "$unpack" "$2" "$place" cosign >/dev/null 2>&1 || :
  fi
  [ ! -x "$place/usr/bin/cosign" ] || echo "$place/usr/bin/cosign"
}
two=${COSIGN_2:-$(cosign_of 2 trixie)}
three=${COSIGN_3:-$(cosign_of 3 sid)}
[ -n "$two$three" ] || skip "no cosign: neither COSIGN_2 nor COSIGN_3, nor tools to unpack it with"
[ -n "$two" ] || echo "note: cosign 2 cannot be had"
[ -n "$three" ] || echo "note: cosign 3 cannot be had"

start_registry plain
copy "oci:$images:glibc-two-layers" "docker://$registry/app:1"
app=$registry/app:sgx
must build "$registry/app:1" --key "$key" --runtime "$runtime" -t "$app" --push
must inspect "$app" --format json
mrenclave=$(jq -r .sgx.mrenclave "$out")
cat >"$work/good.cue" <<CUE
predicateType: "urn:cloister:enclave-measurement:v1"
predicate: { tee: "sgx", sgx: { mrenclave: "$mrenclave", debug: false } }
CUE
sed "s/$mrenclave/$(printf '%064d' 0)/" "$work/good.cue" >"$work/bad.cue"
# shellcheck disable=SC2317  # through claim
not() { ! "$@"; }

for type in ecdsa-p256 ecdsa-p384 ed25519 rsa; do
  must keygen image --type "$type" -o "$work/$type.pem"
  must sign "$app" --key "$work/$type.pem"
done
must keygen image -o "$work/stranger.pem"
for cosign in $two $three; do
  version=$([ "$cosign" = "$two" ] && echo "cosign 2" || echo "cosign 3")
  # shellcheck disable=SC2317  # through claim
  check() { "$cosign" "$@" --insecure-ignore-tlog=true "$app"; }
  type="--type urn:cloister:enclave-measurement:v1"
  for key_type in ecdsa-p256 ecdsa-p384 ed25519 rsa; do
    claim "$version verifies our signature, $key_type" check verify --key "$work/$key_type.pub"
    # shellcheck disable=SC2086
    claim "$version verifies our attestation, $key_type" check verify-attestation $type --key "$work/$key_type.pub"
  done
  # shellcheck disable=SC2086
  claim "$version pins the measurement" check verify-attestation $type --key "$work/rsa.pub" --policy "$work/good.cue"
  # shellcheck disable=SC2086
  claim "$version refuses another measurement" not check verify-attestation $type --key "$work/rsa.pub" --policy "$work/bad.cue"
  claim "$version refuses a stranger's key" not check verify --key "$work/stranger.pub"
done

# Layouts: what push writes is what `cosign load` takes, and what `cosign save` writes push takes.
must push "$app" "oci:$work/for-cosign:sgx"
for cosign in $two $three; do
  version=$([ "$cosign" = "$two" ] && echo "cosign 2" || echo "cosign 3")
  name=$([ "$cosign" = "$two" ] && echo two || echo three)
  claim "$version loads our layout" "$cosign" load --dir "$work/for-cosign" "$registry/loaded:$name"
  claim "$version verifies what it loaded" \
    "$cosign" verify --insecure-ignore-tlog=true --key "$work/rsa.pub" "$registry/loaded:$name"
  claim "with the attestation" "$cosign" verify-attestation --insecure-ignore-tlog=true \
    --type urn:cloister:enclave-measurement:v1 --key "$work/rsa.pub" "$registry/loaded:$name"
  claim "$version saves" "$cosign" save --dir "$work/saved-$name" "$app"
  must push "oci:$work/saved-$name" "$registry/pushed-$name:1"
  same "it is the same image" "$(cat "$out")" "$(manifest_digest "$work/for-cosign" sgx)"
  claim "with its signature" \
    "$cosign" verify --insecure-ignore-tlog=true --key "$work/rsa.pub" "$registry/pushed-$name:1"
  claim "and its attestation" "$cosign" verify-attestation --insecure-ignore-tlog=true \
    --type urn:cloister:enclave-measurement:v1 --key "$work/rsa.pub" "$registry/pushed-$name:1"
  must verify "oci:$work/saved-$name" --key "$work/rsa.pub"
done

# The other direction: what cosign signs beside ours.
if [ -n "$two" ]; then
  copy "oci:$images:glibc-two-layers" "docker://$registry/theirs:1"
  (cd "$work" && COSIGN_PASSWORD='' "$two" generate-key-pair >/dev/null 2>&1)
  claim "cosign 2 signs" env COSIGN_PASSWORD='' "$two" sign --yes --tlog-upload=false --key "$work/cosign.key" "$registry/theirs:1"
  cloister verify "$registry/theirs:1" --key "$work/cosign.pub" --format json
  same "we verify the signature of cosign 2" "$(jq -r '.checks[] | select(.name == "signature") | .passed' "$out")" true
  must sign "$registry/theirs:1" --key "$work/rsa.pem"
  claim "and its signature stays beside ours" "$two" verify --insecure-ignore-tlog=true --key "$work/cosign.pub" "$registry/theirs:1"
fi
finish
