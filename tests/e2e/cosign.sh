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

# shellcheck disable=SC2317  # through claim
not() { ! "$@"; }
types="ecdsa-p256 ecdsa-p384 ed25519 rsa"
for type in $types stranger; do
  must keygen image --type "${type#stranger}$([ "$type" != stranger ] || echo ed25519)" -o "$work/$type.pem"
done

# accepted REGISTRY: what we sign there is what both versions verify.
accepted() {
  app=$1/app:sgx
  must push "oci:$images:glibc-two-layers" "$1/app:1"
  must build "$1/app:1" --key "$key" --runtime "$runtime" -t "$app" --push
  must inspect "$app" --format json
  mrenclave=$(jq -r .sgx.mrenclave "$out")
  cat >"$work/good.cue" <<CUE
predicateType: "urn:cloister:enclave-measurement:v1"
predicate: { tee: "sgx", sgx: { mrenclave: "$mrenclave", debug: false } }
CUE
  sed "s/$mrenclave/$(printf '%064d' 0)/" "$work/good.cue" >"$work/bad.cue"
  for type in $types; do must sign "$app" --key "$work/$type.pem" --sbom spdx; done
  must sign "$app" --key "$work/rsa.pem" --sbom cyclonedx
  for cosign in $two $three; do
    version="$2, $([ "$cosign" = "$two" ] && echo "cosign 2" || echo "cosign 3")"
    # shellcheck disable=SC2317  # through claim
    check() { "$cosign" "$@" --insecure-ignore-tlog=true "$app"; }
    type="--type urn:cloister:enclave-measurement:v1"
    for key_type in $types; do
      claim "$version verifies our signature, $key_type" check verify --key "$work/$key_type.pub"
      # shellcheck disable=SC2086
      claim "$version verifies our attestation, $key_type" check verify-attestation $type --key "$work/$key_type.pub"
      claim "$version verifies our SBOM, $key_type" check verify-attestation --type spdxjson --key "$work/$key_type.pub"
    done
    claim "$version verifies our CycloneDX" check verify-attestation --type cyclonedx --key "$work/rsa.pub"
    claim "$version verifies our provenance" check verify-attestation --type slsaprovenance1 --key "$work/rsa.pub"
    # shellcheck disable=SC2086
    claim "$version pins the measurement" check verify-attestation $type --key "$work/rsa.pub" --policy "$work/good.cue"
    # shellcheck disable=SC2086
    claim "$version refuses another measurement" not check verify-attestation $type --key "$work/rsa.pub" --policy "$work/bad.cue"
    claim "$version refuses a stranger's key" not check verify --key "$work/stranger.pub"
  done
}
"${REFERRERS_REGISTRY:?}" >"$work/referrers-registry" 2>&1 </dev/null &
e2e_pids="$e2e_pids $!"
start_registry plain
accepted "$registry" "fallback tag"
modern=
for _ in 1 2 3 4 5 6 7 8 9 10; do
  modern=$(head -n 1 "$work/referrers-registry")
  [ -z "$modern" ] || break
  sleep 0.1
done
accepted "$modern" "referrers API"
must verify "$modern/app:sgx" --key "$work/rsa.pub"
claim "no fallback tag where there is the API" \
  not skopeo inspect --raw --tls-verify=false "docker://$modern/app:$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$modern/app:sgx" | tr : -)"

# Layouts: what push writes is what `cosign load` takes, and what `cosign save` writes push takes.
app=$registry/app:sgx
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
if [ -n "$three" ]; then
  for where in "$registry" "$modern"; do
    must push "oci:$images:glibc-two-layers" "$where/bundle:1"
    [ -e "$work/three.key" ] || (cd "$work" && COSIGN_PASSWORD='' "$three" generate-key-pair --output-key-prefix three >/dev/null 2>&1)
    "$three" signing-config create --out "$work/signing-config" >/dev/null 2>&1 || :
    claim "cosign 3 signs with a bundle" env COSIGN_PASSWORD='' "$three" sign --yes --signing-config "$work/signing-config" --key "$work/three.key" "$where/bundle:1"
    cloister verify "$where/bundle:1" --key "$work/three.pub" --format json
    same "we verify the bundle of cosign 3" "$(jq -r '.checks[] | select(.name == "signature") | .passed' "$out")" true
  done
fi
finish
