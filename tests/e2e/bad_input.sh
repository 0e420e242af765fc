#!/bin/sh
# Everything that can be wrong with an input: a clear error, a hint, the right exit code, and no
# half-written output.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq openssl zstd

# build_refused CODE PATTERN IMAGE OPTION…
build_refused() {
  want=$1 pattern=$2 image=$3
  shift 3
  refused "$want" "$pattern" build "$image" --key "$key" --runtime "$runtime" \
    -o "oci:$work/result:x" --iidfile "$work/result.iid" --metadata-file "$work/result.json" "$@"
}

# --- References and places ---
build_refused 2 "." "UPPER/case:tag"
build_refused 4 "." "oci:$images:no-such-tag"
build_refused 4 "no-such-layout" "oci:$work/no-such-layout:x"
build_refused 4 "no-such.tar" "oci-archive:$work/no-such.tar"
build_refused 1 "127.0.0.1:1" "127.0.0.1:1/app:1" --plain-http
build_refused 4 "arm64" "oci:$images:arm-only"

# --- Images that cannot be started ---
build_refused 1 "[Ee]ntrypoint" "oci:$images:no-entrypoint"
build_refused 1 "/no/such/program" "oci:$images:entrypoint-missing"
build_refused 1 "libgreet.so.1.*opt/app/lib" "oci:$images:library-missing"

# --- Damaged layouts: a copy of one image, damaged in one way each ---
damaged=$work/damaged
fresh() {
  rm -rf "$damaged"
  cp -r "$images" "$damaged"
}
layer_of() { blob_path "$damaged" "$(layers_of "$damaged" "$1" | head -n 1)"; }
# with_layer FILE TYPE DIFF-ID: tags "bad", an image whose only layer is FILE as it stands.
with_layer() {
  descriptor=$(layout_blob "$damaged" "$2" "$1")
  layout_tag "$damaged" bad "$(layout_manifest "$damaged" amd64 '{"Entrypoint":["/hello"]}' "$descriptor $3")"
}
gzip_type=application/vnd.oci.image.layer.v1.tar+gzip
zeros=sha256:$(printf '%064d' 0)

fresh
printf 'x' | dd of="$(layer_of glibc)" bs=1 seek=2000 conv=notrunc 2>/dev/null
build_refused 1 "digest" "oci:$damaged:glibc"
fresh
truncate -s -10 "$(layer_of glibc)"
build_refused 1 "truncated|size|digest" "oci:$damaged:glibc"
fresh
rm "$(layer_of glibc)"
build_refused 4 "is missing" "oci:$damaged:glibc"

# --- Bounds, moved both ways: the same answer before and after the layer is in the cache ---
fresh
mkdir -p "$work/zeros"
truncate -s 100M "$work/zeros/zeros"
layout_tar "$work/zeros" "$work/zeros.tar"
diff_id=sha256:$(sha256sum "$work/zeros.tar" | cut -d ' ' -f 1)
gzip -n "$work/zeros.tar"
with_layer "$work/zeros.tar.gz" "$gzip_type" "$diff_id"
large=oci:$damaged:bad
for run in cold warm; do
  refused 1 "decompression bomb.*--max-ratio" files "$large" --max-ratio 100
  refused 1 "inflates to more than 50.*--max-layer-size" files "$large" --max-layer-size 50M
  refused 1 "more than 1 entries.*--max-entries" files "$large" --max-entries 1
  CLOISTER_MAX_ENTRIES=1 refused 1 "more than 1 entries" files "$large"
  must files "$large" --max-ratio 2000 --max-layer-size 200M --max-entries 2
  echo "ok: $run, a layer within its bounds"
done
must push "$large" "docker-archive:$work/zeros.docker:x"
refused 1 "limit|larger" push "$large" "docker-archive:$work/result.tar:x" --max-ratio 100
refused 2 "not a size" files "$large" --max-layer-size much
refused 2 "." files "$large" --max-ratio 0

fresh # gzip that ends early, under a digest that is right
head -c 3000 "$(layer_of glibc)" >"$work/cut.gz"
with_layer "$work/cut.gz" "$gzip_type" "$zeros"
build_refused 1 "truncated" "oci:$damaged:bad"
fresh # gzip with a wrong byte in the middle
cp "$(layer_of glibc)" "$work/flipped.gz"
printf '\377\377\377\377' | dd of="$work/flipped.gz" bs=1 seek=5000 conv=notrunc 2>/dev/null
with_layer "$work/flipped.gz" "$gzip_type" "$zeros"
build_refused 1 "damaged|check sum|corrupt|tar" "oci:$damaged:bad"
fresh # a tar that ends in the middle of a file
gzip -dc "$(layer_of glibc)" | head -c 60000 >"$work/cut.tar"
cut_diff=sha256:$(layout_sha256 "$work/cut.tar")
gzip -n "$work/cut.tar"
with_layer "$work/cut.tar.gz" "$gzip_type" "$cut_diff"
build_refused 1 "truncated|tar" "oci:$damaged:bad"
fresh # no tar at all
head -c 4096 /dev/urandom >"$work/noise"
noise_diff=sha256:$(layout_sha256 "$work/noise")
gzip -n "$work/noise"
with_layer "$work/noise.gz" "$gzip_type" "$noise_diff"
build_refused 1 "tar" "oci:$damaged:bad"
fresh # zstd that ends early
head -c 3000 "$(layer_of glibc-zstd)" >"$work/cut.zst"
with_layer "$work/cut.zst" application/vnd.oci.image.layer.v1.tar+zstd "$zeros"
build_refused 1 "truncated" "oci:$damaged:bad"
fresh # a sound layer under another diff id
cp "$(layer_of glibc)" "$work/sound.gz"
with_layer "$work/sound.gz" "$gzip_type" "$zeros"
build_refused 1 "diff" "oci:$damaged:bad"

