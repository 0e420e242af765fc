#!/bin/sh
# Real programs, rehearsed: each starts, and does a piece of work, with nothing but what its manifest
# grants; the rehearsal saw what strace saw; one file less is named; and from nothing at all, what is
# learned of one run is enough for the next.
#
#   starts.sh [IMAGE…]     images that testdata/corpus/make.sh left in the layout CLOISTER_CORPUS
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq curl
corpus=${CLOISTER_CORPUS:-$CLOISTER_SOURCE_DIR/build/corpus/oci}
[ -e "$corpus/index.json" ] || skip "no images in $corpus (./dev truth makes them)"
[ $# -gt 0 ] || set -- redis redis-sh nginx python mariadb
traces=${corpus%/oci}/out
recipes=$CLOISTER_SOURCE_DIR/testdata/corpus

# The work that a recipe gives its program, tried until it is done. A recipe that enters the image for
# its client does so in a tree of its own.
cat >"$work/work.sh" <<'SH'
set -eu
work() { :; }
here=$1 root=$3
. "$here/images/$2.sh"
tries=150
until work >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || exit 1
  sleep 0.2
done
SH

# rehearse IMAGE OPTION…: with its work; the report is $out.
rehearse() {
  image=$1
  shift
  # Where the work is done, be it exposed or not; a recipe may be another's with one change.
  ports=$(cat "$recipes/images/$image.sh" "$recipes/images/${image%%-*}.sh" 2>/dev/null |
    grep -o '127\.0\.0\.1\(:\| -P \)[0-9]*' | sed 's/.*[: ]//' | sort -u)
  root=$work/$image/rootfs
  # shellcheck disable=SC2016  # what stands there
  if grep -q 'chroot "\$root"' "$recipes/images/$image.sh" && [ ! -d "$root" ]; then
    umoci unpack --rootless --image "$corpus:$image" "$work/$image" >/dev/null 2>&1
  fi
  for port in $ports; do set -- "$@" -p "$port"; done
  # A database that was made in the image, and is changed: somebody has to say that it may be.
  [ "$image" != mariadb ] || set -- "$@" --volume /var/lib/mysql=allowed
  # shellcheck source=/dev/null disable=SC2154,SC2034  # the recipe's
  if [ -n "$(serves= && here=$recipes && . "$recipes/images/$image.sh" && echo "$serves")" ]; then
    set -- "$@" --exec "sh '$work/work.sh' '$recipes' '$image' '$root'"
  else
    set -- "$@" --until-exit
  fi
  cloister rehearse "oci:$corpus:$image" --runtime "$runtime" --format json "$@"
}
denied() { jq -r '[.verdict.denied[] | select(.harmless != true) | .path] | sort | join(" ")' "$out"; }
# shellcheck disable=SC2317  # called by claim
shown() {
  jq -r '.workProblem // empty, (.verdict.denied[] | select(.harmless != true) | "refused \(.path): \(.why)")' "$out"
  tail -n 5 "$err"
  [ "$code" = 0 ]
}

# opened IMAGE: the regular files of the image that a run opened, as trace.sh lists them; the loader and
# C library among them, not what the program made itself. Byte code is never valid where times are 0:
# its source is opened as well.
opened() {
  jq -r '.run.paths[] | select(.type == "file" and ((.uses.read.done // 0) + (.uses.execute.done // 0) +
    (.uses.write.done // 0) > 0)) | .real | ltrimstr("/")' "$out" | sort -u >"$work/opened-all"
  must files "oci:$corpus:$1" --merged --format json
  jq -r '.files[] | select(.type == "file" or .type == "hardlink") | .path | ltrimstr("/")' "$out" | sort -u |
    comm -12 - "$work/opened-all" >"$work/opened"
}
as_sources() { sed 's|__pycache__/\([^.]*\)\.[^/]*\.pyc$|\1.py|' "$1" | sort -u; }
# Which list of converters is read depends on GCONV_PATH, which the manifest sets.
comparable() { as_sources "$1" | grep -v -e '^etc/ld\.so\.cache$' -e '/gconv/gconv-modules'; }

for image in "$@"; do
  if [ -z "$(manifest_digest "$corpus" "$image")" ]; then
    echo "left out: $image is not in $corpus"
    continue
  fi
  # Its sandbox is a network of its own.
  if grep -q '^before()' "$recipes/images/$image.sh"; then
    echo "left out: $image talks to a server beside it"
    continue
  fi
  rehearse "$image"
  case $code in
    0 | 3) ;;
    *) ! grep -q 'allows no sandbox' "$err" || skip "$(grep -m 1 'allows no sandbox' "$err")" ;;
  esac
  claim "$image does its work with what is granted" shown
  # One without which it starts, as far as a build can tell: no library; under its own name.
  needed=$(jq -r '[.run.paths[] | select(.type == "file" and .path == .real and (.uses.read.done // 0) > 0) |
    .real] | unique[]' "$out" |
    grep -v '\.so\|/ld-\|^/usr/share/zoneinfo/\|\.pyc$' | head -n 1)

  rehearse "$image" --learn
  opened "$image"
  if [ -e "$traces/$image.opened.txt" ]; then
    comparable "$work/opened" >"$work/seen"
    comparable "$traces/$image.opened.txt" >"$work/traced"
    same "$image: strace saw the same $(wc -l <"$work/traced") files" "$(comm -3 "$work/seen" "$work/traced")" ""
  fi

  if [ -n "$needed" ]; then
    rehearse "$image" --exclude "$needed" --ready-timeout 5
    same "$image: without $needed it is named" \
      "$(denied | tr ' ' '\n' | sed -e 's|.*/||' -e 's|\.cpython-[0-9]*\.pyc$|.py|' | sort -u)" "${needed##*/}"
  fi

  rehearse "$image" --trust none --learn -o "$work/learned.toml"
  rehearse "$image" --trust none --manifest "$work/learned.toml"
  claim "$image does its work with what one run of it taught" shown
  rm -rf "${work:?}/$image"
done
[ "$e2e_claims" -gt 0 ] || skip "none of these images is in $corpus: $*"
finish
