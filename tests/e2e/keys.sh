#!/bin/sh
# Where keys come from: cosign's encrypted file, a variable, a program that signs, another machine.
# However a key is used, a scheme without randomness gives the same bytes.
# shellcheck disable=SC2016  # $ in programs of jq
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl base64
base=oci:$images:glibc-two-layers
build() { must build "$base" --runtime "$runtime" "$@"; }
attached() { find "$1/blobs" -type f -exec basename {} ';' | sort; }

for type in ecdsa-p256 ed25519 rsa; do must keygen image --type "$type" -o "$work/$type.pem"; done
openssl pkey -in "$key" -pubout -out "$work/enclave.pub"
openssl genrsa -3 -out "$work/other.pem" 3072 2>/dev/null
openssl pkey -in "$work/other.pem" -pubout -out "$work/other.pub"

# --- SGX keys: in a variable, with a program, elsewhere -------------------------------------------

build --key "$key" -o "oci:$work/one:s"
digest=$(cat "$out")
ENCLAVE_KEY=$(cat "$key")
export ENCLAVE_KEY
build --key env://ENCLAVE_KEY -o "oci:$work/variable:s"
same "a key in a variable makes the same image" "$(cat "$out")" "$digest"
refused 1 "no variable 'NO_SUCH_KEY'" build "$base" --runtime "$runtime" --key env://NO_SUCH_KEY -o "oci:$work/none:s"
EMPTY='' refused 1 "no variable 'EMPTY'" build "$base" --runtime "$runtime" --key env://EMPTY -o "oci:$work/none:s"
BAD='no key but a secret word' refused 1 "no private key" build "$base" --runtime "$runtime" --key env://BAD -o "oci:$work/none:s"
claim "whose text no error shows" sh -c "! grep -q 'secret word' '$err'"
for scheme in awskms gcpkms azurekms hashivault k8s; do
  refused 1 "not read.*--signer-cmd" build "$base" --runtime "$runtime" --key "$scheme://k" -o "oci:$work/none:s"
done

build --signer-cmd "openssl  dgst -sha256 -sign $key" --public-key "$work/enclave.pub" -o "oci:$work/program:s"
same "a program that signs makes the same image" "$(cat "$out")" "$digest"
CLOISTER_KEY=$work/nowhere build --signer-cmd "openssl dgst -sha256 -sign $key" --public-key "$work/enclave.pub" -o "oci:$work/program:t"
same "and is not disturbed by \$CLOISTER_KEY" "$(cat "$out")" "$digest"
with() { # with PATTERN CODE ARGS…
  e2e_with=$1 e2e_with_code=$2
  shift 2
  refused "$e2e_with_code" "$e2e_with" build "$base" --runtime "$runtime" -o "oci:$work/none:s" "$@"
}
with "needs --public-key" 2 --signer-cmd true
with "belongs to --signer-cmd" 2 --key "$key" --public-key "$work/enclave.pub"
with "exclude each other" 2 --key "$key" --signer-cmd true --public-key "$work/enclave.pub"
with "names no program" 2 --signer-cmd ' ' --public-key "$work/enclave.pub"
with "cannot be run" 1 --signer-cmd /nowhere/signer --public-key "$work/enclave.pub"
with "did not sign.*status 1" 1 --signer-cmd false --public-key "$work/enclave.pub"
with "signature by 'true' does not verify" 1 --signer-cmd true --public-key "$work/enclave.pub"
with "signature by 'openssl' does not verify" 1 --signer-cmd "openssl dgst -sha256 -sign $work/other.pem" --public-key "$work/enclave.pub"
with "'yes' prints more than" 1 --signer-cmd yes --public-key "$work/enclave.pub"
with "is a private key" 1 --signer-cmd true --public-key "$key"
with "not an RSA key" 1 --signer-cmd true --public-key "$work/ecdsa-p256.pub"
cat >"$work/signer" <<'SIGNER'
#!/bin/sh
echo "told to use $CLOISTER_SIGN_ALGORITHM" >&2
[ "$CLOISTER_SIGN_ALGORITHM" = "$1" ] && exec openssl dgst -sha256 -sign "$2"
SIGNER
chmod +x "$work/signer"
build --signer-cmd "$work/signer rsa-pkcs1-sha256 $key" --public-key "$work/enclave.pub" -o "oci:$work/program:u"
claim "the program is told the algorithm, and its standard error is seen" grep -qx "told to use rsa-pkcs1-sha256" "$err"

