#!/bin/sh
# Whoever distrusts the one who built an image builds it again: from the image alone, with the base
# and the runtime fetched by digest; rebuilders say so, and a policy asks for so many of them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq
start_registry plain
copy "oci:$images:glibc-two-layers" "docker://$registry/base:1"
# The runtime as an image, as Gramine publishes it.
layout_tar "$runtime" "$work/runtime.tar"
layer=$(layout_layer "$work/gramine" "$work/runtime.tar")
layout_tag "$work/gramine" g "$(layout_manifest "$work/gramine" amd64 '{}' "$layer")"
copy "oci:$work/gramine:g" "docker://$registry/gramine:stable"
for name in signer one two stranger; do must keygen image -o "$work/$name.pem"; done

app=$registry/app:sgx
cat >"$work/overlay.toml" <<'TOML'
# comments are part of what was given
loader.env.MODE = "overlay"
TOML
must build "$registry/base:1" --key "$key" --runtime "$registry/gramine:stable" --manifest "$work/overlay.toml" \
  --isvsvn 3 --env 'A=b c' --arg '--x' --include '/opt/app/**' --with-direct --label made=here \
  --date 2024-05-06 -t "$app" --push --sign-key "$work/signer.pem"
digest=$(cat "$out")

# The tags move on: what counts is what was built from.
copy "oci:$images:glibc" "docker://$registry/base:1"
copy "oci:$images:glibc" "docker://$registry/gramine:stable"
# Another machine: an empty store, no options but whose word counts.
fresh() { XDG_CACHE_HOME=$work/fresh-$1 XDG_STATE_HOME=$work/fresh-$1; export XDG_CACHE_HOME XDG_STATE_HOME; }
fresh 1
must verify "$app" --key "$work/signer.pub" --rebuild --format json
same "a rebuild gives the same image" \
  "$(jq -r '.checks[] | select(.name == "rebuild") | [.passed, .found] | join(" ")' "$out")" "true $digest"
same "by these steps" "$(jq -r '[.checks[].name | select(startswith("rebuild") or . == "provenance")] | join(" ")' "$out")" \
  "provenance rebuild-base rebuild-runtime rebuild-provenance rebuild-mrenclave rebuild-sigstruct rebuild"

