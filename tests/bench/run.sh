#!/bin/sh
# ./dev bench: what a build costs, beside `skopeo copy` of the same image from the same registry on
# loopback (which transfers and verifies, and neither inflates nor analyses). For each image: cold
# (empty store) and warm builds with push, their peak memory, and the ratio. Aims: cold at most 1.5
# times skopeo, warm below 0.5 s, memory below 150 MB whatever the image.
#
#   run.sh [RUNS]
#
# Inputs are kept under build/bench. Nothing else should run on the machine meanwhile.
set -eu
export LC_ALL=C
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)"

runs=${1:-5}
work=$PWD/build/bench
mkdir -p "$work"
registry_pid=
trap '[ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || :' EXIT
trap 'exit 130' INT TERM

sh testdata/redis/make-image.sh "$work/redis"
sh testdata/large/make-image.sh "$work/large"
sh testdata/runtime/make-runtime.sh "$work/runtime"
[ -e "$work/enclave.pem" ] || build/cloister keygen sgx -o "$work/enclave.pem"

rm -rf "$work/registry" "$work/registry.log"
cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:0"}
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 </dev/null &
registry_pid=$!
registry=
tries=0
while [ -z "$registry" ]; do
  registry=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/localhost:\1/p' "$work/registry.log" | head -n 1)
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { cat "$work/registry.log" >&2; exit 1; }
  [ -n "$registry" ] || sleep 0.1
done

# What is measured, as text for a shell. The store and the secret of its cache are the bench's own.
export XDG_CACHE_HOME="$work/cache" XDG_STATE_HOME="$work/state"
build_of() {
  echo "build/cloister build $registry/$1:x --runtime $work/runtime --key $work/enclave.pem" \
    "-t $registry/$1:sgx --push --quiet"
}
copy_of() {
  echo "skopeo --insecure-policy copy -q --src-tls-verify=false docker://$registry/$1:x oci:$work/copy:x"
}
empty_store="rm -rf $work/cache $work/state"

# seconds NAME PREPARE COMMAND: the mean, measured by hyperfine.
seconds() {
  hyperfine --shell sh --style none --warmup 1 --runs "$runs" --prepare "$2" --export-json \
    "$work/$1.json" "$3" >/dev/null
  jq '.results[0].mean' "$work/$1.json"
}
# peak COMMAND: resident memory in MB.
peak() {
  /usr/bin/time -v -o "$work/time" sh -c "exec $1" >/dev/null
  awk '/Maximum resident/ { printf "%.0f\n", $NF / 1024 }' "$work/time"
}

printf '%s, %s processors, %s runs each\n\n' "$(build/cloister version | head -n 1)" "$(nproc)" "$runs"
printf '%-7s %9s %9s | %8s %8s %7s | %8s | %8s %8s\n' image packed unpacked \
  skopeo cold ratio warm 'MB cold' 'MB warm'
missed=
for image in redis large; do
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$work/$image/oci:$image" \
    "docker://$registry/$image:x"
  packed=$(skopeo inspect --raw --tls-verify=false "docker://$registry/$image:x" | jq '[.layers[].size] | add')
  build=$(build_of "$image")
  copied=$(seconds "$image-skopeo" "rm -rf $work/copy" "$(copy_of "$image")")
  cold=$(seconds "$image-cold" "$empty_store" "$build")
  $empty_store
  cold_mb=$(peak "$build")
  warm=$(seconds "$image-warm" : "$build")
  warm_mb=$(peak "$build")
  unpacked=$(build/cloister files "$registry/$image:x" --format json --progress none |
    jq '[.files[].size // 0] | add')
  awk -v image="$image" -v packed="$packed" -v unpacked="$unpacked" -v copied="$copied" \
    -v cold="$cold" -v warm="$warm" -v cold_mb="$cold_mb" -v warm_mb="$warm_mb" 'BEGIN {
      printf "%-7s %6.0f MB %6.0f MB | %6.2f s %6.2f s %7.2f | %6.2f s | %8d %8d\n", image,
        packed / 1e6, unpacked / 1e6, copied, cold, cold / copied, warm, cold_mb, warm_mb
      exit !(cold / copied <= 1.5 && warm < 0.5 && cold_mb < 150 && warm_mb < 150)
    }' || missed="$missed $image"
done
[ -z "$missed" ] || printf '\nan aim is missed for:%s\n' "$missed"
