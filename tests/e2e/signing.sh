#!/bin/sh
# Sign, attest, verify: in a registry and in a layout, by our own verifier and by openssl alone; and
# whatever was tampered with is named.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq openssl
start_registry plain
copy "oci:$images:glibc-two-layers" "docker://$registry/app:1"

for type in ecdsa-p256 ecdsa-p384 ed25519 rsa; do must keygen image --type "$type" -o "$work/$type.pem"; done
same "a private key is for its owner alone" "$(stat -c %a "$work/rsa.pem")" 600
claim "openssl reads the public key" openssl pkey -pubin -in "$work/ecdsa-p256.pub" -noout
refused 1 "exists already" keygen image -o "$work/rsa.pem"
refused 2 "cannot hold both" keygen image -o "$work/k.pub"
must keygen image --type ed25519
same "without a file the private key goes to standard output" "$(head -n 1 "$out")" "-----BEGIN PRIVATE KEY-----"

app=$registry/app:sgx
must build "$registry/app:1" --key "$key" --runtime "$runtime" --isvsvn 3 -t "$app" --push --sign-key "$work/ecdsa-p256.pem"
digest=$(cat "$out")
must verify "$app" --key "$work/ecdsa-p256.pub" --format json
same "what a build signed is verified" "$(jq -r .verified "$out")" true
same "under the digest that was built" "$(jq -r .image.digest "$out")" "$digest"
same "by these checks" "$(jq -r '[.checks[].name] | join(" ")' "$out")" \
  "signature attestation entrypoint trusted-files sigstruct mrenclave debug attested-mrenclave attested-mrsigner attested-sigstruct attested-manifest attested-trusted-files attested-runtime attested-base attested-version provenance"
must verify "$app" --key "$work/ecdsa-p256.pub"
claim "people read a verdict" grep -qx "This image is what its signer says." "$out"

# More signers, each verified by itself; the same one twice adds nothing.
for type in ecdsa-p384 ed25519 rsa; do must sign "$app" --key "$work/$type.pem"; done
must sign "$app" --key "$work/ecdsa-p256.pem"
sig_tag="sha256-${digest#sha256:}.sig"
copy "docker://$registry/app:$sig_tag" "oci:$work/sig:s"
same "four signatures by four keys" "$(layers_of "$work/sig" s | wc -l)" 4
for type in ecdsa-p384 ed25519 rsa; do
  must verify "$app" --key "$work/$type.pub"
done

# openssl alone verifies: the payload's bytes, the annotation's signature.
payload=$(blob_path "$work/sig" "$(layers_of "$work/sig" s | head -n 1)")
same "the payload names the image" "$(jq -r '.critical.image["docker-manifest-digest"]' "$payload")" "$digest"
same "and where it was signed" "$(jq -r '.critical.identity["docker-reference"]' "$payload")" "$app"
manifest_of "$work/sig" s | jq -r '.layers[0].annotations["dev.cosignproject.cosign/signature"]' | base64 -d >"$work/signature"
claim "openssl verifies the signature" \
  openssl dgst -sha256 -verify "$work/ecdsa-p256.pub" -signature "$work/signature" "$payload"
copy "docker://$registry/app:sha256-${digest#sha256:}.att" "oci:$work/att:a"
envelope=$(blob_path "$work/att" "$(layers_of "$work/att" a | head -n 1)")
jq -r .payload "$envelope" | base64 -d >"$work/statement"
jq -r '.signatures[0].sig' "$envelope" | base64 -d >"$work/signature"
{ printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c <"$work/statement")"; cat "$work/statement"; } >"$work/pae"
claim "openssl verifies the attestation" \
  openssl dgst -sha256 -verify "$work/ecdsa-p256.pub" -signature "$work/signature" "$work/pae"
must inspect "$app" --format json
same "the attestation has the measurement of the image" \
  "$(jq -r .predicate.sgx.mrenclave "$work/statement")" "$(jq -r .sgx.mrenclave "$out")"

