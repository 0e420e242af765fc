#!/bin/sh
# An image as a virtual machine of SEV-SNP: the same bytes each time, the measurement that `measure` has of
# its files, and files that are what is attested of them. Kernel and firmware are stand-ins: nothing is
# started (guest_boot.sh does that).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl python3 zstd cpio
need_schemas
data=$CLOISTER_SOURCE_DIR/testdata/snp-launch
image=oci:$images:glibc
# Two kernels that say different versions.
python3 - "$work/bzImage" "$work/other-bzImage" <<'PYTHON'
import sys
for path, version in zip(sys.argv[1:], (b"6.6.99-test (x) #1\0", b"6.7.00-test (x) #1\0")):
    kernel = bytearray(4096)
    kernel[0x202:0x206] = b"HdrS"
    kernel[0x20e:0x210] = (0x400).to_bytes(2, "little")
    kernel[0x600:0x600 + len(version)] = version
    open(path, "wb").write(kernel)
PYTHON

# snp OPTION…: builds it.
snp() { must build "$image" --tee snp --kernel "$work/bzImage" --firmware "$data/firmware.bin" "$@"; }

# --- The same bytes -------------------------------------------------------------------------------

snp --vcpus 1,2 -o "oci:$work/first:app" -q
first=$(cat "$out")
XDG_CACHE_HOME=$work/cache2 XDG_STATE_HOME=$work/state2 snp --vcpus 1,2 -o "oci:$work/second:app" --jobs 1 -q
same "a second build from nothing gives the same digest" "$(cat "$out")" "$first"
snp --vcpus 1,2 -o "oci:$work/other:app" --append ip=none -q
claim "another command line gives another" [ "$(cat "$out")" != "$first" ]
snp --vcpus 1,2 -o "oci:$work/third:app" --format json
valid build-guest
same "the result is the artifact" "$(jq -r .image.digest "$out")" "$first"
same "with a measurement for each number of processors" "$(jq -c '[.snp.measurements[].vcpus]' "$out")" '[1,2]'
digests=$(jq -r '.snp.measurements[].digest' "$out")
must manifest "$image" --tee snp
same "the document can be had without a machine" "$(sed -n 2p "$out")" "program /usr/bin/hello"
must build "$image" --tee snp --dry-run
claim "and with reasons" grep -q '^# needed: NEEDED' "$out"
refused 2 'needs a kernel' build "$image" --tee snp --firmware "$data/firmware.bin"
refused 2 'needs firmware' build "$image" --tee snp --kernel "$work/bzImage"
refused 2 'kernel is for --tee snp' build "$image" --kernel "$work/bzImage" --dry-run
refused 1 'is no bzImage' build "$image" --tee snp --kernel "$data/kernel.bin" --firmware "$data/firmware.bin"
refused 1 'would be kept on a disk' build "$image" --tee snp --kernel "$work/bzImage" \
  --firmware "$data/firmware.bin" --volume /data=encrypted

# --- The files ------------------------------------------------------------------------------------

must pull "oci:$work/first:app" -o "$work/files"
same "the files" "$(find "$work/files" -type f -printf '%f\n' | sort | paste -s -d ' ')" \
  "OVMF.fd cmdline guest.conf initrd.img launch.sh libvirt.xml measurement.json vmlinuz"
agrees "what is stated" "$CLOISTER_SOURCE_DIR/sign/image/schema/enclave-measurement-v1.json" "$work/files/measurement.json"
must measure --tee snp --firmware "$work/files/OVMF.fd" --kernel "$work/files/vmlinuz" --initrd "$work/files/initrd.img" \
  --append "$(cat "$work/files/cmdline")" --vcpus 1,2 -q
same "measure has the same digests of them" "$(cat "$out")" "$digests"
zstd -dc "$work/files/initrd.img" | (mkdir "$work/unpacked" && cd "$work/unpacked" && cpio -i -d --quiet --no-absolute-filenames 2>/dev/null)
claim "the initrd holds the document" cmp "$work/unpacked/cloister/guest.conf" "$work/files/guest.conf"
same "and the program" "$(sha256sum <"$work/unpacked/cloister/root/opt/app/hello" | cut -d ' ' -f 1)" \
  "$(sed -n 's|^file /opt/app/hello .* ||p' "$work/files/guest.conf")"
claim "the script is one" sh -n "$work/files/launch.sh"
must inspect "oci:$work/first:app" --format json
valid inspect
same "inspect has the digests" "$(jq -r '.snp.measurements[].digest' "$out")" "$digests"

# --- Who says so ----------------------------------------------------------------------------------

