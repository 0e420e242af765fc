#!/bin/sh
# Launch digests of a SEV-SNP guest, as another implementation has them, and ID blocks: signed in one
# step, in two and by a program, and verified by OpenSSL.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl python3
need_schemas
data=$CLOISTER_SOURCE_DIR/testdata/snp-launch
launch="--tee snp --firmware $data/firmware.bin"
append="console=ttyS0 panic=-1 cloister.test=1"

# snp OPTION…: a launch with the kernel of the test data.
snp() {
  # shellcheck disable=SC2086  # options
  must measure $launch --kernel "$data/kernel.bin" --initrd "$data/initrd.bin" --append "$append" "$@"
}
# expected VMM MODEL FEATURES VCPUS KERNEL
expected() {
  awk -F '\t' -v want="snp $1 $2 $3 $4 $5" '$1" "$2" "$3" "$4" "$5" "$6 == want {print $7}' "$data/expected.tsv"
}

for vmm in qemu ec2 gce; do
  snp --vmm "$vmm" --vcpu-type EPYC-Turin --guest-features 0x21 --vcpus 64,1,2 -q
  same "$vmm: the digests asked for, in that order" "$(cat "$out")" "$(for n in 64 1 2; do expected "$vmm" EPYC-Turin 0x21 $n test; done)"
done
# shellcheck disable=SC2086
must measure $launch -q
same "without a kernel, and by default" "$(cat "$out")" "$(expected qemu EPYC-v4 0x1 1 none)"
snp --vcpu-sig 0x800f12 -q
same "a processor by its signature" "$(cat "$out")" "$(expected qemu EPYC-v4 0x1 1 test)"

snp --vcpus 1,3 --explain --format json
valid measure-snp
same "JSON has the digests" "$(jq -r '.measurements[] | "\(.vcpus) \(.digest)"' "$out")" "$(for n in 1 3; do
  echo "$n $(expected qemu EPYC-v4 0x1 $n test)"
done)"
same "and what was hashed" "$(jq -r '.firmware.sha256, .kernel.sha256, .kernel.initrdSha256' "$out")" \
  "$(sha256sum "$data/firmware.bin" "$data/kernel.bin" "$data/initrd.bin" | cut -d ' ' -f 1)"
same "the command line counts with its NUL" "$(jq -r .kernel.commandLineSha256 "$out")" \
  "$(printf '%s\0' "$append" | sha256sum | cut -d ' ' -f 1)"
same "--explain ends with the last digest" "$(jq -r '.ranges[-1] | .name, .digest' "$out")" \
  "$(printf 'vmsa 2\n%s' "$(expected qemu EPYC-v4 0x1 3 test)")"
snp --vcpus 2 --explain
claim "--explain as text names each range" grep -qE "0x0000fffffffff000 +1 +vmsa +vmsa 1 +$(expected qemu EPYC-v4 0x1 2 test)" "$out"

# --- ID blocks ------------------------------------------------------------------------------------

must keygen snp -o "$work/id.pem"
must keygen snp -o "$work/author.pem"
for name in id author; do openssl pkey -in "$work/$name.pem" -pubout -out "$work/$name.pub"; done

