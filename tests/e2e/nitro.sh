#!/bin/sh
# An image as an enclave of AWS Nitro: the same bytes each time, registers as `measure` has them, files
# that are what is attested of them, and policies for a key that ask for exactly these registers.
# Kernel, first process and module are stand-ins: nothing is started.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl python3 cpio
need_schemas
data=$CLOISTER_SOURCE_DIR/testdata/nitro-eif
aws=$work/aws
mkdir "$aws"
python3 - "$aws/bzImage" <<'PYTHON'
import sys
kernel = bytearray(4096)
kernel[0x202:0x206] = b"HdrS"
kernel[0x20e:0x210] = (0x400).to_bytes(2, "little")
kernel[0x600:0x613] = b"6.6.99-test (x) #1\0"
open(sys.argv[1], "wb").write(kernel)
PYTHON
printf 'a first process\n' >"$aws/init"
printf 'a module\n' >"$aws/nsm.ko"
inputs="--tee nitro --kernel $aws/bzImage --init $aws/init --nsm $aws/nsm.ko"
image=oci:$images:glibc

# nitro OPTION…: builds it.
# shellcheck disable=SC2086  # options
nitro() { must build "$image" $inputs "$@"; }

# --- The same bytes -------------------------------------------------------------------------------

nitro -o "oci:$work/first:app" -q
first=$(cat "$out")
XDG_CACHE_HOME=$work/cache2 XDG_STATE_HOME=$work/state2 nitro -o "oci:$work/second:app" --jobs 1 -q
same "a second build from nothing gives the same digest" "$(cat "$out")" "$first"
nitro -o "oci:$work/other:app" --append quiet -q
claim "another command line gives another" [ "$(cat "$out")" != "$first" ]
nitro -o "oci:$work/third:app" --format json
valid build-guest
same "the result is the artifact" "$(jq -r .image.digest "$out")" "$first"
pcr0=$(jq -r .nitro.pcr0 "$out")
same "a dry run prints the document" "$("$CLOISTER" build "$image" --tee nitro --dry-run -q | head -n 2 | tail -n 1)" \
  "program /usr/bin/hello"

# --- The files ------------------------------------------------------------------------------------

must pull "oci:$work/first:app" -o "$work/files"
same "the files" "$(find "$work/files" -type f -printf '%f\n' | sort | paste -s -d ' ')" "app.eif guest.conf measurement.json"
agrees "what is stated" "$CLOISTER_SOURCE_DIR/sign/image/schema/enclave-measurement-v1.json" "$work/files/measurement.json"
must measure --tee nitro "$work/files/app.eif" --format json
same "registers are those of the file" "$(jq -r '.nitro | .pcr0, .pcr1, .pcr2' "$work/files/measurement.json")" \
  "$(jq -r '.pcr0, .pcr1, .pcr2' "$out")"
same "and of the build" "$(jq -r .pcr0 "$out")" "$pcr0"
must inspect "oci:$work/first:app" --format json
valid inspect
same "inspect has them" "$(jq -r .nitro.pcr0 "$out")" "$pcr0"

# ramdisk N: the Nth archive of the file, by offsets of its header.
ramdisk() {
  python3 - "$work/files/app.eif" "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
count, = struct.unpack_from(">H", data, 26)
found = []
for i in range(count):
    offset, = struct.unpack_from(">Q", data, 28 + 8 * i)
    kind, _, size = struct.unpack_from(">HHQ", data, offset)
    if kind == 3: found.append(data[offset + 12:offset + 12 + size])
sys.stdout.buffer.write(found[int(sys.argv[2])])
PYTHON
}
# shellcheck disable=SC2317  # called by claim
unpacked() { (mkdir "$work/ramdisk$1" && cd "$work/ramdisk$1" && cpio -i -d --quiet --no-absolute-filenames <"$work/ramdisk$1.cpio" 2>/dev/null); }
for number in 0 1 2; do
  ramdisk $number >"$work/ramdisk$number.cpio"
  claim "cpio unpacks ramdisk $number" unpacked $number
done
claim "the first has AWS's files" cmp "$work/ramdisk0/init" "$aws/init"
claim "all of them" cmp "$work/ramdisk0/nsm.ko" "$aws/nsm.ko"
same "the second has the program" "$(sha256sum <"$work/ramdisk1/rootfs/opt/app/hello" | cut -d ' ' -f 1)" \
  "$(sed -n 's|^file /opt/app/hello .* ||p' "$work/files/guest.conf")"
claim "and its loader" [ -e "$work/ramdisk1/rootfs/lib64/ld-linux-x86-64.so.2" ]
same "the third says what is started" "$(head -n 1 "$work/ramdisk2/cmd")" /usr/bin/hello
claim "with its variables" grep -qx 'GREETING=hi' "$work/ramdisk2/env"