must keygen image -o "$work/image.pem"
must keygen snp -o "$work/id.pem"
snp --vcpus 1,2 -o "oci:$work/signed:app" --key "$work/id.pem" --sign-key "$work/image.pem" -q
# By name: whether each check passed.
checks() { jq -r '.checks[] | "\(.name) \(.passed)"' "$out"; }
must verify "oci:$work/signed:app" --key "$work/image.pub" --format json
valid verify
same "everything that can be asked" "$(checks)" "signature true
attestation true
guest-files true
launch-measurement true
id-block true
guest-policy true
attested-guest true"
must verify "oci:$work/signed:app" --key "$work/image.pub" --tee snp
cloister verify "oci:$work/signed:app" --key "$work/image.pub" --tee sgx --format json
same "it is no enclave of SGX" "$code $(checks | grep false)" "3 tee false"
must pull "oci:$work/signed:app" -o "$work/blocks"
same "an ID block is over the digest" "$(head -c 48 "$work/blocks/id-block-2.bin" | od -An -v -tx1 | tr -d ' \n')" \
  "$(echo "$digests" | tail -n 1)"
must sign "oci:$work/first:app" --key "$work/image.pem" -q
must verify "oci:$work/first:app" --key "$work/image.pub"
must push "oci:$work/first:app" "oci:$work/copy:app" -q
must verify "oci:$work/copy:app" --key "$work/image.pub"
must audit "oci:$work/first:app" --format json
valid audit
same "an audit finds nothing wrong with it" "$(jq -r '[.findings[] | select(.severity == "critical" or .severity == "high")] | length' "$out")" 0
must audit "$image" --tee snp --format json
valid audit
must diff "$image" "oci:$work/first:app" --tee snp
cloister diff "oci:$work/first:app" "$image" --tee snp --trust all
same "more files are more" "$code" 3
must deps "$image" --tee snp --format list
claim "the image's own libc is in" grep -q '/libc\.so\.6$' "$out"
refused 1 'no container image' files "oci:$work/first:app"
refused 2 'is for the files of a virtual machine' pull "$image" -o "$work/none"
refused 1 'cannot be asked of a virtual machine' verify "oci:$work/first:app" --key "$work/image.pub" --rebuild
snp -o "oci:$work/debug:app" --policy 0xb0000 --sign-key "$work/image.pem" -q
cloister verify "oci:$work/debug:app" --key "$work/image.pub" --format json
same "a machine that the host may read is refused" "$code $(checks | grep false)" "3 guest-policy false"
must verify "oci:$work/debug:app" --key "$work/image.pub" --allow-debug

# --- What is not as it says -----------------------------------------------------------------------

# refuses NAME WHAT CHECK…: these checks fail, and nothing signs it.
refuses() {
  name=$1
  cloister verify "oci:$work/$name:app" --key "$work/image.pub" --format json
  same "$2 is refused" "$code" 3
  checks >"$work/checks.$name"
  shift 2
  for check; do claim "  by $check" grep -qx "$check false" "$work/checks.$name"; done
  refused 3 'the guest is not what it says' sign "oci:$work/$name:app" --key "$work/image.pem"
}
forged kernel "$work/other-bzImage" vmlinuz
refuses kernel "another kernel" signature guest-files launch-measurement
{ cat "$work/files/cmdline" && printf ' init=/bin/sh'; } >"$work/forged-cmdline"
forged cmdline "$work/forged-cmdline" cmdline
refuses cmdline "another command line" guest-files launch-measurement
sed 's/^user .*/user 0 0/' "$work/files/guest.conf" >"$work/guest.conf"
forged document "$work/guest.conf" guest.conf
refuses document "another document" guest-files
sed 's/"guestFeatures":"0x1"/"guestFeatures":"0x21"/' "$work/files/measurement.json" >"$work/measurement.json"
forged measurement "$work/measurement.json" measurement.json
refuses measurement "another measurement" launch-measurement
# The archive with one file changed, as whoever serves it could make it.
(cd "$work/unpacked" && printf 'x' >>cloister/root/etc/passwd && find . -mindepth 1 | sed 's|^\./||' | sort |
  cpio -o -H newc --quiet -R +0:+0 2>/dev/null) | zstd -q -c >"$work/initrd.img"
forged initrd "$work/initrd.img" initrd.img
refuses initrd "another initrd" guest-files launch-measurement
head -c 100000 "$work/files/initrd.img" >"$work/short.img"
forged short "$work/short.img" initrd.img
refuses short "an initrd without its end" guest-files
finish
