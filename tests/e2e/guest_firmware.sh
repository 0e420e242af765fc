#!/bin/sh
# The firmware that a guest is measured with, as the judge of it: with the table of hashes that a build
# measures it boots the guest, and with no other kernel, initramfs or command line than those. There is
# no SEV here: the table is put where a host with SEV-SNP would have had it measured.
# CLOISTER_QEMU names a QEMU of version 10 or newer (an older one changes the kernel on its way),
# CLOISTER_FIRMWARE Debian's OVMF.amdsev.fd (package ovmf-amdsev).
# shellcheck source=tests/e2e/lib.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/guest.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/guest.sh"
[ -x "${GUEST_HASHES:-}" ] || skip "GUEST_HASHES is not built"
qemu_version=$("$qemu" --version | sed -n 's/.*version \([0-9]*\).*/\1/p;q')
[ "$qemu_version" -ge 10 ] || skip "$qemu is version $qemu_version; name one of 10 or newer in CLOISTER_QEMU"
guest_firmware=${CLOISTER_FIRMWARE:-/usr/share/ovmf/OVMF.amdsev.fd}
[ -e "$guest_firmware" ] || skip "no $guest_firmware (Debian's ovmf-amdsev): name one in CLOISTER_FIRMWARE"
need musl-gcc jq
find_kernels

tree=$work/tree
mkdir -p "$tree" "$work/oci/blobs/sha256"
musl-gcc -static -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -o "$tree/app" \
  "$CLOISTER_SOURCE_DIR/tests/e2e/guest_program.c"
layout_tar "$tree" "$work/layer.tar"
layer=$(layout_layer "$work/oci" "$work/layer.tar" none)
layout_tag "$work/oci" app "$(layout_manifest "$work/oci" amd64 '{"Entrypoint":["/app"],"Cmd":["crash"]}' "$layer")"

# table NAME FILES: for the files of a guest; $address is where it goes.
table() {
  address=$("$GUEST_HASHES" "$guest_firmware" "$2/vmlinuz" "$2/initrd.img" "$2/cmdline" "$work/$1")
}
# boot FILES TABLE: with the firmware; without TABLE, none. Whom the firmware refuses it keeps waiting.
boot() {
  set -- "$1" ${2:+-device "loader,file=$work/$2,addr=$address,force-raw=on"}
  files=$1
  shift
  PLAIN=1 NETWORK=user,id=net0 timeout "$patience" sh "$files/launch.sh" 1 -bios "$files/OVMF.fd" "$@" \
    >"$work/console" 2>&1 </dev/null || :
  tr -d '\r' <"$work/console" >"$work/said"
}
# shellcheck disable=SC2317  # reached through claim
runs() { grep -qx 'cloister-guest: the program was ended by signal 11' "$work/said"; }
# shellcheck disable=SC2317  # reached through claim
no_kernel() { ! grep -E 'cloister-guest|crashing|Linux version|Kernel panic' "$work/said"; }
# changed NAME: a copy of the guest's files.
changed() { cp -r "$work/guests/app" "$work/$1"; }

for kernel in $kernels; do
  about="[$(kernel_version "$kernel")]"
  make_guest app "oci:$work/oci:app" "$kernel"
  files=$work/guests/app
  table right "$files"
  patience=120
  started=$(date +%s)
  boot "$files" right
  # As long again as the right one took, and half a minute.
  patience=$((2 * ($(date +%s) - started) + 30))
  claim "$about the table that was measured: the guest runs" runs

  for change in vmlinuz initrd.img; do
    changed "other-$change"
    printf '\0' >>"$work/other-$change/$change"
  done
  changed other-cmdline
  printf ' other' >>"$work/other-cmdline/cmdline"
  for change in vmlinuz initrd.img cmdline; do
    boot "$work/other-$change" right
    claim "$about another $change: refused" no_kernel
    table other "$work/other-$change"
    boot "$work/other-$change" other
    claim "$about because of the table" runs
  done
  boot "$files" ''
  claim "$about no table: refused" no_kernel
  rm -rf "$work"/other-* "$work/guests/app"
done
finish
