#!/bin/sh
# Runs an image's program outside a container, for tests: as the image's configuration says, in a root
# of its own, with the piece of work that its recipe (testdata/corpus/images) gives it.
#
#   unshare -mpfn --kill-child --mount-proc sh inside.sh LAYOUT IMAGE ROOT LOG [COMMAND…]
#
# ROOT is the unpacked image, and is changed; LOG gets the program's output; COMMAND, for example a
# tracer, is put in front of the program. Succeeds when the work was done, and says otherwise what
# failed. Needs root, jq, curl, ip and pgrep.
set -eu
export LC_ALL=C
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../../testdata/corpus" && pwd)
oci=$1 name=$2 root=$3 log=$4
shift 4

# The JSON object under "config" of the image's configuration.
run_config() {
  run_digest=$(jq -r --arg tag "$name" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$oci/index.json")
  [ -n "$run_digest" ] || return 1
  run_digest=$(jq -r .config.digest "$oci/blobs/sha256/${run_digest#sha256:}")
  jq -c .config "$oci/blobs/sha256/${run_digest#sha256:}"
}

# run_identity ROOT USER: sets $uid, $gid and $home, from the image's own files.
# shellcheck disable=SC2034  # home is used in an eval
run_identity() {
  uid=0 gid=0 home=/
  run_user=${2%%:*}
  [ -n "$run_user" ] || run_user=0
  run_line=
  [ ! -e "$1/etc/passwd" ] || run_line=$(awk -F: -v u="$run_user" '$1 == u || $3 == u { print; exit }' "$1/etc/passwd")
  if [ -n "$run_line" ]; then
    uid=$(echo "$run_line" | cut -d: -f 3) gid=$(echo "$run_line" | cut -d: -f 4) home=$(echo "$run_line" | cut -d: -f 6)
  else
    uid=$run_user
  fi
  case $2 in
    *:*)
      gid=${2#*:}
      [ ! -e "$1/etc/group" ] || gid=$(awk -F: -v g="$gid" '$1 == g || $3 == g { print $3; found = 1; exit } END { if (!found) print g }' "$1/etc/group")
      ;;
  esac
}

# The recipe, over its defaults.
serves=
before() { :; }
work() { :; }
# shellcheck source=/dev/null
. "$here/images/$name.sh"

run_json=$(run_config "$name")
run_identity "$root" "$(printf '%s\n' "$run_json" | jq -r '.User // ""')"
run_dir=$(printf '%s\n' "$run_json" | jq -r '.WorkingDir // "" | if . == "" then "/" else . end')
if [ ! -e "$root$run_dir" ]; then
  mkdir -p "$root$run_dir"
  chown "$uid:$gid" "$root$run_dir"
fi
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
chmod 1777 "$root/tmp"
ip link set lo up
: >"$log"
chmod 666 "$log"
before
run_environment=$(printf '%s\n' "$run_json" | jq -r '(.Env // [])[] | @sh')
tracer=${1:-}
eval "set -- \"\$@\" '$(command -v unshare)' -R \"\$root\" -w \"\$run_dir\" -S \"\$uid\" -G \"\$gid\" -- $(printf '%s\n' "$run_json" |
  jq -r '((.Entrypoint // []) + (.Cmd // [])) | @sh' | tr '\n' ' ')"
# A PATH is always there, and HOME as container engines set it; the image's values win. In a session
# of its own: servers such as Apache end their whole process group.
eval "exec setsid env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=\"\$home\" $(printf '%s\n' "$run_environment" | tr '\n' ' ') \"\$@\"" >"$log" 2>&1 </dev/null &
run_pid=$!
run_verdict=
if [ -n "$serves" ]; then
  run_tries=300
  until work >/dev/null 2>&1; do
    run_tries=$((run_tries - 1))
    if [ "$run_tries" = 0 ] || ! kill -0 "$run_pid" 2>/dev/null; then
      run_verdict="the piece of work failed"
      break
    fi
    sleep 0.2
  done
  # The program itself, which is a tracer's child.
  program=$run_pid
  [ -z "$tracer" ] || program=$(pgrep -o -P "$run_pid") || program=$run_pid
  kill -TERM "$program" 2>/dev/null || :
  run_tries=50
  while kill -0 "$run_pid" 2>/dev/null && [ "$run_tries" -gt 0 ]; do
    run_tries=$((run_tries - 1))
    sleep 0.1
  done
  kill -KILL "$run_pid" 2>/dev/null || :
  wait "$run_pid" 2>/dev/null || :
else
  wait "$run_pid" || run_verdict="the program ended with status $?"
  [ -n "$run_verdict" ] || work || run_verdict="the output is not what it should be"
fi
[ -z "$run_verdict" ] || { echo "$run_verdict"; tail -n 15 "$log" | sed 's/^/  | /'; exit 1; }
