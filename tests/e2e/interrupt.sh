#!/bin/sh
# Ctrl-C in the middle of a transfer: exit code 130 within a second, and a store that works and goes on
# where it was.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry
start_registry plain

# A layer that takes a moment: random, so that it does not shrink.
mkdir -p "$work/big" "$work/layout"
head -c 400000000 /dev/urandom >"$work/big/data"
layout_tar "$work/big" "$work/big.tar"
layer=$(layout_layer "$work/layout" "$work/big.tar" none)
layout_tag "$work/layout" big "$(layout_manifest "$work/layout" amd64 '{"Entrypoint":["/data"]}' "$layer")"
rm -rf "$work/big"
copy "oci:$work/layout:big" "docker://$registry/big:1"
rm -rf "$work/layout"

interrupted=
for attempt in 1 2 3 4 5; do
  rm -rf "$XDG_CACHE_HOME"
  "$CLOISTER" pull "$registry/big:1" >"$out" 2>"$err" </dev/null &
  pid=$!
  while [ -z "$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f -size +100k 2>/dev/null)" ] && kill -0 "$pid" 2>/dev/null; do :; done
  kill -INT "$pid" 2>/dev/null || :
  began=$(date +%s%N)
  code=0
  wait "$pid" || code=$?
  took=$((($(date +%s%N) - began) / 1000000))
  if [ "$code" != 0 ]; then
    interrupted=yes
    break
  fi
  echo "attempt $attempt was over before the signal"
done
same "the transfer was caught in the middle" "$interrupted" yes
same "exit code" "$code" 130
claim "within a second ($took ms)" test "$took" -lt 1000
same "nothing on standard output" "$(cat "$out")" ""
claim "it says so" grep -qi interrupted "$err"
claim "and what was kept" grep -qE "^kept in '.*': [0-9.]+ [KMG]?i?B of unfinished transfers.*; the same command goes on where it was" "$err"
same "no temporary file" "$(leftovers)" ""
kept=$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f -size +100k)
claim "what has come is kept" test -s "$kept"

must pull "$registry/big:1"
claim "the store works afterwards" grep -q '^sha256:' "$out"
claim "and went on where it was: 206" grep -q 'http.response.status=206' "$work/registry-plain/log"
same "nothing is left of it" "$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f)" ""

# Killed outright: what is left over does not stand in the way.
rm -rf "$XDG_CACHE_HOME"
"$CLOISTER" pull "$registry/big:1" >"$out" 2>"$err" </dev/null &
pid=$!
while [ -z "$(find "$XDG_CACHE_HOME/cloister/cloister/partial" -type f -size +100k 2>/dev/null)" ] && kill -0 "$pid" 2>/dev/null; do :; done
kill -KILL "$pid" 2>/dev/null || :
wait "$pid" || :
must pull "$registry/big:1"
claim "nor does a kill break it" grep -q '^sha256:' "$out"
finish
