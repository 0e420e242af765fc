#!/bin/sh
# How the signed artefacts of version 1 beside this script were made, once: every later version must
# verify them as they are (tests/sign/image/golden_test.cc). A new version of a format gets a folder
# of its own; this one is never made again.
#
#   make.sh CLOISTER BASE RUNTIME OUT   BASE: an image argument; RUNTIME: a Gramine directory
set -eu
cloister=$1 base=$2 runtime=$3 to=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME="$work/cache" XDG_STATE_HOME="$work/state"
"$cloister" keygen sgx -o "$work/enclave.pem"
"$cloister" build "$base" --key "$work/enclave.pem" --runtime "$runtime" --isvsvn 3 --date 2024-01-02 \
  -o "oci:$work/built:x" >"$to/image-digest"
hex=$(sed 's/sha256://' "$to/image-digest")
blob() { echo "$work/built/blobs/sha256/${1#sha256:}"; }
named() { jq -r --arg name "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name) | .digest' "$work/built/index.json"; }
for type in ecdsa-p256 ecdsa-p384 ed25519 rsa; do
  mkdir -p "$to/$type"
  "$cloister" keygen image --type "$type" -o "$work/$type.pem"
  cp "$work/$type.pub" "$to/$type/public.pem"
  "$cloister" sign "oci:$work/built:x" --key "$work/$type.pem" --identity reg.example/app:1 >/dev/null
  # The last of each kind is this key's.
  sig=$(blob "$(named "sha256-$hex.sig")")
  cp "$(blob "$(jq -r '.layers[-1].digest' "$sig")")" "$to/$type/payload.json"
  jq -r '.layers[-1].annotations["dev.cosignproject.cosign/signature"]' "$sig" >"$to/$type/signature.base64"
  att=$(blob "$(named "sha256-$hex.att")")
  cp "$(blob "$(jq -r '.layers[-2].digest' "$att")")" "$to/$type/measurement.dsse.json"
  cp "$(blob "$(jq -r '.layers[-1].digest' "$att")")" "$to/$type/provenance.dsse.json"
done
"$cloister" keygen image --type ed25519 -o "$work/rebuilder.pem"
cp "$work/rebuilder.pub" "$to/rebuilder.pem"
"$cloister" attest --rebuild "oci:$work/built:x" --sign-key "$work/rebuilder.pem" --base "$base" --runtime "$runtime" >/dev/null
cp "$(blob "$(jq -r '.layers[-1].digest' "$(blob "$(named "sha256-$hex.att")")")")" "$to/rebuild.dsse.json"
# Bundles are manifests without a name that refer to the image: the one layer of each is a bundle.
number=0
for digest in $(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == null) | .digest' "$work/built/index.json"); do
  number=$((number + 1))
  cp "$(blob "$(jq -r '.layers[0].digest' "$(blob "$digest")")")" "$to/bundle-$(printf %02d $number).json"
done
jq -rj '.config.Labels["io.cloister.provenance"]' "$(blob "$(jq -r .config.digest "$(blob "sha256:$hex")")")" >"$to/provenance.json"
