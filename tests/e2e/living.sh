#!/bin/sh
# What becomes of an image after it was built: texts that run it, word that its base has moved on, and
# the build repeated on what the base is now. The orchestrators themselves are not here: their texts
# are read back as YAML, and a docker of ours says what it was told.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
need_schemas
python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed (./dev test installs it)"
start_registry plain
copy "oci:$images:glibc-two-layers" "docker://$registry/base:1"
layout_tar "$runtime" "$work/runtime.tar"
layer=$(layout_layer "$work/gramine" "$work/runtime.tar")
layout_tag "$work/gramine" g "$(layout_manifest "$work/gramine" amd64 '{}' "$layer")"
copy "oci:$work/gramine:g" "docker://$registry/gramine:stable"
must keygen image -o "$work/signer.pem"
must keygen sgx -o "$work/other.pem"

app=$registry/team/app:sgx
must build "$registry/base:1" --key "$key" --runtime "$registry/gramine:stable" --isvsvn 3 --label made=here \
  --volume /data=encrypted --passthrough TZ --lock="$work/lock.json" -t "$app" --push --sign-key "$work/signer.pem" \
  --metadata-file "$work/app.json"
digest=$(cat "$out")
must build "$registry/base:1" --key "$key" --runtime "$runtime" --no-attestation -t "$registry/plain:1" --push

# --- deploy ---------------------------------------------------------------------------------------

# yaml FILE: its documents as a JSON array.
yaml() {
  python3 -c '
import json, sys, yaml
print(json.dumps([d for d in yaml.safe_load_all(open(sys.argv[1]))]))' "$1"
}
pinned="$app@$digest"

must deploy docker "$app" -o "$work/run.sh"
same "with -o nothing is printed" "$(cat "$out")" ""
mkdir "$work/bin"
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s"\n' "$work/told" >"$work/bin/docker"
chmod 755 "$work/bin/docker"
claim "a shell runs the command line" env PATH="$work/bin:$PATH" sh -eu "$work/run.sh"
for word in run --read-only /dev/sgx_enclave /dev/sgx_provision ALL no-new-privileges TZ \
  type=volume,source=app-data,target=/data type=bind,source=/var/run/aesmd,target=/var/run/aesmd,readonly; do
  claim "docker is told $word" grep -qxF -e "$word" "$work/told"
done
same "and last the image, by its digest" "$(tail -n 1 "$work/told")" "$pinned"

must deploy compose "$app"
yaml "$out" >"$work/compose.json"
same "compose: the service" "$(jq -c '.[0].services.app | [.image, .read_only, .cap_drop, .security_opt, .devices, .environment]' "$work/compose.json")" \
  "[\"$pinned\",true,[\"ALL\"],[\"no-new-privileges:true\"],[\"/dev/sgx_enclave:/dev/sgx_enclave\",\"/dev/sgx_provision:/dev/sgx_provision\"],[\"TZ\"]]"
same "compose: a volume for what is encrypted, the AESM socket" \
  "$(jq -c '[.[0].services.app.volumes[] | [.type, .source, .target]], (.[0].volumes | keys)' "$work/compose.json" | paste -s -d ' ')" \
  '[["bind","/var/run/aesmd","/var/run/aesmd"],["volume","app-data","/data"]] ["app-data"]'

must deploy kubernetes "$app" --key "$work/signer.pub"
yaml "$out" >"$work/kubernetes.json"
same "kubernetes: the objects" "$(jq -r '[.[].kind] | join(" ")' "$work/kubernetes.json")" \
  "ClusterImagePolicy PersistentVolumeClaim Deployment Service"
jq '.[] | select(.kind == "Deployment") | .spec.template' "$work/kubernetes.json" >"$work/pod.json"
same "kubernetes: the pod" "$(jq -c '[.metadata.annotations["sgx.intel.com/quote-provider"], .spec.containers[0].image,
  .spec.containers[0].securityContext.readOnlyRootFilesystem, .spec.automountServiceAccountToken]' "$work/pod.json")" \
  "[\"aesmd\",\"$pinned\",true,false]"
same "kubernetes: as much enclave memory as the enclave has" \
  "$(jq -r '.spec.containers[0].resources.limits["sgx.intel.com/epc"]' "$work/pod.json" | numfmt --from=iec-i)" \
  "$(jq .sgx.enclaveSize "$work/app.json")"
same "kubernetes: the rule holds the key" "$(jq -r '.[] | select(.kind == "ClusterImagePolicy") | .spec.authorities[0].key.data' "$work/kubernetes.json")" \
  "$(cat "$work/signer.pub")"
# What the rule wants is what was attested.
jq -c '.[] | select(.kind == "ClusterImagePolicy") | .spec.authorities[0].attestations[0].policy.data | fromjson' \
  "$work/kubernetes.json" >"$work/wanted.json"
copy "docker://$registry/team/app:sha256-${digest#sha256:}.att" "oci:$work/att:att"
for blob in $(layers_of "$work/att" att); do
  jq -r .payload "$(blob_path "$work/att" "$blob")" | base64 -d
done >"$work/statements"
# shellcheck disable=SC2016  # a variable of jq
claim "kubernetes: the attestation satisfies the rule" \
  jq -se --slurpfile wanted "$work/wanted.json" 'any(.[]; contains($wanted[0]))' "$work/statements"

