#!/bin/sh
# What is signed does not come from a poisoned cache: a layer index that somebody changed, exchanged,
# or brought along with a whole store is computed again from the verified layer.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq

store=$work/store
build_digest() { # build_digest TAG: the digest, and in $err what was done for it
  must build "oci:$images:$1" --key "$key" --runtime "$runtime" --store "$store"
  cat "$out"
}
indexed() { grep -c 'indexing: done' "$err" || :; }

right=$(build_digest glibc)
other=$(build_digest static)
same "the first build reads the layer" "$(indexed)" 1
same "a second one does not" "$(build_digest glibc >/dev/null && indexed)" 0
layer=$(layers_of "$images" glibc | sed 's/^sha256://')
static_layer=$(layers_of "$images" static | sed 's/^sha256://')
index=$(find "$store" -path '*index*' -name "*$layer*" -type f)
same "there is one index for the layer" "$(echo "$index" | wc -l)" 1
cp "$index" "$work/good"

for offset in 0 40 200 1000; do
  cp "$work/good" "$index"
  printf '\377\376\375' | dd of="$index" bs=1 seek="$offset" conv=notrunc 2>/dev/null
  same "changed at byte $offset: the same image" "$(build_digest glibc)" "$right"
  same "changed at byte $offset: the layer was read again" "$(indexed)" 1
done
truncate -s -1 "$index"
same "cut: the same image" "$(build_digest glibc)" "$right"
same "cut: the layer was read again" "$(indexed)" 1

# An index that is authentic, but of another layer.
cp "$(find "$store" -path '*index*' -name "*$static_layer*" -type f)" "$index"
same "another layer's index: the same image" "$(build_digest glibc)" "$right"
same "another layer's index: the layer was read again" "$(indexed)" 1

# A store from elsewhere, with indexes that are authentic there.
XDG_STATE_HOME="$work/elsewhere"
same "a foreign store: the same image" "$(build_digest static)" "$other"
same "a foreign store: the layer was read again" "$(indexed)" 1

# A blob that was changed in the store does not count as the layer either.
blob=$(blob_path "$store" "$layer")
chmod u+w "$blob"
printf 'x' | dd of="$blob" bs=1 seek=3000 conv=notrunc 2>/dev/null
rm "$index"
cloister build "oci:$images:glibc" --key "$key" --runtime "$runtime" --store "$store"
same "a changed blob: no other image" "$([ "$code" != 0 ] || cat "$out")" \
  "$([ "$code" != 0 ] || echo "$right")"
finish