# parts BLOCK AUTH: what OpenSSL can verify, out of the firmware's own form.
parts() {
  python3 - "$1" "$2" "$work" <<'PYTHON'
import base64, sys
block, auth = (base64.b64decode(open(name).read()) for name in sys.argv[1:3])
work = sys.argv[3]
assert (len(block), len(auth)) == (96, 4096)
def der(at):
    def integer(start):
        number = int.from_bytes(auth[start:start + 72], "little")
        body = number.to_bytes(number.bit_length() // 8 + 1, "big")
        return bytes([2, len(body)]) + body
    body = integer(at) + integer(at + 72)
    return bytes([0x30, len(body)]) + body
def write(name, data): open(f"{work}/{name}", "wb").write(data)
write("block", block)
write("block.sig", der(0x40))
write("idkey", auth[0x240:0x644])
write("idkey.sig", der(0x680))
write("authorkey", auth[0x880:0xc84])
PYTHON
}
# shellcheck disable=SC2317  # by claim
verified() { openssl dgst -sha384 -verify "$work/$1.pub" -signature "$work/$2.sig" "$work/$2"; }
sha384() { openssl dgst -sha384 -r "$1" | cut -d ' ' -f 1; }

snp --key "$work/id.pem" --author-key "$work/author.pem" --id-block "$work/block.b64" --id-auth "$work/auth.b64" \
  --guest-svn 7 --policy 0xb0000 --family-id 00112233445566778899aabbccddeeff --image-id ffeeddccbbaa99887766554433221100 --format json
valid measure-snp
claim "a policy that allows debugging is warned of" grep -q "^warning: .*debug" "$err"
parts "$work/block.b64" "$work/auth.b64"
claim "the ID key signed the block" verified id block
claim "the author signed the ID key" verified author idkey
same "reports will show these digests" "$(jq -r '.idBlock.idKeyDigest, .idBlock.authorKeyDigest' "$out")" \
  "$(sha384 "$work/idkey" && sha384 "$work/authorkey")"
same "the block is what was asked for" "$(od -A n -v -t x1 "$work/block" | tr -d ' \n')" \
  "$(expected qemu EPYC-v4 0x1 1 test)00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100010000000700000000000b0000000000"

snp --emit-signing-data "$work/data"
snp --key "$work/id.pem" --id-block "$work/one.b64" --id-auth "$work/one-auth.b64" --format json
same "without an author there is none" "$(jq -r .idBlock.authorKeyDigest "$out")" null
base64 -d "$work/one.b64" >"$work/one"
claim "what is signed is the block" cmp "$work/data" "$work/one"
openssl dgst -sha384 -sign "$work/id.pem" -out "$work/signature" "$work/data"
snp --signature "$work/signature" --public-key "$work/id.pub" --id-block "$work/two.b64" --id-auth "$work/two-auth.b64"
parts "$work/two.b64" "$work/two-auth.b64"
claim "two steps: OpenSSL's signature is in it" cmp "$work/signature" "$work/block.sig"
claim "and verifies" verified id block
snp --signer-cmd "openssl dgst -sha384 -sign $work/id.pem" --public-key "$work/id.pub" --id-block "$work/p.b64" --id-auth "$work/p-auth.b64"
parts "$work/p.b64" "$work/p-auth.b64"
claim "a program signs" verified id block

# --- What is refused ------------------------------------------------------------------------------

# no CODE PATTERN OPTION…
no() {
  no_code=$1 no_pattern=$2
  shift 2
  # shellcheck disable=SC2086
  refused "$no_code" "$no_pattern" measure $launch --kernel "$data/kernel.bin" "$@"
}
files="--id-block $work/result-block --id-auth $work/result-auth"
# shellcheck disable=SC2086
{
  no 1 "does not verify" --signature "$work/signature" --public-key "$work/id.pub" $files # of another command line
  no 1 "does not verify" --signature "$work/signature" --public-key "$work/author.pub" --append "$append" \
    --initrd "$data/initrd.bin" $files
  no 1 "want EC on P-384" --key "$key" $files
  no 2 "vcpus names several" --key "$work/id.pem" --vcpus 1,2 $files
  no 2 "vcpus names several" --emit-signing-data "$work/result" --vcpus 1,2
  no 2 "bit 17" --key "$work/id.pem" --policy 0x10000 $files
  no 2 "32 hexadecimal digits" --key "$work/id.pem" --family-id 0011 $files
  no 2 "guest-svn is no number" --key "$work/id.pem" --guest-svn 0x100000000 $files
  no 2 "belong together" --key "$work/id.pem" --id-block "$work/result-block"
  no 2 "belong together" $files
  no 2 "no ID block" --guest-svn 3
  no 2 "vouch" --author-key "$work/author.pem"
  no 2 "exclude each other" --vcpu-type EPYC --vcpu-sig 1
  no 2 "did you mean 'EPYC-Milan'" --vcpu-type EPYC-Milna
  no 2 "vcpus is no number" --vcpus 1,,2
  no 2 "vcpus 0" --vcpus 0
  no 2 "append is longer" --append "$(head -c 2048 /dev/zero | tr '\0' a)"
  no 2 "libpal is not for --tee snp" --libpal x
  no 2 "takes no file" x
}
refused 2 "kernel is not for --tee sgx" measure x --kernel y
refused 2 "measures a file, and none was given" measure
refused 2 "needs --firmware" measure --tee snp
refused 2 "belong to --kernel" measure --tee snp --firmware "$data/firmware.bin" --append x
refused 1 "whole pages" measure --tee snp --firmware "$data/kernel.bin"
head -c 4096 /dev/zero >"$work/zeros"
refused 1 "no table of OVMF's" measure --tee snp --firmware "$work/zeros"
python3 - "$data/firmware.bin" "$work/unchecked" <<'PYTHON'
import struct, sys
image = open(sys.argv[1], "rb").read()
area = struct.pack("<II", 0x810c00, 0x400)
assert image.count(area) == 1
open(sys.argv[2], "wb").write(image.replace(area, bytes(8)))
PYTHON
must measure --tee snp --firmware "$work/unchecked"
refused 1 "does not check a kernel" measure --tee snp --firmware "$work/unchecked" --kernel "$data/kernel.bin"
finish
