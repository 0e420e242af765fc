#!/bin/sh
# The store: listed, bounded, verified, mended; in use by others, on a full or read-only disk, owned
# by somebody else.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
store=$XDG_CACHE_HOME/cloister
a=oci:$images:glibc
b=oci:$images:glibc-two-layers

refused 4 "no store" cache ls
must pull "$a"
must inspect "$b"
must cache ls --format json
same "ls names what was used, the least recently used first" \
  "$(jq -r '.images[].name' "$out" | sort)" "$(printf '%s\n' "$a" "$b" | sort)"
same "an image that was pulled is complete" "$(jq --arg n "$a" '.images[] | select(.name == $n) | .missingBlobs' "$out")" 0
same "one that was only looked at needs its layers" \
  "$(jq --arg n "$b" '.images[] | select(.name == $n) | .missingBlobs' "$out")" \
  "$(layers_of "$images" glibc-two-layers | while read -r d; do [ -e "$store/blobs/sha256/${d#sha256:}" ] || echo x; done | wc -l)"
claim "its schema is in the repository" test -s "$CLOISTER_SOURCE_DIR/cmd/report/schema/cache.schema.json"
must cache ls
claim "as text too" grep -q "complete" "$out"
must cache verify
claim "verify finds it intact" grep -q "intact" "$out"

# Damage is found, and mended.
layer=$(layers_of "$images" glibc | head -n 1)
printf x | dd of="$store/blobs/sha256/${layer#sha256:}" bs=1 seek=100 conv=notrunc 2>/dev/null
cloister cache verify --format json
same "verify finds damage" "$code $(jq -r '.damaged[].file' "$out")" "1 ${layer#sha256:}"
must cache verify --repair
must cache verify
must files "$a"
claim "the layer was fetched again" test -e "$store/blobs/sha256/${layer#sha256:}"

# Pruning.
exec 9>>"$store/cloister/in-use"
flock -s 9
refused 1 "in use" cache prune --keep 0
same "and nothing was touched" "$(test -e "$store/blobs/sha256/${layer#sha256:}" && echo there)" there
exec 9>&-
must cache prune --keep 1G --format json
same "nothing goes below the limit" "$(jq .removedImages "$out")" 0
must cache prune --keep 0
same "everything goes at 0" "$(find "$store/blobs" -type f | wc -l)" 0
must files "$a" --keep 0
same "the store keeps to --keep after each run" "$(find "$store/blobs" -type f | wc -l)" 0
refused 2 "not a size" cache prune --keep much

# A disk that is full, one that is read-only, a directory of somebody else.
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=256k none "$work/small" 2>/dev/null; then
  refused 1 "[Nn]o space" files "$a" --store "$work/small/s"
  same "nothing unfinished stays" "$(find "$work/small/s/cloister/tmp" -type f | wc -l)" 0
  mount -o remount,size=64m "$work/small"
  must files "$a" --store "$work/small/s"
  must cache verify --store "$work/small/s"
  mount -o remount,ro "$work/small"
  refused 1 "[Rr]ead-only" files "$a" --store "$work/small/s"
  umount "$work/small"
else
  echo "SKIPPED: a full and a read-only disk: root alone can mount"
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  must pull "$a" --store "$work/theirs"
  chmod 755 "$work"
  cp "$CLOISTER" "$work/cloister"
  code=0
  HOME=/nonexistent XDG_STATE_HOME=$work/nobody setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$work/cloister" files "$a" --store "$work/theirs" >"$out" 2>"$err" || code=$?
  same "a store of another user is refused with a hint" "$code $(grep -c '^hint: .*--store' "$err")" "1 1"
else
  echo "SKIPPED: a store of another user: root alone can be two users"
fi
finish
