# What the tests that boot guests share: Debian's kernels, QEMU by a guest's own launch.sh, its monitor,
# and ports that are free. Sourced after lib.sh. Never KVM: all is emulated. CLOISTER_QEMU names another
# QEMU than the one installed.
# shellcheck shell=sh disable=SC2154,SC2034 # what lib.sh sets, and what tests read

qemu=${CLOISTER_QEMU:-qemu-system-x86_64}
command -v "$qemu" >/dev/null || skip "$qemu is not installed (Debian's qemu-system-x86)"
export QEMU="$qemu" # for launch.sh

# find_kernels: sets $kernels, directories that have boot/ and lib/modules/, and in the file `source` what
# cloister takes for --kernel. CLOISTER_KERNELS names packages of Debian's cloud kernels
# (linux-image-*-cloud-amd64_*.deb), separated by spaces; without it those that are installed are taken.
find_kernels() {
  command -v dpkg >/dev/null || skip "dpkg is not installed"
  kernels=
  for package in ${CLOISTER_KERNELS:-}; do
    mkdir -p "$work/kernels/$(basename "$package")"
    dpkg -x "$package" "$work/kernels/$(basename "$package")"
    [ -e "$work/kernels/$(basename "$package")/lib" ] || ln -s usr/lib "$work/kernels/$(basename "$package")/lib"
    echo "$package" >"$work/kernels/$(basename "$package")/source"
    kernels="$kernels $work/kernels/$(basename "$package")"
  done
  if [ -z "$kernels" ]; then
    for image in /boot/vmlinuz-*-cloud-amd64; do
      version=${image#/boot/vmlinuz-}
      if [ ! -r "$image" ] || [ ! -d "/lib/modules/$version" ]; then continue; fi
      mkdir -p "$work/kernels/$version/boot" "$work/kernels/$version/lib/modules"
      cp "$image" "$work/kernels/$version/boot/"
      cp -r "/lib/modules/$version" "$work/kernels/$version/lib/modules/"
      installed_kernel "$work/kernels/$version" "$version"
      kernels="$kernels $work/kernels/$version"
    done
  fi
  [ -n "$kernels" ] || skip "no cloud kernel of Debian: install linux-image-cloud-amd64, or name packages in CLOISTER_KERNELS"
}
# installed_kernel DIRECTORY VERSION: as an image.
installed_kernel() {
  mkdir -p "$work/kernels/oci/blobs/sha256"
  layout_tar "$1" "$work/kernels/tar"
  kernel_layer=$(layout_layer "$work/kernels/oci" "$work/kernels/tar" none)
  layout_tag "$work/kernels/oci" "$2" "$(layout_manifest "$work/kernels/oci" amd64 '{}' "$kernel_layer")"
  echo "oci:$work/kernels/oci:$2" >"$1/source"
}
kernel_version() { basename "$1"/lib/modules/*; }

# make_guest NAME IMAGE KERNEL OPTION…: builds the guest and leaves its files in $work/guests/NAME.
make_guest() {
  guest_name=$1
  guest_image=$2
  guest_kernel=$3
  shift 3
  must build "$guest_image" --tee snp --kernel "$(cat "$guest_kernel/source")" --firmware "$guest_firmware" -q \
    -o "oci:$work/guests/layout:$guest_name" "$@"
  must pull -q "oci:$work/guests/layout:$guest_name" -o "$work/guests/$guest_name"
}
# The firmware is measured, and not used here: that is guest_firmware.sh's.
guest_firmware=$CLOISTER_SOURCE_DIR/testdata/snp-launch/firmware.bin

# start_guest NAME [PORT]: boots it; $console is what it says. With PORT, $port of loopback leads there.
# MEMORY as for launch.sh.
start_guest() {
  console=$work/console
  rm -f "$work"/monitor.* "$console"*
  mkfifo "$work/monitor.in" "$work/monitor.out"
  : >"$work/monitor.said"
  exec 8<>"$work/monitor.in" 9<>"$work/monitor.out" # so that no end waits for the other
  network=user,id=net0
  [ -z "${2:-}" ] || network="$network,hostfwd=tcp:127.0.0.1:0-:$2"
  PLAIN=1 NETWORK=$network timeout 100 sh "$work/guests/$1/launch.sh" 1 -monitor "pipe:$work/monitor" \
    >"$console.raw" 2>&1 </dev/null &
  guest_pid=$!
  e2e_pids="$e2e_pids $guest_pid"
  cat <&9 >"$work/monitor.said" &
  monitor_pid=$!
  e2e_pids="$e2e_pids $monitor_pid"
  [ -z "${2:-}" ] || find_port
}
monitor() { echo "$1" >&8; }
find_port() {
  monitor "info usernet"
  port=
  e2e_tries=100
  while [ -z "$port" ]; do
    port=$(tr -d '\r' <"$work/monitor.said" | sed -n 's/.*HOST_FORWARD\] *[0-9]* *127\.0\.0\.1 *\([0-9]*\) .*/\1/p' | head -n 1)
    e2e_tries=$((e2e_tries - 1))
    [ "$e2e_tries" -gt 0 ] || { cat "$work/monitor.said" "$console.raw"; exit 1; }
    [ -n "$port" ] || sleep 0.1
  done
}
# guest_says PATTERN: waits until the console says it; 1 when the guest ends before, or after a minute.
guest_says() {
  e2e_tries=600
  until tr -d '\r' <"$console.raw" | grep -qE "$1"; do
    e2e_tries=$((e2e_tries - 1))
    if [ "$e2e_tries" = 0 ] || ! kill -0 "$guest_pid" 2>/dev/null; then
      tr -d '\r' <"$console.raw" | grep -qE "$1" && return
      tail -n 20 "$console.raw"
      return 1
    fi
    sleep 0.1
  done
}
# guest_ends: waits for its end; $console is then without carriage returns.
guest_ends() {
  guest_code=0
  wait "$guest_pid" || guest_code=$?
  kill "$monitor_pid" 2>/dev/null || :
  tr -d '\r' <"$console.raw" >"$console"
}
run_guest() { start_guest "$@" && guest_ends; }
# How the first process says that it ended; the last lines are the kernel's.
guest_verdict() { sed -n 's/^cloister-guest: //p' "$console" | tail -n 1; }
