#!/bin/sh
# What audit, diff and build --lock say, in every format: of an image, of the enclave-ready image made
# from it, of manifests and overlays; and that names from images, whatever is in them, reach no format
# as markup.
# shellcheck disable=SC2016  # $ in programs of jq and awk
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_schemas

image=oci:$images:glibc
cd "$work"

# --- An image -------------------------------------------------------------------------------------

must audit "$image" --runtime "$runtime" --format json \
  --report sarif=a.sarif --report markdown=a.md --report html=a.html --report text=a.txt
valid audit
cp "$out" a.json
agrees "SARIF" "$CLOISTER_SOURCE_DIR/cmd/report/schema/sarif.schema.json" a.sarif
same "the measurement is that of a build" "$(jq -r .sgx.mrenclave a.json)" \
  "$("$CLOISTER" build "$image" --runtime "$runtime" --dry-run --format json 2>"$err" | jq -r .sgx.mrenclave)"
same "the manifest is that of a build" "$(jq -r '.manifest.lines[].text' a.json)" \
  "$("$CLOISTER" manifest "$image" --runtime "$runtime" 2>"$err")"
claim "every granted file has a reason" jq -e 'all(.files[]; .reasons | length > 0)' a.json
claim "edges join granted files, from what is started" jq -e '(.files | length) as $n |
  any(.edges[]; .from == -1) and all(.edges[]; .from < $n and .to < $n)' a.json
same "SARIF has every finding" "$(jq '.runs[0].results | length' a.sarif)" "$(jq '.findings | length' a.json)"
claim "text fits 80 columns" awk 'length($0) > 80 && !/sha256:/ { print; bad = 1 } END { exit bad }' a.txt
claim "the page asks for nothing" sh -c '! grep -qE "(src|href)=\"?(https?:)?//" a.html'
claim "the verdict is on top of the page and at the end of the text" sh -c 'grep -q PASSED a.txt && grep -qi passed a.html'
cloister audit "$image" --runtime "$runtime" --fail-on info --quiet
same "the gate says no" "$code $(cat "$out")" "3 refused"
cloister audit "$image" --runtime "$runtime" --fail-on none --debug --quiet
same "the gate can be left open" "$code $(cat "$out")" "0 passed"
cloister audit "$image" --runtime "$runtime" --debug
same "a debug enclave is refused" "$code" 3
claim "and said so" grep -q "^CRITICAL CL301" "$out"
refused 2 "is not FORMAT=FILE" audit "$image" --runtime "$runtime" --report pdf=x
refused 2 "rewrites a manifest file" audit "$image" --runtime "$runtime" --fix

# --- Decisions ------------------------------------------------------------------------------------

cat >overlay.toml <<'TOML'
# cloister: accept CL303 until 2999-01-01 because the program checks what it reads
sgx.allowed_files = ["file:/srv/uploads"]
loader.env.TOKEN = { passthrough = true }
TOML
cloister audit "$image" --runtime "$runtime" --manifest overlay.toml --format json --fail-on medium --report sarif=b.sarif
same "what is not accepted is refused" "$code" 3
valid audit
same "a comment accepts what stands below it" \
  "$(jq -r '.findings[] | select(.id == "CL303") | .accepted.by' "$out")" "overlay.toml:1"
same "a finding points at its line" \
  "$(jq -c '[.runs[0].results[] | select(.ruleId == "CL307") | .locations[0].physicalLocation | .artifactLocation.uri, .region.startLine]' b.sarif)" \
  '["overlay.toml",3]'
