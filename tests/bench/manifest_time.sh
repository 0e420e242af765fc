#!/bin/sh
# How long `cloister manifest` takes with a warm store: as hyperfine measures it, and in millions of
# instructions as callgrind counts them, which do not depend on what else the machine does. Those of
# libcrypto are apart: under callgrind it does without the processor's SHA instructions.
#
#   manifest_time.sh [IMAGE…]    of CLOISTER_CORPUS (default: build/corpus/oci, made by ./dev truth)
#
# CLOISTER is the program (default: build/cloister). Without valgrind instructions are left out.
set -eu
export LC_ALL=C
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cloister=${CLOISTER:-$here/build/cloister}
oci=${CLOISTER_CORPUS:-$here/build/corpus/oci}
[ -e "$oci/index.json" ] || { echo "SKIPPED: no images in $oci (./dev truth makes them)"; exit 125; }
for tool in hyperfine jq; do command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 125; }; done
[ $# -gt 0 ] || set -- redis nginx python
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cloister-time-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME="$scratch/cache" XDG_STATE_HOME="$scratch/state"
sh "$here/testdata/runtime/make-runtime.sh" "$scratch/runtime"

printf '%-12s %10s %10s %10s %12s %12s\n' image median/ms min/ms cpu/ms Minstr libcrypto
for image in "$@"; do
  command="$cloister manifest oci:$oci:$image --runtime $scratch/runtime --progress none -o $scratch/manifest"
  $command >/dev/null 2>&1 || { echo "$image: no manifest" >&2; continue; }
  hyperfine -N --warmup 2 --min-runs 10 --export-json "$scratch/times" "$command" >/dev/null 2>&1
  instructions=-
  if command -v valgrind >/dev/null; then
    # shellcheck disable=SC2086
    valgrind --tool=callgrind --callgrind-out-file="$scratch/callgrind" $command >/dev/null 2>&1
    instructions=$(callgrind_annotate --threshold=100 "$scratch/callgrind" | awk '
      /^ *[0-9,]+ \(/ { n = $1; gsub(",", "", n); if (/libcrypto/) hash += n; else if (!/PROGRAM TOTALS/) rest += n }
      END { printf "%.0f %.0f", rest / 1e6, hash / 1e6 }')
  fi
  jq -r --arg image "$image" --arg instructions "$instructions" \
    '.results[0] | [$image, .median * 1000, .min * 1000, (.user + .system) * 1000, $instructions] | @tsv' "$scratch/times" |
    awk '{ printf "%-12s %10.1f %10.1f %10.1f %12s %12s\n", $1, $2, $3, $4, $5, $6 }'
done