# not_verified CHECKS ARGS…: verify says no, with exit 3, and exactly these checks failed.
not_verified() {
  e2e_claims=$((e2e_claims + 1))
  e2e_names=$1
  shift
  cloister verify "$@" --format json
  e2e_got=$(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out")
  if [ "$code" = 3 ] && [ "$e2e_got" = "$e2e_names" ] && [ "$(jq -r .verified "$out")" = false ]; then
    echo "ok: not verified: $e2e_names"
  else
    fail "cloister verify $*: exit code $code, failed checks: $e2e_got, want: $e2e_names"
    sed 's/^/  | /' "$err"
  fi
}

must keygen image -o "$work/stranger.pem"
not_verified "signature attestation" "$app" --key "$work/stranger.pub"
not_verified "signature attestation enclave" "$registry/app:1" --key "$work/rsa.pub"
not_verified isvsvn "$app" --key "$work/rsa.pub" --min-isvsvn 4
not_verified "mrsigner isvprodid" "$app" --key "$work/rsa.pub" --isvprodid 1 --mrsigner "$(printf '%064d' 1)"
must verify "$app" --key "$work/rsa.pub" --min-isvsvn 3 --isvprodid 0
refused 2 "not 64 hex digits" verify "$app" --key "$work/rsa.pub" --mrsigner 12
refused 1 "private key" verify "$app" --key "$work/rsa.pem"
refused 1 "public key; signing needs" sign "$app" --key "$work/rsa.pub"
refused 1 "cannot sign images" sign "$app" --key "$CLOISTER_SOURCE_DIR/testdata/sign/rsa-pss.pem"
refused 4 "nothing" verify "$registry/app:nothing" --key "$work/rsa.pub"

# Another image under a known name: attestation and signature of the first do not make it good.
must build "$registry/app:1" --key "$key" --runtime "$runtime" --isvsvn 4 -t "$registry/app:other" --push
other=$(cat "$out")
copy "docker://$registry/app:$sig_tag" "docker://$registry/app:sha256-${other#sha256:}.sig"
copy "docker://$registry/app:sha256-${digest#sha256:}.att" "docker://$registry/app:sha256-${other#sha256:}.att"
not_verified "signature attestation" "$registry/app:other" --key "$work/rsa.pub"
must sign "$registry/app:other" --key "$work/rsa.pem"
must verify "$registry/app:other" --key "$work/rsa.pub"

# A file that the manifest trusts is replaced by a layer on top: signed by whoever can, it is found.
copy "docker://$app" "oci:$work/evil:x"
must inspect "oci:$work/evil:x" --format json
must manifest "$registry/app:1" --runtime "$runtime" --isvsvn 3
victim=$(sed -n 's/.*{ uri = "file:\(\/[^"]*\)".*/\1/p' "$out" | grep -v '^/gramine' | head -n 1)
mkdir -p "$work/layer/$(dirname "$victim")"
echo evil >"$work/layer/$victim"
layout_tar "$work/layer" "$work/layer.tar"
layer=$(layout_layer "$work/evil" "$work/layer.tar")  # its descriptor and its diffID
config_of "$work/evil" x | jq -c --arg id "${layer##* }" '.rootfs.diff_ids += [$id]' >"$work/config"
config=$(layout_blob "$work/evil" "$layout_config_type" "$work/config")
manifest_of "$work/evil" x | jq -c --argjson config "$config" --argjson layer "${layer% *}" \
  '.config = $config | .layers += [$layer]' >"$work/manifest"
layout_tag "$work/evil" evil "$(layout_blob "$work/evil" "$layout_manifest_type" "$work/manifest")"
refused 3 "trusted-files" sign "oci:$work/evil:evil" --key "$work/rsa.pem"
not_verified "signature attestation trusted-files" "oci:$work/evil:evil" --key "$work/rsa.pub"

# A layout: signed in place, verified in place, also where it was not made.
must build "$registry/app:1" --key "$key" --runtime "$runtime" -o "oci:$work/built:sgx" --sign-key "$work/ed25519.pem"
must verify "oci:$work/built:sgx" --key "$work/ed25519.pub"
refused 2 "archive" sign "oci-archive:$work/none.tar" --key "$work/ed25519.pem"
refused 2 "archive" sign "docker-archive:$work/none.tar" --key "$work/ed25519.pem"
refused 2 "daemon" sign "docker-daemon:none:1" --key "$work/ed25519.pem"
refused 2 "puts it nowhere" build "$registry/app:1" --key "$key" --runtime "$runtime" --sign-key "$work/ed25519.pem"

# An image that is no enclave is signed, and nothing is attested about it.
must sign "$registry/app:1" --key "$work/ed25519.pem"
claim "which is said" grep -q "not enclave-ready" "$err"
not_verified "attestation enclave" "$registry/app:1" --key "$work/ed25519.pub"

# An encrypted key, and where its passphrase comes from.
CLOISTER_PASSWORD=secret must keygen image --encrypt -o "$work/sealed.pem"
refused 1 "passphrase" sign "$app" --key "$work/sealed.pem"
echo secret >"$work/passphrase"
must sign "$app" --key "$work/sealed.pem" --passphrase-file "$work/passphrase"
must verify "$app" --key "$work/sealed.pub"
finish
