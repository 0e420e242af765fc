#!/bin/sh
# What being watched costs a program: redis-benchmark (of the image's own) against its redis-server,
# bare, rehearsed, and rehearsed with every call counted, in turns, ROUNDS times each (default 3).
# Prints requests per second, the best of each, and ratios. Aim: below 5 % for a rehearsal.
#
#   rehearse_overhead.sh LAYOUT RUNTIME [ROUNDS]    LAYOUT as testdata/corpus/make.sh makes it, with redis
#
# Needs root and umoci. Nothing else should run on the machine meanwhile.
set -eu
export LC_ALL=C
layout=$1 runtime=$2 rounds=${3:-3}
cloister=${CLOISTER:-$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)/build/cloister}
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || :; rm -rf "$work"' EXIT
server=
umoci unpack --image "$layout:redis" "$work/redis" >/dev/null 2>&1
root=$work/redis/rootfs
ask="chroot '$root' redis-benchmark -q --csv -n 200000 -c 20 -P 1 -t get,set"

# The lower of the two rates of a run's output.
rate() { awk -F '","' '/^"[GS]ET/ { if (!low || $2 + 0 < low) low = $2 + 0 } END { print low }' "$1"; }
bare() {
  chroot --userspec=redis "$root" redis-server /etc/redis/docker.conf --dir /tmp >"$work/log" 2>&1 &
  server=$!
  sleep 1
  sh -c "$ask" >"$work/out" 2>&1
  kill "$server"
  wait "$server" || :
  server=
}
# rehearsed OPTION…
rehearsed() {
  "$cloister" rehearse "oci:$layout:redis" --runtime "$runtime" --network host "$@" --exec "$ask" >"$work/report" 2>"$work/out" ||
    { cat "$work/out"; exit 1; }
}
best() { [ "$2" -le "$1" ] && echo "$1" || echo "$2"; }

plain=0 watched=0 profiled=0
for _ in $(seq "$rounds"); do
  bare
  plain=$(best "$plain" "$(rate "$work/out" | cut -d. -f1)")
  rehearsed
  watched=$(best "$watched" "$(rate "$work/out" | cut -d. -f1)")
  rehearsed --profile
  profiled=$(best "$profiled" "$(rate "$work/out" | cut -d. -f1)")
done
awk -v a="$plain" -v b="$watched" -v c="$profiled" 'BEGIN {
  printf "bare %d, rehearsed %d (%.1f %% less), profiled %d (%.1f times slower) requests per second\n", a, b, 100 - 100 * b / a, c, a / c }'
