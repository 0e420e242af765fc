#!/bin/sh
# What starts in the enclave before the image's program: gramine-ratls (--ra-tls), a library that
# fetches a secret (--secret-prov), MarbleRun's premain (--marblerun).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl

image=oci:$images:glibc
plan() { # OPTION…: what a build would measure
  must manifest "$image" --runtime "$runtime" "$@"
}

# --- RA-TLS ---------------------------------------------------------------------------------------

plan --ra-tls
claim "--ra-tls: the wrapper is what starts" grep -q '^libos.entrypoint = "/gramine/bin/gramine-ratls"' "$out"
claim "--ra-tls: the program follows it" \
  grep -q '^loader.argv = \["gramine-ratls", "/ra-tls/cert.pem", "/ra-tls/key.pem", "--", ' "$out"
claim "--ra-tls: the key stays in enclave memory" grep -q 'type = "tmpfs", path = "/ra-tls"' "$out"
claim "--ra-tls: the wrapper is measured" grep -q '"file:/gramine/bin/gramine-ratls", sha256' "$out"
plan --ra-tls=/etc/tls/a.crt:/etc/tls/a.key
claim "--ra-tls=CERT:KEY: those files" grep -q '"/etc/tls/a.crt", "/etc/tls/a.key", "--"' "$out"

must build "$image" --runtime "$runtime" --key "$key" --ra-tls -o "oci:$work/built:ra-tls"
must files "oci:$work/built:ra-tls" --merged --format json
same "the wrapper is in the image, executable" \
  "$(jq -r '.files[] | select(.path == "/gramine/bin/gramine-ratls") | .mode' "$out")" 0755
openssl ecparam -name prime256v1 -genkey -noout -out "$work/image.pem" 2>/dev/null
openssl ec -in "$work/image.pem" -pubout -out "$work/image.pub" 2>/dev/null
must sign "oci:$work/built:ra-tls" --key "$work/image.pem"
must verify "oci:$work/built:ra-tls" --key "$work/image.pub" --rebuild --base "$image" --runtime "$runtime"
claim "the build can be repeated, the wrapper included" grep -q 'what its signer says' "$out"

refused 2 "." build "$image" --runtime "$runtime" --dry-run --ra-tls --no-attestation
refused 2 "." build "$image" --runtime "$runtime" --dry-run --ra-tls=/a:/b
refused 2 "." build "$image" --runtime "$runtime" --dry-run --ra-tls=/etc/tls/a.crt
refused 1 "." build "$image" --runtime "$runtime" --dry-run --ra-tls --volume /ra-tls=allowed

# --- a secret -------------------------------------------------------------------------------------

refused 1 "ca-certificates.crt" manifest "$image" --runtime "$runtime" --secret-prov kms.example:4433
plan --secret-prov 'kms.example:4433;kms2.example:4433' --secret-prov-ca /etc/passwd
claim "--secret-prov: the library is preloaded" grep -q '^loader.env.LD_PRELOAD = "libsecret_prov_attest.so"' "$out"
claim "--secret-prov: the servers are measured" \
  grep -q '^loader.env.SECRET_PROVISION_SERVERS = "kms.example:4433;kms2.example:4433"' "$out"
claim "--secret-prov: the library is granted" \
  grep -q '"file:/gramine/runtime/glibc/libsecret_prov_attest.so", sha256' "$out"
claim "--secret-prov: so are the certificates" grep -q '"file:/etc/passwd", sha256' "$out"
refused 2 "." manifest "$image" --runtime "$runtime" --secret-prov nonsense

# --- MarbleRun ------------------------------------------------------------------------------------

refused 1 "with --premain" manifest "$image" --runtime "$runtime" --marblerun
cp "$runtime/usr/bin/gramine-ratls" "$work/premain-libos" # any program of glibc
must build "$image" --runtime "$runtime" --key "$key" --marblerun --premain "$work/premain-libos" \
  -o "oci:$work/built:marble"
must marblerun manifest "oci:$work/built:marble"
claim "--marblerun: the Coordinator is told every argument" \
  jq -e '[.Marbles[].Parameters.Argv | length >= 1] | all' "$out"
same "--marblerun: premain is recognised" "$(grep -c 'does not start' "$err")" 0
plan --marblerun --premain "$work/premain-libos"
claim "--marblerun: premain is what starts" grep -q '^libos.entrypoint = "/gramine/bin/premain-libos"' "$out"
claim "--marblerun: threads for Go" grep -q '^sgx.max_threads = 16' "$out"
claim "--marblerun: the host names the marble" grep -q 'EDG_MARBLE_TYPE.passthrough = true' "$out"
claim "--marblerun: its identity is kept" grep -q '^sgx.allowed_files = \["file:[^"]*/uuid"\]' "$out"
refused 2 "." manifest "$image" --runtime "$runtime" --marblerun --ra-tls
refused 2 "." manifest "$image" --runtime "$runtime" --premain "$work/premain-libos"

finish