# Rebuilders, and a policy that asks for two of them.
policy() { # policy NAME THRESHOLD: others lines from standard input
  {
    printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[rebuilders]\nkeys = ["one.pub", "two.pub"]\nthreshold = %s\n' "$2"
    cat
  } >"$work/$1.toml"
}
policy two 2 <<TOML
[sgx]
min-isvsvn = 3
[bases]
allowed = ["$registry/base"]
[runtimes]
allowed = ["$registry/gramine"]
TOML
# failed_checks ARGS…: the names of the checks that failed, in $failed.
failed_checks() {
  cloister verify "$@" --format json
  failed=$(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out")
}
failed_checks "$app" --policy "$work/two.toml"
same "nobody has rebuilt it" "$code $failed" "3 policy-rebuilders"
must attest --rebuild "$app" --sign-key "$work/one.pem"
claim "a rebuilder is told what was found" grep -q "bit for bit" "$out"
failed_checks "$app" --policy "$work/two.toml"
same "one is not two" "$code $failed" "3 policy-rebuilders"
must attest --rebuild "$app" --sign-key "$work/one.pem"
must attest --rebuild "$app" --sign-key "$work/stranger.pem"
failed_checks "$app" --policy "$work/two.toml"
same "nor is one twice, or a stranger" "$code $failed" "3 policy-rebuilders"
must attest --rebuild "$app" --sign-key "$work/two.pem"
must verify "$app" --policy "$work/two.toml"
claim "two are two" grep -q "the policy allows it" "$out"
must verify "$app" --policy "$work/two.toml" --key "$work/signer.pub" --rebuild
failed_checks "$app" --key "$work/one.pub"
same "a rebuilder does not stand behind the image" "$code $failed" "3 signature attestation"

# Each rule says no to what it is there for.
refuses() { # refuses CHECKS TEXT: a policy with TEXT
  policy rule 1 <<TOML
$2
TOML
  failed_checks "$app" --policy "$work/rule.toml"
  same "the policy says no: $1" "$code $failed" "3 $1"
}
refuses "policy-isvsvn" '[sgx]
min-isvsvn = 4'
refuses "policy-mrsigner policy-isvprodid" "[sgx]
isvprodid = 9
mrsigner = [\"$(printf "%064d" 1)\"]"
refuses "policy-revoked" "[revoked]
images = [\"$digest\"]"
refuses "policy-base" '[bases]
allowed = ["docker.io/library/redis"]'
refuses "policy-runtime" '[runtimes]
allowed = ["docker.io/gramineproject/gramine"]'
printf 'schemaVersion = 1\nnot-after = "2030-01-01T00:00:00Z"\n[signers]\nkeys = ["signer.pub"]\n' >"$work/dated.toml"
must verify "$app" --policy "$work/dated.toml" --at 2029-12-31
failed_checks "$app" --policy "$work/dated.toml" --at 2030-02-01
same "a policy ends" "$code $failed" "3 policy-expiry"
printf 'schemaVersion = 1\n[signers]\nkeys = ["stranger.pub"]\n' >"$work/strange.toml"
failed_checks "$app" --policy "$work/strange.toml"
same "a policy with other signers" "$code $failed" "3 signature attestation policy-signers"
printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[rebuilders]\nkeys = ["signer.pub"]\n' >"$work/same.toml"
refused 1 "names one key twice" verify "$app" --policy "$work/same.toml"
printf 'schemaVersion = 1\nsigner = "signer.pub"\n' >"$work/typo.toml"
refused 1 "unknown key 'signer'" verify "$app" --policy "$work/typo.toml"
refused 2 "whose word counts" verify "$app"
refused 2 "say where a rebuild" verify "$app" --key "$work/signer.pub" --base "$app"
refused 2 "allow-debug" verify "$app" --policy "$work/two.toml" --allow-debug

# Another base, or another runtime, is another build.
fresh 2
failed_checks "$app" --key "$work/signer.pub" --rebuild --base "oci:$images:glibc"
same "from another base comes another image" "$code $(echo "$failed" | grep -o 'rebuild-base') $(echo "$failed" | grep -ow 'rebuild$')" \
  "3 rebuild-base rebuild"
cloister attest --rebuild "$app" --sign-key "$work/two.pem" --base "oci:$images:glibc"
same "of which no rebuilder says it were this one" "$code" 3
# One who lies about how it was built is found out: the label says another version, and is signed.
copy "docker://$app" "oci:$work/lie:x"
config_of "$work/lie" x | jq -c '.config.Labels["io.cloister.provenance"] |= sub("\"isvsvn\":3"; "\"isvsvn\":2")' >"$work/config"
config=$(layout_blob "$work/lie" "$layout_config_type" "$work/config")
manifest_of "$work/lie" x | jq -c --argjson config "$config" '.config = $config' >"$work/manifest"
rm -f "$work/lie/tags"
layout_tag "$work/lie" lie "$(layout_blob "$work/lie" "$layout_manifest_type" "$work/manifest")"
must sign "oci:$work/lie:lie" --key "$work/signer.pem"
must verify "oci:$work/lie:lie" --key "$work/signer.pub"
failed_checks "oci:$work/lie:lie" --key "$work/signer.pub" --rebuild --base "$registry/base@$(skopeo inspect --raw "oci:$images:glibc-two-layers" | sha256sum | sed 's/ .*//; s/^/sha256:/')"
same "a wrong provenance is found by rebuilding" "$code" 3
claim "the enclave would have been another one" sh -c "echo '$failed' | grep -q rebuild-sigstruct"
refused 1 "not enclave-ready" attest --rebuild "$registry/base:1" --sign-key "$work/one.pem"
finish