fresh # a manifest above the limit of 4 MiB
{ printf '{"schemaVersion":2,"annotations":{"a":"' && head -c 5000000 /dev/zero | tr '\0' x && printf '"}}'; } >"$work/large"
layout_tag "$damaged" large "$(layout_blob "$damaged" application/vnd.oci.image.manifest.v1+json "$work/large")"
build_refused 1 "limit|large" "oci:$damaged:large"
fresh
printf '{"schemaVersion":2,' >"$work/half"
layout_tag "$damaged" half "$(layout_blob "$damaged" application/vnd.oci.image.manifest.v1+json "$work/half")"
build_refused 1 "JSON" "oci:$damaged:half"
fresh
printf 'not json' >"$damaged/index.json"
build_refused 1 "JSON" "oci:$damaged:glibc"

# --- Keys ---
openssl genrsa -3 -out "$work/small.pem" 2048 2>/dev/null
openssl genrsa -out "$work/e65537.pem" 3072 2>/dev/null
openssl ecparam -genkey -name prime256v1 -noout -out "$work/ec.pem" 2>/dev/null
openssl rsa -in "$key" -aes256 -passout pass:right -out "$work/locked.pem" 2>/dev/null
openssl rsa -in "$key" -pubout -out "$work/public.pem" 2>/dev/null
printf 'not a key\n' >"$work/text.pem"
echo wrong >"$work/passphrase"
image=oci:$images:glibc
key_refused() { # key_refused PATTERN FILE OPTION…
  pattern=$1 file=$2
  shift 2
  refused 1 "$pattern" build "$image" --key "$file" --runtime "$runtime" -o "oci:$work/result:x" "$@"
}
key_refused "3072" "$work/small.pem"
key_refused "exponent" "$work/e65537.pem"
key_refused "RSA" "$work/ec.pem"
key_refused "key" "$work/public.pem"
key_refused "key" "$work/text.pem"
key_refused "no-such.pem" "$work/no-such.pem"
key_refused "passphrase" "$work/locked.pem" --passphrase-file "$work/passphrase"
key_refused "passphrase" "$work/locked.pem"
echo right >"$work/passphrase"
must build "$image" --key "$work/locked.pem" --passphrase-file "$work/passphrase" --runtime "$runtime" -o "oci:$work/good:x"

# --- Options and overlays ---
for size in 300M 0 4K 3G big; do
  build_refused 1 "size|power" "$image" --enclave-size "$size"
done
overlay_refused() { # overlay_refused PATTERN TEXT
  printf '%s\n' "$2" >"$work/overlay.toml"
  build_refused 1 "$1" "$image" --manifest "$work/overlay.toml"
}
overlay_refused "no_such_key" 'sgx.no_such_key = 1'
overlay_refused "line 1" 'sgx.debug = = 1'
overlay_refused "debug" 'sgx.debug = "yes"'
overlay_refused "nested" "$(printf 'a'; i=0; while [ $i -lt 3000 ]; do printf .a; i=$((i + 1)); done; printf ' = 1')"

# --- Runtimes ---
mkdir -p "$work/empty"
refused 1 "runtime|Gramine|libpal" build "$image" --key "$key" --runtime "$work/empty" -o "oci:$work/result:x"
refused 1 "no '.*no-such-runtime'" build "$image" --key "$key" --runtime "$work/no-such-runtime" -o "oci:$work/result:x"

# --- Places that cannot be written ---
: >"$work/a-file"
refused 1 "a-file" build "$image" --key "$key" --runtime "$runtime" -o "oci:$work/a-file/layout:x"
refused 1 "a-file" build "$image" --key "$key" --runtime "$runtime" -o "oci-archive:$work/a-file/a.tar:x"
# Missing directories are made, for either form.
must build "$image" --key "$key" --runtime "$runtime" -o "oci-archive:$work/new-dir/archive/a.tar:x"
claim "the directories above an archive are made" test -s "$work/new-dir/archive/a.tar"
must build "$image" --key "$key" --runtime "$runtime" -o "oci:$work/new-dir/deep/layout:x"
claim "the directories above a layout are made" test -s "$work/new-dir/deep/layout/index.json"
finish
