#!/bin/sh
# Images by every way: docker-archives made and read by skopeo, a daemon, nested indexes, and copies
# that take along what is attached to an image, between registry, layout and archive, both ways.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq curl tar
copy() { skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
files() {
  must files --merged --format json "$@"
  jq -S '[.files[] | del(.layer)]' "$out" | sha256sum
}
base=oci:$images:glibc-two-layers
want=$(files "$base")

# --- docker-archive ---
claim "skopeo writes a docker-archive" copy "$base" "docker-archive:$work/theirs.tar:app:1"
same "which holds the same files" "$(files "docker-archive:$work/theirs.tar")" "$want"
same "by its name too" "$(files "docker-archive:$work/theirs.tar:app:1")" "$want"
gzip -k "$work/theirs.tar"
same "and compressed as a whole" "$(files "docker-archive:$work/theirs.tar.gz")" "$want"
must pull "docker-archive:$work/theirs.tar"
digest=$(cat "$out")
must pull "docker-archive:$work/theirs.tar@$digest"
same "a digest names it too" "$(cat "$out")" "$digest"
must push "$base" "docker-archive:$work/ours.tar:app:2"
claim "skopeo reads ours" copy "docker-archive:$work/ours.tar:app:2" "oci:$work/back:x"
same "with the same files" "$(files "oci:$work/back:x")" "$want"
same "and the same configuration" "$(config_of "$work/back" x | jq -S .rootfs)" "$(config_of "$images" glibc-two-layers | jq -S .rootfs)"
refused 4 "there are: @0" inspect "docker-archive:$work/theirs.tar:other"
refused 1 "docker-archive:" inspect "oci-archive:$work/theirs.tar"
must push "$base" "oci-archive:$work/ours-oci.tar:x"
refused 1 "oci-archive:" inspect "docker-archive:$work/ours-oci.tar"

must build "docker-archive:$work/theirs.tar" --key "$key" --runtime "$runtime" -o "docker-archive:$work/built.tar:app:sgx"
claim "a built docker-archive is read by skopeo" copy "docker-archive:$work/built.tar:app:sgx" "oci:$work/built:x"
same "base layers keep their diffIDs" \
  "$(config_of "$work/built" x | jq -c '.rootfs.diff_ids[:-1]')" "$(config_of "$images" glibc-two-layers | jq -c .rootfs.diff_ids)"
must build "docker-archive:$work/theirs.tar" --key "$key" --runtime "$runtime" -o "oci:$work/built-oci:x"
same "base layers are the tars of the archive" \
  "$(layers_of "$work/built-oci" x | sed '$d')" "$(config_of "$images" glibc-two-layers | jq -r '.rootfs.diff_ids[]')"

# --- daemon ---
refused 4 "socket" inspect docker-daemon:app
DOCKER_HOST="unix://$work/none.sock" refused 4 "none.sock" inspect docker-daemon:app
refused 2 "daemon" push "$base" docker-daemon:app

# --- platforms ---
refused 4 "there are: linux/amd64|is linux/amd64" inspect "$base" --platform linux/arm64
refused 1 "linux/amd64" build "$base" --platform linux/arm64 --dry-run --runtime "$runtime"

# --- what is attached ---
# An index in an index over the image, a signature under cosign's tag, an SBOM that refers to the
# image, and a signature that refers to the SBOM.
l=$work/attached
mkdir -p "$l/blobs/sha256"
copy "$base" "oci:$l:plain"
image=$(jq -c '.manifests[0] | {mediaType, digest, size}' "$l/index.json")
image_digest=$(echo "$image" | jq -r .digest)
blob() { printf '%s' "$2" >"$work/blob" && layout_blob "$l" "$1" "$work/blob"; }
manifest=application/vnd.oci.image.manifest.v1+json
empty=$(blob application/vnd.oci.empty.v1+json '{}')
artifact() { # artifact NOTE [SUBJECT]
  blob "$manifest" "{\"schemaVersion\":2,\"mediaType\":\"$manifest\",\"artifactType\":\"text/x-$1\",\"config\":$empty,\"layers\":[$(blob text/plain "$1")]${2:+,\"subject\":$2}}"
}
signature=$(artifact signature)
sbom=$(artifact sbom "$image")
of_sbom=$(artifact of-sbom "$sbom")
inner=$(layout_index "$l" "${image%\}},\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}")
outer=$(layout_index "$l" "$inner")
entry() { echo "${1%\}},\"annotations\":{\"org.opencontainers.image.ref.name\":\"$2\"}}"; }
cosign_tag=sha256-${image_digest#sha256:}.sig
printf '{"schemaVersion":2,"manifests":[%s,%s,%s,%s]}' "$(entry "$outer" multi)" \
  "$(entry "$signature" "$cosign_tag")" "$sbom" "$of_sbom" >"$l/index.json"
index_digest=$(echo "$outer" | jq -r .digest)

start_registry plain
must push "oci:$l:multi" "$registry/app:1"
same "the index keeps its digest" "$(cat "$out")" "$index_digest"
must push "$registry/app:1" "oci-archive:$work/all.tar:v1"
must push "oci-archive:$work/all.tar:v1" "oci:$work/all:v1"
must push "oci:$work/all:v1" "$registry/again:1"
same "and all the way round" "$(cat "$out")" "$index_digest"
tags() { curl -s "http://$registry/v2/$1/tags/list" | jq -r '.tags | sort | .[]'; }
same "the registry has cosign's tag and the fallback tags of image and SBOM" "$(tags again)" \
  "$(printf '%s\n' 1 "sha256-${image_digest#sha256:}" "$cosign_tag" "sha256-$(echo "$sbom" | jq -r '.digest[7:]')" | LC_ALL=C sort)"
same "as after the first copy" "$(tags app)" "$(tags again)"
same "the fallback index lists the SBOM with its type" \
  "$(curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$registry/v2/again/manifests/sha256-${image_digest#sha256:}" |
    jq -c '[.manifests[] | {digest, artifactType}]')" \
  "$(echo "$sbom" | jq -c '[{digest, artifactType: "text/x-sbom"}]')"
same "the image is found through both indexes" "$(files "$registry/again:1")" "$want"
same "and by its digest in the layout" "$(files "oci:$work/all@$image_digest")" "$want"
same "signatures do not make a layout ambiguous" "$(files "oci:$work/all")" "$want"
must push "oci:$l:multi" "$registry/bare:1" --no-attached
same "--no-attached leaves them behind" "$(tags bare)" 1
must push "oci:$l:multi" "$registry/one:1" --platform linux/amd64
same "--platform copies one image" "$(cat "$out")" "$image_digest"
same "with what is attached to it" "$(tags one)" "$(tags app)"

# --- offline ---
must pull "$registry/app:1"
must inspect --offline "$registry/app:1"
refused 4 "no image" inspect --offline "$registry/app:2"
refused 1 "offline" push --offline "oci:$l:multi" "$registry/app:3"
finish
