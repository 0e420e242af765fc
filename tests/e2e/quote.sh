#!/bin/sh
# Quotes as a relying party has them: one file and what proves it. Genuine or not, made for this session
# or not, of the signed image or of another enclave; by files, by a PCCS, by a policy, and offline
# without a connection. The platform is one of our own, whose root is trusted by name.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_schemas
[ -n "${PCCS:-}" ] || skip "PCCS is not built"

# --- a signed image, another one, and quotes of the first -----------------------------------------

must keygen image -o "$work/signer.pem"
for tag in app newer; do
  svn=1
  [ "$tag" = app ] || svn=2
  must build "oci:$images:glibc" --runtime "$runtime" --key "$key" --isvsvn "$svn" \
    -o "oci:$work/$tag:v" --sign-key "$work/signer.pem"
done
app=oci:$work/app:v
newer=oci:$work/newer:v
must inspect "$app" --format json
mrenclave=$(jq -r .sgx.mrenclave "$out")
mrsigner=$(jq -r .sgx.mrsigner "$out")
nonce=$(printf 'challenge-1' | sha256sum | cut -d ' ' -f 1)
padded=$nonce$(printf '%064d' 0)

# platform NAME MRENCLAVE: quotes of it in $work/NAME; $port is that of its PCCS.
platform() {
  mkdir -p "$work/$1"
  "$PCCS" "$work/$1" "$2" "$mrsigner" "$padded" >"$work/$1/port" 2>"$work/$1/err" </dev/null &
  e2e_pids="$e2e_pids $!"
  tries=200
  while [ ! -s "$work/$1/port" ] && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  port=$(cat "$work/$1/port")
}
platform stranger "$(printf '%064d' 7)"
platform intel "$mrenclave"
intel=$work/intel
quote=$intel/sgx.quote
root=$intel/root.pem
proof="--collateral $intel/collateral --root $root --at 2025-07-01"

