#!/bin/sh
# Guests that a build made, booted: the program runs as the image says, with no more rights than in a
# container, answers from outside, and how it ended is on the console; a root that is not all there, or
# a disk that was changed, is never run.
# shellcheck source=tests/e2e/lib.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/lib.sh"
# shellcheck source=tests/e2e/guest.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/guest.sh"
need musl-gcc jq curl
find_kernels
first=$(echo "$kernels" | awk '{ print $1 }')

# --- Images ---------------------------------------------------------------------------------------

tree=$work/tree
mkdir -p "$tree/etc" "$tree/srv" "$tree/home/one" "$tree/zz" "$work/oci/blobs/sha256"
musl-gcc -static -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -o "$tree/app" \
  "$CLOISTER_SOURCE_DIR/tests/e2e/guest_program.c"
printf 'root:x:0:0::/:/bin/sh\none:x:1000:1000::/home/one:/bin/sh\n' >"$tree/etc/passwd"
printf 'root:x:0:\none:x:1000:\nadm:x:4:one\nusers:x:100:other,one\n' >"$tree/etc/group"
echo 'of the image' >"$tree/etc/hosts"
cp "$tree/app" "$tree/srv/private"
chmod 700 "$tree/srv/private"
# The last name of the root, and larger than what the smallest guests have room for.
"$tree/app" pattern "$tree/zz/large" 24000
layout_tar "$tree" "$work/layer.tar"
layer=$(layout_layer "$work/oci" "$work/layer.tar" none)
image() { # image TAG CONFIG
  layout_tag "$work/oci" "$1" "$(layout_manifest "$work/oci" amd64 "$2" "$layer")"
}
image user '{"Entrypoint":["/app"],"Cmd":["facts","two words"],"User":"one","WorkingDir":"/srv","Env":["TEST_VARIABLE=a  b"],"ExposedPorts":{"7000/tcp":{}},"StopSignal":"SIGUSR1","Volumes":{"/data":{}}}'
image root '{"Entrypoint":["/app"],"Cmd":["facts"],"ExposedPorts":{"7000/tcp":{}}}'
image check '{"Entrypoint":["/app"],"Cmd":["check","/zz/large"],"User":"one"}'
image crash '{"Entrypoint":["/app"],"Cmd":["crash"],"User":"one"}'
image private '{"Entrypoint":["/srv/private"],"User":"one"}'

# shellcheck disable=SC2317  # reached through claim
said() { grep -xF "$1" "$console"; }
# shellcheck disable=SC2317  # reached through claim
unsaid() { ! grep -E "$1" "$console"; }
# answer TEXT: what the guest says to it.
answer() { echo "$1" | curl -s --max-time 5 "telnet://127.0.0.1:$port"; }
# shellcheck disable=SC2317  # reached through claim
refused_root() { # refused_root: nothing ran, and the guest says why.
  guest_verdict | grep '^refused: .*; give the guest more memory$' && unsaid '^(truncated|whole)'
}

# --- On each kernel -------------------------------------------------------------------------------

