#!/bin/sh
# Real programs in guests: each boots from what a build made of its image, does its piece of work for
# clients outside, and ends when it is asked to.
#
#   guest_programs.sh [IMAGE…]     images that testdata/corpus/make.sh left in the layout CLOISTER_CORPUS
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/guest.sh
. "$(dirname "$0")/guest.sh"
need jq curl
find_kernels
corpus=${CLOISTER_CORPUS:-$CLOISTER_SOURCE_DIR/build/corpus/oci}
[ -e "$corpus/index.json" ] || skip "no images in $corpus (./dev truth makes them)"
[ $# -gt 0 ] || set -- redis redis-sh nginx python postgres
recipes=$CLOISTER_SOURCE_DIR/testdata/corpus/images

# The work that a recipe gives its program, tried until it is done or the guest has ended.
cat >"$work/work.sh" <<'SH2'
set -eu
work() { :; }
here=$1/.. root=$3
. "$2"
tries=200
until work >/dev/null 2>&1; do
  tries=$((tries - 1))
  if [ "$tries" = 0 ] || ! kill -0 "$4"; then exit 1; fi
  sleep 0.2
done
SH2

# inner_port IMAGE: where its program listens; a recipe may be another's with one change.
inner_port() {
  cat "$recipes/$1.sh" "$recipes/${1%%-*}.sh" 2>/dev/null |
    sed -n 's/.*127\.0\.0\.1\(:\| -P \)\([0-9][0-9]*\).*/\2/p;s/.*psql -h 127\.0\.0\.1 .*/5432/p' | head -n 1
}
# does_work IMAGE: the recipe's work, at the port that leads into the guest.
# shellcheck disable=SC2317  # reached through claim
does_work() {
  root=$work/$1/rootfs
  # A client that is the image's own.
  # shellcheck disable=SC2016  # what stands there
  if grep -q 'chroot .*"\$root" psql' "$recipes/$1.sh" && [ ! -d "$root" ]; then
    umoci unpack --image "$corpus:$1" "$work/$1" >/dev/null 2>&1
  fi
  mkdir -p "$work/recipes/images"
  for recipe in "$1" "${1%%-*}"; do
    sed "s/127\.0\.0\.1\(:\| -P \)$(inner_port "$1")/127.0.0.1\1$port/g" "$recipes/$recipe.sh" >"$work/recipes/images/$recipe.sh"
  done
  PGPORT=$port sh "$work/work.sh" "$work/recipes/images" "$work/recipes/images/$1.sh" "$root" "$guest_pid" && return
  cat "$console.raw"
  return 1
}

# shellcheck disable=SC2317  # reached through claim
silent() { ! grep -iE 'redis is starting|ready to accept' "$console"; }

first=$(echo "$kernels" | awk '{ print $1 }')
for image in "$@"; do
  if [ -z "$(manifest_digest "$corpus" "$image")" ]; then
    echo "left out: $image is not in $corpus"
    continue
  fi
  make_guest "$image" "oci:$corpus:$image" "$first"
  start_guest "$image" "$(inner_port "$image")"
  claim "$image does its work in a guest" does_work "$image"
  monitor system_powerdown
  guest_ends
  claim "$image ends when it is asked to: $(guest_verdict)" \
    grep -qE '^cloister-guest: the program (ended with status 0|was ended by signal 15)$' "$console"
  echo "$image: an initramfs of $(($(stat -c %s "$work/guests/$image/initrd.img") / 1024)) KiB"
  case $image in
    redis) claim "$image: it holds what is needed, and little else" test "$(stat -c %s "$work/guests/$image/initrd.img")" -lt 15000000 ;;
  esac
done
[ "$e2e_claims" -gt 0 ] || skip "none of these images is in $corpus: $*"

# A whole image, and memory that is too small for it: all of it, or nothing.
if [ -n "$(manifest_digest "$corpus" redis)" ]; then
  make_guest whole "oci:$corpus:redis" "$first" --trust all
  echo "all of redis: an initramfs of $(($(stat -c %s "$work/guests/whole/initrd.img") / 1024)) KiB"
  for MEMORY in 192M 256M 320M; do
    export MEMORY
    run_guest whole
    claim "all of redis with $MEMORY: nothing runs" grep -qE '^cloister-guest: refused: .*; give the guest more memory$' "$console"
    claim "all of redis with $MEMORY: redis says nothing" silent
  done
  unset MEMORY
  start_guest whole "$(inner_port redis)"
  claim "all of redis with what launch.sh gives it" does_work redis
  monitor system_powerdown
  guest_ends
fi
finish
