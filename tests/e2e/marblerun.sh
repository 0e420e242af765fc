#!/bin/sh
# What images are to MarbleRun: packages, a starting manifest, updates; from the bytes of images that
# were built, and only where they are sound.
# shellcheck disable=SC2016  # $ in programs of jq
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl
need_schemas

# make TAG OPTION…: builds oci:$work/built:TAG.
make() {
  e2e_tag=$1
  shift
  must build "oci:$images:glibc" --runtime "$runtime" --key "$key" -o "oci:$work/built:$e2e_tag" "$@"
}
make one --isvprodid 13 --isvsvn 2 --volume /data=encrypted:disk-key --env 'GREETING=hello' --passthrough TOKEN
make two --isvprodid 13 --isvsvn 3 --volume /data=encrypted:disk-key
one=oci:$work/built:one
two=oci:$work/built:two

# --- the measurement alone ------------------------------------------------------------------------

must inspect "$one" --format json
jq -c .sgx "$out" >"$work/sgx"
must inspect "$one" --measurement --format json
valid inspect-measurement
same "the measurement is the one that inspect shows" "$(jq -c . "$out")" "$(cat "$work/sgx")"
must inspect "$one" --measurement
same "in text it is a line each" "$(sed -n 's/^mrenclave  *//p' "$out")" "$(jq -r .mrenclave "$work/sgx")"
must inspect "$one" --measurement --format marblerun
valid marblerun-package
same "a package is known by its enclave" "$(jq -r .UniqueID "$out")" "$(jq -r .mrenclave "$work/sgx")"
must inspect "$one" --measurement --format marblerun --identity signer
valid marblerun-package
same "or by its signer" "$(jq -c '[.SignerID, .ProductID, .SecurityVersion, .Debug]' "$out")" \
  "$(jq -c '[.mrsigner, .isvprodid, .isvsvn, .debug]' "$work/sgx")"
refused 2 "form of a measurement" inspect "$one" --format marblerun
refused 2 "MarbleRun's packages" inspect "$one" --measurement --identity signer
refused 1 "not enclave-ready" inspect "oci:$images:glibc" --measurement

# --- manifests ------------------------------------------------------------------------------------

# sound: every Marble has its package, every template its secret.
sound() {
  claim "$1: names and templates meet" jq -e '
    . as $all | (.Marbles | length > 0) and all(.Marbles[]; $all.Packages[.Package] != null) and
    all(.Marbles[].Parameters.Files // {} | .[];
      capture("^\\{\\{ raw \\.Secrets\\.(?<name>[A-Za-z0-9_]+) \\}\\}$").name as $name | $all.Secrets[$name] != null)' "$out"
}
must marblerun manifest "app=$one"
valid marblerun
sound "a manifest"
same "the arguments are those of the image" "$(jq -c '.Marbles.app.Parameters.Argv' "$out")" '["hello","--serve","a b"]'
same "and the environment" "$(jq -r '.Marbles.app.Parameters.Env.GREETING' "$out")" hello
same "the mount's key is a secret of 128 bits" "$(jq -c '.Secrets' "$out")" \
  '{"app_disk_key":{"Type":"symmetric-key","Size":128,"Shared":true}}'
claim "what the host chooses is named" grep -q "the host chooses TOKEN of 'app'" "$err"
claim "and that nothing asks the Coordinator yet" grep -q "does not start MarbleRun's premain" "$err"
must marblerun manifest "first=$one" "second=$two" --identity signer -o "$work/manifest.json"
cp "$work/manifest.json" "$out"
valid marblerun
sound "two images"
same "each has its version" "$(jq -c '[.Packages[].SecurityVersion]' "$out")" '[2,3]'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=admin -keyout "$work/admin.key" \
  -out "$work/admin.crt" 2>/dev/null
cat "$work/admin.key" "$work/admin.crt" >"$work/both.pem"
must marblerun manifest "first=$one" --identity signer --admin "$work/both.pem"
valid marblerun
same "an administrator is known by the certificate alone" "$(jq -r .Users.admin.Certificate "$out")" "$(cat "$work/admin.crt")"
refused 2 "only such a manifest has them" marblerun manifest "$one" --admin "$work/admin.crt"
refused 1 "no certificate" marblerun manifest "$one" --identity signer --admin "$work/admin.key"
must marblerun manifest "$one"
same "an image names itself" "$(jq -r '.Packages | keys[]' "$out")" built
refused 2 "two images are named 'built'" marblerun manifest "$one" "$two"

must marblerun manifest "first=$two" --update
valid marblerun-update
claim "an update raises a version of the manifest" jq -e --slurpfile old "$work/manifest.json" '
  .Packages | to_entries | length == 1 and all(.[]; .value.SecurityVersion > $old[0].Packages[.key].SecurityVersion)' "$out"
refused 2 "exclude each other" marblerun manifest "first=$two" --update --identity unique
refused 2 "." marblerun manifest
refused 1 "not enclave-ready" marblerun manifest "oci:$images:glibc"
finish