agrees "SARIF with suppressions" "$CLOISTER_SOURCE_DIR/cmd/report/schema/sarif.schema.json" b.sarif
cat >policy.toml <<'TOML'
schemaVersion = 1
[findings]
fail-on = "medium"
[[findings.accept]]
id = "CL307"
where = "loader.env.TOKEN"
reason = "short-lived, and checked by the program"
TOML
cloister audit "$image" --runtime "$runtime" --manifest overlay.toml --policy policy.toml --quiet
same "a policy accepts" "$code $(cat "$out")" "0 passed"
printf 'schemaVersion = 1\n[findings.severity]\nCL303 = "info"\nCL307 = "critical"\n' >worse.toml
cloister audit "$image" --runtime "$runtime" --manifest overlay.toml --policy worse.toml
same "a policy makes worse" "$code" 3
printf 'schemaVersion = 1\n[findigns]\n' >typo.toml
refused 1 "unknown key 'findigns'" audit "$image" --runtime "$runtime" --policy typo.toml
printf '# cloister: accept CL999 because x\n' >typo.overlay.toml
refused 1 "there is no rule 'CL999'" audit "$image" --runtime "$runtime" --manifest typo.overlay.toml

# --- Manifests and overlays -----------------------------------------------------------------------

cloister audit ./overlay.toml --format json
valid audit
same "an overlay is one" "$(jq -r .subject.kind "$out")" overlay
same "and is asked only for what it says" "$(jq -c '[.findings[].id] | sort' "$out")" '["CL303","CL307"]'
"$CLOISTER" manifest "$image" --runtime "$runtime" -o final.manifest.sgx 2>"$err"
must audit ./final.manifest.sgx --format json
valid audit
same "a manifest is one" "$(jq -r .subject.kind "$out")" manifest
cat >old.manifest <<'TOML'
loader.entrypoint = "file:/gramine/libsysdb.so"
libos.entrypoint = "file:/app/main"
loader.argv0_override = "main"
sgx.thread_num = 8
sgx.enclave_size = "256M"
sgx.remote_attestation = true
sgx.isvsvn = 1
sgx.trusted_files.main = "file:/app/main"
sgx.protected_mrsigner_files = ["file:/data"]
fs.mount.root.type = "chroot"
fs.mount.root.path = "/"
fs.mount.root.uri = "file:/"
TOML
cp old.manifest kept
cloister audit ./old.manifest
same "an old manifest is refused" "$code" 3
claim "with what to write instead" grep -q "sgx.max_threads" "$out"
must audit ./old.manifest --fix --format json
valid audit
claim "the original is kept" cmp old.manifest.orig kept
claim "what is written is of today" sh -c 'grep -q "^sgx.max_threads = 8" old.manifest && grep -q "key_name = \"_sgx_mrsigner\"" old.manifest'
refused 1 "exists: the original would be lost" audit ./old.manifest.orig --fix --report text=x \
  --fail-on none --report "text=$(cp old.manifest.orig old.manifest.orig.orig && echo y)"
printf '{%% for x in y %%}\n' >app.manifest.template
refused 1 "is not valid TOML" audit ./app.manifest.template
claim "a template is to be rendered first" grep -q gramine-manifest "$err"

# --- An enclave-ready image -----------------------------------------------------------------------

must build "$image" --runtime "$runtime" --key "$key" -o oci:built:1 --lock
must audit oci:built:1 --format json
valid audit
cp "$out" built.json
same "an enclave-ready image is one" "$(jq -r .subject.kind built.json)" enclave-image
same "measured from its bytes" "$(jq -r .sgx.mrenclave built.json)" "$(jq -r .sgx.mrenclave a.json)"
claim "nothing of it is missing or changed" jq -e '[.findings[].id] | all(. < "CL340" or . > "CL349")' built.json

