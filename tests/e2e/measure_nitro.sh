#!/bin/sh
# Registers of enclave image files, as another implementation has them, and signatures: in one step, in
# two and by a program, taken apart and verified by OpenSSL.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl python3
need_schemas
data=$CLOISTER_SOURCE_DIR/testdata/nitro-eif
vector() { jq -r "$1" "$data/vectors.json"; }
nitro() { must measure --tee nitro "$@"; }

nitro "$data/unsigned.eif" -q
same "PCR0" "$(cat "$out")" "$(vector .two_ramdisks.PCR0)"
nitro "$data/signed.eif" --format json
valid measure-nitro
same "all registers" "$(jq -r '.pcr0, .pcr1, .pcr2, .pcr8' "$out")" \
  "$(vector '.two_ramdisks | .PCR0, .PCR1, .PCR2, .PCR8')"
same "its signature is valid" "$(jq .signature.valid "$out")" true
nitro "$data/unsigned.eif" --explain --format json
valid measure-nitro
same "--explain has every section by its digest" \
  "$(jq -r '.sections | map({(.type): .sha256}) | add | .kernel, .cmdline' "$out")" \
  "$(vector '.inputs["kernel.bin", "cmdline.txt"]')"
same "and the metadata" "$(jq -r .metadata.ImageName "$out")" cloister-test
nitro "$data/unsigned.eif" --explain
claim "as text too" grep -qE "^548 +4400 +kernel +$(vector '.inputs["kernel.bin"]')\$" "$out"

# --- Signing --------------------------------------------------------------------------------------

# parts FILE: what OpenSSL can verify, out of the section's own form.
parts() {
  python3 - "$1" "$work" <<'PYTHON'
import struct, sys
file, work = open(sys.argv[1], "rb").read(), sys.argv[2]
count, = struct.unpack_from(">H", file, 26)
offset, = struct.unpack_from(">Q", file, 28 + 8 * (count - 1))
kind, _, size = struct.unpack_from(">HHQ", file, offset)
assert kind == 4
section = file[offset + 12:offset + 12 + size]
def head(data, at):
    major, small = data[at] >> 5, data[at] & 31
    if small < 24: return major, small, at + 1
    length = 1 << (small - 24)
    return major, int.from_bytes(data[at + 1:at + 1 + length], "big"), at + 1 + length
def item(data, at):
    major, number, at = head(data, at)
    if major == 0: return number, at
    if major == 1: return -1 - number, at
    if major in (2, 3):
        value = data[at:at + number]
        return (value if major == 2 else value.decode()), at + number
    out = []
    for _ in range(number * (2 if major == 5 else 1)):
        value, at = item(data, at)
        out.append(value)
    return (dict(zip(out[::2], out[1::2])) if major == 5 else out), at
entry = item(section, 0)[0][0]
cose = item(bytes(entry["signature"]), 0)[0]
def string(major, value):
    size = len(value)
    return (bytes([major << 5 | size]) if size < 24 else bytes([major << 5 | 24, size])) + value
def integer(number):
    body = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body
half = len(cose[3]) // 2
pair = b"".join(integer(int.from_bytes(part, "big")) for part in (cose[3][:half], cose[3][half:]))
def write(name, data): open(f"{work}/{name}", "wb").write(data)
write("in.crt", bytes(entry["signing_certificate"]))
write("in.msg", b"\x84" + string(3, b"Signature1") + string(2, cose[0]) + b"\x40" + string(2, cose[2]))
write("in.sig", b"\x30" + (bytes([len(pair)]) if len(pair) < 128 else bytes([0x81, len(pair)])) + pair)
write("in.pcr", bytes(item(cose[2], 0)[0]["register_value"]).hex().encode() + b"\n")
PYTHON
  openssl x509 -in "$work/in.crt" -pubkey -noout >"$work/in.pub"
}
# verified HASH: what parts() left, with the certificate of the file.
# shellcheck disable=SC2317  # by claim
verified() { openssl dgst "-$1" -verify "$work/in.pub" -signature "$work/in.sig" "$work/in.msg"; }
parts "$data/signed.eif"
claim "another implementation's signature" verified sha384

