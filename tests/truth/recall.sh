#!/bin/sh
# Recall and precision of generated manifests: everything that a program really opened (trace.sh) must
# be granted, under the path as the program spells it, and little else. Excepted: the image's own C
# library and ld.so.cache, which the runtime replaces; Python's byte code, in whose place the source
# is wanted; files that the program also writes; and what lies in volumes.
#
#   recall.sh [IMAGE…]
#
# CLOISTER_CORPUS is the layout that holds the images; what was traced is beside it in out/, or, where
# it was not, in ../shared/truth. CLOISTER is the program, RUNTIME a runtime of Gramine's shape. With
# RESULTS, misses are listed in RESULTS/MISSES-IMAGE.txt, figures in RESULTS/figures.tsv: image, misses,
# files and bytes opened, entries, files and bytes trusted, files and bytes that GSC would trust. Fails
# when something is missed, or when more than twice the bytes opened are trusted (four times by
# interpreters). Exits with 125 when there is nothing to check.
set -eu
export LC_ALL=C
skip() { echo "SKIPPED: $*"; exit 125; }
: "${CLOISTER:?the program to test}" "${RUNTIME:?a runtime}"
self=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
oci=${CLOISTER_CORPUS:-$self/../../build/corpus/oci}
[ -e "$oci/index.json" ] || skip "no images in $oci (./dev truth makes them)"
truth=$oci/../out
[ -d "$truth" ] || truth=$self/../../../shared/truth
[ -d "$truth" ] || skip "nothing was traced in $oci/../out (./dev truth does)"
command -v jq >/dev/null || skip "jq is not installed"
# shellcheck source=tests/truth/manifest.sh
. "$self/manifest.sh"
if [ $# = 0 ]; then
  for file in "$truth"/*.opened.txt; do
    name=$(basename "$file" .opened.txt)
    ! jq -e --arg tag "$name" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag)' \
      "$oci/index.json" >/dev/null || set -- "$@" "$name"
  done
fi
[ $# -gt 0 ] || skip "no image of $oci was traced"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cloister-recall-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
results=${RESULTS:-$scratch}
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$scratch/cache}" XDG_STATE_HOME="${XDG_STATE_HOME:-$scratch/state}"
(cd "$RUNTIME"/usr/lib/*/gramine/runtime/glibc && ls) >"$scratch/runtime"

# image_volumes NAME: the directories under "Volumes" of the image's configuration.
image_volumes() {
  volumes_digest=$(jq -r --arg tag "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$oci/index.json")
  volumes_digest=$(jq -r '.config.digest // empty' "$oci/blobs/sha256/${volumes_digest#sha256:}")
  [ -z "$volumes_digest" ] || jq -r '.config.Volumes // {} | keys[]' "$oci/blobs/sha256/${volumes_digest#sha256:}"
}

check() {
  name=$1 over=0
  if ! "$CLOISTER" manifest "oci:$oci:$name" --runtime "$RUNTIME" -o "$scratch/manifest" 2>"$scratch/error"; then
    echo "$name: no manifest"
    sed 's/^/  | /' "$scratch/error"
    cp "$scratch/error" "$results/MISSES-$name.txt"
    return 1
  fi
  "$CLOISTER" files --merged --format json "oci:$oci:$name" 2>/dev/null | jq -r '(if type == "array" then . else .files end)[] |
    select(.type == "file" or .type == "dir" or .type == "symlink") |
    [(.type[0:1] | if . == "s" then "l" else . end), (.path | ltrimstr("/")), .linkTarget // "", .size // 0, .sha256 // ""] | @tsv' >"$scratch/tree"
  manifest_mounts "$scratch/manifest" >"$scratch/mounts"
  manifest_allowed "$scratch/manifest" >"$scratch/allowed"
  manifest_trusted "$scratch/manifest" >"$scratch/trusted"
  [ -s "$truth/$name.opened.txt" ] || { echo "$name: was not traced"; return 1; }
  cp "$truth/$name.opened.txt" "$scratch/opened"
  cp "$truth/$name.paths.tsv" "$scratch/spelled"
  : >"$scratch/written"
  image_volumes "$name" >"$scratch/volumes"
  [ ! -e "$truth/$name.written.txt" ] || cp "$truth/$name.written.txt" "$scratch/written"
  (cd "$scratch" && awk -f "$self/paths.awk" -f "$self/recall.awk" tree runtime mounts allowed trusted written volumes opened spelled) >"$scratch/result"
  sed -n 's/^missed	//p' "$scratch/result" | sort >"$results/MISSES-$name.txt"
  figures=$(sed -n 's/^figures	//p' "$scratch/result")
  printf '%s\t%s\n' "$name" "$figures" >>"$scratch/new.tsv"
  echo "$figures" | awk -v name="$name" '{
    printf "%s: opened %d files, %.1f MB; trusted %d files, %.1f MB (%.1f times the bytes) by %d paths; missed %d; GSC: %.0f times the files\n",
      name, $2, $3 / 1e6, $5, $6 / 1e6, $3 ? $6 / $3 : 0, $4, $1, $5 ? $7 / $5 : 0 }'
  aim=2
  ! grep -q '^interpreter=yes' "$self/../../testdata/corpus/images/$name.sh" 2>/dev/null || aim=4
  if echo "$figures" | awk -v aim=$aim '{ exit !($6 > aim * $3) }'; then
    echo "  trusts more than $aim times the bytes that were opened"
    over=1
  fi
  [ ! -s "$results/MISSES-$name.txt" ] || { head -n 20 "$results/MISSES-$name.txt" | sed 's/^/  missed /'; return 1; }
  rm -f "$results/MISSES-$name.txt"
  return $over
}

failed=0
for image in "$@"; do check "$image" || failed=1; done
if [ -e "$scratch/new.tsv" ]; then
  touch "$results/figures.tsv"
  { cat "$scratch/new.tsv"; awk -F '\t' 'NR == FNR { seen[$1] = 1; next } !($1 in seen)' "$scratch/new.tsv" "$results/figures.tsv"; } |
    sort >"$scratch/all.tsv"
  cp "$scratch/all.tsv" "$results/figures.tsv"
fi
exit $failed
