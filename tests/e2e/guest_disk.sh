#!/bin/sh
# A guest's disk in a guest: Debian's kernels mount what is written and read every byte of it, and of a
# disk that was changed they give what is right or nothing.
# shellcheck source=tests/e2e/lib.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/guest.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/guest.sh"
[ -x "${GUEST_DISK:-}" ] || skip "GUEST_DISK is not built"
for tool in cpio depmod modprobe; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (Debian's cpio, kmod)"
done
need musl-gcc

find_kernels

# make_initramfs KERNEL: the init, and the modules in the order in which they need each other.
make_initramfs() {
  version=$(basename "$1"/lib/modules/*)
  depmod -b "$1" "$version"
  root=$1/initramfs
  mkdir -p "$root/modules.d" "$root/dev"
  for module in virtio_pci virtio_blk dm-verity erofs; do
    modprobe -d "$1" -S "$version" --show-depends "$module" | sed -n 's/^insmod //p'
  done | awk '{ sub(/ *$/, "") } !seen[$0]++' | while read -r file; do
    cp "$file" "$root/modules.d/"
    echo "/modules.d/$(basename "$file")"
  done >"$root/modules"
  musl-gcc -static -std=c11 -O2 -Wall -Wextra -Werror -I "$CLOISTER_SOURCE_DIR" -o "$root/init" \
    "$CLOISTER_SOURCE_DIR/tests/e2e/guest_disk_init.c" "$CLOISTER_SOURCE_DIR/manifest-gen/guest/init/dm_verity.c"
  (cd "$root" && find . | sort | cpio -o -H newc --quiet) >"$1/initramfs.cpio"
}

# boot KERNEL LOG WORDS DISK…: runs a guest to its end; LOG is what it said. A disk is a file, or options
# of QEMU's -drive.
boot() {
  kernel=$1 log=$2 words=$3
  shift 3
  drives=
  for disk in "$@"; do
    case $disk in
      *,*) drives="$drives -drive if=virtio,format=raw,readonly=on,$disk" ;;
      *) drives="$drives -drive if=virtio,format=raw,readonly=on,file=$disk" ;;
    esac
  done
  # shellcheck disable=SC2086  # a list of words
  timeout 200 "$qemu" -accel tcg -m 512 -display none -no-reboot -nodefaults -serial "file:$log.raw" \
    -kernel "$kernel"/boot/vmlinuz-* -initrd "$kernel/initramfs.cpio" \
    -append "console=ttyS0 loglevel=1 panic=-1 $words" $drives </dev/null >"$log.qemu" 2>&1 || cat "$log.qemu"
  tr -d '\r' <"$log.raw" >"$log"
}

# said LOG DISK: the lines of one disk, sorted.
said() { sed -n "s/^$2 //p" "$1" | sort; }
# shellcheck disable=SC2317  # reached through claim
unsaid() { ! grep -qE "$1" "$2"; } # unsaid PATTERN LOG
# right_bytes LOG DISK: how many entries came out, if all of them as they went in.
right_bytes() {
  said "$1" "$2" | grep '^/' >"$work/entries" || :
  wrong=$(LC_ALL=C comm -23 "$work/entries" "$work/listing" | wc -l)
  if [ "$wrong" = 0 ]; then wc -l <"$work/entries"; else echo "$wrong wrong"; fi
}

# --- Disks ----------------------------------------------------------------------------------------

"$GUEST_DISK" "$work/disk" "$work/listing" >"$work/facts"
guest_words=$(sed -n 1p "$work/facts")
eval "$guest_words $(sed -n 2p "$work/facts")" # numbers and hex digits
: "${data_blocks:?}" "${hash_start:?}" "${root_hash:?}" "${salt:?}" "${large:?}" "${large_inode:?}" "${blocks:?}"
sort -o "$work/listing" "$work/listing"
entries=$(wc -l <"$work/listing")

# flipped NAME BYTE: a copy of the disk with one bit of another value.
flipped() {
  cp "$work/disk" "$work/$1"
  byte=$(od -A n -t u1 -j "$2" -N 1 "$work/disk")
  # shellcheck disable=SC2059  # an escape made of digits
  printf "$(printf '\\%03o' $((byte ^ 16)))" | dd of="$work/$1" bs=1 seek="$2" conv=notrunc status=none
}
# block FROM TO NAME: another block of the disk in a block's place.
block() { dd if="$work/disk" of="$work/$3" bs=4096 skip="$1" seek="$2" count=1 conv=notrunc status=none; }

flipped superblock 1030
flipped inode $((large_inode * 4096 + 5))
flipped data $((large * 4096 + 1000 * 4096 + 77))
flipped tree_top $((hash_start * 4096 + 3))
flipped tree_leaf $(((hash_start + 1) * 4096 + 3))
cp "$work/disk" "$work/swapped"
block $((large + 5)) $((large + 6)) swapped
block $((large + 6)) $((large + 5)) swapped
cp "$work/disk" "$work/short"
truncate -s $(((data_blocks - 100) * 4096)) "$work/short"
cp "$work/disk" "$work/without_tree"
truncate -s $((hash_start * 4096)) "$work/without_tree"
truncate -s $((blocks * 4096)) "$work/without_tree"
cp "$work/disk" "$work/ignored_superblock"
dd if=/dev/zero of="$work/ignored_superblock" bs=4096 seek="$data_blocks" count=1 conv=notrunc status=none

# --- Boots ----------------------------------------------------------------------------------------

for kernel in $kernels; do
  make_initramfs "$kernel"
  about="[$version]"
  log=$work/log
  boot "$kernel" "$log" "$guest_words on_corruption=eio wrong_arguments" "$work/disk" "$work/superblock" \
    "$work/inode" "$work/data" "$work/tree_top" "$work/tree_leaf" "$work/swapped" "$work/short" \
    "$work/without_tree" "$work/ignored_superblock"
  claim "$about the guest came to its end" grep -q '^end$' "$log"
  grep -q '^end$' "$log" || tail -n 20 "$log"
  said "$log" vda | grep -v '^opened' >"$work/vda" || :
  claim "$about all that was written is read, and nothing else" cmp "$work/vda" "$work/listing"
  same "$about a superblock with another bit: not mounted" "$(said "$log" vdb)" "$(printf '%s\n' "not mounted: I/O error" opened)"
  same "$about an inode with another bit: its directory's other files at most" "$(right_bytes "$log" vdc | grep wrong)" ""
  claim "$about and it is not read" unsaid "^vdc /etc/large " "$log"
  same "$about data with another bit: all else" "$(right_bytes "$log" vdd)" $((entries - 2))
  same "$about but not the two files of it" "$(said "$log" vdd | grep failed)" \
    "$(printf 'failed /etc/%s: I/O error\n' large shared)"
  same "$about the top of the tree with another bit: nothing" "$(said "$log" vde)" "$(printf '%s\n' "not mounted: I/O error" opened)"
  same "$about a leaf of the tree with another bit: no wrong byte" "$(right_bytes "$log" vdf | grep wrong)" ""
  claim "$about and not all of them" test "$(right_bytes "$log" vdf)" -lt "$entries"
  same "$about right blocks in each other's place" "$(right_bytes "$log" vdg)" $((entries - 2))
  claim "$about a disk that ends early: refused" grep -q '^vdh refused: the kernel refuses to check' "$log"
  same "$about no tree: nothing" "$(said "$log" vdi)" "$(printf '%s\n' "not mounted: I/O error" opened)"
  same "$about the superblock of the tree does not count" "$(right_bytes "$log" vdj)" "$entries"

  claim "$about no disk: said so" grep -q "^wrong device: refused: cannot find the disk '/dev/none'" "$log"
  claim "$about no block device: said so" grep -q "^wrong kind: refused: '/dev/null' is no block device" "$log"
  claim "$about a name that is a path" grep -q "^wrong name: refused: 'a/b' cannot be the name" "$log"
  claim "$about a name that is taken" grep -q "^wrong second: refused: cannot make the device 'vda'" "$log"
  claim "$about no root hash" grep -q '^wrong root: refused: the root hash is not' "$log"
  claim "$about options in the place of a salt" grep -q '^wrong salt: refused: the salt is not' "$log"
  claim "$about no blocks" grep -q '^wrong blocks: refused: no disk has 0 blocks' "$log"
  claim "$about data over the tree" grep -q '^wrong overlap: refused: the hash tree at block' "$log"
  claim "$about more blocks than the disk has" grep -q '^wrong size: refused: the kernel refuses' "$log"
  claim "$about no room for the answer" grep -q "^wrong room: refused: no room" "$log"
  claim "$about none of them left anything behind" grep -q '^wrong nothing: opened' "$log"

  # Another root, and without devtmpfs.
  other=$(printf %s "$root_hash" | tr 0-9a-f a-f0-9)
  boot "$kernel" "$log" "$(echo "$guest_words" | sed "s/root_hash=[0-9a-f]*/root_hash=$other/") on_corruption=eio" "$work/disk"
  same "$about by another root hash: nothing" "$(said "$log" vda)" "$(printf '%s\n' "not mounted: I/O error" opened)"
  boot "$kernel" "$log" "$guest_words plain_dev" "$work/disk"
  same "$about without devtmpfs: all" "$(right_bytes "$log" vda)" "$entries"

  # The default: the guest ends at the first wrong byte.
  boot "$kernel" "$log" "$guest_words" "$work/data" "$work/disk"
  claim "$about by default the kernel stops" grep -q 'Kernel panic - not syncing: dm-verity device corrupted' "$log"
  same "$about with no wrong byte before" "$(right_bytes "$log" vda | grep wrong)" ""
  claim "$about and nothing afterwards" unsaid '^(vdb|end$)' "$log"

  # A device that reports an error instead: kernels from 6.12 on stop as well.
  boot "$kernel" "$log" "$guest_words" \
    "file.driver=blkdebug,file.image.filename=$work/disk,file.inject-error.0.event=none,file.inject-error.0.errno=5,file.inject-error.0.sector=$(((large + 1000) * 8))"
  same "$about an error of the device: no wrong byte" "$(right_bytes "$log" vda | grep wrong)" ""
  if [ "$(printf '%s\n' "$version" 6.12 | sort -V | head -n 1)" = 6.12 ]; then
    claim "$about the kernel stops" grep -q 'Kernel panic - not syncing: dm-verity device has I/O error' "$log"
  else
    claim "$about the read fails" grep -q '^vda failed /etc/large: I/O error' "$log"
  fi
done
finish
