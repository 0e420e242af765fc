#!/bin/sh
# Makes real images of many kinds from Debian's packages, as one OCI layout: DIRECTORY/oci, one tag for
# each. What an image is, and the piece of work its program is given in tests, is in images/NAME.sh;
# images/README.md tells what such a file holds.
#
#   make.sh DIRECTORY [IMAGE…]      default: all; one that is there is made again when its recipe changed
#
# Each image is Debian's base system (or nothing at all) and one layer on top: packages, then what the
# recipe adds. Needs root (chroot, mounts; they end with the script), mmdebstrap and a Debian mirror,
# from this machine's own source; exits with 125 where that is missing. An image whose tools are not
# at hand is left out, and said so.
set -eu
export LC_ALL=C SOURCE_DATE_EPOCH=1700000000

skip() { echo "SKIPPED: $*" >&2; exit 125; }
say() { printf '== %s\n' "$*" >&2; }

[ $# -ge 1 ] || { echo "usage: make.sh DIRECTORY [IMAGE...]" >&2; exit 2; }
[ "$(id -u)" = 0 ] || skip "making these images needs root"
for tool in mmdebstrap unshare gzip tar; do command -v $tool >/dev/null || skip "$tool is not installed"; done
if [ -z "${CORPUS_NAMESPACE:-}" ]; then
  unshare -m true 2>/dev/null || skip "no mount namespaces here"
  CORPUS_NAMESPACE=1 exec unshare -m sh "$0" "$@"
fi
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
shift
if [ $# = 0 ]; then
  for recipe in "$here"/images/*.sh; do set -- "$@" "$(basename "$recipe" .sh)"; done
fi
# shellcheck source=testdata/layout.sh
. "$here/../layout.sh"
oci=$out/oci state=$out/state
mkdir -p "$oci/blobs/sha256" "$state/archives/partial" "$state/lists/partial" "$state/made"

# --- Layers ---------------------------------------------------------------------------------------

# Every path with what changes whenever its content or metadata does.
facts() { (cd "$1" && find . -xdev -mindepth 1 -printf '%P\t%i %C@\n') | sort; }

# changes TREE BEFORE TAR: packs what differs from the facts in BEFORE, with whiteouts for what is gone.
changes() {
  facts "$1" >"$state/after"
  comm -13 "$2" "$state/after" | cut -f 1 >"$state/changed"
  cut -f 1 "$2" | sort -u >"$state/paths-before"
  cut -f 1 "$state/after" | sort -u >"$state/paths-after"
  rm -rf "$state/whiteouts"
  mkdir -p "$state/whiteouts"
  comm -23 "$state/paths-before" "$state/paths-after" | while read -r path; do
    parent=${path%/*}
    [ "$parent" != "$path" ] || parent=.
    if [ -d "$1/$parent" ] && [ ! -L "$1/$parent" ]; then
      mkdir -p "$state/whiteouts/$parent"
      : >"$state/whiteouts/$parent/.wh.${path##*/}"
    fi
  done
  (cd "$state/whiteouts" && find . -type f -printf '%P\n' | sort) >"$state/gone"
  tar --no-recursion --verbatim-files-from --numeric-owner --clamp-mtime --mtime="@$SOURCE_DATE_EPOCH" --format=pax \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
    -cf "$3" -C "$1" -T "$state/changed" -C "$state/whiteouts" -T "$state/gone"
}

# The machine's own source, whatever mirror it names.
source_of_packages() {
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [ -s "$file" ]; then
      echo "$file"
      return
    fi
  done
  skip "no apt source on this machine"
}

base() {
  [ ! -e "$state/base.layer" ] || return 0
  say "base system"
  rm -rf "$state/base"
  # shellcheck disable=SC2016  # $1 of a hook is the tree, and expands in the hook
  mmdebstrap --mode=root --quiet --variant=minbase --format=directory --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook='mkdir -p "$1/usr/share/man/man1" "$1/usr/share/man/man7"' \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"' \
    bookworm "$state/base" "$(source_of_packages)"
  tidy "$state/base"
  : >"$state/nothing"
  changes "$state/base" "$state/nothing" "$state/base.tar"
  layout_layer "$oci" "$state/base.tar" >"$state/base.layer"
}

