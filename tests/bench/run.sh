#!/bin/sh
# ./dev bench: two tables and a figure. What a build costs, beside `skopeo copy` of the same image from the same registry on
# loopback (which transfers and verifies, and neither inflates nor analyses). For each image: cold
# (empty store) and warm builds with push, their peak memory, and the ratio. Aims: cold at most 1.5
# times skopeo, warm below 0.5 s, memory below 150 MB whatever the image.
#
# What `cloister files` costs, cold: pull, verify, inflate, hash every file. Beside it `skopeo copy` to a
# layout, which only copies; `umoci unpack` of a layout; both and sha256sum over all files, which is the
# same work; and the limit, ISA-L and SHA-256 alone over the same bytes on the same cores (limit.cc).
# Aims: within 1.25 times the limit, memory below 100 MB with two jobs whatever the image.
#
# What verifying a quote with its collateral costs (quote.cc). Aim: below 20 ms.
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

# --- Listing all files ----------------------------------------------------------------------------

# The Python image is made by root alone.
layouts="redis:$work/redis/oci large:$work/large/oci"
if [ "$(id -u)" = 0 ] && sh testdata/corpus/make.sh "$PWD/build/corpus" python; then
  layouts="$layouts python:$PWD/build/corpus/oci"
else
  echo "no image of Python: making it needs root" >&2
fi

# layers_of LAYOUT TAG: the files of its layers.
layers_of() {
  manifest=$(jq -r --arg tag "$2" \
    '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' "$1/index.json")
  jq -r '.layers[].digest' "$1/blobs/sha256/${manifest#sha256:}" | sed "s|^sha256:|$1/blobs/sha256/|"
}
# row IMAGE TOOL WALL CPU MB: with ratios to the limit.
row() {
  awk -v image="$1" -v tool="$2" -v wall="$3" -v cpu="$4" -v mb="$5" -v limit_wall="$limit_wall" \
    -v limit_cpu="$limit_cpu" 'BEGIN {
      printf "%-7s %-24s %7.2f s %6.2f | %7.2f s %6.2f | %5s\n", image, tool, wall, wall / limit_wall,
        cpu, cpu / limit_cpu, mb
    }'
}
# measure IMAGE TOOL PREPARE COMMAND: a row of it; leaves $wall and $mb.
measure() {
  wall=$(seconds "$1-files" "$3" "$4")
  cpu=$(jq '.results[0] | .user + .system' "$work/$1-files.json")
  sh -c "$3"
  mb=$(peak "$4")
  row "$1" "$2" "$wall" "$cpu" "$mb"
}

printf '\n%-7s %-24s %9s %6s | %9s %6s | %5s\n' image '' wall ratio cpu ratio MB
for entry in $layouts; do
  image=${entry%%:*} layout=${entry#*:}
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$layout:$image" "docker://$registry/$image:x"
  # shellcheck disable=SC2046  # digests
  limits=$(build/bench_limit "$(nproc)" $(layers_of "$layout" "$image"))
  limit_wall=$(echo "$limits" | jq .wall)
  limit_cpu=$(echo "$limits" | jq .cpu)
  row "$image" "ISA-L and SHA-256 alone" "$limit_wall" "$limit_cpu" -
  measure "$image" "cloister files" "$empty_store" \
    "build/cloister files $registry/$image:x --format json --progress none --jobs $(nproc)"
  [ "$(awk -v wall="$wall" -v limit="$limit_wall" -v mb="$mb" 'BEGIN { print wall <= 1.25 * limit && mb < 100 }')" = 1 ] ||
    missed="$missed files-of-$image"
  measure "$image" "skopeo copy" "rm -rf $work/copy" "$(copy_of "$image")"
  clear_unpacked="if [ -e $work/unpacked ]; then chmod -R u+rwX $work/unpacked; rm -rf $work/unpacked; fi"
  unpack="umoci unpack --rootless --image $layout:$image $work/unpacked"
  measure "$image" "umoci unpack" "$clear_unpacked" "$unpack"
  cat >"$work/all.sh" <<SH
set -e
$(copy_of "$image")
umoci unpack --rootless --image $work/copy:x $work/unpacked
find $work/unpacked/rootfs -type f -print0 | xargs -0 sha256sum
SH
  measure "$image" "all that, and sha256sum" "rm -rf $work/copy; $clear_unpacked" "sh $work/all.sh"
  sh -c "$clear_unpacked"
done

# --- Verifying a quote ----------------------------------------------------------------------------

quote=$(build/bench_quote)
printf '\nverifying a quote: %s ms, at most %s ms\n' "${quote% *}" "${quote#* }"
[ "$(awk -v ms="${quote% *}" 'BEGIN { print ms < 20 }')" = 1 ] || missed="$missed quote"
[ -z "$missed" ] || printf '\nan aim is missed for:%s\n' "$missed"
