#!/bin/sh
# Keys in a token (PKCS#11), by SoftHSM: an enclave's key and image keys; where the PIN comes from;
# and what is said when a part of it is missing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need softhsm2-util openssl
module=
for file in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
  [ ! -e "$file" ] || module=$file
done
[ -n "$module" ] || skip "no libsofthsm2.so"
# OpenSSL's engine, or its provider.
reach=
for file in /usr/lib/*/engines-3/pkcs11.so /usr/lib/*/ossl-modules/pkcs11.so; do
  [ ! -e "$file" ] || reach=$file
done
[ -n "$reach" ] || skip "no pkcs11 engine or provider for OpenSSL (./dev test installs it)"
base=oci:$images:glibc-two-layers

mkdir "$work/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$work/tokens" >"$work/softhsm.conf"
export SOFTHSM2_CONF="$work/softhsm.conf"
unset PKCS11_MODULE_PATH COSIGN_PKCS11_MODULE_PATH CLOISTER_PKCS11_PIN COSIGN_PKCS11_PIN
softhsm2-util --init-token --free --label cloister --pin 1234 --so-pin 5678 >/dev/null
# to_token PEM LABEL ID
to_token() {
  openssl pkcs8 -topk8 -nocrypt -in "$1" -out "$work/import.pem"
  softhsm2-util --import "$work/import.pem" --token cloister --label "$2" --id "$3" --pin 1234 >/dev/null
  openssl pkey -in "$1" -pubout -out "$work/$2.pub"
}
openssl ecparam -genkey -name prime256v1 -noout -out "$work/ec.pem"
openssl genrsa -out "$work/rsa.pem" 2048 2>/dev/null
to_token "$key" enclave 01
to_token "$work/ec.pem" image 02
openssl ecparam -genkey -name secp384r1 -noout -out "$work/id.pem"
to_token "$work/rsa.pem" rsa 03
to_token "$work/id.pem" id 04
rm "$work/import.pem"
echo 1234 >"$work/pin"
uri="pkcs11:token=cloister;object"

must build "$base" --runtime "$runtime" --key "$key" -o "oci:$work/file:s"
digest=$(cat "$out")
must build "$base" --runtime "$runtime" -o "oci:$work/token:s" \
  --key "$uri=enclave?pin-value=1234&module-path=$module"
same "an enclave's key in a token makes the same image" "$(cat "$out")" "$digest"

export PKCS11_MODULE_PATH="$module"
must build "$base" --runtime "$runtime" -o "oci:$work/both:s" --key "$uri=enclave?pin-source=file:$work/pin" \
  --sign-key "$uri=image" --sign-passphrase-file "$work/pin"
same "and beside it a key that signs the image" "$(cat "$out")" "$digest"
must verify "oci:$work/both:s" --key "$work/image.pub"
CLOISTER_PKCS11_PIN=1234 must sign "oci:$work/both:s" --key "$uri=rsa;type=private"
must verify "oci:$work/both:s" --key "$work/rsa.pub"
cp -r "$work/token" "$work/again"
COSIGN_PKCS11_PIN=1234 must sign "oci:$work/again:s" --key "pkcs11:token=cloister;id=%03"
must verify "oci:$work/again:s" --key "$work/rsa.pub"
cp -r "$work/token" "$work/key"
must sign "oci:$work/key:s" --key "$work/rsa.pem"
same "RSA signs in a token as it does in a file" "$(find "$work/again/blobs" -type f -exec basename {} ';' | sort)" \
  "$(find "$work/key/blobs" -type f -exec basename {} ';' | sort)"
must manifest "$base" --runtime "$runtime"
cp "$out" "$work/app.manifest.sgx"
must measure "$work/app.manifest.sgx" --runtime "$runtime" --date 2024-01-02 --key "$key" --sig "$work/file.sig"
must measure "$work/app.manifest.sgx" --runtime "$runtime" --date 2024-01-02 --sig "$work/token.sig" \
  --key "$uri=enclave" --passphrase-file "$work/pin"
claim "and so does a SIGSTRUCT" cmp "$work/file.sig" "$work/token.sig"
launch="--tee snp --firmware $CLOISTER_SOURCE_DIR/testdata/snp-launch/firmware.bin"
# shellcheck disable=SC2086  # options
must measure $launch --key "$uri=id" --passphrase-file "$work/pin" --id-block "$work/block" --id-auth "$work/auth"
claim "and an ID block, with SHA-384" test -s "$work/auth"
# shellcheck disable=SC2086
refused 1 "want EC on P-384" measure $launch --key "$uri=image" --passphrase-file "$work/pin" \
  --id-block "$work/result-block" --id-auth "$work/result-auth"

image=oci:$work/token:s
refused 1 "gives no private key '$uri=none'" sign "$image" --key "$uri=none?pin-value=1234"
refused 1 "the PIN is wrong" sign "$image" --key "$uri=rsa?pin-value=4321"
claim "no PIN is ever shown" sh -c "! grep -q 4321 '$err'"
refused 1 "wants a PIN, and there is none" sign "$image" --key "$uri=rsa"
refused 1 "cannot open|No such file|no such file" sign "$image" --key "$uri=rsa?pin-source=file:$work/none"
refused 1 "wrong public exponent|wrong size" build "$base" --runtime "$runtime" -o "oci:$work/none:s" --key "$uri=rsa?pin-value=1234"
refused 1 "not an RSA key" build "$base" --runtime "$runtime" -o "oci:$work/none:s" --key "$uri=image?pin-value=1234"
refused 2 "NAME=VALUE" sign "$image" --key "pkcs11:rsa"
refused 2 "PIN belongs into the query" sign "$image" --key "$uri=rsa;pin-value=1234"
refused 2 "no file to read" verify "$image" --key "$uri=rsa"
unset PKCS11_MODULE_PATH
refused 1 "library .*cannot be used.*set PKCS11_MODULE_PATH" sign "$image" --key "$uri=rsa?pin-value=1234&module-path=/nowhere.so"
mkdir "$work/empty"
OPENSSL_ENGINES=$work/empty OPENSSL_MODULES=$work/empty \
  refused 1 "neither a pkcs11 provider nor.*libengine-pkcs11-openssl" sign "$image" --key "$uri=rsa?pin-value=1234"
finish