# What a build leaves behind and no image needs.
tidy() {
  rm -rf "$1"/var/log/*.log "$1"/var/log/apt/* "$1"/var/cache/apt/*.bin "$1"/var/cache/ldconfig/* \
    "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old "$1"/etc/machine-id "$1"/etc/hostname
  : >"$1/etc/resolv.conf"
}

install_packages() { # install_packages TREE PACKAGE…
  tree=$1
  shift
  cat /etc/resolv.conf >"$tree/etc/resolv.conf"
  mount --bind "$state/archives" "$tree/var/cache/apt/archives"
  mount --bind "$state/lists" "$tree/var/lib/apt/lists"
  mount -t proc proc "$tree/proc"
  mount --bind /dev "$tree/dev"
  failed=
  {
    if [ -z "$(find "$state/lists/updated" -mtime -1 2>/dev/null)" ]; then
      chroot "$tree" apt-get update -qq && touch "$state/lists/updated"
    fi
    DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get install -qq -y --no-install-recommends "$@"
  } >"$state/apt.log" 2>&1 </dev/null || failed=yes
  umount "$tree/dev" "$tree/proc" "$tree/var/lib/apt/lists" "$tree/var/cache/apt/archives"
  [ -z "$failed" ] || { tail -n 20 "$state/apt.log" >&2; return 1; }
  tidy "$tree"
}

# --- For recipes ----------------------------------------------------------------------------------

# put PATH [MODE]: a file of the image, from standard input.
put() {
  mkdir -p "$(dirname "$root/$1")"
  cat >"$root/$1"
  chmod "${2:-644}" "$root/$1"
}
# lacking TOOL: this image cannot be made here.
lacking() {
  command -v "$1" >/dev/null && return 1
  say "left out: $name needs $1"
}

# --- Images ---------------------------------------------------------------------------------------

make() {
  name=$1
  recipe=$here/images/$name.sh
  [ -e "$recipe" ] || { echo "make.sh: no recipe $name" >&2; return 2; }
  sum=$(cksum <"$recipe")
  [ "$(cat "$state/made/$name" 2>/dev/null)" != "$sum" ] || return 0
  packages='' config='' from=base
  configure() { :; }
  # shellcheck source=/dev/null
  . "$recipe"
  say "$name"
  root=$state/tree.$name
  rm -rf "$root"
  layers=
  if [ "$from" = base ]; then
    base
    cp -a "$state/base" "$root"
    layers=$(cat "$state/base.layer")
  else
    mkdir "$root"
  fi
  facts "$root" >"$state/before"
  # shellcheck disable=SC2086  # a list of words
  [ -z "$packages" ] || install_packages "$root" $packages
  work=$state/work.$name
  rm -rf "$work"
  mkdir "$work"
  left_out=
  configure || left_out=$?
  if [ "$left_out" = 125 ]; then
    rm -rf "$root" "$work"
    return 0
  fi
  [ -z "$left_out" ] || return "$left_out"
  changes "$root" "$state/before" "$state/$name.tar"
  # Uncompressed: packed, read, and thrown away on this machine.
  top=$(layout_layer "$oci" "$state/$name.tar" none)
  [ ! -e "$oci/tags" ] || { grep -v -F "ref.name\":\"$name\"}" "$oci/tags" >"$state/tags" || :; mv "$state/tags" "$oci/tags"; }
  if [ -n "$layers" ]; then set -- "$layers" "$top"; else set -- "$top"; fi
  layout_tag "$oci" "$name" "$(layout_manifest "$oci" amd64 "$config" "$@")"
  rm -rf "$root" "$work"
  echo "$sum" >"$state/made/$name"
}

for image in "$@"; do make "$image"; done
