#!/bin/sh
# kill -9 at random moments of pulls and pushes, then a normal run: it succeeds, with the right bytes.
# KILLS is how often (./dev soak: 220); SEED makes the moments the same again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
start_registry plain
kills=${KILLS:-10}
seed=${SEED:-$(date +%s)}
echo "$kills kills, SEED=$seed"

# Four layers of noise, so that transfers overlap and take a moment.
mkdir -p "$work/layout"
set --
for n in 1 2 3 4; do
  mkdir -p "$work/big"
  head -c 24000000 /dev/urandom >"$work/big/data-$n"
  layout_tar "$work/big" "$work/big.tar"
  set -- "$@" "$(layout_layer "$work/layout" "$work/big.tar" none)"
  rm -rf "$work/big"
done
layout_tag "$work/layout" big "$(layout_manifest "$work/layout" amd64 '{"Entrypoint":["/data-1"]}' "$@")"
want=$(manifest_digest "$work/layout" big)
must push "oci:$work/layout:big" "$registry/big:1" # skopeo would compress the layers

# A number from 0 to $1 - 1.
random() {
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  echo $((seed / 65536 % $1))
}

# timed COMMAND…: how many milliseconds it takes when it is let alone.
timed() {
  e2e_began=$(date +%s%N)
  must "$@"
  e2e_took=$((($(date +%s%N) - e2e_began) / 1000000))
}

# killed MILLISECONDS COMMAND…: ends it at a random moment of so many, or lets it end.
hits=0
killed() {
  e2e_after=$(random "$1")
  shift
  "$CLOISTER" "$@" >"$out" 2>"$err" </dev/null &
  e2e_victim=$!
  sleep "$((e2e_after / 1000)).$(printf %03d $((e2e_after % 1000)))"
  if kill -KILL "$e2e_victim" 2>/dev/null; then hits=$((hits + 1)); fi
  code=0
  wait "$e2e_victim" 2>/dev/null || code=$?
}

# blobs_are_right DIRECTORY: every blob is what its name says.
blobs_are_right() {
  [ -n "$(ls "$1/blobs/sha256")" ] || return 0
  (cd "$1/blobs/sha256" && for blob in *; do echo "$blob  $blob"; done | sha256sum --quiet -c -)
}

timed pull "$registry/big:1"
must files "$registry/big:1" --store "$work/files-store"
files=$(cat "$out")
pull_time=$e2e_took
timed push "oci:$work/layout:big" "$registry/timed:1" --store "$work/push-store"
push_time=$e2e_took
rm -rf "$XDG_CACHE_HOME"
echo "a pull takes $pull_time ms, a push $push_time ms"

# right_digest: the last run of cloister succeeded and printed what it should.
right_digest() {
  if [ "$code" = 0 ] && [ "$(cat "$out")" = "$want" ]; then return; fi
  bad=$((bad + 1))
  sed 's/^/  | /' "$err"
}

pulls=0
pushes=0
bad=0
round=0
while [ "$hits" -lt "$kills" ] && [ "$round" -lt $((kills * 5)) ]; do
  round=$((round + 1))
  if [ $((round % 2)) = 1 ]; then
    # Sometimes a fresh store, mostly one that has seen kills before.
    [ "$(random 4)" != 0 ] || rm -rf "$XDG_CACHE_HOME"
    # A pull alone, or one whose layers are indexed while they come.
    if [ "$(random 2)" = 0 ]; then killed "$pull_time" pull "$registry/big:1"; else killed "$pull_time" files "$registry/big:1"; fi
    pulls=$((pulls + 1))
    if [ "$(random 3)" = 0 ]; then
      cloister pull "$registry/big:1"
      right_digest
      rm -rf "$XDG_CACHE_HOME/cloister/blobs"
    fi
    [ ! -d "$XDG_CACHE_HOME/cloister/blobs" ] || blobs_are_right "$XDG_CACHE_HOME/cloister" || bad=$((bad + 1))
  else
    name=$registry/pushed-$round:1
    killed "$push_time" push "oci:$work/layout:big" "$name" --store "$work/push-store"
    pushes=$((pushes + 1))
    # A tag is there with all of its image, or not at all.
    if skopeo inspect --tls-verify=false --raw "docker://$name" >"$work/raw" 2>/dev/null; then
      [ "sha256:$(sha256sum <"$work/raw" | cut -d ' ' -f 1)" = "$want" ] || bad=$((bad + 1))
    fi
    cloister push "oci:$work/layout:big" "$name" --store "$work/push-store"
    right_digest
    # What the registry keeps of uploads that nobody will finish.
    rm -rf "$work"/registry-plain/data/docker/registry/v2/repositories/*/_uploads
  fi
done
same "every normal run afterwards succeeds, and no blob is ever wrong" "$bad" 0
echo "$pulls pulls, $pushes pushes, $hits killed in the middle"
same "so many were caught" "$hits" "$kills"

must pull "$registry/big:1"
same "the store works in the end" "$(cat "$out")" "$want"
claim "and is clean" blobs_are_right "$XDG_CACHE_HOME/cloister"
must files "$registry/big:1"
same "files are what they were" "$(cat "$out")" "$files"
must cache verify
echo "ok: cache verify is clean"
same "no unfinished file is left once all is there" \
  "$(leftovers)$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f 2>/dev/null)" ""
must push "$registry/pushed-2:1" "oci:$work/back:x" --store "$work/back-store"
same "what was pushed comes back" "$(manifest_digest "$work/back" x)" "$want"
claim "with the right bytes" blobs_are_right "$work/back"
finish