must build "$base" --runtime "$runtime" --emit-signing-data "$work/data"
same "a SIGSTRUCT's signature is over 256 bytes" "$(wc -c <"$work/data")" 256
openssl dgst -sha256 -sign "$key" -out "$work/signature" "$work/data"
build --signature "$work/signature" --public-key "$work/enclave.pub" -o "oci:$work/two:s"
same "two steps make the image of one" "$(cat "$out")" "$digest"
same "file by file" "$(attached "$work/two")" "$(attached "$work/one")"
base64 "$work/signature" | tr -d '\n' >"$work/signature.b64"
build --signature "$work/signature.b64" --public-key "$work/enclave.pub" -o "oci:$work/two:t"
same "also with the signature in base64" "$(cat "$out")" "$digest"
with "does not verify" 1 --signature "$work/signature" --public-key "$work/other.pub"
with "does not verify" 1 --signature "$work/signature" --public-key "$work/enclave.pub" --isvsvn 9
with "does not verify" 1 --signature "$work/data" --public-key "$work/enclave.pub"
with "needs --public-key" 2 --signature "$work/signature"
refused 2 "first of two steps" build "$base" --runtime "$runtime" --key "$key" --emit-signing-data "$work/data"

must manifest "$base" --runtime "$runtime"
cp "$out" "$work/app.manifest.sgx"
measure() { must measure "$work/app.manifest.sgx" --runtime "$runtime" --date 2024-01-02 "$@"; }
measure --key "$key" --sig "$work/one.sig"
measure --emit-signing-data "$work/data"
openssl dgst -sha256 -sign "$key" -out "$work/signature" "$work/data"
measure --signature "$work/signature" --public-key "$work/enclave.pub" --sig "$work/two.sig"
claim "two steps make the SIGSTRUCT of one" cmp "$work/one.sig" "$work/two.sig"
measure --signer-cmd "openssl dgst -sha256 -sign $key" --public-key "$work/enclave.pub" --sig "$work/program.sig"
claim "and so does a program" cmp "$work/one.sig" "$work/program.sig"
refused 2 "belong together" measure "$work/app.manifest.sgx" --runtime "$runtime" --date 2024-01-02 --signature "$work/signature" --public-key "$work/enclave.pub"
refused 1 "does not verify" measure "$work/app.manifest.sgx" --runtime "$runtime" --date 2024-01-03 --signature "$work/signature" --public-key "$work/enclave.pub" --sig "$work/bad.sig"
claim "and nothing is written then" test ! -e "$work/bad.sig"

# --- Image keys: in a variable, with a program, elsewhere -----------------------------------------

# signed NAME KEY…: a copy of the built image, signed; its verdict by the public key $half.
signed() {
  e2e_copy=$work/$1
  shift
  cp -r "$work/one" "$e2e_copy"
  must sign "oci:$e2e_copy:s" "$@"
  must verify "oci:$e2e_copy:s" --key "$half"
}
# sign_elsewhere TYPE FILE: adds signatures to the messages, with openssl alone.
sign_elsewhere() {
  e2e_count=$(jq '.messages | length' "$2")
  e2e_at=0
  while [ "$e2e_at" -lt "$e2e_count" ]; do
    jq -r ".messages[$e2e_at].bytes" "$2" | base64 -d >"$work/message"
    same "the digest is of the bytes" "$(jq -r ".messages[$e2e_at].sha256" "$2")" "$(sha256sum <"$work/message" | cut -d' ' -f1)"
    case $1 in
      ed25519) openssl pkeyutl -sign -rawin -inkey "$work/$1.pem" -in "$work/message" -out "$work/signature" ;;
      *) openssl dgst -sha256 -sign "$work/$1.pem" -out "$work/signature" "$work/message" ;;
    esac
    jq --argjson i "$e2e_at" --arg s "$(base64 -w0 "$work/signature")" '.messages[$i].signature = $s' "$2" >"$work/next"
    mv "$work/next" "$2"
    e2e_at=$((e2e_at + 1))
  done
}
PUBLIC_HALF=$(cat "$work/rsa.pub")
export PUBLIC_HALF
SIGN_KEY=$(cat "$work/rsa.pem")
export SIGN_KEY
for type in rsa ed25519 ecdsa-p256; do
  half=$work/$type.pub
  signed "direct-$type" --key "$work/$type.pem"
  cp -r "$work/one" "$work/steps-$type"
  must sign "oci:$work/steps-$type:s" --emit-signing-data "$work/data-$type.json"
  same "the first step signs nothing, $type" "$(attached "$work/steps-$type")" "$(attached "$work/one")"
  cp "$work/data-$type.json" "$work/unsigned.json"
  refused 1 "lacks a signature" sign "oci:$work/steps-$type:s" --signature "$work/unsigned.json" --public-key "$half"
  sign_elsewhere "$type" "$work/data-$type.json"
  must sign "oci:$work/steps-$type:s" --signature "$work/data-$type.json" --public-key "$half"
  must verify "oci:$work/steps-$type:s" --key "$half"
  [ "$type" = ecdsa-p256 ] || # its signatures hold a random number
    same "two steps attach what one does, byte for byte, $type" \
      "$(attached "$work/steps-$type")" "$(attached "$work/direct-$type")"
