#!/bin/sh
# Makes an image of about 1 GB (unpacked) as an OCI layout, for measuring: DIRECTORY/oci, tag
# "large". Its content is real: files of this machine's /usr in alphabetical order, so that sizes,
# kinds and compressibility are those of an installed system. Four layers and a small one with the
# shell that it starts. Two machines make two different images; one machine makes it once.
#
#   make-image.sh DIRECTORY [MIB]
set -eu
export LC_ALL=C SOURCE_DATE_EPOCH=1700000000

[ $# -ge 1 ] || { echo "usage: make-image.sh DIRECTORY [MIB]" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=testdata/layout.sh
. "$here/../layout.sh"
mib=${2:-1000}
state="$mib $(cat "$0" "$here/../layout.sh" | cksum)"
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
[ "$(cat "$out/made-by" 2>/dev/null)" != "$state" ] || exit 0
rm -rf "$out/oci" "$out/work" "$out/made-by"
mkdir -p "$out/oci/blobs/sha256" "$out/work/base/usr/bin" "$out/work/base/usr/lib64" \
  "$out/work/base/usr/lib/x86_64-linux-gnu"
work=$out/work

# The program to start, and what it needs.
cp -L /bin/dash "$work/base/usr/bin/dash"
cp -L /lib/x86_64-linux-gnu/libc.so.6 "$work/base/usr/lib/x86_64-linux-gnu/"
cp -L /lib64/ld-linux-x86-64.so.2 "$work/base/usr/lib64/"
for directory in bin lib lib64; do ln -s "usr/$directory" "$work/base/$directory"; done
layout_tar "$work/base" "$work/base.tar"
set -- "$(layout_layer "$out/oci" "$work/base.tar")"

# Files below a third of the whole each, in four layers of about the same size. Names with line breaks
# would need more care than they are worth here.
find /usr/lib /usr/share /usr/bin -xdev -type f -readable -size +0 ! -name "*
*" -printf '%s %p\n' 2>/dev/null | sort -k 2 |
  awk -v want="$((mib * 1048576))" -v work="$work" '
    total >= want { exit }
    $1 < want / 3 {
      line = $0; sub(/^[0-9]+ /, "", line)
      print substr(line, 2) > (work "/list." int(4 * total / want))
      total += $1
    }
    END { if (total < want) print "make-image.sh: /usr holds only " total " bytes" > "/dev/stderr" }'
for list in "$work"/list.*; do
  tar -C / --no-recursion --hard-dereference --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" --verbatim-files-from -cf "$work/layer.tar" -T "$list"
  set -- "$@" "$(layout_layer "$out/oci" "$work/layer.tar")"
done
layout_tag "$out/oci" large \
  "$(layout_manifest "$out/oci" amd64 '{"Entrypoint":["/usr/bin/dash"],"Cmd":["-c","exit"]}' "$@")"
rm -rf "$work"
echo "$state" >"$out/made-by"
