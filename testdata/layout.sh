# Writes OCI layouts with a shell, tar, gzip and sha256sum: sourced by the scripts that make images.
# image-spec: image-layout.md, manifest.md, config.md. Functions answer on standard output; the
# caller sets nothing beforehand but SOURCE_DATE_EPOCH (seconds; default 0), the date of all files.
# shellcheck shell=sh

layout_config_type=application/vnd.oci.image.config.v1+json
layout_manifest_type=application/vnd.oci.image.manifest.v1+json
layout_index_type=application/vnd.oci.image.index.v1+json
layout_layer_type=application/vnd.oci.image.layer.v1.tar

layout_sha256() { sha256sum "$1" | cut -d ' ' -f 1; }

# layout_blob LAYOUT TYPE FILE: moves FILE into the layout, answers its descriptor.
layout_blob() {
  mkdir -p "$1/blobs/sha256"
  layout_digest=$(layout_sha256 "$3")
  printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$layout_digest" "$(stat -c %s "$3")"
  mv "$3" "$1/blobs/sha256/$layout_digest"
}

# layout_tar DIRECTORY TAR: the content of DIRECTORY, the same bytes each time, owned by root.
layout_tar() {
  tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" \
    --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime -cf "$2" .
}

# layout_layer LAYOUT TAR [gzip|zstd|none]: consumes TAR; answers "DESCRIPTOR DIFF-ID".
layout_layer() {
  layout_diff=sha256:$(layout_sha256 "$2")
  case ${3:-gzip} in
    gzip) gzip -n -6 "$2" && mv "$2.gz" "$2" && layout_suffix=+gzip ;;
    zstd) zstd -q --rm "$2" -o "$2.zst" && mv "$2.zst" "$2" && layout_suffix=+zstd ;;
    none) layout_suffix= ;;
  esac
  echo "$(layout_blob "$1" "$layout_layer_type$layout_suffix" "$2") $layout_diff"
}

# layout_manifest LAYOUT ARCHITECTURE CONFIG LAYER…: CONFIG is the JSON object under "config"; a
# LAYER is what layout_layer answered. Answers the manifest's descriptor.
layout_manifest() {
  layout_dir=$1 layout_arch=$2 layout_conf=$3
  shift 3
  layout_layers='' layout_diffs='' layout_history=''
  layout_date=$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" +%Y-%m-%dT%H:%M:%SZ)
  for layout_item in "$@"; do
    layout_layers=${layout_layers:+$layout_layers,}${layout_item% *}
    layout_diffs=${layout_diffs:+$layout_diffs,}\"${layout_item##* }\"
    layout_history="$layout_history{\"created\":\"$layout_date\",\"created_by\":\"layer\"},"
  done
  layout_file=$layout_dir/new-blob
  printf '{"created":"%s","architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s{"created":"%s","created_by":"config","empty_layer":true}]}' \
    "$layout_date" "$layout_arch" "$layout_conf" "$layout_diffs" "$layout_history" "$layout_date" >"$layout_file"
  layout_conf=$(layout_blob "$layout_dir" "$layout_config_type" "$layout_file")
  printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' \
    "$layout_manifest_type" "$layout_conf" "$layout_layers" >"$layout_file"
  layout_blob "$layout_dir" "$layout_manifest_type" "$layout_file"
}

# layout_index LAYOUT DESCRIPTOR…: an image index as a blob; answers its descriptor. Descriptors
# carry their platform already.
layout_index() {
  layout_dir=$1
  shift
  layout_list=$(printf ',%s' "$@")
  printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' \
    "$layout_index_type" "${layout_list#,}" >"$layout_dir/new-blob"
  layout_blob "$layout_dir" "$layout_index_type" "$layout_dir/new-blob"
}

# layout_tag LAYOUT TAG DESCRIPTOR: names an image, beside those that the layout has already.
layout_tag() {
  layout_entry="${3%\}},\"annotations\":{\"org.opencontainers.image.ref.name\":\"$2\"}}"
  printf '%s\n' "$layout_entry" >>"$1/tags"
  printf '{"schemaVersion":2,"manifests":[%s]}' "$(paste -s -d , "$1/tags")" >"$1/index.json"
  printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
}