# One that GSC made has no label: it starts a script beside the manifest, and trusts every file there is.
mkdir -p gsc/gramine/app_files gsc/bin gsc-oci/blobs/sha256
(cd gsc && tar -xzf "$(blob_path "$images" "$(manifest_of "$images" static | jq -r '.layers[0].digest')")")
main=$(config_of "$images" static | jq -r '.config.Entrypoint[0]')
printf '#!/bin/bash\n' >gsc/gramine/app_files/apploader.sh
printf 'key' >gsc/server.key
cat >gsc/gramine/app_files/entrypoint.manifest.sgx <<TOML
libos.entrypoint = "$main"
loader.entrypoint.uri = "file:/gramine/libsysdb.so"
loader.entrypoint.sha256 = "$(printf %064d 0)"
loader.argv = ["$main"]
fs.root = { type = "chroot", uri = "file:/" }
fs.mounts = []
sgx.enclave_size = "256M"
sgx.max_threads = 8
sgx.remote_attestation = "dcap"
sgx.trusted_files = [
  { uri = "file:$main", sha256 = "$(sha256sum <"gsc$main" | cut -d ' ' -f 1)" },
  { uri = "file:/server.key", sha256 = "$(printf %064d 1)" },
  { uri = "file:/bin/bash", sha256 = "$(printf %064d 2)" },
]
TOML
layout_tar gsc gsc.tar
layer=$(layout_layer gsc-oci gsc.tar)
layout_tag gsc-oci 1 "$(layout_manifest gsc-oci amd64 \
  '{"Entrypoint":["/bin/bash","/gramine/app_files/apploader.sh"],"User":"app"}' "$layer")"
cloister audit oci:gsc-oci:1 --format json
same "an image of GSC's is one, and is refused" "$code $(jq -r .subject.kind "$out")" "3 enclave-image"
valid audit
same "its manifest is compared with its files" \
  "$(jq -c '[.findings[] | select(.id == "CL230" or .id == "CL334" or .id == "CL347" or .id == "CL348") | .id + " " + .where.name] | sort' "$out")" \
  '["CL230 /server.key","CL334 loader.uid","CL347 /bin/bash","CL348 /server.key"]'

# --- Against a rehearsal --------------------------------------------------------------------------

rehearsed=$CLOISTER_SOURCE_DIR/tests/cmd/reports/rehearse.json
agrees "a rehearsal" "$CLOISTER_SOURCE_DIR/cmd/report/schema/rehearse.schema.json" "$rehearsed"
cloister audit "$image" --runtime "$runtime" --rehearsal "$rehearsed" --format json \
  --report sarif=r.sarif --report markdown=r.md --report html=r.html --report text=r.txt
valid audit
same "what was refused is found, and passes no gate" \
  "$code $(jq -c '[.findings[] | select(.id == "CL501").where.name | select(startswith("/etc"))]' "$out")" \
  '3 ["/etc/nginx/mime.types","/etc/nginx/nginx.conf","/etc/ssl/private/site.key"]'
claim "another image's is said to be that" grep -q "of another image" "$err"
claim "SARIF has it" jq -e 'any(.runs[0].results[]; .ruleId == "CL501")' r.sarif
for file in r.md r.txt r.html; do claim "$file has it" grep -q CL501 "$file"; done
claim "the page has a part for it" grep -q 'id="rehearsal"' r.html
claim "no page has it without" sh -c '! grep -q "id=\"rehearsal\"" a.html'
printf 'sgx.debug = false\n' >only.toml
refused 2 "is an overlay" audit ./only.toml --rehearsal "$rehearsed"
refused 1 "is not" audit "$image" --runtime "$runtime" --rehearsal only.toml

# --- Differences ----------------------------------------------------------------------------------

agrees "the baseline" "$CLOISTER_SOURCE_DIR/cmd/report/schema/lock.schema.json" cloister.lock.json
for old in "$image" oci:built:1 ./a.json ./built.json ./cloister.lock.json ./final.manifest.sgx; do
  for new in "$image" oci:built:1 ./a.json ./cloister.lock.json ./final.manifest.sgx; do
    cloister diff "$old" "$new" --runtime "$runtime" --quiet
    same "$old and $new" "$code $(cat "$out")" "0 the same"
  done
done
cloister diff ./cloister.lock.json "$image" --runtime "$runtime" --manifest overlay.toml --format json
same "more is refused" "$code" 3
valid diff
same "and what is more is said" "$(jq -c '[.changes[] | select(.direction == "widens") | .what]' "$out")" '["/srv/uploads","TOKEN"]'
cloister diff "$image" ./cloister.lock.json --runtime "$runtime" --manifest overlay.toml --quiet
same "less is not" "$code" 0
for format in text markdown sarif html; do
  cloister diff ./cloister.lock.json "$image" --runtime "$runtime" --manifest overlay.toml --format "$format"
  claim "in $format" grep -q uploads "$out"
