#!/bin/sh
# registries.conf: mirrors, other locations, blocks; skopeo reads the same file (by a hidden option)
# and agrees.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
start_registry mirror
mirror=$registry
start_registry own
own=$registry

copy "oci:$images:glibc" "docker://$mirror/cache/ns/app:1"
copy "oci:$images:glibc-two-layers" "docker://$own/ns/only:1"
cat >"$work/registries.conf" <<CONF
[[registry]]
prefix = "origin.example/ns"
location = "$own/ns"
insecure = true
[[registry.mirror]]
location = "$mirror/cache/ns"
insecure = true
[[registry]]
location = "blocked.example"
blocked = true
CONF
CONTAINERS_REGISTRIES_CONF=$work/registries.conf
export CONTAINERS_REGISTRIES_CONF
skopeo_digest() {
  echo "sha256:$(skopeo --registries-conf "$CONTAINERS_REGISTRIES_CONF" inspect --raw "docker://$1" | sha256sum | cut -d ' ' -f 1)"
}

must pull origin.example/ns/app:1
same "from the mirror, as skopeo does" "$(cat "$out")" \
  "$(skopeo_digest origin.example/ns/app:1)"
must pull origin.example/ns/only:1
same "what the mirror lacks comes from the registry itself" "$(cat "$out")" \
  "$(skopeo_digest origin.example/ns/only:1)"
claim "the mirror was asked first" grep -q 'cache/ns/only/manifests' "$work/registry-mirror/log"
must files origin.example/ns/only:1
claim "its layers too" test -s "$out"

refused 4 "ns/nothing.*mirror '$mirror/cache/ns/nothing'" pull origin.example/ns/nothing:1
refused 3 "is blocked.*registries.conf" pull blocked.example/app:1
refused 3 "is blocked" push "oci:$images:glibc" blocked.example/app:1
cloister push "oci:$images:glibc" origin.example/ns/pushed:1
same "a push is not moved to another location" "$code $(grep -c 'ns/pushed' "$work/registry-own/log" || :)" "1 0"

printf '[[registry]]\nlocation = 5\n' >"$work/registries.conf"
refused 1 "registries.conf.*'location' is an integer" pull origin.example/ns/app:1
printf '[registries.search]\nregistries = []\n' >"$work/registries.conf"
refused 1 "version 1" pull origin.example/ns/app:1
finish
