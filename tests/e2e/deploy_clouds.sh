#!/bin/sh
# What `deploy gcp` and `deploy azure` write: policies that name the image's bytes and say the same
# wherever they stand, scripts that tell the clouds' own tools no more, and nothing for images that
# would not start there. The tools themselves are not here: ones of ours say what they were told.
# shellcheck disable=SC2016  # $ in programs of jq and sh
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq base64 sha256sum
python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed (./dev test installs it)"
start_registry plain

# An image whose configuration has all that the texts could trip over.
esc=$(printf '\033[31m')
nasty="\"] == \"\" || true //
'''\$(id) \\\\u0041 ${esc}ü"
cp -r "$images" "$work/plain"
config_of "$work/plain" glibc-two-layers | jq -c --arg n "$nasty" '.config += {
  Entrypoint: ["/usr/bin/hello", $n], Cmd: ["--serve"], Env: ["PATH=/usr/bin:/bin", ("A=" + $n)], User: "1000",
  Volumes: {"/data": {}}, ExposedPorts: {"80/tcp": {}},
  Labels: {"tee.launch_policy.allow_cmd_override": "true", "tee.launch_policy.log_redirect": $n}}' >"$work/config"
cp "$work/config" "$work/given"
config=$(layout_blob "$work/plain" "$layout_config_type" "$work/config")
manifest_of "$work/plain" glibc-two-layers | jq -c --argjson config "$config" '.config = $config' >"$work/manifest"
layout_tag "$work/plain" plain "$(layout_blob "$work/plain" "$layout_manifest_type" "$work/manifest")"
app=$registry/team/app:1
copy "oci:$work/plain:plain" "docker://$app"
pinned=$registry/team/app@$(manifest_digest "$work/plain" plain)
must build "oci:$images:glibc" --key "$key" --runtime "$runtime" --isvprodid 7 --isvsvn 3 -t "$registry/team/app:sgx" \
  --push --metadata-file "$work/sgx.json"

# tool NAME: a program of that name in front of PATH, which keeps its words, one a line, in told.NAME.
mkdir "$work/bin"
tool() {
  printf '#!/bin/sh\nfor word; do printf "%%s\\0" "$word"; done >>"%s"\n' "$work/told.$1" >"$work/bin/$1"
  chmod 755 "$work/bin/$1"
}
for name in gcloud az kubectl docker; do tool "$name"; done
# run SCRIPT [NAME=VALUE…]: as a shell does, with these variables.
# shellcheck disable=SC2317  # called by claim
run() {
  run_script=$1
  shift
  rm -f "$work"/told.*
  env -i PATH="$work/bin:$PATH" "$@" sh "$run_script"
}
# The files in DIRECTORY.
names() { find "$1" -type f -printf '%f\n' | sort | paste -s -d ' '; }
told() { tr '\0' '\n' <"$work/told.$1"; }
# shellcheck disable=SC2317  # called by claim
no_controls() { ! LC_ALL=C grep -qP "[\x00-\x08\x0b-\x1f\x7f]" "$1"; }

# --- Google Confidential Space --------------------------------------------------------------------

must deploy gcp "$app" -o "$work/gcp"
same "with -o nothing is printed" "$(cat "$out")" ""
same "the files" "$(names "$work/gcp")" \
  "README.txt attestation-policy.cel create-instance.sh identity-pool.sh launch-policy.txt"
policy=$work/gcp/attestation-policy.cel
claim "the policy names the manifest" grep -qxF "&& assertion.submods.container.image_digest == \"${pinned#*@}\"" "$policy"
same "each condition is a line" "$(grep -vc '^&& assertion\.\|^&& size(assertion\.\|^&& "STABLE" in \|^assertion\.swname == ' "$policy")" 0
# The escapes of CEL that are used here are JSON's too.
same "the words of the policy are those of the image" \
  "$(sed -n 's/^&& assertion.submods.container.args == //p' "$policy" | jq -c .)" \
  "$(jq -c '.config | .Entrypoint + .Cmd' "$work/given")"
same "and the variables" "$(sed -n 's/^&& assertion.submods.container.env\["A"\] == //p' "$policy" | jq -r .)" "$nasty"
claim "a pool is made" run "$work/gcp/identity-pool.sh" PROJECT=p PROJECT_NUMBER=1 POOL=pool PROVIDER=cs LOCATION=l \
  KEYRING=r KEY=k
claim "with the policy as its condition, in one word" python3 -c '
import sys
words = open(sys.argv[1], "rb").read().split(b"\0")
policy = open(sys.argv[2], "rb").read().rstrip(b"\n")
assert b"--attribute-condition=" + policy in words, words' "$work/told.gcloud" "$policy"
claim "and the key for this image" grep -qzF "/pool/attribute.image_digest/${pinned#*@}" "$work/told.gcloud"
claim "without its variables a script does nothing" sh -c '! sh "$1" 2>/dev/null' sh "$work/gcp/identity-pool.sh"
claim "an instance is started" run "$work/gcp/create-instance.sh" PROJECT=p ZONE=z SERVICE_ACCOUNT=s@p
same "with the image by digest" "$(told gcloud | grep '^--metadata=')" \
  "--metadata=^~^tee-image-reference=$pinned~tee-restart-policy=Never"
claim "as TDX unless told otherwise" grep -qzxF -e --confidential-compute-type=TDX "$work/told.gcloud"
must deploy gcp "$app" --confidential-compute-type SEV_SNP --restart always -o "$work/snp"
claim "or as SEV-SNP" run "$work/snp/create-instance.sh" PROJECT=p ZONE=z SERVICE_ACCOUNT=s@p
claim "on a processor that has it" grep -qzxF -e "--min-cpu-platform=AMD Milan" "$work/told.gcloud"
claim "and asked for in the policy" grep -qF 'hwmodel in ["GCP_AMD_SEV_SNP"]' "$work/snp/attestation-policy.cel"
claim "an open label is said" grep -q "^OPEN.allow_cmd_override\|^OPEN.tee.launch_policy.allow_cmd_override" "$work/gcp/launch-policy.txt"
claim "one that cannot be read too" grep -q "^REFUSED.tee.launch_policy.log_redirect" "$work/gcp/launch-policy.txt"
claim "with what closes it" grep -qxF 'LABEL "tee.launch_policy.log_redirect"="never"' "$work/gcp/launch-policy.txt"
must deploy gcp "$app"
claim "all of it is one text without -o" sh -c 'grep -q "^==> create-instance.sh <==" "$1" && grep -q "^==> attestation-policy.cel <==" "$1"' sh "$out"
claim "that does nothing to a terminal" no_controls "$out"
cp "$out" "$work/first"
must deploy gcp "$app"
claim "and the same each time" cmp "$out" "$work/first"

refused 1 "is made for SGX" deploy gcp "$registry/team/app:sgx"
refused 2 "not in a registry" deploy gcp "oci:$images:static"
copy "oci:$images:no-entrypoint" "docker://$registry/team/nothing:1"
refused 1 "neither Entrypoint nor Cmd" deploy gcp "$registry/team/nothing:1"
refused 2 "" deploy gcp "$app" --confidential-compute-type sgx

# --- Azure: container instances -------------------------------------------------------------------

refused 1 "dm-verity root hash.*2 layers.*dmverity-vhd" deploy azure "$app"
printf 'Layer 0 root hash: %064d\nLayer 1 root hash: %064d\n' 1 2 >"$work/hashes"
printf '%064d\n' 1 >"$work/one-hash"
refused 1 "not those of this image.*got 1, want 2" deploy azure "$app" --layer-hashes "$work/one-hash"
printf '%064d\nsha256:%057d\n' 1 2 >"$work/bad-hash"
refused 1 "line 2 is no layer hash" deploy azure "$app" --layer-hashes "$work/bad-hash"
refused 2 "no capability" deploy azure "$app" --layer-hashes "$work/hashes" --capability SYS_ADMIN
refused 2 "no attestation provider" deploy azure "$app" --layer-hashes "$work/hashes" --attestation-provider http://x
refused 2 "is for --service aks" deploy azure "$app" --layer-hashes "$work/hashes" --key "$key"

must deploy azure "$app" --layer-hashes "$work/hashes" -o "$work/aci"
rego=$work/aci/policy.rego
host_data=$(sha256sum "$rego" | cut -d ' ' -f 1)
same "HOST_DATA is the hash of the policy" "$(sed -n 's/^- HOST_DATA //p' "$work/aci/README.txt")" "$host_data"
jq -r '.resources[0].properties.confidentialComputeProperties.ccePolicy' "$work/aci/deployment.json" | base64 -d >"$work/cce"
claim "the template carries that policy" cmp "$work/cce" "$rego"
same "a key is released to that policy alone" \
  "$(jq -r '[.anyOf[].allOf[] | select(.claim == "x-ms-sevsnpvm-hostdata") | .equals] | join(" ")' "$work/aci/key-release-policy.json")" "$host_data"
sed -n '/^containers := /,/^\]/p' "$rego" | sed 's/^containers := //' >"$work/containers"
same "the words are those of the image" "$(jq -c '.[0].command' "$work/containers")" \
  "$(jq -c '.config | .Entrypoint + .Cmd' "$work/given")"
same "the variables too, as texts" "$(jq -r '.[0].env_rules[] | select(.pattern | startswith("A=")) | .pattern + " " + .strategy' "$work/containers")" \
  "A=$nasty string"
same "the layers are those of the file" "$(jq -r '.[0].layers[]' "$work/containers" | paste -s -d ' ')" \
  "$(printf '%064d %064d' 1 2)"
same "with no process to execute, no privilege, no capability" \
  "$(jq -c '.[0] | [.exec_processes, .allow_elevated, .no_new_privileges, .allow_stdio_access, .capabilities.effective]' "$work/containers")" \
  "[[],false,true,false,[]]"
claim "the policy is ASCII" sh -c '! LC_ALL=C grep -qP "[^\x20-\x7e]" "$1"' sh "$rego"
claim "the group is started" run "$work/aci/deploy.sh" RESOURCE_GROUP=g SUBNET_ID=
claim "by the template" grep -qzxF "$work/aci/deployment.json" "$work/told.az"
claim "not without saying who reaches its ports" sh -c '! env -i PATH="$1:$PATH" RESOURCE_GROUP=g sh "$2" 2>/dev/null' sh \
  "$work/bin" "$work/aci/deploy.sh"
must deploy azure "$app" --layer-hashes "$work/hashes" --capability chown --allow-stdio -o "$work/aci"
same "another policy is another HOST_DATA" "$([ "$(sha256sum "$rego" | cut -d ' ' -f 1)" != "$host_data" ] && echo other)" other

# --- Azure: SGX -----------------------------------------------------------------------------------

must deploy azure "$registry/team/app:sgx" -o "$work/aks"
same "the image decides about the service" "$(names "$work/aks")" \
  "README.txt attestation-policy.txt create-cluster.sh create-key.sh key-release-policy.json workload.yaml"
claims() { jq -r --arg c "$1" '.anyOf[].allOf[] | select(.claim == $c) | .equals // .greaterOrEquals' "$work/aks/key-release-policy.json"; }
same "the key is for the enclave that was built" "$(claims x-ms-sgx-mrenclave) $(claims x-ms-sgx-mrsigner) $(claims x-ms-sgx-product-id) $(claims x-ms-sgx-svn)" \
  "$(jq -r '.sgx | "\(.mrenclave) \(.mrsigner) \(.isvprodid) \(.isvsvn)"' "$work/sgx.json")"
for value in "$(jq -r .sgx.mrenclave "$work/sgx.json")" "$(jq -r .sgx.mrsigner "$work/sgx.json")"; do
  claim "and the provider's policy too: $value" grep -qF "value==\"$value\"" "$work/aks/attestation-policy.txt"
done
claim "the workload is YAML" python3 -c 'import sys, yaml; assert list(yaml.safe_load_all(open(sys.argv[1])))' "$work/aks/workload.yaml"
claim "a cluster is made" run "$work/aks/create-cluster.sh" RESOURCE_GROUP=g CLUSTER=c
claim "with the workload in it" grep -qzxF "$work/aks/workload.yaml" "$work/told.kubectl"
must deploy azure "$registry/team/app:sgx" --service vm -o "$work/vm"
claim "a machine is made" run "$work/vm/create-machine.sh" RESOURCE_GROUP=g ADMIN=a
claim "and the image started there" run "$work/vm/run.sh"
same "by digest" "$(told docker | tail -n 1 | sed 's/.*@//')" "$(jq -r .image.digest "$work/sgx.json")"
refused 1 "is not enclave-ready" deploy azure "$app" --service vm
refused 1 "is made for SGX" deploy azure "$registry/team/app:sgx" --service aci --layer-hashes "$work/hashes"
refused 2 "is for --service aci" deploy azure "$registry/team/app:sgx" --allow-stdio
finish
