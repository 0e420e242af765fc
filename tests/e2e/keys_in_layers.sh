#!/bin/sh
# A build refuses to publish a private key that it uses, or one that signs enclaves: in any layer, in
# whatever form, and says where it is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo jq openssl
copy "oci:$images:glibc-two-layers" "oci:$work/base-plain:plain"
keys=$CLOISTER_SOURCE_DIR/testdata/sign
must keygen image -o "$work/image.pem"
openssl genrsa -out "$work/innocent.pem" 3072 2>/dev/null

# with_file TAG FILE PATH [FROM]: the image FROM (plain) with one more layer, which has FILE as PATH.
with_file() {
  rm -rf "$work/root"
  mkdir -p "$work/root/$(dirname "$3")"
  cp "$2" "$work/root/$3"
  with_root "$1" "${4:-plain}"
}
# with_root TAG FROM: likewise, with all of $work/root. Each image in a layout of its own.
with_root() {
  e2e_layout=$work/base-$1
  cp -r "$work/base-$2" "$e2e_layout"
  layout_tar "$work/root" "$work/layer.tar"
  layer=$(layout_layer "$e2e_layout" "$work/layer.tar")  # its descriptor and its diffID
  config_of "$e2e_layout" "$2" | jq -c --arg id "${layer##* }" '.rootfs.diff_ids += [$id]' >"$work/config"
  config=$(layout_blob "$e2e_layout" "$layout_config_type" "$work/config")
  manifest_of "$e2e_layout" "$2" | jq -c --argjson config "$config" --argjson layer "${layer% *}" \
    '.config = $config | .layers += [$layer]' >"$work/manifest"
  layout_tag "$e2e_layout" "$1" "$(layout_blob "$e2e_layout" "$layout_manifest_type" "$work/manifest")"
}
build_of() {
  e2e_tag=$1
  shift
  cloister build "oci:$work/base-$e2e_tag:$e2e_tag" --runtime "$runtime" --key "$key" -o "oci:$work/built:$e2e_tag" "$@"
}
leaks() { # leaks PATTERN TAG ARGS…
  e2e_leak=$1 e2e_tag=$2
  shift 2
  refused 3 "$e2e_leak" build "oci:$work/base-$e2e_tag:$e2e_tag" --runtime "$runtime" --key "$key" -o "oci:$work/result:$e2e_tag" "$@"
}

with_file innocent "$work/innocent.pem" etc/ssl/private/server.key
build_of innocent
same "a key of another kind may be in an image" "$code" 0

with_file other "$keys/sgx-pkcs1.pem" opt/app/enclave.key
leaks "private key that signs enclaves.*'/opt/app/enclave.key'.*in layer 3 of 3, sha256:" other
refused 3 "signs enclaves" build "oci:$work/base-other:other" --runtime "$runtime" --dry-run

openssl pkcs8 -topk8 -nocrypt -in "$key" -out "$work/pkcs8.pem"
openssl rsa -traditional -in "$key" -out "$work/pkcs1.pem" 2>/dev/null
with_file own "$work/pkcs1.pem" srv/key
leaks "the private key of --key: '/srv/key'" own
leaks "the private key of --key: '/srv/key'" own --include /srv/key
openssl pkcs8 -topk8 -nocrypt -in "$key" -outform DER -out "$work/key.der"
with_file der "$work/key.der" srv/key.der
leaks "the private key of --key: '/srv/key.der'" der

with_file signer "$work/image.pem" usr/share/image.pem
build_of signer
same "an image key that is not used is not looked for" "$code" 0
leaks "the (private key|file) of --sign-key: '/usr/share/image.pem'" signer --sign-key "$work/image.pem"

# Within other text, as programs carry keys.
{ printf '#!/bin/sh\nKEY="'; awk '{ printf "%s\\n", $0 }' "$work/pkcs8.pem"; printf '"\n'; } >"$work/script"
with_file script "$work/script" usr/local/bin/start
leaks "the private key of --key: '/usr/local/bin/start'" script
{ echo 'key: |'; sed 's/^/    /' "$work/pkcs8.pem"; } >"$work/yaml"
with_file yaml "$work/yaml" etc/app.yaml
leaks "the private key of --key: '/etc/app.yaml'" yaml
# In a file that is longer than a block of the pass over the layer, across whatever boundary.
{ head -c 700000 /dev/zero | tr '\0' x; cat "$work/pkcs8.pem"; } >"$work/long"
with_file long "$work/long" var/data
leaks "the private key of --key: '/var/data'" long

# A later layer removes it; the layer before is published all the same.
rm -rf "$work/root"
mkdir -p "$work/root/srv"
: >"$work/root/srv/.wh.key"
with_root removed own
leaks "'/srv/key'.*in layer 3 of 4" removed

# Encrypted, it is known when it is the very file; another one is nobody's.
CLOISTER_PASSWORD=secret must keygen image --encrypt -o "$work/sealed.pem"
with_file sealed "$work/sealed.pem" srv/sealed.pem
CLOISTER_PASSWORD=secret leaks "the file of --sign-key: '/srv/sealed.pem'" sealed --sign-key "$work/sealed.pem"
build_of sealed
same "an encrypted key that is not used is no reason to refuse" "$code" 0

# Not in files: in the image's configuration, and in what the user adds.
e2e_layout=$work/base-env
cp -r "$work/base-plain" "$e2e_layout"
config_of "$e2e_layout" plain | jq -c --rawfile key "$work/pkcs8.pem" '.config.Env += ["KEY=" + $key]' >"$work/config"
config=$(layout_blob "$e2e_layout" "$layout_config_type" "$work/config")
manifest_of "$e2e_layout" plain | jq -c --argjson config "$config" '.config = $config' >"$work/manifest"
layout_tag "$e2e_layout" env "$(layout_blob "$e2e_layout" "$layout_manifest_type" "$work/manifest")"
leaks "image's configuration holds the private key of --key" env
leaks "manifest would hold the private key of --key" plain --env "KEY=$(cat "$work/pkcs8.pem")"
finish