for curve in p256:sha256 p384:sha384 p521:sha512; do
  name=${curve%:*} hash=${curve#*:}
  nitro "$data/unsigned.eif" --key "$data/$name.key" --certificate "$data/$name.crt" --signed "$work/$name.eif" --format json
  valid measure-nitro
  same "$name: PCR0 stays" "$(jq -r .pcr0 "$out")" "$(vector .two_ramdisks.PCR0)"
  pcr8=$(jq -r .pcr8 "$out")
  same "$name: PCR8 is of the certificate" "$pcr8" "$({
    head -c 48 /dev/zero
    openssl x509 -in "$data/$name.crt" -outform DER | openssl dgst -sha384 -binary
  } | openssl dgst -sha384 -r | cut -d ' ' -f 1)"
  parts "$work/$name.eif"
  claim "$name: OpenSSL verifies it" verified "$hash"
  same "$name: PCR0 is what was signed" "$(cat "$work/in.pcr")" "$(vector .two_ramdisks.PCR0)"
  claim "$name: the certificate is in it as it was" cmp "$work/in.crt" "$data/$name.crt"
  nitro "$work/$name.eif" --format json
  same "$name: and is read again" "$(jq -r .pcr8 "$out")" "$pcr8"
done
nitro "$data/signed.eif" --key "$data/p384.key" --certificate "$data/p384.crt" --signed "$work/again.eif" -q
parts "$work/again.eif"
claim "a signature is replaced" verified sha384
claim "by this one" cmp "$work/in.crt" "$data/p384.crt"

nitro "$data/unsigned.eif" --emit-signing-data "$work/data" --certificate "$data/p384.crt"
claim "what is signed is what OpenSSL verified" cmp "$work/data" "$work/in.msg"
openssl dgst -sha384 -sign "$data/p384.key" -out "$work/signature" "$work/data"
nitro "$data/unsigned.eif" --signature "$work/signature" --public-key "$data/p384.crt" --certificate "$data/p384.crt" \
  --signed "$work/two.eif"
parts "$work/two.eif"
claim "two steps" verified sha384
claim "with OpenSSL's signature" cmp "$work/signature" "$work/in.sig"
nitro "$data/unsigned.eif" --signer-cmd "openssl dgst -sha512 -sign $data/p521.key" --public-key "$data/p521.crt" \
  --certificate "$data/p521.crt" --signed "$work/program.eif"
parts "$work/program.eif"
claim "a program signs" verified sha512

# --- What is refused ------------------------------------------------------------------------------

# changed FROM TO OFFSET: a byte is another one, and the CRC-32 fits.
changed() {
  python3 - "$@" <<'PYTHON'
import sys, zlib
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[3])] ^= 1
data[544:548] = zlib.crc32(data[548:], zlib.crc32(data[:544])).to_bytes(4, "big")
open(sys.argv[2], "wb").write(data)
PYTHON
}
no() {
  no_code=$1 no_pattern=$2
  shift 2
  refused "$no_code" "$no_pattern" measure --tee nitro "$@"
}
changed "$data/signed.eif" "$work/kernel.eif" 600
cloister measure --tee nitro "$work/kernel.eif" --format json
same "a signature of another image: the check says no" "$code" 3
claim "and why" grep -q "^error: the image.s signature is over another image" "$err"
valid measure-nitro
same "and the result says so" "$(jq -r '.signature | .valid, .problem' "$out")" "false
the image's signature is over another image"
head -c 5000 "$data/unsigned.eif" >"$work/short.eif"
no 1 "ends before its last section" "$work/short.eif"
no 1 "not an enclave image file" "$data/vectors.json"
sign="--key $data/p384.key --certificate $data/p384.crt"
# shellcheck disable=SC2086
{
  no 1 "not the one of the certificate" "$data/unsigned.eif" --key "$data/p256.key" --certificate "$data/p384.crt" \
    --signed "$work/result"
  no 1 "signs no enclave image" "$data/unsigned.eif" --key "$data/k256.key" --certificate "$data/k256.crt" --signed "$work/result"
  no 1 "does not verify" "$work/kernel.eif" --signature "$work/signature" --public-key "$data/p384.crt" \
    --certificate "$data/p384.crt" --signed "$work/result"
  no 2 "belong together" "$data/unsigned.eif" $sign
  no 2 "belong together" "$data/unsigned.eif" --signed "$work/result"
  no 2 "needs it" "$data/unsigned.eif" --key "$data/p384.key" --signed "$work/result"
  no 2 "needs it" "$data/unsigned.eif" --certificate "$data/p384.crt"
  no 2 "is not for --tee nitro" "$data/unsigned.eif" --firmware x
  no 2 "measures a file"
}
refused 2 "is not for --tee sgx" measure "$data/unsigned.eif" --certificate "$data/p384.crt"
claim "nothing was written" test ! -e "$work/result"
finish