done
cat >"$work/image-signer" <<'SIGNER'
#!/bin/sh
case $CLOISTER_SIGN_ALGORITHM in
  ed25519) cat >"$1.in" && exec openssl pkeyutl -sign -rawin -inkey "$1" -in "$1.in" ;;
  rsa-pkcs1-sha256 | ecdsa-sha256) exec openssl dgst -sha256 -sign "$1" ;;
esac
exit 1
SIGNER
chmod +x "$work/image-signer"
for type in rsa ed25519 ecdsa-p256; do
  half=$work/$type.pub
  signed "program-$type" --signer-cmd "$work/image-signer $work/$type.pem" --public-key "$half"
done
same "a program attaches what the key itself would" "$(attached "$work/program-ed25519")" "$(attached "$work/direct-ed25519")"
half=env://PUBLIC_HALF
signed variable-rsa --key env://SIGN_KEY
same "and so does a key in a variable" "$(attached "$work/variable-rsa")" "$(attached "$work/direct-rsa")"
must build "$base" --runtime "$runtime" --key "$key" -o "oci:$work/built:s" \
  --sign-signer-cmd "$work/image-signer $work/rsa.pem" --sign-public-key "$work/rsa.pub"
same "a build signs through a program too" "$(attached "$work/built")" "$(attached "$work/direct-rsa")"

target=oci:$work/steps-rsa:s
refused 1 "does not verify" sign "$target" --signature "$work/data-rsa.json" --public-key "$work/ed25519.pub"
refused 1 "not about what is to be signed" sign "$target" --signature "$work/data-rsa.json" --public-key "$work/rsa.pub" --identity other
cp -r "$work/one" "$work/damaged"
jq '.messages[1].signature = .messages[0].signature' "$work/data-rsa.json" >"$work/damaged.json"
refused 1 "does not verify" sign "oci:$work/damaged:s" --signature "$work/damaged.json" --public-key "$work/rsa.pub"
same "and then nothing is attached" "$(attached "$work/damaged")" "$(attached "$work/one")"
echo '{"schemaVersion":2}' >"$work/bad.json"
refused 1 "schemaVersion" sign "$target" --signature "$work/bad.json" --public-key "$work/rsa.pub"
echo nothing >"$work/bad.json"
refused 1 "not valid JSON" sign "$target" --signature "$work/bad.json" --public-key "$work/rsa.pub"
refused 2 "needs a key" sign "$target"
refused 2 "elsewhere" sign "$target" --key "$work/rsa.pem" --emit-signing-data "$work/x.json"
refused 1 "no variable" verify "$target" --key env://NO_SUCH_KEY

# --- cosign's own keys ----------------------------------------------------------------------------

half=$CLOISTER_SOURCE_DIR/testdata/sign/cosign-public.pem
sealed=$CLOISTER_SOURCE_DIR/testdata/sign/cosign-encrypted.pem
refused 1 "no passphrase was given" sign "oci:$work/one:s" --key "$sealed"
COSIGN_PASSWORD=wrong refused 1 "wrong passphrase" sign "oci:$work/one:s" --key "$sealed"
COSIGN_PASSWORD=secret signed cosign --key "$sealed"
cosign=${COSIGN_2:-$E2E_SHARED/cosign-2/usr/bin/cosign}
if [ -x "$cosign" ]; then
  (cd "$work" && COSIGN_PASSWORD='' "$cosign" generate-key-pair >/dev/null 2>&1)
  half=$work/cosign.pub
  COSIGN_PASSWORD='' signed cosign-fresh --key "$work/cosign.key"
else
  echo "note: no cosign to make a key with; the one in testdata has to do"
fi
finish
