#!/bin/sh
# make-image.sh LAYOUT: an image, tag "nasty", whose layers do to each other all that layers may do:
# whiteouts, opaque directories, changes of type in every direction, hard links whose source a later
# layer removes, names made anew, names no terminal likes, PAX names, attributes, an empty layer.
# What comes of it is what `umoci unpack` makes of it (tests/e2e/nasty.sh). Needs GNU tar and root
# for owners.
set -eu
# shellcheck source=testdata/layout.sh
. "$(dirname "$0")/../layout.sh"
layout=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$layout"
layers=

# fresh: an empty tree in $tree.
fresh() {
  tree=$work/tree
  rm -rf "$tree"
  mkdir "$tree"
}
# layer [COMPRESSION [PAX-RECORDS]]: $tree becomes the next layer. GNU tar writes given records only
# where a file needs some anyway: half a second makes it so.
layer() {
  tar -C "$tree" --sort=name --numeric-owner --mtime="@86400${2:+.5}" --format=pax \
    --pax-option="exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime${2:+,$2}" \
    -cf "$work/layer.tar" .
  add_layer "$work/layer.tar" "${1:-gzip}"
}
add_layer() {
  set -- "$(layout_layer "$layout" "$1" "$2")"
  layers="$layers
$1"
}
newline=$(printf 'a\nb')
latin1=$(printf 'caf\351')
escape=$(printf 'x\033[31mred')

# 1: the ground.
fresh
mkdir -p "$tree/dir/sub/deep" "$tree/opaque/keep" "$tree/opaque/lose" "$tree/usr/lib" "$tree/again" \
  "$tree/empty" "$tree/to-file/in" "$tree/to-link/in" "$tree/modes"
ln -s usr/lib "$tree/lib"
for f in dir/one dir/sub/two dir/sub/deep/three opaque/top opaque/keep/k opaque/lose/l usr/lib/libx \
  again/file to-file/in/x to-link/in/y file-to-dir file-to-link; do
  echo "ground $f" >"$tree/$f"
done
ln -s dir "$tree/link-to-dir"
ln -s nowhere "$tree/link-to-file"
echo shared >"$tree/source"
ln "$tree/source" "$tree/dir/hard-one"
ln "$tree/source" "$tree/usr/lib/hard-two"
echo odd >"$tree/$newline"
echo odd >"$tree/$latin1"
echo odd >"$tree/$escape"
echo odd >"$tree/back\\slash \"quote' \$(x)"
mkdir "$tree/$newline.d"
ln -s "$latin1" "$tree/$newline.d/$latin1"
long=$(printf '%0120d' 7)
mkdir -p "$tree/$long/$long"
echo long >"$tree/$long/$long/$long"
ln -s "$long/$long/$long" "$tree/long-link"
echo suid >"$tree/modes/suid"
mkfifo "$tree/modes/fifo"
chmod 4751 "$tree/modes/suid"
chmod 1777 "$tree/empty"
chown -h 12:34 "$tree/modes/suid" "$tree/lib"
chown 4000000:5000000 "$tree/again/file"
layer

# 2: whiteouts, opaque marks, changes of type.
fresh
mkdir -p "$tree/dir/sub" "$tree/opaque/new" "$tree/file-to-dir/now" "$tree/link-to-file" "$tree/lib"
: >"$tree/dir/.wh.one"
: >"$tree/dir/sub/.wh.deep"
: >"$tree/.wh.source"
: >"$tree/.wh.never-was"
: >"$tree/.wh.again"
: >"$tree/.wh.$latin1"
: >"$tree/opaque/.wh..wh..opq"
echo new >"$tree/opaque/new/n"
echo dir >"$tree/file-to-dir/now/f"
echo own >"$tree/lib/own"
echo 'in a directory' >"$tree/link-to-file/f"
echo 'a file now' >"$tree/to-file"
ln -s modes "$tree/to-link"
ln -s again "$tree/file-to-link"
echo 'a file where a link was' >"$tree/link-to-dir"
layer

# 3: nothing at all.
fresh
tar -cf "$work/nothing.tar" -T /dev/null
add_layer "$work/nothing.tar" gzip

# 4: what was removed comes back as something else; attributes; a hard link into a lower layer.
fresh
mkdir -p "$tree/again" "$tree/source" "$tree/dir/sub/deep" "$tree/usr/lib"
echo 'made anew' >"$tree/again/other"
echo 'a directory' >"$tree/source/inside"
echo 'three again' >"$tree/dir/sub/deep/four"
echo 'with attributes' >"$tree/attributes"
layer none SCHILY.xattr.user.cloister:=value

# 5: the other names of a file go one by one; a name twice in one layer; hard links within it.
fresh
mkdir -p "$tree/dir" "$tree/usr/lib" "$tree/twice"
: >"$tree/dir/.wh.hard-one"
echo first >"$tree/twice/name"
tar -C "$tree" --numeric-owner --mtime=@86400 --format=gnu -cf "$work/twice.tar" .
echo 'second wins' >"$tree/twice/name"
ln "$tree/twice/name" "$tree/twice/other"
tar -C "$tree" --numeric-owner --mtime=@86400 --format=gnu -rf "$work/twice.tar" ./twice/name ./twice/other
add_layer "$work/twice.tar" gzip

IFS='
'
# shellcheck disable=SC2086 # one word per line
layout_tag "$layout" nasty "$(layout_manifest "$layout" amd64 '{"Cmd":["/source/inside"]}' $layers)"