# asked CODE FAILED COMMAND…: the exit code, and exactly these checks that failed; JSON as its schema
# says.
asked() {
  e2e_code=$1 e2e_names=$2
  shift 2
  e2e_claims=$((e2e_claims + 1))
  cloister "$@" --format json
  e2e_got=$(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out" 2>&1)
  if [ "$code" = "$e2e_code" ] && [ "$e2e_got" = "$e2e_names" ] &&
    [ "$(jq -r .verified "$out")" = "$([ "$e2e_code" = 0 ] && echo true || echo false)" ]; then
    echo "ok: $1 says $code: ${e2e_names:-all passed}"
  else
    fail "cloister $*: exit code $code, failed checks: $e2e_got, want $e2e_code: $e2e_names"
    sed 's/^/  | /' "$err"
  fi
}
# found CHECK: what was found for it.
found() { jq -r --arg name "$1" '.checks[] | select(.name == $name) | .found' "$out"; }
# shellcheck disable=SC2086  # options
genuine() { # genuine CODE FAILED QUOTE OPTION…
  e2e_code=$1 e2e_names=$2
  shift 2
  asked "$e2e_code" "$e2e_names" quote verify "$@" $proof
}
# shellcheck disable=SC2086
of_image() { # of_image CODE FAILED QUOTE OPTION…
  e2e_code=$1 e2e_names=$2
  shift 2
  asked "$e2e_code" "$e2e_names" verify "$app" --key "$work/signer.pub" --quote "$@" $proof
}

# --- what a quote says ----------------------------------------------------------------------------

for file in sgx tdx tdx15 debug; do
  must quote inspect "$intel/$file.quote" --format json
  valid quote
done
must quote inspect "$quote" --format json
same "the fields are those of the enclave" \
  "$(jq -c '[.tee, .version, .fields.mrenclave, .fields.mrsigner, .fields.isvsvn, .reportData]' "$out")" \
  "[\"sgx\",3,\"$mrenclave\",\"$mrsigner\",1,\"$padded\"]"
must quote inspect "$quote"
claim "people are told that nothing is verified" grep -q "not whether it is true" "$out"
same "and read the same fields" "$(sed -n 's/^mrenclave  *//p' "$out")" "$mrenclave"

hex_of() { od -A n -v -t x1 "$1" | tr -d ' \n'; }
hex_of "$quote" >"$work/quote.hex"
{ hex_of "$quote" | tr 'a-f' 'A-F' | fold -w 64 && echo; } >"$work/quote.lines"
base64 "$quote" >"$work/quote.b64"
for form in hex lines b64; do
  genuine 0 "" "$work/quote.$form" --report-data "$nonce"
  valid quote
done
code=0
# shellcheck disable=SC2086
"$CLOISTER" quote verify /dev/stdin --report-data "$nonce" $proof >"$out" 2>"$err" <"$work/quote.b64" || code=$?
same "a quote may come through a pipe" "$code" 0
claim "people read what to do next" grep -q "The quote is genuine" "$out"
head -c 1000 "$quote" >"$work/short"
refused 1 "quote" quote verify "$work/short"
echo "no quote at all" >"$work/words"
refused 1 "quote" quote verify "$work/words"
head -c 5000000 /dev/zero >"$work/zeros"
refused 1 "quote" quote inspect "$work/zeros"
refused 1 "absent" quote inspect "$work/absent"

# --- genuine --------------------------------------------------------------------------------------

genuine 0 "" "$quote" --report-data "$nonce"
same "the platform's status is shown" "$(jq -r '.quote.tcb.status' "$out")" UpToDate
same "and until when the proof is good" "$(jq -r '.quote.validUntil[:10]' "$out")" 2025-07-19
genuine 0 "" "$intel/tdx.quote" --allow-unbound
valid quote
genuine 0 "" "$intel/tdx15.quote" --allow-unbound
genuine 3 "quote-debug quote-session" "$intel/debug.quote"
genuine 0 "" "$intel/debug.quote" --report-data "$nonce" --allow-debug

# Every part of the proof, one by one; each is missed when it is not there.
set -- --root "$root" --at 2025-07-01 --report-data "$nonce"
for file in "$intel"/collateral/*; do
  case $file in *tdx) ;; *) set -- "$@" --collateral "$file" ;; esac
done
asked 0 "" quote verify "$quote" "$@"
for missing in tcb-chain.pem root.crl pck.crl tcb-sgx identity-sgx; do
  rm -rf "$work/some"
  cp -r "$intel/collateral" "$work/some"
  rm "$work/some/$missing"
  cloister quote verify "$quote" --collateral "$work/some" --root "$root" --at 2025-07-01 --report-data "$nonce"
  same "not proved without $missing" "$code" 3
done
asked 3 "quote-collateral" quote verify "$quote" --root "$root" --at 2025-07-01 --report-data "$nonce"
asked 0 "" quote verify "$quote" --pccs "http://127.0.0.1:$port" --root "$root" --at 2025-07-01 --report-data "$nonce"
asked 0 "" quote verify "$intel/tdx.quote" --pccs "http://127.0.0.1:$port/sgx/certification/v4/" --root "$root" \
  --at 2025-07-01 --allow-unbound
refused 1 "cannot|connect|refused" quote verify "$quote" --pccs http://127.0.0.1:1 --root "$root"
refused 2 "no URL" quote verify "$quote" --pccs "localhost"
refused 1 "no collateral" quote verify "$quote" --collateral "$work/words"
refused 1 "no root certificate" quote verify "$quote" --root "$intel/collateral/pck.crl"

# Another root: the manufacturer's own, and one of the same name.
cloister quote verify "$quote" --collateral "$intel/collateral" --at 2025-07-01 --report-data "$nonce" --format json
same "our own platform is none of Intel's" "$code $(jq -r '[.checks[] | select(.passed | not) | .name][0]' "$out")" "3 quote-chain"
cloister quote verify "$quote" --collateral "$intel/collateral" --root "$work/stranger/root.pem" --at 2025-07-01 \
  --report-data "$nonce" --format json
same "nor of another of the same names" "$code $(jq -r '[.checks[] | select(.passed | not) | .name][0]' "$out")" "3 quote-chain"

# Time: collateral runs out, and is not there before it was made.
for at in 2025-08-01 2025-07-20T00:00:00Z 2020-01-01; do
  cloister quote verify "$quote" --collateral "$intel/collateral" --root "$root" --at "$at" --report-data "$nonce" --format json
  same "not at $at" "$code $(jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out")" "3 quote-dates"
done
cloister quote verify "$quote" --collateral "$intel/collateral" --root "$root" --report-data "$nonce" --format json
same "nor today" "$code" 3
refused 1 "not a date" quote verify "$quote" --at yesterday

# What the platform may be like.
genuine 0 "" "$quote" --report-data "$nonce" --min-tcb-eval 17
genuine 3 "quote-tcb-evaluation" "$quote" --report-data "$nonce" --min-tcb-eval 18
genuine 3 "quote-tcb" "$quote" --report-data "$nonce" --accept-tcb OutOfDate
genuine 0 "" "$quote" --report-data "$nonce" --accept-tcb OutOfDate,UpToDate
refused 2 "no status" quote verify "$quote" --accept-tcb Revoked
refused 2 "no status" quote verify "$quote" --accept-tcb uptodate

genuine 3 "quote-tcb" "$intel/outdated.quote" --report-data "$nonce"
same "firmware that has to be renewed is called so" "$(jq -c '.quote.tcb | [.status, .advisories]' "$out")" \
  '["OutOfDate",["INTEL-SA-00828"]]'
valid quote
genuine 0 "" "$intel/outdated.quote" --report-data "$nonce" --accept-tcb OutOfDate

# A flipped bit in what is signed: the measurement, its signature. 112 is MRENCLAVE in the report body,
# 48 bytes into the quote.
for offset in 48 112 400 440; do
  cp "$quote" "$work/flipped"
  byte=$(od -A n -t u1 -j "$offset" -N 1 "$quote" | tr -d ' ')
  printf '%b' "\\0$(printf %o $((byte ^ 1)))" | dd of="$work/flipped" bs=1 seek="$offset" conv=notrunc 2>/dev/null
  # shellcheck disable=SC2086
  cloister quote verify "$work/flipped" --allow-unbound $proof --format json
  claim "a flipped bit at $offset is seen" test "$code" = 3
  claim "nor is it genuine" jq -e '.quote.genuine == false and .verified == false' "$out"
done

# --- for whom -------------------------------------------------------------------------------------

python3 -c 'import sys; open(sys.argv[2], "wb").write(bytes.fromhex(sys.argv[1]))' "$nonce" "$work/nonce.bin"
for right in "$nonce" "$padded" "$work/nonce.bin" nonce:challenge-1; do
  genuine 0 "" "$quote" --report-data "$right"
done
for wrong in "$(printf '%064d' 1)" nonce:challenge-2 "${nonce}01" 00; do
  genuine 3 "quote-session" "$quote" --report-data "$wrong"
done
claim "it says so" test "$(found quote-session | cut -d : -f 1)" = "made for another session"
genuine 3 "quote-session" "$quote"
claim "an unbound quote is called that" test "$(found quote-session | cut -d : -f 1)" = "not bound to a session"
genuine 0 "" "$quote" --allow-unbound
refused 2 "report-data" quote verify "$quote" --report-data "${padded}00"
refused 2 "report-data" quote verify "$quote" --report-data "$work/absent"
refused 2 "report-data" quote verify "$quote" --report-data ""
refused 2 "report-data" quote verify "$quote" --report-data nonce:

# --- of the signed image --------------------------------------------------------------------------

of_image 0 "" "$quote" --report-data nonce:challenge-1
valid verify
same "the quote is in the report" "$(jq -r .quote.fields.mrenclave "$out")" "$mrenclave"
# shellcheck disable=SC2086
must verify "$app" --key "$work/signer.pub" --quote "$quote" --report-data nonce:challenge-1 $proof
claim "the verdict is one that people understand" grep -q "A genuine processor runs exactly this image" "$out"
of_image 3 "quote-session" "$quote"
of_image 0 "" "$quote" --allow-unbound
of_image 3 "quote-debug quote-attributes" "$intel/debug.quote" --report-data "$nonce"
of_image 3 "quote-image" "$intel/tdx.quote" --allow-unbound
claim "a trust domain is no enclave" test "$(found quote-image)" = "the quote is of a TDX trust domain"

# Another enclave of the same signer on a platform that is trusted; an older build than was signed.
asked 3 "quote-image quote-mrenclave" verify "$app" --key "$work/signer.pub" --quote "$work/stranger/sgx.quote" \
  --collateral "$work/stranger/collateral" --root "$work/stranger/root.pem" --at 2025-07-01 --report-data "$nonce"
valid verify
same "which is said outright" "$(found quote-image)" "the enclave is NOT the signed image"
# shellcheck disable=SC2086
cloister verify "$app" --key "$work/signer.pub" --quote "$work/stranger/sgx.quote" --report-data "$nonce" $proof
claim "in text too" grep -q "NOT the signed image" "$out"
# shellcheck disable=SC2086
asked 3 "quote-image quote-mrenclave quote-isvsvn" verify "$newer" --key "$work/signer.pub" --quote "$quote" \
  --report-data "$nonce" $proof
# An image without an enclave has nothing that a quote could be of.
# shellcheck disable=SC2086
cloister verify "oci:$images:glibc" --key "$work/signer.pub" --quote "$quote" --report-data "$nonce" $proof --format json
claim "an image without an enclave is not it" jq -e '.verified == false and any(.checks[]; .name == "quote-image" and (.passed | not))' "$out"
refused 2 "no quote" verify "$app" --key "$work/signer.pub" --report-data "$nonce"
refused 2 "excludes|connect" verify "$app" --key "$work/signer.pub" --quote "$quote" --connect localhost:1

# --- a policy about platforms ---------------------------------------------------------------------

# by_policy CODE FAILED [QUOTE]: with the section on standard input.
by_policy() {
  { printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[quote]\n' && cat; } >"$work/policy.toml"
  # shellcheck disable=SC2086
  asked "$1" "$2" verify "$app" --policy "$work/policy.toml" --quote "${3:-$quote}" --report-data "$nonce" $proof
}
by_policy 0 "" <<'TOML'
tcb-statuses = ["UpToDate", "SWHardeningNeeded"]
advisories = []
min-tcb-evaluation = 17
fmspc = ["00A067110000", "30606a000000"]
TOML
by_policy 3 "quote-tcb" <<'TOML'
tcb-statuses = ["SWHardeningNeeded"]
TOML
by_policy 3 "quote-tcb-evaluation" <<'TOML'
min-tcb-evaluation = 18
TOML
by_policy 3 "quote-platform" <<'TOML'
fmspc = ["30606a000000"]
TOML
by_policy 3 "quote-tcb quote-tcb-evaluation quote-platform" <<'TOML'
tcb-statuses = ["OutOfDate"]
min-tcb-evaluation = 99
fmspc = ["000000000000"]
TOML
by_policy 0 "" "$intel/outdated.quote" <<'TOML'
tcb-statuses = ["OutOfDate"]
advisories = ["INTEL-SA-00615", "INTEL-SA-00828"]
TOML
by_policy 3 "quote-advisories" "$intel/outdated.quote" <<'TOML'
tcb-statuses = ["OutOfDate"]
advisories = ["INTEL-SA-00615"]
TOML
claim "the advisory is named" grep -q INTEL-SA-00828 "$out"
printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[quote]\nfmspc = ["xyz"]\n' >"$work/bad.toml"
refused 1 "fmspc" verify "$app" --policy "$work/bad.toml" --quote "$quote"
# The command line says more than the policy, never less by accident.
printf 'schemaVersion = 1\n[signers]\nkeys = ["signer.pub"]\n[quote]\ntcb-statuses = ["OutOfDate"]\n' >"$work/policy.toml"
# shellcheck disable=SC2086
asked 0 "" verify "$app" --policy "$work/policy.toml" --quote "$quote" --report-data "$nonce" --accept-tcb UpToDate $proof

# --- offline --------------------------------------------------------------------------------------

refused 1 "offline" quote verify "$quote" --pccs "http://127.0.0.1:$port" --root "$root" --offline
refused 1 "offline" verify "$app" --key "$work/signer.pub" --quote "$quote" --pccs "http://127.0.0.1:$port" \
  --root "$root" --report-data "$nonce" --offline
if command -v strace >/dev/null && strace -f -o "$work/probe" true 2>/dev/null; then
  code=0
  # shellcheck disable=SC2086
  strace -f -qq -e trace=network -o "$work/trace" "$CLOISTER" verify "$app" --key "$work/signer.pub" --quote "$quote" \
    --report-data nonce:challenge-1 $proof --offline >"$out" 2>"$err" </dev/null || code=$?
  same "verified from files without a connection" \
    "$code $(grep -cE 'socket\(|connect\(|sendto\(|sendmsg\(' "$work/trace" || :)" "0 0"
else
  echo "strace may not trace here: that no connection is made is left to air_gap.sh"
fi
finish
