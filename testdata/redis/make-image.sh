#!/bin/sh
# Makes a real Debian image of redis as an OCI layout, from nothing but this machine's own Debian
# source: DIRECTORY/oci, tag "redis". No daemon, no registry, no mounts; mmdebstrap picks a mode that
# needs no root where the kernel allows one.
#
#   make-image.sh DIRECTORY
#
# Three layers, as a Dockerfile would leave them: the base system, redis with what it depends on, the
# configuration (with a whiteout). One mmdebstrap tree per layer: the second is a complete system with
# redis, out of which all that the first one has, unchanged, is removed before it is packed.
# Running it again does nothing unless this script changed.
#
# shellcheck disable=SC2016  # $1 of a hook is the tree, and expands in the hook
set -eu
export LC_ALL=C SOURCE_DATE_EPOCH=1700000000

[ $# -eq 1 ] || { echo "usage: make-image.sh DIRECTORY" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# shellcheck source=testdata/layout.sh
. "$here/../layout.sh"
state=$(cat "$0" "$here/../layout.sh" | cksum)
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
[ "$(cat "$out/made-by" 2>/dev/null)" != "$state" ] || exit 0
rm -rf "$out/oci" "$out/work" "$out/made-by"
mkdir -p "$out/oci/blobs/sha256" "$out/work"
work=$out/work

say() { printf '   %s\n' "$*" >&2; }

# --- Trees ----------------------------------------------------------------------------------------
# The hooks below run as root of the tree's namespace (real or not), where this directory may not be
# readable: they are passed as text, and files go in and out through mmdebstrap.

# What a build leaves behind and no image needs: caches, logs, what differs from run to run.
tidy='cd "$1" && rm -rf var/log/*.log var/log/apt/* var/cache/apt/* var/cache/ldconfig/* \
  var/cache/debconf/*-old var/lib/dpkg/*-old var/lib/apt/lists/* etc/machine-id \
  etc/resolv.conf etc/hostname && mkdir -p var/lib/apt/lists/partial var/cache/apt/archives/partial'

# Lines "facts|path", two for a file (what it is; what it holds), one for everything else.
facts='facts() {
  find . -xdev -type d -printf "d %m %U %G|%p\n"
  find . -xdev ! -type d -printf "%y %m %U %G %l|%p\n"
  find . -xdev -type f -print0 | xargs -0 sha256sum | sed "s/^\([^ ]*\)  /\1|/"
}'
write_facts="$facts"'
cd "$1" && facts | grep -v "|./facts$" | sort >facts'

# Leaves only the paths with a fact that the first tree (whose facts are in ./facts) has not.
keep_changes="$facts"'
cd "$1" && facts | grep -v "|./facts$" | sort >own.facts
comm -23 own.facts facts | sed "s/^[^|]*|//" | sort -u >changed
sed "s/^[^|]*|//" own.facts | sort -u >paths
sed -n "s/^d [^|]*|//p" own.facts | sort -u >directories
# mmdebstrap wants to remove its own file itself.
comm -23 paths changed | grep -v -x -F -e . -e ./etc/apt/apt.conf.d/00mmdebstrap >same
comm -23 same directories | tr "\n" "\0" | xargs -0 rm -f
comm -12 same directories | sort -r | tr "\n" "\0" |
  xargs -0 rmdir --ignore-fail-on-non-empty 2>/dev/null || :
rm -f own.facts facts changed paths directories same'

# The machine's own source, whatever mirror it names; mmdebstrap takes both formats.
source_of_packages() {
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [ -s "$file" ]; then
      echo "$file"
      return
    fi
  done
  echo "make-image.sh: no apt source on this machine" >&2
  exit 1
}

# tree TAR [OPTION…]
tree() {
  tar=$1
  shift
  mmdebstrap --mode=auto --quiet --variant=minbase --format=tar \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    "$@" bookworm "$tar" "$(source_of_packages)"
}

say "base system"
tree "$work/base.tar" --customize-hook="$tidy" \
  --customize-hook="$write_facts" --customize-hook="download /facts '$work/facts'" \
  --customize-hook='rm "$1/facts"'
say "redis"
tree "$work/redis.tar" --include=redis-server,redis-tools --customize-hook="$tidy" \
  --customize-hook="upload '$work/facts' /facts" --customize-hook="$keep_changes"

say "configuration"
mkdir -p "$work/conf/etc/redis"
cat >"$work/conf/etc/redis/docker.conf" <<'CONF'
bind 127.0.0.1
port 6379
daemonize no
protected-mode yes
dir /var/lib/redis
save ""
CONF
: >"$work/conf/etc/redis/.wh.redis.conf" # hides the packaged configuration
chmod -R u=rwX,go=rX "$work/conf"
layout_tar "$work/conf" "$work/conf.tar"

# --- Image ----------------------------------------------------------------------------------------

say "layers"
layout_layer "$out/oci" "$work/base.tar" >"$work/base.layer" &
layout_layer "$out/oci" "$work/redis.tar" >"$work/redis.layer"
layout_layer "$out/oci" "$work/conf.tar" >"$work/conf.layer"
wait
config='{"User":"redis","WorkingDir":"/var/lib/redis","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["redis-server"],"Cmd":["/etc/redis/docker.conf"],"ExposedPorts":{"6379/tcp":{}},"Volumes":{"/var/lib/redis":{}},"StopSignal":"SIGTERM"}'
manifest=$(layout_manifest "$out/oci" amd64 "$config" \
  "$(cat "$work/base.layer")" "$(cat "$work/redis.layer")" "$(cat "$work/conf.layer")")
layout_tag "$out/oci" redis "$manifest"
rm -rf "$work" "$out/oci/tags"
echo "$state" >"$out/made-by"