# --- Who says so ----------------------------------------------------------------------------------

must keygen image -o "$work/image.pem"
nitro -o "oci:$work/signed:app" --sign-key "$work/image.pem" --key "$data/p384.key" --certificate "$data/p384.crt" -q
signed=$(cat "$out")
# By name: whether each check passed.
checks() { jq -r '.checks[] | "\(.name) \(.passed)"' "$out"; }
must verify "oci:$work/signed:app" --key "$work/image.pub" --format json
valid verify
same "everything that can be asked" "$(checks)" "signature true
attestation true
guest-files true
pcrs true
eif-signature true
attested-guest true"
must inspect "oci:$work/signed:app" --measurement --format predicate
same "PCR0 does not depend on who signed" "$(jq -r .nitro.pcr0 "$out")" "$pcr0"
same "PCR8 does" "$(jq -r .nitro.pcr8 "$out")" "$({
  head -c 48 /dev/zero
  openssl x509 -in "$data/p384.crt" -outform DER | openssl dgst -sha384 -binary
} | openssl dgst -sha384 -r | cut -d ' ' -f 1)"
must sign "oci:$work/first:app" --key "$work/image.pem" -q
must verify "oci:$work/first:app" --key "$work/image.pub"
must audit "oci:$work/first:app" --format json
valid audit
same "an audit finds nothing wrong with it" "$(jq -r '[.findings[] | select(.severity == "critical" or .severity == "high")] | length' "$out")" 0
refused 1 'shows no quote in a TLS certificate' \
  verify "oci:$work/first:app" --key "$work/image.pub" --connect localhost:1

# --- An attestation document ----------------------------------------------------------------------

must inspect "oci:$work/first:app" --measurement --format predicate
registers=$(jq -r '.nitro | "\(.pcr0) \(.pcr1) \(.pcr2)"' "$out")
# shellcheck disable=SC2086  # three words
"$NITRO_DOCUMENT" $registers 'a nonce' "$work/app.doc" "$work/app.der"
quoted() { # NAME OPTIONS…: the document NAME.doc under the root NAME.der
  document=$1
  shift
  cloister verify "oci:$work/first:app" --key "$work/image.pub" --root "$work/$document.der" \
    --quote "$work/$document.doc" --at 2025-06-15T15:06:40Z --format json "$@"
}
quoted app --report-data 'nonce:a nonce'
same "a document of this enclave is accepted" "$code" 0
same "and named" "$(jq -r .quote.tee "$out")" nitro
quoted app --report-data 'nonce:another'
same "one for somebody else is not" "$code $(checks | grep false)" "3 quote-session false"
# shellcheck disable=SC2046  # three words
"$NITRO_DOCUMENT" $(echo "$registers" | tr a b) 'a nonce' "$work/other.doc" "$work/other.der"
quoted other --report-data 'nonce:a nonce'
same "nor one of another enclave" "$code $(checks | grep -c false)" "3 2"
cloister verify "oci:$work/first:app" --key "$work/image.pub" --quote "$work/app.doc" --allow-unbound \
  --at 2025-06-15T15:06:40Z --format json
same "nor one that AWS did not sign" "$code $(checks | grep false)" "3 quote-chain false"
cloister quote verify "$work/app.doc" --root "$work/app.der" --allow-unbound --format json
same "nor one of last year" "$code $(checks | grep false)" "3 quote-dates false"
must quote inspect "$work/app.doc"
claim "what it says can be read" grep -q "^pcr0 *${registers%% *}\$" "$out"

# --- What is not as it says -----------------------------------------------------------------------

# changed FILE: a byte of the first ramdisk's first process, with a CRC-32 that fits.
changed() {
  python3 - "$1" <<'PYTHON'
import sys, zlib
data = bytearray(open(sys.argv[1], "rb").read())
data[data.index(b"a first process")] ^= 1
data[544:548] = zlib.crc32(data[548:], zlib.crc32(data[:544])).to_bytes(4, "big")
open(sys.argv[1], "wb").write(data)
PYTHON
}
cp "$work/files/app.eif" "$work/changed.eif"
changed "$work/changed.eif"
forged changed "$work/changed.eif" app.eif
cloister verify "oci:$work/changed:app" --key "$work/image.pub" --format json
same "a changed byte is refused" "$code" 3
same "by its files and registers" "$(checks | grep -c -e '^guest-files false' -e '^pcrs false')" 2
refused 3 'the guest is not what it says' sign "oci:$work/changed:app" --key "$work/image.pem"
sed 's/^env GREETING=hi$/env GREETING=ho/' "$work/files/guest.conf" >"$work/other.conf"
forged document "$work/other.conf" guest.conf
cloister verify "oci:$work/document:app" --key "$work/image.pub" --format json
same "so is a document about something else" "$code" 3
same "by its files" "$(checks | grep '^guest-files')" "guest-files false"
head -c 3000 "$work/files/app.eif" >"$work/short.eif"
forged short "$work/short.eif" app.eif
refused 3 'the guest is not what it says' inspect "oci:$work/short:app" --measurement
cp "$aws/init" "$work/no.eif"
forged none "$work/no.eif" app.eif
refused 3 'the guest is not what it says' inspect "oci:$work/none:app" --measurement

