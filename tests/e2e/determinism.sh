#!/bin/sh
# The same inputs give the same image, bit for bit: whatever the number of threads, the state of the
# store, the time, the place, and the way the base is read.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq skopeo

# build_digest STORE OPTION…
build_digest() {
  store=$1
  shift
  must build "$@" --store "$work/$store" --key "$key" --runtime "$runtime"
  cat "$out"
}

for tag in glibc glibc-two-layers script static; do
  first=$(build_digest cold "oci:$images:$tag" -j 1 -o "oci:$work/a:$tag")
  same "$tag: four threads, another store" "$(build_digest other "oci:$images:$tag" -j 4 -o "oci:$work/b:$tag")" "$first"
  same "$tag: a warm store" "$(build_digest cold "oci:$images:$tag" -j 4)" "$first"
  same "$tag: the layouts hold the same bytes" \
    "$(cd "$work/a" && manifest_of . "$tag" | sha256sum)" "$(cd "$work/b" && manifest_of . "$tag" | sha256sum)"
done

sleep 1.1 # a clock of whole seconds would show
same "a second later" "$(build_digest late "oci:$images:glibc")" "$(build_digest cold "oci:$images:glibc")"
same "another directory, another umask, another time zone" \
  "$(cd / && umask 077 && TZ=Asia/Tokyo build_digest elsewhere "oci:$images:glibc")" \
  "$(build_digest cold "oci:$images:glibc")"

copy "oci:$images:glibc" "oci-archive:$work/glibc.tar:x"
same "from an archive, the same layers and measurement" \
  "$(build_digest archive "oci-archive:$work/glibc.tar:x" -o "oci:$work/c:x" >/dev/null && layers_of "$work/c" x)" \
  "$(layers_of "$work/a" glibc)"

SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
dated=$(build_digest dated "oci:$images:glibc" -o "oci:$work/d:x")
same "SOURCE_DATE_EPOCH dates the image" "$(config_of "$work/d" x | jq -r .created)" 2023-11-14T22:13:20Z
same "SOURCE_DATE_EPOCH is reproducible" "$(build_digest dated2 "oci:$images:glibc")" "$dated"
same "--date outranks it" \
  "$(build_digest dated "oci:$images:glibc" --date 2024-02-29 -o "oci:$work/e:x" >/dev/null && config_of "$work/e" x | jq -r .created)" \
  2024-02-29T00:00:00Z
unset SOURCE_DATE_EPOCH
finish