for kernel in $kernels; do
  about="[$(kernel_version "$kernel")]"
  make_guest user "oci:$work/oci:user" "$kernel" --hostname test-guest
  start_guest user 7000
  claim "$about the program serves" guest_says '^ready$'
  same "$about and is reached from outside" "$(answer hello)" "the guest got hello"
  monitor system_powerdown
  guest_ends
  same "$about the power button stops it, and its status comes back" "$(guest_verdict)" "the program ended with status 3"
  claim "$about by the signal that the image names" said 'asked to end by signal 10'
  same "$about the machine is off" "$guest_code" 0
  claim "$about as the image's user, with its groups" said 'user 1000:1000 groups 4 100'
  claim "$about its arguments, one by one" said "arguments '/app' 'facts' 'two words'"
  claim "$about its directory" said 'directory /srv'
  claim "$about its variables" said 'variable a  b'
  claim "$about the name of the machine" said 'host test-guest'
  claim "$about a name server, by DHCP" said 'resolv.conf nameserver 10.0.2.3'
  claim "$about names of its own" said 'hosts 127.0.0.1 localhost'
  claim "$about no signal is blocked" said 'blocked signals 0'
  claim "$about children of others are waited for" said 'zombies 0'
  for path in /new /etc/new /srv/new /sys/new; do
    claim "$about $path cannot be made" grep -qE "^create $path: (Read-only file system|Permission denied)$" "$console"
  done
  for path in /tmp/new /data/new /dev/shm/new; do
    claim "$about $path can" said "create $path: done"
  done
  for path in null zero full urandom stdin stdout stderr ptmx; do
    claim "$about /dev/$path opens" said "open /dev/$path: done"
  done
  same "$about and it can do nothing else" "$(grep -E '^status Cap(Prm|Eff|Amb):' "$console" | cut -f 2 | sort -u)" 0000000000000000

  # The last file has lost its end, or more is missing; 96 MiB need 192 MiB and what the kernel takes.
  make_guest check "oci:$work/oci:check" "$kernel" --include /zz/large
  for MEMORY in 144M 176M 208M; do
    export MEMORY
    run_guest check
    claim "$about with $MEMORY nothing runs" refused_root
  done
  unset MEMORY
  run_guest check
  claim "$about with what launch.sh gives it, all is there" said 'whole: 24000 blocks'
  same "$about and the program's status comes back" "$(guest_verdict)" "the program ended with status 0"

  make_guest disk "oci:$work/oci:check" "$kernel" --include /zz/large --disk
  MEMORY=176M
  export MEMORY
  run_guest disk
  claim "$about from a disk it needs no room" said 'whole: 24000 blocks'
  # A byte in the middle of the disk is one of the large file's.
  root=$work/guests/disk/root.img
  middle=$(($(stat -c %s "$root") / 2))
  printf X | dd of="$root" bs=1 seek="$middle" conv=notrunc status=none
  run_guest disk
  unset MEMORY
  claim "$about a byte of the disk changed: the kernel stops" grep -q 'Kernel panic - not syncing: dm-verity device corrupted' "$console"
  claim "$about before the program has seen it" unsaid '^(truncated|whole)'
done

# --- The same bytes -------------------------------------------------------------------------------

mkdir "$work/other-tmp"
digest=$(manifest_digest "$work/guests/layout" disk)
XDG_CACHE_HOME=$work/other-cache TMPDIR=$work/other-tmp
export TMPDIR
make_guest again "oci:$work/oci:check" "$kernel" --include /zz/large --disk --jobs 1
XDG_CACHE_HOME=$work/cache
unset TMPDIR
same "another store, directory and number of threads: the same guest" "$(manifest_digest "$work/guests/layout" again)" "$digest"

# --- Once -----------------------------------------------------------------------------------------

make_guest root "oci:$work/oci:root" "$first"
start_guest root 7000
claim "as root: the program serves" guest_says '^ready$'
monitor system_powerdown
guest_ends
claim "as root: SIGTERM stops it" said 'asked to end by signal 15'
claim "as root: its user" said 'user 0:0 groups'
same "as root: Docker's capabilities, but for devices" "$(grep -E '^status Cap(Bnd|Prm|Eff):' "$console" | cut -f 2 | sort -u)" 00000000a00425fb
for path in /new /etc/new /srv/new; do
  claim "as root: $path cannot be made" said "create $path: Read-only file system"
done
for path in /dev/mem /dev/port /proc/kcore /proc/sysrq-trigger /proc/sys/kernel/core_pattern; do
  claim "as root: $path is not to be written" grep -qE "^open $path: (Operation not permitted|Permission denied|Read-only file system|No such file or directory)$" "$console"
done
claim "as root: no devices are made" said 'mknod: Operation not permitted'
claim "as root: the program itself stays as it is" said 'chmod /app: Read-only file system'
claim "as root: nothing lies outside of the root" said 'outside of the root: nothing'

make_guest crash "oci:$work/oci:crash" "$first"
run_guest crash
same "a program that crashes" "$(guest_verdict)" "the program was ended by signal 11"
claim "after what it said" said crashing

make_guest private "oci:$work/oci:private" "$first"
run_guest private
same "a program that its user may not execute" "$(guest_verdict)" "the program ended with status 126"
claim "and why" said 'cloister-guest: starting /srv/private: Permission denied'
finish
