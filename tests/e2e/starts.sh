#!/bin/sh
# A program really starts, and does a piece of work, with nothing but what its manifest grants: in a
# root where every other regular file is unreadable (mode 0, for a user without privileges), with the
# manifest's environment, user, and writable places. That is what Gramine does: it refuses to open what
# is not listed, and still shows that it is there. The image's own C library stands in for the runtime's.
#
#   starts.sh [IMAGE…]     images that testdata/corpus/make.sh left in the layout CLOISTER_CORPUS
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq umoci curl ip pgrep unshare
[ "$(id -u)" = 0 ] || skip "giving a program a root of its own needs root"
unshare -mpfn true 2>/dev/null || skip "no namespaces here"
corpus=${CLOISTER_CORPUS:-$CLOISTER_SOURCE_DIR/build/corpus/oci}
[ -e "$corpus/index.json" ] || skip "no images in $corpus (./dev truth makes them)"
[ $# -gt 0 ] || set -- redis redis-sh nginx python
truth=$CLOISTER_SOURCE_DIR/tests/truth
# shellcheck source=tests/truth/manifest.sh
. "$truth/manifest.sh"

# only_granted ROOT: makes every regular file unreadable that none of the paths in $work/paths leads
# to, except for the C library, and the others readable, also to a user who is not the image's root.
# Sets $readable and $unreadable.
only_granted() {
  (cd "$1" && find . -printf '%y\t%P\t%l\t%i\n') >"$work/tree"
  (cd "$runtime"/usr/lib/*/gramine/runtime/glibc && ls) >"$work/libc"
  awk -F '\t' -v granted="$work/granted" -v denied="$work/denied" -f "$truth/paths.awk" -f "$truth/grants.awk" \
    "$work/tree" "$work/libc" "$work/paths"
  find "$1" -xdev -type d -exec chmod a+rx {} +
  (cd "$1" && xargs -0 -r chmod 0 <"$work/denied" && xargs -0 -r chmod a+r <"$work/granted")
  readable=$(tr -dc '\0' <"$work/granted" | wc -c)
  unreadable=$(tr -dc '\0' <"$work/denied" | wc -c)
}

# run IMAGE ROOT: the program with the manifest's surroundings; $work/verdict says what failed.
run() {
  RUN_AS=$identity RUN_ENV=$environment RUN_MOUNTS=$mounts \
    unshare -mpfn --kill-child --mount-proc sh "$truth/inside.sh" "$corpus" "$1" "$2" "$work/log" >"$work/verdict" 2>&1
}
# shellcheck disable=SC2317  # called by claim
shown() { cat "$work/verdict"; return "$ran"; }

for image in "$@"; do
  if [ -z "$(manifest_digest "$corpus" "$image")" ]; then
    echo "left out: $image is not in $corpus"
    continue
  fi
  must manifest "oci:$corpus:$image" --runtime "$runtime"
  manifest_trusted "$out" >"$work/paths"
  environment=$(manifest_env "$out" | sed '/^LD_LIBRARY_PATH=/{s|=/gramine/[^:]*|=|;s|:/gramine/[^:]*||g;s|=:|=|}')
  mounts=$(manifest_mounts "$out")
  identity=$(sed -n 's/^loader\.uid = //p' "$out"):$(sed -n 's/^loader\.gid = //p' "$out")
  [ "${identity%%:*}" != 0 ] || identity=65534:65534 # nothing stops root
  entrypoint=$(sed -n 's/^libos\.entrypoint = //p' "$out" | jq -r .)
  umoci unpack --image "$corpus:$image" "$work/$image" >/dev/null 2>&1
  root=$work/$image/rootfs
  only_granted "$root"

  ran=0
  run "$image" "$root" || ran=$?
  claim "$image does its work with $readable readable files; $unreadable are not" shown
  # The unreadable are so: without the program itself, nothing starts.
  chmod 0 "$root$entrypoint"
  ran=0
  run "$image" "$root" || ran=$?
  claim "$image does not start without $entrypoint" test "$ran" != 0
  rm -rf "${work:?}/$image"
done
[ "$e2e_claims" -gt 0 ] || skip "none of these images is in $corpus: $*"
finish
