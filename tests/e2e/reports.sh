#!/bin/sh
# What deps and why say about a closure, in every format: JSON against the schemas that are published
# with the program, SPDX and CycloneDX by what their specifications ask of every document, DOT as a
# graph without loose ends.
# shellcheck disable=SC2016  # $ in programs of jq and awk
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_schemas

image=oci:$images:glibc
program=/opt/app/hello

# --- deps -----------------------------------------------------------------------------------------

must deps "$image" --runtime "$runtime" --format json
valid deps
cp "$out" "$work/deps.json"
same "sums are those of the members" "$(jq '[.files, .paths]' -c "$out")" \
  "$(jq -c '[(.members | length), ([.members[].paths[]] | length)]' "$out")"
claim "every member has a reason" jq -e 'all(.members[]; .reasons | length > 0)' "$out"
must deps "$image" --runtime "$runtime" --include '/usr/share/doc/*' --format json
valid deps
same "an inclusion is on record" "$(jq -r '[.members[].reasons[].why] | index("include") != null' "$out")" true

must deps "$image" --runtime "$runtime" --format list
same "the list is the paths of the JSON" "$(sort "$out")" \
  "$(jq -r '.members[].paths[]' "$work/deps.json" | sort)"
refused 1 "'/nowhere' matches no file" deps "$image" --runtime "$runtime" --exclude /nowhere

