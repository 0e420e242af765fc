#!/bin/sh
# A program really starts, and does a piece of work, with nothing but what its manifest grants: in a
# root where every other regular file is unreadable (mode 0, and the program has no privileges), with
# the manifest's environment and its writable places. That is close to what Gramine does: it refuses
# to open what is not listed, and still shows that it is there. The image's own C library stands in
# for the runtime's.
#
#   starts.sh [IMAGE…]     images of testdata/corpus, made and kept under CLOISTER_CORPUS/oci
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq umoci curl ip pgrep unshare
[ "$(id -u)" = 0 ] || skip "a root of its own needs root"
unshare -mpfn true 2>/dev/null || skip "no namespaces here"
here=$CLOISTER_SOURCE_DIR/testdata/corpus
corpus=${CLOISTER_CORPUS:-$CLOISTER_SOURCE_DIR/build/corpus}
oci=$corpus/oci
# shellcheck source=tests/truth/run.sh
. "$CLOISTER_SOURCE_DIR/tests/truth/run.sh"
# shellcheck source=tests/truth/manifest.sh
. "$CLOISTER_SOURCE_DIR/tests/truth/manifest.sh"

if [ "${1:-}" = --inside ]; then # NAME ROOT LOG, in namespaces of its own; the mounts are the manifest's
  e2e_done=yes
  while read -r place; do
    mkdir -p "$3$place"
    mount -t tmpfs -o "mode=1777" tmpfs "$3$place"
  done <"$STARTS_MOUNTS"
  if run_image "$2" "$3" "$4"; then exit 0; else exit 1; fi
fi

# only_granted ROOT PATHS: makes every regular file unreadable that is not at the end of one of PATHS
# and is no part of the C library; answers how many.
only_granted() {
  (cd "$1" && find . -printf '%y\t%P\t%l\t%m\t%i\n') >"$work/tree"
  awk -F '\t' -v runtime="$(cd "$runtime"/usr/lib/*/gramine/runtime/glibc && ls | tr '\n' ' ')" '
    BEGIN { n = split(runtime, names, " "); for (i = 1; i <= n; i++) libc[names[i]] = 1 }
    NR == FNR { if ($1 == "l") link[$2] = $3; else { kind[$2] = $1; inode[$2] = $5 } next }
    { file = resolve($0); if (kind[file] == "f") open_[inode[file]] = 1 }
    END {
      for (file in kind) {
        name = file
        sub(/.*\//, "", name)
        if (kind[file] == "f" && name in libc && file ~ /(^|\/)lib(64)?\//) open_[inode[file]] = 1
      }
      for (file in kind) if (kind[file] == "f") printf "%s%c", file, 0 > (inode[file] in open_ ? granted : denied)
    }' granted="$work/granted" denied="$work/denied" -f "$CLOISTER_SOURCE_DIR/tests/truth/paths.awk" "$work/tree" "$2"
}

starts() { # starts NAME ROOT
  STARTS_MOUNTS=$work/mounts RUN_ENV=$(cat "$work/environment") RUN_AS=$run_as \
    unshare -mpfn --kill-child --mount-proc sh "$0" --inside "$1" "$2" "$work/log"
}
