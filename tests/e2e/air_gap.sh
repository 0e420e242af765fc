#!/bin/sh
# Signed here, carried over as one file, verified where there is no network: no connection is made,
# nor tried.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry jq strace
strace -f -o "$work/probe" true 2>/dev/null || skip "strace may not trace here"
start_registry plain
copy "oci:$images:glibc-two-layers" "docker://$registry/base:1"
must keygen image -o "$work/signer.pem"
must build "$registry/base:1" --key "$key" --runtime "$runtime" -t "$registry/app:sgx" --push \
  --sign-key "$work/signer.pem" --sbom spdx
digest=$(cat "$out")
must push "$registry/app:sgx" "oci-archive:$work/carried.tar:sgx"

# Here ends the world: no registry, no store, nothing but the file and the public key.
kill "$registry_pid"
rm -rf "$XDG_CACHE_HOME" "$XDG_STATE_HOME"
# offline ARGS…: cloister under strace; $connections are the calls that reach for a network.
offline() {
  code=0
  strace -f -qq -e trace=network -o "$work/trace" "$CLOISTER" "$@" >"$out" 2>"$err" </dev/null || code=$?
  connections=$(grep -cE 'connect\(|sendto\(|sendmsg\(' "$work/trace" || :)
}
offline verify "oci-archive:$work/carried.tar:sgx" --key "$work/signer.pub" --offline --format json
same "verified from the file, without a connection" "$code $connections $(jq -r '.verified' "$out")" "0 0 true"
same "it is the image that was signed" "$(jq -r .image.digest "$out")" "$digest"
offline push "oci-archive:$work/carried.tar:sgx" "oci:$work/site:sgx" --offline
same "unpacked without a connection" "$code $connections" "0 0"
rm "$work/carried.tar"
offline verify "oci:$work/site:sgx" --key "$work/signer.pub" --offline
same "verified where it was unpacked" "$code $connections" "0 0"
offline verify "$registry/app:sgx" --key "$work/signer.pub" --offline
same "what is only in the registry is not asked for there" "$connections" 0
finish
