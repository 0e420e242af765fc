#!/bin/sh
# Whoever holds the registry, or the layout, or one of the tools on the way, changes one thing: verify
# names it. And what strangers add changes nothing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq openssl curl readelf
must keygen image --type ed25519 -o "$work/signer.pem"
must keygen image -o "$work/stranger.pem"
must build "oci:$images:glibc-two-layers" --key "$key" --runtime "$runtime" --isvsvn 3 -o "oci:$work/good:x" --sign-key "$work/signer.pem"
digest=$(cat "$out")
hex=${digest#sha256:}
must verify "oci:$work/good:x" --key "$work/signer.pub"

# failing ARGS…: $failed are the checks that failed. Never from a store that knows the right bytes.
failing() {
  rm -rf "$XDG_CACHE_HOME"
  cloister verify "$@" --key "$work/signer.pub" --format json
  failed=$(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out" 2>/dev/null)
}

# --- The image ------------------------------------------------------------------------------------

# repack NAME: $work/layer, changed, as the last layer of a new image oci:$work/NAME:x, consistent in
# every digest; what was attached to the right image is attached to it too.
added_layer "$work/good" x "$work/original"
repack() {
  cp -r "$work/good" "$work/$1"
  layout_tar "$work/layer" "$work/layer.tar"
  new=$(layout_layer "$work/$1" "$work/layer.tar")
  config_of "$work/good" x | jq -c --arg id "${new##* }" '.rootfs.diff_ids[-1] = $id' >"$work/config"
  config=$(layout_blob "$work/$1" "$layout_config_type" "$work/config")
  manifest_of "$work/good" x | jq -c --argjson config "$config" --argjson layer "${new% *}" \
    '.config = $config | .layers[-1] = $layer' >"$work/manifest"
  image=$(layout_blob "$work/$1" "$layout_manifest_type" "$work/manifest")
  # The tag leads to the changed image, and so do the tags of what is attached.
  changed=$(echo "$image" | jq -r '.digest | sub("sha256:"; "")')
  jq -c --argjson image "$image" --arg from "$hex" --arg to "$changed" '.manifests |= map(
      if .annotations["org.opencontainers.image.ref.name"] == "x"
      then $image + {annotations: .annotations}
      elif .annotations["org.opencontainers.image.ref.name"] != null
      then .annotations["org.opencontainers.image.ref.name"] |= sub($from; $to)
      else . end)' "$work/good/index.json" >"$work/$1/index.json"
  rm -rf "$work/layer"
}
fresh_layer() { cp -r "$work/original" "$work/layer"; chmod -R u+w "$work/layer"; }
# flip FILE OFFSET: another byte there.
flip() {
  byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
  # shellcheck disable=SC2059
  printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

cp -r "$work/good" "$work/bytes"
flip "$(blob_path "$work/bytes" "$(layers_of "$work/bytes" x | head -n 1)")" 100
rm -rf "$XDG_CACHE_HOME"
refused 1 "digest|checksum|corrupt|damaged" verify "oci:$work/bytes:x" --key "$work/signer.pub"

app=gramine/app_files
fresh_layer
sed -i 's/^loader.argv = .*/loader.argv = ["hello", "--evil"]/' "$work/layer/$app/entrypoint.manifest.sgx"
repack argv
failing "oci:$work/argv:x"
same "other arguments in the measured manifest" "$code $failed" "3 signature attestation mrenclave"
fresh_layer
flip "$work/layer/$app/entrypoint.sig" 600
repack signature
failing "oci:$work/signature:x"
same "a byte of the SIGSTRUCT's signature" "$code $failed" "3 signature attestation sigstruct"
fresh_layer
flip "$work/layer/$app/entrypoint.sig" 970
repack enclavehash
failing "oci:$work/enclavehash:x"
same "a byte of the SIGSTRUCT's ENCLAVEHASH" "$code $failed" "3 signature attestation sigstruct mrenclave"
fresh_layer
code_at=$(readelf -lW "$work/layer/gramine/sgx/libpal.so" | awk '$1 == "LOAD" && / R E / { print $2; exit }')
flip "$work/layer/gramine/sgx/libpal.so" $((code_at + 8))
repack runtime
failing "oci:$work/runtime:x"
same "another runtime" "$code $failed" "3 signature attestation mrenclave"
fresh_layer
flip "$work/layer/gramine/runtime/glibc/libc.so.6" 5000
repack libc
failing "oci:$work/libc:x"
same "another libc of the runtime" "$code $failed" "3 signature attestation trusted-files"

# The configuration starts something else, around the enclave.
cp -r "$work/good" "$work/entry"
config_of "$work/good" x | jq -c '.config.Entrypoint = ["/usr/bin/hello"]' >"$work/config"
config=$(layout_blob "$work/entry" "$layout_config_type" "$work/config")
manifest_of "$work/good" x | jq -c --argjson config "$config" '.config = $config' >"$work/manifest"
image=$(layout_blob "$work/entry" "$layout_manifest_type" "$work/manifest")
jq -c --argjson image "$image" '.manifests |= map(if .annotations["org.opencontainers.image.ref.name"] == "x" then $image + {annotations: .annotations} else . end)' \
  "$work/good/index.json" >"$work/entry/index.json"
failing "oci:$work/entry:x"
same "another entrypoint" "$code $failed" "3 signature attestation entrypoint"

# An older build under the new name: everything about it is right but its age.
must build "oci:$images:glibc-two-layers" --key "$key" --runtime "$runtime" --isvsvn 2 -o "oci:$work/old:x" --sign-key "$work/signer.pem"
must verify "oci:$work/old:x" --key "$work/signer.pub"
failing "oci:$work/old:x" --min-isvsvn 3
same "an older image, replayed" "$code $failed" "3 isvsvn"

# --- What is attached -----------------------------------------------------------------------------

# attested LAYOUT FILTER: another attestation by the signer's key, the first one changed by FILTER.
attested() {
  tag=sha256-$hex.att
  first=$(blob_path "$1" "$(layers_of "$1" "$tag" | head -n 1)")
  jq -r .payload "$first" | base64 -d | jq -c "$2" | tr -d '\n' >"$work/statement"
  printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c <"$work/statement")" | cat - "$work/statement" >"$work/pae"
  openssl pkeyutl -sign -rawin -inkey "$work/signer.pem" -in "$work/pae" -out "$work/raw"
  jq -nc --arg payload "$(base64 -w 0 "$work/statement")" --arg sig "$(base64 -w 0 "$work/raw")" \
    '{payloadType: "application/vnd.in-toto+json", payload: $payload, signatures: [{sig: $sig}]}' >"$work/envelope"
  envelope=$(layout_blob "$1" application/vnd.dsse.envelope.v1+json "$work/envelope")
  manifest_of "$1" "$tag" | jq -c --argjson e "$envelope" \
    '.layers += [$e + {annotations: {"dev.cosignproject.cosign/signature": "", predicateType: "urn:cloister:enclave-measurement:v1"}}]' >"$work/manifest"
  list=$(layout_blob "$1" "$layout_manifest_type" "$work/manifest")
  jq -c --argjson list "$list" --arg tag "$tag" '.manifests |= map(if .annotations["org.opencontainers.image.ref.name"] == $tag then $list + {annotations: .annotations} else . end)' \
    "$1/index.json" >"$work/index" && mv "$work/index" "$1/index.json"
}
cp -r "$work/good" "$work/disagree"
attested "$work/disagree" '.predicate.sgx.isvsvn = 9'
failing "oci:$work/disagree:x"
same "two attestations by one key that disagree" "$code $failed" "3 attestation"
cp -r "$work/good" "$work/elsewhere"
attested "$work/elsewhere" '.subject[0].digest.sha256 = "00000000000000000000000000000000000000000000000000000000000000ff"'
failing "oci:$work/elsewhere:x"
same "one about another image changes nothing" "$code $failed" "0 "

# A registry, whose list of referrers anybody may write.
start_registry plain
app=$registry/app:sgx
must push "oci:$work/good:x" "$app"
must sign "$app" --key "$work/stranger.pem"
failing "$app"
same "a stranger's signatures and bundles change nothing" "$code $failed" "0 "
cloister verify "$app" --key "$work/stranger.pub" --format json
same "the stranger's own word is about the same enclave" "$code" 0
# junk KIND FILTER: appended to what lies under the image's tag of that kind.
# shellcheck disable=SC2317  # through claim
junk() {
  curl -sf -H "Accept: $layout_manifest_type" "http://$registry/v2/app/manifests/sha256-$hex.$1" | jq -c "$2" >"$work/junk"
  curl -sf -X PUT -H "Content-Type: $layout_manifest_type" --data-binary "@$work/junk" "http://$registry/v2/app/manifests/sha256-$hex.$1" >/dev/null
}
claim "a layer of the wrong size is put under .sig" junk sig '.layers = [.layers[0] | .size = 17] + .layers'
failing "$app"
same "it changes nothing" "$code $failed" "0 "
# shellcheck disable=SC2016  # $n is jq's
claim "and hundreds of junk after it" junk sig '.layers += [range(300) as $n | .layers[-1] | .annotations["dev.cosignproject.cosign/signature"] = "AAAA"]'
failing "$app"
same "they change nothing" "$code $failed" "0 "
must build "oci:$images:glibc" --key "$key" --runtime "$runtime" -t "$registry/app:other" --push --sign-key "$work/stranger.pem"
other=$(skopeo inspect --raw --tls-verify=false "docker://$registry/app:other" | wc -c)
lies=$(jq -nc --arg d "$(cat "$out")" --argjson s "$other" '{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json"}')
curl -sf -H "Accept: $layout_index_type" "http://$registry/v2/app/manifests/sha256-$hex" |
  jq -c --argjson lies "$lies" '.manifests = [$lies] + [.manifests[] | .artifactType = "text/plain" | .annotations = {"dev.sigstore.bundle.predicateType": "nothing"}] + [$lies, $lies]' >"$work/lies"
claim "the fallback index is replaced by one with lies" \
  curl -sf -X PUT -H "Content-Type: $layout_index_type" --data-binary "@$work/lies" "http://$registry/v2/app/manifests/sha256-$hex"
failing "$app"
same "a fallback index with lies changes nothing" "$code $failed" "0 "
curl -sf "http://$registry/v2/app/manifests/sha256-$hex" -H "Accept: $layout_index_type" | jq -c '.manifests = []' >"$work/lies"
curl -sf -X PUT -H "Content-Type: $layout_index_type" --data-binary "@$work/lies" "http://$registry/v2/app/manifests/sha256-$hex" >/dev/null
failing "$app"
same "an empty one leaves what is under the tags" "$code $failed" "0 "
skopeo copy -q --dest-tls-verify=false "oci:$images:glibc" "docker://$registry/app:sha256-$hex"
failing "$app"
same "nor does an image in its place" "$code $failed" "0 "
must sign "$app" --key "$work/signer.pem" --sbom spdx
failing "$app"
same "which does not keep anybody from signing" "$code $failed" "0 "

# A base that calls itself another image.
cp -r "$images" "$work/named"
config_of "$work/named" glibc | jq -c '.config.Labels = {"org.opencontainers.image.base.name": "docker.io/library/redis:7", "io.cloister.direct": "evil"}' >"$work/config"
config=$(layout_blob "$work/named" "$layout_config_type" "$work/config")
manifest_of "$work/named" glibc | jq -c --argjson config "$config" '.config = $config' >"$work/manifest"
layout_tag "$work/named" named "$(layout_blob "$work/named" "$layout_manifest_type" "$work/manifest")"
must build "oci:$work/named:named" --key "$key" --runtime "$runtime" -o "oci:$work/from-named:x" --sign-key "$work/signer.pem"
config_of "$work/from-named" x | jq -c '[.config.Labels["org.opencontainers.image.base.name"], .config.Labels["io.cloister.direct"]]' >"$work/labels"
same "its labels are not passed on" "$(cat "$work/labels")" "[null,null]"
printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[bases]\nallowed = ["redis"]\n' >"$work/redis.toml"
cloister verify "oci:$work/from-named:x" --policy "$work/redis.toml" --format json
same "and do not pass a policy" "$code $(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out")" "3 policy-base"
refused 1 "cannot be set" build "oci:$images:glibc" --key "$key" --runtime "$runtime" -o "oci:$work/none:x" --label org.opencontainers.image.base.name=docker.io/library/redis:7
openssl ec -pubin -in "$work/stranger.pub" -pubout -conv_form compressed -out "$work/compressed.pub" 2>/dev/null
printf 'schemaVersion = 1\n[signers]\nkeys = ["stranger.pub", "compressed.pub"]\nthreshold = 2\n' >"$work/twice.toml"
refused 1 "names one key twice" verify "$app" --policy "$work/twice.toml"
finish
