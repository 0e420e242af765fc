#!/bin/sh
# kill -9 at random moments of pulls and pushes, then a normal run: it succeeds, with the right bytes.
# KILLS is how often (./dev soak: 250); SEED makes the moments the same again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
start_registry plain
kills=${KILLS:-12}
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

# killed COMMAND…: ends it after some milliseconds, or lets it end.
hits=0
killed() {
  "$CLOISTER" "$@" >"$out" 2>"$err" </dev/null &
  e2e_victim=$!
  sleep "0.$(printf %03d "$(random 350)")"
  if kill -KILL "$e2e_victim" 2>/dev/null; then hits=$((hits + 1)); fi
  code=0
  wait "$e2e_victim" 2>/dev/null || code=$?
}

# blobs_are_right DIRECTORY: every blob is what its name says.
blobs_are_right() {
  (cd "$1/blobs/sha256" && for blob in *; do
    [ "$blob" = '*' ] || echo "$blob  $blob"
  done | sha256sum --quiet -c -)
}

pulls=0
pushes=0
bad=0
round=0
while [ "$round" -lt "$kills" ]; do
  round=$((round + 1))
  if [ $((round % 2)) = 1 ]; then
    # Sometimes a fresh store, mostly one that has seen kills before.
    [ "$(random 4)" != 0 ] || rm -rf "$XDG_CACHE_HOME"
    killed pull "$registry/big:1"
    pulls=$((pulls + 1))
    if [ "$(random 3)" = 0 ]; then
      cloister pull "$registry/big:1"
      [ "$code" = 0 ] && [ "$(cat "$out")" = "$want" ] || { bad=$((bad + 1)); sed 's/^/  | /' "$err"; }
      rm -rf "$XDG_CACHE_HOME/cloister/blobs"
    fi
    [ ! -d "$XDG_CACHE_HOME/cloister/blobs" ] || blobs_are_right "$XDG_CACHE_HOME/cloister" || bad=$((bad + 1))
  else
    name=$registry/pushed-$((round / 20)):$round
    killed push "oci:$work/layout:big" "$name" --store "$work/push-store"
    pushes=$((pushes + 1))
    # A tag is there with all of its image, or not at all.
    if skopeo inspect --tls-verify=false --raw "docker://$name" >"$work/raw" 2>/dev/null; then
      [ "sha256:$(sha256sum <"$work/raw" | cut -d ' ' -f 1)" = "$want" ] || bad=$((bad + 1))
    fi
    cloister push "oci:$work/layout:big" "$name" --store "$work/push-store"
    [ "$code" = 0 ] && [ "$(cat "$out")" = "$want" ] || { bad=$((bad + 1)); sed 's/^/  | /' "$err"; }
  fi
done
same "every normal run afterwards succeeds, and no blob is ever wrong" "$bad" 0
echo "$pulls pulls, $pushes pushes, $hits killed in the middle"
claim "some were caught" test "$hits" -gt 0

must pull "$registry/big:1"
same "the store works in the end" "$(cat "$out")" "$want"
claim "and is clean" blobs_are_right "$XDG_CACHE_HOME/cloister"
same "no unfinished file is left once all is there" \
  "$(leftovers)$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f 2>/dev/null)" ""
must push "$registry/pushed-0:2" "oci:$work/back:x" --store "$work/back-store"
same "what was pushed comes back" "$(manifest_digest "$work/back" x)" "$want"
claim "with the right bytes" blobs_are_right "$work/back"
finish