must deps "$image" --runtime "$runtime" --format dot
claim "the graph has a node for each member and no loose edge" awk '
  /^digraph [a-z]+ \{$/ { begun = 1; next }
  /^\}$/ { ended = 1; next }
  /^  (rankdir|node) ?[=[]/ { next }
  /^  [a-z]+[0-9]* \[.*\];$/ { known[$1] = 1; nodes++; next }
  /^  [a-z]+[0-9]* -> [a-z]+[0-9]*( \[.*\])?;$/ {
    to = $3
    sub(/;$/, "", to)
    if (!($1 in known) || !(to in known)) { print "loose: " $0; bad = 1 }
    edges++
    next
  }
  { print "not understood: " $0; bad = 1 }
  END { exit !(begun && ended && nodes > 3 && edges > 2 && !bad) }' "$out"
same "the graph holds every member, and the launch" "$(grep -c '^  n[0-9]* \[' "$out")" "$(jq .files "$work/deps.json")"

must deps "$image" --runtime "$runtime" --format spdx
cp "$out" "$work/spdx"
claim "SPDX: the document" jq -e '
  .spdxVersion == "SPDX-2.3" and .dataLicense == "CC0-1.0" and .SPDXID == "SPDXRef-DOCUMENT" and
  (.name | length > 0) and (.documentNamespace | test("^[a-z]+:[^#]+$")) and
  (.creationInfo.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$")) and
  (.creationInfo.creators | length > 0 and all(test("^(Tool|Person|Organization): ")))' "$out"
claim "SPDX: identifiers are of the right form, and each once" jq -e '
  [.SPDXID, .packages[].SPDXID, .files[].SPDXID] |
  all(test("^SPDXRef-[A-Za-z0-9.-]+$")) and (length == (unique | length))' "$out"
claim "SPDX: relationships join what there is" jq -e '
  ([.SPDXID, .packages[].SPDXID, .files[].SPDXID] | map({(.): true}) | add) as $known |
  (.relationships | length > 0) and all(.relationships[];
    $known[.spdxElementId] and $known[.relatedSpdxElement] and (.relationshipType | test("^[A-Z_]+$")))' "$out"
claim "SPDX: the document describes something" jq -e '
  any(.relationships[]; .spdxElementId == "SPDXRef-DOCUMENT" and .relationshipType == "DESCRIBES")' "$out"
claim "SPDX: packages have what is required" jq -e '
  all(.packages[]; (.name | length > 0) and (.downloadLocation | length > 0))' "$out"
claim "SPDX: files have a SHA-1 or SHA-256 and a relative name" jq -e '
  (.files | length > 0) and all(.files[];
    (.fileName | startswith("./")) and any(.checksums[]; .algorithm == "SHA256" and (.checksumValue | test("^[0-9a-f]{64}$"))))' "$out"
must deps "$image" --runtime "$runtime" --format spdx
claim "SPDX: the same bytes again" cmp "$out" "$work/spdx"

must deps "$image" --runtime "$runtime" --format cyclonedx
claim "CycloneDX: the document" jq -e '
  .bomFormat == "CycloneDX" and (.specVersion | test("^1\\.[5-9]$")) and .version == 1 and
  (.serialNumber | test("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"))' "$out"
claim "CycloneDX: references are each there once" jq -e '
  [.metadata.component, (.components[] | recurse(.components[]?))] | map(."bom-ref" // empty) |
  length > 1 and length == (unique | length)' "$out"
claim "CycloneDX: components have a type and a name, files a hash" jq -e '
  [.components[] | recurse(.components[]?)] |
  all((.name | length > 0) and (.type | IN("application", "framework", "library", "container",
    "operating-system", "file"))) and
  all(.[] | select(.type == "file"); any(.hashes[]; .alg == "SHA-256" and (.content | test("^[0-9a-f]{64}$"))))' "$out"
claim "CycloneDX: dependencies join what there is" jq -e '
  ([.metadata.component, (.components[] | recurse(.components[]?))] | map(."bom-ref" // empty) | map({(.): true}) | add) as $known |
  all(.dependencies[]?; $known[.ref] and all(.dependsOn[]?; $known[.]))' "$out"

# Without a runtime: nothing to ask over the network here, so that the image's own libc is shown.
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
must deps "$image" --format json
valid deps
claim "without a runtime the image's own libc is shown" jq -e '
  any(.members[]; (.path | test("/libc\\.so\\.6$")) and .origin == "image") and all(.members[]; .origin == "image")' "$out"
claim "and a note says so" grep -q "^note: no runtime .*the image's own libc" "$err"

# --- why ------------------------------------------------------------------------------------------

library=$(jq -r '.members[].paths[] | select(endswith("/libgreet.so.1"))' "$work/deps.json")
must why "$image" "$library" --runtime "$runtime" --format json
valid why
same "it is granted" "$(jq .granted "$out")" true
claim "a chain leads from the program to it" jq -e --arg program "$program" '
  any(.chains[]; .[0].why == "entrypoint" and .[0].path == $program and .[1].why == "needed")' "$out"
same "the shortest comes first" "$(jq -c '[.chains[] | length]' "$out")" "$(jq -c '[.chains[] | length] | sort' "$out")"
same "every chain ends with it" "$(jq -r '[.chains[][-1].path] | unique | join(" ")' "$out")" "$(jq -r .realPath "$out")"
claim "it is granted under the name that the loader opens" jq -e --arg path "$library" '.grantedAs | index($path)' "$out"
must why "$image" libgreet.so.1 --runtime "$runtime"
claim "a bare name will do" grep -q "^$library is granted" "$out"
claim "a chain names what asks" grep -q 'NEEDED libgreet.so.1' "$out"
must why "$image" libc.so.6 --runtime "$runtime" --format json
valid why
same "libc is the runtime's" "$(jq -r .origin "$out")" runtime
few=$(jq '.chains | length' "$out")
must why "$image" libc.so.6 --runtime "$runtime" --all --format json
valid why
claim "all chains are no fewer, and each leads to it" jq -e --argjson few "$few" '
  . as $all | (.chains | length) >= $few and .moreChains == false and
  all(.chains[]; .[-1].path == $all.realPath)' "$out"

must why "$image" /usr/share/doc/readme --runtime "$runtime" --format json
valid why
same "outside of the closure nothing leads to it" "$(jq -c '[.granted, .grantedAs, .chains]' "$out")" '[false,[],[]]'
claim "but there is a way to grant it" jq -e '.options | index("--include /usr/share/doc/readme")' "$out"
must why "$image" /usr/share/doc/readme --runtime "$runtime"
claim "in text as well" grep -q -- '--include /usr/share/doc/readme' "$out"
refused 1 "no file .*no-such-file" why "$image" /no-such-file --runtime "$runtime"
# --- every other JSON -----------------------------------------------------------------------------

must files "$image" --format json
valid files
must files "$image" --merged --format json
valid files
must inspect "$image" --format json
valid inspect
must build "$image" --runtime "$runtime" --dry-run --format json
valid build

must keygen image -o "$work/image.pem"
must build "$image" --runtime "$runtime" --key "$key" --sign-key "$work/image.pem" -o "oci:$work/built:x" --format json
valid build
must inspect "oci:$work/built:x" --format json
valid inspect
must verify "oci:$work/built:x" --key "$work/image.pub" --format json
valid verify
must keygen image -o "$work/other.pem"
cloister verify "oci:$work/built:x" --key "$work/other.pub" --format json
same "another key is refused" "$code" 3
valid verify
# predicate N: what the Nth attestation says.
predicate() {
  layers_of "$work/built" "sha256-$(manifest_digest "$work/built" x | cut -d: -f2).att" | sed -n "$1p" >"$work/layer"
  jq -r .payload "$(blob_path "$work/built" "$(cat "$work/layer")")" | base64 -d | jq .predicate >"$work/predicate"
}
schemas=$CLOISTER_SOURCE_DIR/sign/image/schema
predicate 1
agrees "the measurement predicate" "$schemas/enclave-measurement-v1.json" "$work/predicate"
agrees "the measurement of a guest" "$schemas/enclave-measurement-v1.json" \
  "$CLOISTER_SOURCE_DIR/testdata/sign/guest-measurement.json"
predicate 2
agrees "the provenance" "$schemas/provenance-v1.json" "$work/predicate"
must keygen image -o "$work/rebuilder.pem"
must attest --rebuild "oci:$work/built:x" --base "$image" --runtime "$runtime" --sign-key "$work/rebuilder.pem" --format json
valid verify
predicate 3
agrees "the rebuild predicate" "$schemas/rebuild-v1.json" "$work/predicate"

must sign "oci:$work/built:x" --emit-signing-data "$work/data.json"
schema=$CLOISTER_SOURCE_DIR/cmd/report/schema/signing-data.schema.json
agrees "what is to be signed" "$schema" "$work/data.json"
jq '.messages[].signature = "AAAA"' "$work/data.json" >"$work/signed.json"
agrees "and with signatures" "$schema" "$work/signed.json"

must manifest "$image" --runtime "$runtime" -o "$work/app.manifest.sgx"
must measure "$work/app.manifest.sgx" --runtime "$runtime" --key "$key" --date 2024-01-02 --sig "$work/app.sig" --format json
valid measure
must sigstruct "$work/app.sig" --format json
valid sigstruct

must cache ls --format json
valid cache
must cache prune --format json
valid cache
must cache verify --format json
valid cache
finish