# --- Options --------------------------------------------------------------------------------------

# shellcheck disable=SC2086  # options
no() { refused 2 "$1" build "$image" $inputs -o "oci:$work/no:app" $2; }
no 'error: --firmware is for --tee snp' "--firmware $aws/init"
no 'error: --vcpus is for --tee snp' "--vcpus 2"
no 'error: --disk is for --tee snp' --disk
no 'error: --key and --certificate belong together' "--key $data/p384.key"
no 'error: --key and --certificate belong together' "--certificate $data/p384.crt"
no 'error: --with-direct is for enclaves of Gramine' --with-direct
no 'error: --emit-signing-data is for enclaves of Gramine' "--emit-signing-data $work/data"
refused 2 'needs a first process' build "$image" --tee nitro --kernel "$aws/bzImage" -o "oci:$work/no:app"
refused 2 'needs a kernel' build "$image" --tee nitro --init "$aws/init" -o "oci:$work/no:app"
refused 2 'error: --init is for --tee nitro' build "$image" --tee snp --init "$aws/init" -o "oci:$work/no:app"
refused 2 'error: --kernel is for --tee snp or --tee nitro' build "$image" --kernel "$aws/bzImage" --dry-run
refused 1 'no bzImage' build "$image" --tee nitro --kernel "$aws/init" --init "$aws/init" -o "oci:$work/no:app"
refused 1 'is not the one of the certificate' build "$image" --tee nitro --kernel "$aws/bzImage" --init "$aws/init" \
  --key "$data/p256.key" --certificate "$data/p384.crt" -o "oci:$work/no:app"

# --- deploy aws -----------------------------------------------------------------------------------

need docker-registry skopeo
start_registry plain
must push "oci:$work/signed:app" "$registry/team/app:nitro"
must deploy aws "$registry/team/app:nitro" --role arn:aws:iam::111122223333:role/host -o "$work/deploy"
must inspect "oci:$work/signed:app" --measurement --format predicate
cp "$out" "$work/predicate"
same "its registers" "$(jq -c '.Measurements | [.PCR0, .PCR1, .PCR2, .PCR8]' "$work/deploy/measurements.json")" \
  "$(jq -c '.nitro | [.pcr0, .pcr1, .pcr2, .pcr8]' "$work/predicate")"
same "are what a key asks for" \
  "$(jq -r '.Condition.StringEqualsIgnoreCase["kms:RecipientAttestation:ImageSha384"]' "$work/deploy/key-policy-image.json")" "$pcr0"
claim "the image is pinned" grep -qF "$registry/team/app@$signed" "$work/deploy/README.txt"
claim "and its ports are spoken of" grep -q '80/tcp' "$work/deploy/README.txt"
claim "what starts it takes its memory" grep -q -e '--memory 512' "$work/deploy/run-enclave.sh"
must deploy aws "$registry/team/app:nitro" --memory 2048 --cpu-count 4 --eif-path /srv/app.eif
claim "as text too, with other values" grep -q -e '--memory 2048' "$out"
claim "and another place" grep -q -e '--eif-path /srv/app.eif' "$out"
copy "oci:$images:glibc" "docker://$registry/team/app:plain"
refused 1 'is a container image, and no enclave of AWS Nitro' deploy aws "$registry/team/app:plain"
must build "$image" --key "$key" --runtime "$runtime" -t "$registry/team/app:sgx" --push -q
refused 1 'is for SGX, which no machine of EC2 has' deploy aws "$registry/team/app:sgx"
must build "$image" --tee snp --kernel "$aws/bzImage" --firmware "$CLOISTER_SOURCE_DIR/testdata/snp-launch/firmware.bin" \
  -t "$registry/team/app:snp" --push -q
refused 1 'AMD SEV-SNP.*firmware is AWS' deploy aws "$registry/team/app:snp"
refused 2 'is not the ARN' deploy aws "$registry/team/app:nitro" --role me
refused 2 'is not in a registry' deploy aws "oci:$work/signed:app"
finish
