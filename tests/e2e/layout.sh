#!/bin/sh
# From layout to layout, each kind of image: other tools accept the result, the base is untouched,
# and the added layer is /gramine and nothing else.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo umoci jq zstd

build_and_check() { # build_and_check TAG
  tag=$1
  result=$work/built
  rm -rf "$result" "$work/copy" "$work/base" "$work/bundle"
  must build "oci:$images:$tag" --key "$key" --runtime "$runtime" -o "oci:$result:$tag-sgx"
  same "$tag: the digest is the result" "$(cat "$out")" "$(manifest_digest "$result" "$tag-sgx")"
  claim "$tag: skopeo inspects it" skopeo inspect "oci:$result:$tag-sgx"
  claim "$tag: skopeo copies it" copy "oci:$result:$tag-sgx" "oci:$work/copy:x"

  # The base as skopeo resolves it: through an index, by platform, and without compressing anew.
  copy --preserve-digests "oci:$images:$tag" "oci:$work/base:x"
  base_layers=$(layers_of "$work/base" x)
  same "$tag: base layers are unchanged and come first" \
    "$(layers_of "$result" "$tag-sgx" | sed '$d')" "$base_layers"
  same "$tag: one diff id for each layer" \
    "$(config_of "$result" "$tag-sgx" | jq '.rootfs.diff_ids | length')" \
    "$(layers_of "$result" "$tag-sgx" | wc -l)"
  same "$tag: history matches the layers" \
    "$(config_of "$result" "$tag-sgx" | jq '[.history[] | select(.empty_layer | not)] | length')" \
    "$(layers_of "$result" "$tag-sgx" | wc -l)"
  same "$tag: starts the loader" \
    "$(config_of "$result" "$tag-sgx" | jq -r '.config.Entrypoint | last')" /gramine/app_files/entrypoint
  same "$tag: has no Cmd" "$(config_of "$result" "$tag-sgx" | jq -r .config.Cmd)" null
  for field in User WorkingDir StopSignal ExposedPorts Env; do
    same "$tag: keeps $field" "$(config_of "$result" "$tag-sgx" | jq -cS ".config.$field")" \
      "$(config_of "$work/base" x | jq -cS ".config.$field")"
  done
  same "$tag: names its base" \
    "$(manifest_of "$result" "$tag-sgx" | jq -r '.annotations["org.opencontainers.image.base.digest"]')" \
    "$(manifest_digest "$work/base" x)"

  added_layer "$result" "$tag-sgx" "$work/bundle"
  same "$tag: the layer adds /gramine alone, and mount points" \
    "$(find "$work/bundle" -mindepth 1 -maxdepth 1 -type f | wc -l)" 0
  for file in manifest manifest.sgx sig; do
    claim "$tag: has entrypoint.$file" test -s "$work/bundle/gramine/app_files/entrypoint.$file"
  done
  same "$tag: SIGSTRUCT has 1808 bytes" \
    "$(stat -c %s "$work/bundle/gramine/app_files/entrypoint.sig")" 1808
}

# Base root plus /gramine: both unpacked by umoci, compared file by file.
compare_roots() { # compare_roots TAG
  umoci unpack --rootless --image "$work/base:x" "$work/root-base" >/dev/null 2>&1
  umoci unpack --rootless --image "$work/copy:x" "$work/root-built" >/dev/null 2>&1
  difference=$(diff -r --no-dereference "$work/root-base/rootfs" "$work/root-built/rootfs" |
    grep -v "^Only in $work/root-built/rootfs: gramine$" || :)
  # Directories that the base lacks and Gramine needs are made empty.
  unexpected=$(echo "$difference" | sed -n '/./p' | grep -vE "^Only in $work/root-built/rootfs: (proc|dev|sys|tmp|etc|srv)$" || :)
  same "$1: umoci unpacks the base root plus /gramine" "$unexpected" ""
  claim "$1: and /gramine is there" test -d "$work/root-built/rootfs/gramine"
  rm -rf "$work/root-base" "$work/root-built"
}

for tag in glibc static glibc-plain glibc-two-layers script multi; do
  build_and_check "$tag"
  compare_roots "$tag"
  [ "$tag" != glibc ] || over_gzip=$(layers_of "$result" glibc-sgx | tail -n 1)
done
build_and_check glibc-zstd # which umoci cannot unpack
same "zstd: the same layer is added as to the same files in gzip" \
  "$(layers_of "$result" glibc-zstd-sgx | tail -n 1)" "$over_gzip"
if [ -n "$(manifest_digest "$images" musl)" ]; then build_and_check musl; fi

# An archive holds the same image.
must build "oci:$images:glibc" --key "$key" --runtime "$runtime" -o "oci-archive:$work/built.tar:v1"
copy "oci-archive:$work/built.tar:v1" "oci:$work/from-archive:x"
same "an archive holds the same image" "$(cat "$out")" "$(manifest_digest "$work/from-archive" x)"

# An image is a fine base again only without a signature of ours: its base is what was built from.
must build "oci-archive:$work/built.tar:v1" --dry-run --runtime "$runtime"

# --with-direct carries the loader that needs no SGX.
must build "oci:$images:glibc" --key "$key" --runtime "$runtime" --with-direct -o "oci:$work/direct:x"
added_layer "$work/direct" x "$work/direct-files"
claim "--with-direct adds the direct loader" test -e "$work/direct-files/gramine/direct/loader"
finish
