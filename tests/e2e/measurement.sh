#!/bin/sh
# What is in the image measures to what its SIGSTRUCT says, by the command that anyone can run.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl

for options in "" "--edmm" "--enclave-size 1G --max-threads 16 --debug --isvprodid 7 --isvsvn 3"; do
  rm -rf "$work/built" "$work/files"
  # shellcheck disable=SC2086  # options
  must build "oci:$images:glibc" --key "$key" --runtime "$runtime" -o "oci:$work/built:x" \
    --date 2024-01-02 --metadata-file "$work/meta.json" $options
  added_layer "$work/built" x "$work/files"
  app=$work/files/gramine/app_files/entrypoint
  libpal=$(find "$work/files/gramine" -name libpal.so ! -path '*/direct/*' | head -n 1)

  must sigstruct "$app.sig" --format json
  signed=$(jq -r '.. | .mrenclave? // empty' "$out" | head -n 1)
  same "[$options] metadata and SIGSTRUCT agree" "$(jq -r .sgx.mrenclave "$work/meta.json")" "$signed"
  same "[$options] MRENCLAVE stands at byte 960 of the SIGSTRUCT" \
    "$(od -A n -t x1 -j 960 -N 32 "$app.sig" | tr -d ' \n')" "$signed"
  must measure "$app.manifest.sgx" --libpal "$libpal" --format json
  same "[$options] the manifest in the image measures to it" "$(jq -r '.. | .mrenclave? // empty' "$out" | head -n 1)" "$signed"
  must measure "$app.manifest.sgx" --runtime "$runtime" --key "$key" --date 2024-01-02 --sig "$work/again.sig"
  claim "[$options] measure signs the same SIGSTRUCT" cmp "$app.sig" "$work/again.sig"

  # MRSIGNER by another tool: SHA-256 of the modulus, little-endian.
  mrsigner=$(openssl rsa -in "$key" -noout -modulus 2>/dev/null | sed 's/Modulus=//' | fold -w 2 | tac |
    tr -d '\n' | xxd -r -p 2>/dev/null | sha256sum | cut -d ' ' -f 1)
  if command -v xxd >/dev/null; then
    same "[$options] MRSIGNER is the hash of the key" "$(jq -r .sgx.mrsigner "$work/meta.json")" "$mrsigner"
  fi
done

# One byte more in the manifest is another enclave.
must measure "$app.manifest.sgx" --libpal "$libpal" --format json
before=$(jq -r '.. | .mrenclave? // empty' "$out" | head -n 1)
{ cat "$app.manifest.sgx" && echo '#'; } >"$work/changed.manifest.sgx"
must measure "$work/changed.manifest.sgx" --libpal "$libpal" --format json
same "a changed manifest is another enclave" \
  "$([ "$(jq -r '.. | .mrenclave? // empty' "$out" | head -n 1)" != "$before" ] && echo other)" other

# --explain lists what is hashed.
must measure "$app.manifest.sgx" --libpal "$libpal" --explain
claim "--explain lists ranges" grep -qE '0x[0-9a-f]+' "$out"

# Published vectors of Gramine's own signer.
vectors=$CLOISTER_SOURCE_DIR/testdata/sgx
claim "vectors are at hand" test -d "$vectors"
finish
