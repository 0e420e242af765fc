#!/bin/sh
# What a program really opens: runs images of testdata/corpus under strace, each with one piece of
# work, and writes for each
#
#   OUT/NAME.opened.txt   regular files of the image that were opened or executed, links resolved; the
#                         interpreters of scripts and ELF programs too, which the kernel opens
#   OUT/NAME.paths.tsv    a path as the program spelled it, and the file it led to, where they differ
#   OUT/NAME.written.txt  those of the opened that were also opened for writing
#   OUT/NAME.stat.txt     files that were only looked at (stat, access, readlink), and with a final /
#                         the directories
#
#   trace.sh DIRECTORY [IMAGE…]    DIRECTORY/oci is the layout; results in DIRECTORY/out
#
# Needs root and strace; exits with 125 where something is missing.
set -eu
export LC_ALL=C
skip() { echo "SKIPPED: $*" >&2; exit 125; }
[ $# -ge 1 ] || { echo "usage: trace.sh DIRECTORY [IMAGE...]" >&2; exit 2; }
self=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$1" && pwd -P) # as strace will print it
shift
oci=$top/oci out=$top/out

[ "$(id -u)" = 0 ] || skip "observing the programs needs root"
for tool in strace umoci jq curl ip pgrep readelf; do command -v $tool >/dev/null || skip "$tool is not installed"; done
unshare -mpfn true 2>/dev/null || skip "no namespaces here"
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"]' "$oci/index.json")
mkdir -p "$out" "$top/roots"

# interpreters ROOT FILES: "execve" lines, as strace writes them, of what the kernel opens for each.
interpreters() {
  while read -r file; do
    case $(head -c 2 "$1/$file" | tr -d '\0') in
      '#!') line=$(head -n 1 "$1/$file" | sed 's/^#![ 	]*//;s/[ 	].*//') ;;
      *) line=$(readelf -lW "$1/$file" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]$/\1/p') ;;
    esac
    [ -z "$line" ] || echo "execve(\"$line\") = 0"
  done <"$2" | sort -u
}

trace() {
  name=$1
  root=$top/roots/$name/rootfs
  digest=$(jq -r --arg tag "$name" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$oci/index.json")
  [ -n "$digest" ] || { echo "trace.sh: no image $name in $oci" >&2; return 1; }
  if [ "$(cat "$top/roots/$name.digest" 2>/dev/null)" != "$digest" ]; then
    rm -rf "$top/roots/$name"
    umoci unpack --image "$oci:$name" "$top/roots/$name" >/dev/null 2>&1
    echo "$digest" >"$top/roots/$name.digest"
  fi
  scratch=$top/roots/.run.$name
  rm -rf "$scratch"
  mkdir -p "$scratch"
  cp -a "$root" "$scratch/root"
  if ! unshare -mpfn --kill-child --mount-proc sh "$self/inside.sh" "$oci" "$name" "$scratch/root" "$scratch/log" \
    "$(command -v strace)" -ff -y -s 4096 -e trace=%file,openat2 -o "$scratch/t" >"$scratch/verdict"; then
    echo "$name: $(cat "$scratch/verdict")" >&2
    return 1
  fi
  (cd "$root" && find . -printf '%y\t%P\t%l\n') >"$scratch/tree"
  # Programs may be scripts of scripts: twice more, with what the kernel opened for the first.
  : >"$scratch/t.kernel"
  for round in 1 2 3; do
    awk -v mount="$scratch/root" -v prefix="$out/$name" -v executed="$scratch/executed" \
      -f "$self/paths.awk" -f "$self/trace.awk" "$scratch/tree" "$scratch"/t.*
    [ "$round" = 3 ] || interpreters "$root" "$scratch/executed" >"$scratch/t.kernel"
  done
  for list in opened.txt stat.txt paths.tsv written.txt; do
    sort -u -o "$out/$name.$list" "$out/$name.$list"
  done
  bytes=$(cd "$root" && tr '\n' '\0' <"$out/$name.opened.txt" | xargs -0 stat -c %s | awk '{ n += $1 } END { print n + 0 }')
  echo "$name: opened $(wc -l <"$out/$name.opened.txt") files of $bytes bytes, $(wc -l <"$out/$name.written.txt") of them for writing"
  rm -rf "$scratch"
}

failed=0
for image in "$@"; do trace "$image" || failed=1; done
exit $failed
