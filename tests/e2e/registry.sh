#!/bin/sh
# The main road: an image in a registry becomes an enclave-ready image in the same registry.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq curl
start_registry plain

copy "oci:$images:glibc-two-layers" "docker://$registry/app:1"
base_digest=$(curl -sI -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/app/manifests/1" |
  tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip')

must pull "$registry/app:1"
same "pull prints the digest that the registry has" "$(cat "$out")" "$base_digest"
must pull "$registry/app@$base_digest"
same "a digest is accepted as a tag is" "$(cat "$out")" "$base_digest"
claim "the store is an OCI layout that skopeo reads" \
  copy "oci:$XDG_CACHE_HOME/cloister:$registry/app:1" "oci:$work/from-store:x"

must build "$registry/app:1" --key "$key" --runtime "$runtime" -t "$registry/app:1-sgx" \
  -t "$registry/other/app:latest" --push --iidfile "$work/iid" --metadata-file "$work/meta.json"
digest=$(cat "$out")
same "the id file holds the digest" "$(cat "$work/iid")" "$digest"
same "the registry has it under the first tag" \
  "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/app:1-sgx")" "$digest"
same "the registry has it under the second tag" \
  "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/other/app:latest")" "$digest"
same "metadata names the image" "$(jq -r .image.digest "$work/meta.json")" "$digest"
same "metadata names the base" "$(jq -r .base.digest "$work/meta.json")" "$base_digest"
same "metadata: a measurement of 64 digits" "$(jq -r '.sgx.mrenclave | length' "$work/meta.json")" 64
same "metadata: findings by severity" "$(jq -r '.findings | keys_unsorted | join(" ")' "$work/meta.json")" \
  "critical high medium low info"

# answered METHOD STATUS PATH: how many requests of ours the registry answered so.
answered() {
  grep 'http.request.useragent=cloister' "$work/registry-plain/log" | grep "http.response.status=$2" |
    grep "http.request.method=$1 " | grep -c "http.request.uri=\"/v2/$3" || :
}
same "the new layer and configuration are uploaded" "$(answered PUT 201 app/blobs/uploads/)" 2
same "blobs of the base are not: they are there" "$(answered HEAD 200 app/blobs/)" 2
same "in another repository all is mounted" "$(answered POST 201 'other/app/blobs/uploads/?mount=.*from=app')" 4
same "and nothing uploaded" "$(answered PUT 201 other/app/blobs/)" 0
same "each upload began with a question" "$(answered HEAD 404 app/blobs/) $(answered HEAD 404 other/app/blobs/)" "2 4"

must inspect "$registry/app:1-sgx" --format json
same "inspect reads the measurement back from the pulled bytes" \
  "$(jq -r '.. | .mrenclave? // empty' "$out" | sort -u)" "$(jq -r .sgx.mrenclave "$work/meta.json")"

copy "docker://$registry/app:1-sgx" "oci:$work/pulled:x"
same "base layers are the same blobs" "$(layers_of "$work/pulled" x | sed '$d')" "$(layers_of "$images" glibc-two-layers)"

# A second build has all it needs and says the same.
must build "$registry/app:1" --key "$key" --runtime "$runtime" -t "$registry/app:again" --push
same "a warm build gives the same image" "$(cat "$out")" "$digest"

# A runtime is an image too: this is the way that the default one goes, whose registry tests do not
# reach.
layout_tar "$runtime" "$work/runtime.tar"
mkdir -p "$work/runtime-oci"
layer=$(layout_layer "$work/runtime-oci" "$work/runtime.tar")
layout_tag "$work/runtime-oci" r "$(layout_manifest "$work/runtime-oci" amd64 '{}' "$layer")"
copy "oci:$work/runtime-oci:r" "docker://$registry/gramine:1.9"
must build "$registry/app:1" --key "$key" --runtime "$registry/gramine:1.9" -o "oci:$work/by-image:x"
claim "a runtime from a registry builds" skopeo inspect "oci:$work/by-image:x"

# Copies between places.
must push "$registry/app:1-sgx" "oci:$work/pushed:x"
same "push to a layout keeps the digest" "$(manifest_digest "$work/pushed" x)" "$digest"
must push "oci:$work/pushed:x" "$registry/moved:1"
same "and back" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/moved:1")" "$digest"

refused 4 "no-such-image|not found|unknown" pull "$registry/no-such-image:1"
refused 4 "no-such-tag" pull "$registry/app:no-such-tag"
refused 4 "." pull "$registry/app@sha256:$(printf '%064d' 0)"
finish