must deploy kubernetes "$registry/plain:1"
claim "what is not attested gets no provisioning key" sh -c "! grep -E 'provision|aesmd' '$out'"
refused 1 "is not enclave-ready" deploy docker "$registry/base:1"
refused 2 "not in a registry" deploy docker "oci:$images:glibc"
refused 2 "" deploy

# --- outdated -------------------------------------------------------------------------------------

states() { jq -r '[.outdated, (.inputs[] | .role + "=" + .state)] | join(" ")' "$out"; }
must outdated "$app" --format json
valid outdated
same "nothing is newer" "$(states)" "false base=current runtime=current"
must outdated "$work/lock.json" --format json
valid outdated
same "nor by the lock file" "$(states)" "false base=current runtime=current"
must outdated "$registry/plain:1"
claim "what has no public name cannot be asked" grep -q "no public name" "$out"
refused 1 "is not enclave-ready" outdated "$registry/base:1"

# move_base TAG CHANGE: the base gets another configuration, and a name in a layout too.
cp -r "$images" "$work/fixed"
move_base() {
  config_of "$work/fixed" glibc-two-layers | jq -c "$2" >"$work/config"
  fixed_config=$(layout_blob "$work/fixed" "$layout_config_type" "$work/config")
  # shellcheck disable=SC2016  # a variable of jq
  manifest_of "$work/fixed" glibc-two-layers | jq -c --argjson config "$fixed_config" '.config = $config' >"$work/manifest"
  layout_tag "$work/fixed" "$1" "$(layout_blob "$work/fixed" "$layout_manifest_type" "$work/manifest")"
  copy "oci:$work/fixed:$1" "docker://$registry/base:1"
}
# A fix: a variable, which the enclave measures.
move_base new '.config.Env += ["FIXED=yes"]'

cloister outdated "$app" --format json
same "a newer base" "$code $(states)" "3 true base=newer runtime=current"
valid outdated
same "by its digest" "$(jq -r '.inputs[0].current' "$out")" "$(manifest_digest "$work/fixed" new)"
cloister outdated "$work/lock.json" -q
same "the lock file knows too" "$code $(cat "$out")" "3 outdated"
must outdated "$work/lock.json" --offline --format json
same "offline only advisories are known" "$(states)" "false base=unasked runtime=unasked"
jq '.runtime.version = "1.6.1"' "$work/lock.json" >"$work/old-lock.json"
cloister outdated "$work/old-lock.json" --offline --format json
valid outdated
same "an advisory for the runtime" "$code $(jq -r '.advisories[].id' "$out")" "3 gramine-fork-trusted-files"

# --- rebuild --------------------------------------------------------------------------------------

cloister rebuild "$app" --dry-run
same "data that could not be read any more stops a rebuild" "$code" 3
claim "with the reason" grep -q "could not read the data of '/data' (_sgx_mrenclave)" "$err"
claim "after what would change" grep -q "FIXED" "$out"
claim "with a security version proposed" grep -q -e "--isvsvn 4" "$err"
refused 3 "could not read the data" rebuild "$app" --key "$key" -t "$app" --push -q
refused 3 "lower than the image's, which is 3" rebuild "$app" --key "$key" --isvsvn 2 --accept-data-loss
refused 2 "needs an SGX signing key" rebuild "$app"
refused 2 "only shows" rebuild "$app" --dry-run -t "$app"
refused 1 "say where it is now with --runtime" rebuild "$registry/plain:1" --key "$key"
must rebuild "$app" --dry-run --accept-data-loss --format json
claim "the differences as JSON" jq -e 'any(.changes[]; .what | test("FIXED"))' "$out"

must rebuild "$app" --key "$key" --isvsvn 4 --accept-data-loss -t "$app" --push --sign-key "$work/signer.pem" \
  --metadata-file "$work/built.json"
rebuilt=$(cat "$out")
claim "the diff beside the digest" grep -q "FIXED" "$err"
same "on the new base, with the new version" "$(jq -r '[.base.name, .base.digest, .sgx.isvsvn] | join(" ")' "$work/built.json")" \
  "$registry/base:1 $(manifest_digest "$work/fixed" new) 4"
must inspect "$app" --format json
same "by the recorded options" "$(jq -r '.. | .made? // empty' "$out")" here
must outdated "$app"
must verify "$app" --key "$work/signer.pub" --min-isvsvn 4 --rebuild
# The image says how it was rebuilt: anybody can do it again.
must rebuild "$app" --key "$key" -t "$registry/team/app:again"
same "nothing is newer, nothing is other" "$(cat "$out")" "$rebuilt"
claim "and that is said" grep -q "nothing is newer" "$err"
must build "$registry/base:1" --key "$key" --runtime "$registry/gramine:stable" --volume /data=encrypted:_sgx_mrsigner \
  -t "$registry/sealed:1" --push
refused 3 "_sgx_mrsigner" rebuild "$registry/sealed:1" --key "$work/other.pem"
must rebuild "$registry/sealed:1" --key "$key"
move_base label '.config.Env += ["FIXED=yes"] | .config.Labels.what = "else"'
must rebuild "$app" --key "$key"
claim "a base that is another, of which the enclave sees nothing" grep -q "it is the same" "$err"
finish