done
cloister diff ./cloister.lock.json "$image" --runtime "$runtime" --manifest overlay.toml --format sarif
agrees "SARIF of a difference" "$CLOISTER_SOURCE_DIR/cmd/report/schema/sarif.schema.json" "$out"
must build "$image" --runtime "$runtime" --dry-run --locked
refused 3 "this is not what 'cloister.lock.json' says" build "$image" --runtime "$runtime" --dry-run --locked --env A=1
printf '{"format":"other"}' >other.json
refused 1 "neither a baseline nor a report" diff ./other.json "$image" --runtime "$runtime"

# --- verify --policy ------------------------------------------------------------------------------

must keygen image -o image.pem
must sign oci:built:1 --key image.pem
for level in info critical; do
  printf 'schemaVersion = 1\n[signers]\nkeys = ["image.pub"]\n[findings]\nfail-on = "%s"\n' "$level" >"verify-$level.toml"
done
must verify oci:built:1 --policy verify-critical.toml
cloister verify oci:built:1 --policy verify-info.toml
same "a policy asks for findings" "$code" 3
claim "and names the worst" grep -q "policy-findings" "$out"

# --- Hostile names --------------------------------------------------------------------------------

# A program whose configuration is a file with all that terminals, TOML, HTML, Markdown and workflow
# commands of a runner could take for more than a name.
esc=$(printf '\033[31m')
name="x${esc}\"'<script>alert(1)<!--&amp;|\`code\`]]>-->::error::y # z = \\n"
mkdir -p hostile/opt/app oci2/blobs/sha256
(cd hostile && added=$(manifest_of "$images" static | jq -r '.layers[0].digest') && tar -xzf "$(blob_path "$images" "$added")")
program=$(config_of "$images" static | jq -r '.config.Entrypoint[0]')
printf 'secret' >"hostile/opt/app/$name.key"
printf 'data' >"hostile/opt/app/$name"
printf 'line' >"hostile/opt/app/$(printf 'two\nlines')"
layout_tar hostile hostile.tar
layer=$(layout_layer oci2 hostile.tar)
layout_tag oci2 1 "$(layout_manifest oci2 amd64 "$(jq -nc --arg p "$program" --arg n "/opt/app/$name" '{Entrypoint:[$p,$n],Env:["A=b"]}')" "$layer")"
must audit oci:oci2:1 --runtime "$runtime" --include '/opt/app/*' --format json --fail-on none \
  --report sarif=h.sarif --report markdown=h.md --report html=h.html --report text=h.txt
valid audit
cp "$out" h.json
claim "the name is in the report" jq -e --arg n "/opt/app/$name" 'any(.files[]; .path == $n)' h.json
agrees "SARIF of hostile names" "$CLOISTER_SOURCE_DIR/cmd/report/schema/sarif.schema.json" h.sarif
for file in h.txt h.md h.html h.sarif h.json; do
  claim "no control character in $file" sh -c '! LC_ALL=C grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1"' sh "$file"
done
claim "no markup in Markdown" sh -c '! grep -qE "<script|^::error" h.md'
claim "no markup in the page" sh -c '! grep -q "<script>alert" h.html'
cloister diff "oci:oci2:1" "oci:oci2:1" --runtime "$runtime"
cloister diff ./final.manifest.sgx ./h.json --format text
claim "no control character in a difference" sh -c '! LC_ALL=C grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1"' sh "$out"
for format in markdown html sarif json; do
  cloister diff ./final.manifest.sgx ./h.json --format "$format"
  claim "nor in $format" sh -c '! LC_ALL=C grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1" && ! grep -q "<script>alert" "$1" || [ "$2" = json ] || [ "$2" = sarif ]' sh "$out" "$format"
done
must build oci:oci2:1 --runtime "$runtime" --include '/opt/app/*' --dry-run
claim "a dry run is one TOML document" python3 -c '
import sys, tomllib
tomllib.load(open(sys.argv[1], "rb"))' "$out"
finish
