#!/bin/sh
# The contract of the command line: results on standard output, the rest on standard error, exit
# codes, and what each reading command says about a small image.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq umoci

must version
claim "version says its name" grep -q '^cloister [0-9]' "$out"
must --help
cp "$out" "$work/help"
for command in pull inspect files deps manifest build measure push version; do
  claim "help names $command" grep -qw "$command" "$work/help"
  must "$command" --help
done

refused 2 "." buidl
claim "a slip is answered with the nearest command" grep -q 'build' "$err"
refused 2 "." build
refused 2 "." build "oci:$images:glibc" --no-such-option
refused 2 "." build "oci:$images:glibc" --runtime "$runtime"
refused 2 "." build "oci:$images:glibc" --key "$key" --push
refused 2 "." inspect "oci:$images:glibc" --format yaml

must inspect "oci:$images:glibc" --format json
claim "inspect prints JSON" jq -e . "$out"

# Files, against another implementation.
must files "oci:$images:glibc-two-layers" --merged --format json
umoci unpack --rootless --image "$images:glibc-two-layers" "$work/bundle" >/dev/null 2>&1
root=$work/bundle/rootfs
same "files lists what umoci unpacks" \
  "$(jq -r '.files[] | select(.type == "file") | "\(.sha256 | sub("sha256:"; ""))  \(.path)"' "$out" | sort)" \
  "$(cd "$root" && find . -type f -exec sha256sum {} + | sed 's|  \.|  |' | sort)"
must files "oci:$images:glibc-two-layers"
claim "files shows whiteouts or layers in text" test -s "$out"

must deps "oci:$images:glibc" --runtime "$runtime"
claim "deps names the library" grep -q 'libgreet.so.1' "$out"
must deps "oci:$images:glibc" --runtime "$runtime" --format json
claim "deps prints JSON" jq -e . "$out"

must manifest "oci:$images:glibc" --runtime "$runtime"
claim "the manifest trusts the program" grep -q 'file:/opt/app/hello"' "$out"
claim "the manifest trusts the library" grep -q 'libgreet.so.1"' "$out"
claim "the manifest does not trust what nobody opens" sh -c "! grep -q usr/share/doc/readme '$out'"
claim "the manifest is no debug enclave" grep -q '^sgx.debug = false' "$out"
cp "$out" "$work/manifest"

must build "oci:$images:glibc" --runtime "$runtime" --dry-run
claim "a dry run is the manifest, and comments" sh -c "
  grep -v '^#' '$out' | sed 's/  #.*//' | grep -q 'sgx.enclave_size'"
claim "a dry run writes nothing" sh -c "[ -z \"\$(ls '$work' | grep built)\" ]"
must build "oci:$images:glibc" --runtime "$runtime" --dry-run --format json
same "a dry run needs no key and has no signer" "$(jq -r .sgx.mrsigner "$out")" null
same "but a measurement" "$(jq -r '.sgx.mrenclave | length' "$out")" 64

# An overlay is merged, and wins.
printf 'sgx.enclave_size = "1G"\n[loader]\nlog_level = "warning"\n' >"$work/overlay.toml"
must manifest "oci:$images:glibc" --runtime "$runtime" --manifest "$work/overlay.toml"
claim "an overlay wins" grep -q '^sgx.enclave_size = "1G"' "$out"
claim "an overlay is merged" grep -q '^loader.log_level = "warning"' "$out"

# Quiet means the result alone; progress goes to standard error.
must build "oci:$images:static" --key "$key" --runtime "$runtime" -o "oci:$work/built:x" --quiet --progress none
same "quiet is quiet" "$(cat "$err")" ""
claim "and prints the digest" grep -qE '^sha256:[0-9a-f]{64}$' "$out"

# A pipe or a device is written to, not replaced by a file.
mkfifo "$work/pipe"
timeout 60 cat "$work/pipe" >"$work/from-pipe" &
must manifest "oci:$images:static" --runtime "$runtime" -o "$work/pipe"
wait $! || :
claim "a pipe stays a pipe" test -p "$work/pipe"
claim "and gets the result" grep -q '^libos.entrypoint' "$work/from-pipe"

# A file that cannot be written: nothing is pretended.
must keygen sgx -o "$work/k.pem"
same "a key is private" "$(stat -c %a "$work/k.pem")" 600
refused 1 "exists" keygen sgx -o "$work/k.pem"
finish
