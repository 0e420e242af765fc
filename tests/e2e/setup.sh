#!/bin/sh
# Makes what all end-to-end tests share, in E2E_SHARED: the stand-in runtime, a signing key, and a
# layout of small images, each of one kind that a build must cope with. Made anew each time, in
# about a second, except for the runtime, which knows when it is up to date.
set -eu
export LC_ALL=C SOURCE_DATE_EPOCH=1600000000
: "${CLOISTER:?}" "${CLOISTER_SOURCE_DIR:?}" "${E2E_SHARED:?}"
mkdir -p "$E2E_SHARED"
for tool in gcc skopeo jq; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed (./dev test installs it)"; exit 125; }
done
# shellcheck source=testdata/layout.sh
. "$CLOISTER_SOURCE_DIR/testdata/layout.sh"

sh "$CLOISTER_SOURCE_DIR/testdata/runtime/make-runtime.sh" "$E2E_SHARED/runtime"
rm -f "$E2E_SHARED"/*.pem
"$CLOISTER" keygen sgx -o "$E2E_SHARED/enclave.pem"

oci=$E2E_SHARED/oci
work=$E2E_SHARED/work
rm -rf "$oci" "$work"
mkdir -p "$oci/blobs/sha256" "$work"

# tree NAME: an empty tree; $root is its path.
tree() {
  root=$work/$1
  mkdir -p "$root"
}
# layer NAME [COMPRESSION]: packs the tree NAME.
layer() {
  layout_tar "$work/$1" "$work/$1.tar"
  layout_layer "$oci" "$work/$1.tar" "${2:-gzip}"
}
image() { # image TAG CONFIG LAYER…
  tag=$1 config=$2
  shift 2
  layout_tag "$oci" "$tag" "$(layout_manifest "$oci" amd64 "$config" "$@")"
}

# A static program on nothing at all.
tree static
gcc -static -O1 -o "$root/hello" -x c - <<'C'
#include <unistd.h>
int main(void) { return write(1, "hello\n", 6) != 6; }
C
static=$(layer static)
image static '{"Entrypoint":["/hello"],"User":"65532"}' "$static"

# A dynamic program of this machine's libc with a library of its own, found through RUNPATH and a
# soname link; users; a file that is not needed; a name that TOML, JSON and terminals must survive.
tree glibc
mkdir -p "$root/usr/bin" "$root/usr/lib/x86_64-linux-gnu" "$root/usr/lib64" "$root/opt/app/lib" \
  "$root/etc" "$root/tmp" "$root/usr/share/doc"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
ln -s usr/bin "$root/bin"
cp -L "$(gcc -print-file-name=libc.so.6)" "$root/usr/lib/x86_64-linux-gnu/"
cp -L "$(gcc -print-file-name=ld-linux-x86-64.so.2)" "$root/usr/lib/x86_64-linux-gnu/"
ln -s ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$root/usr/lib64/ld-linux-x86-64.so.2"
printf 'const char *greeting(void) { return "hello"; }\n' >"$work/greet.c"
gcc -shared -fPIC -Wl,-soname,libgreet.so.1 -o "$root/opt/app/lib/libgreet.so.1.0" "$work/greet.c"
ln -s libgreet.so.1.0 "$root/opt/app/lib/libgreet.so.1"
# shellcheck disable=SC2016  # $ORIGIN is the dynamic linker's
gcc -o "$root/opt/app/hello" -Wl,-rpath,'$ORIGIN/lib' -x c - -x none "$root/opt/app/lib/libgreet.so.1.0" <<'C'
#include <stdio.h>
const char *greeting(void);
int main(void) { return puts(greeting()) < 0; }
C
ln -s ../../opt/app/hello "$root/usr/bin/hello"
printf 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/opt/app:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:1000:\n' >"$root/etc/group"
echo unneeded >"$root/usr/share/doc/readme"
echo data >"$root/opt/app/grüße \"quoted\" ]#.txt"
glibc=$(layer glibc)
app='{"User":"app","WorkingDir":"/opt/app","Env":["PATH=/usr/bin:/bin","GREETING=hi"],"Entrypoint":["hello"],"Cmd":["--serve","a b"],"StopSignal":"SIGTERM","ExposedPorts":{"80/tcp":{}},"Labels":{"made.by":"test"}}'
image glibc "$app" "$glibc"
image glibc-zstd "$app" "$(layer glibc zstd)"
image glibc-plain "$app" "$(layer glibc none)"

# The same with a second layer: a whiteout, an opaque directory, a replaced file.
tree upper
mkdir -p "$root/usr/share/doc" "$root/opt/app/etc"
: >"$root/usr/share/doc/.wh.readme"
: >"$root/opt/app/etc/.wh..wh..opq"
echo 'verbose = true' >"$root/opt/app/etc/app.conf"
image glibc-two-layers "$app" "$glibc" "$(layer upper)"

# A shell script as entrypoint (the shell is the machine's).
tree script
mkdir -p "$root/usr/bin"
cp -L /bin/dash "$root/usr/bin/dash"
ln -s dash "$root/usr/bin/sh"
printf '#!/bin/sh\nset -e\nexec hello "$@"\n' >"$root/usr/bin/entrypoint.sh"
chmod 755 "$root/usr/bin/entrypoint.sh"
image script '{"Env":["PATH=/usr/bin:/bin"],"Entrypoint":["entrypoint.sh"],"WorkingDir":"/srv"}' \
  "$glibc" "$(layer script)"

# musl, where its compiler is at hand.
if command -v musl-gcc >/dev/null; then
  tree musl
  mkdir -p "$root/lib" "$root/app"
  cp -L /lib/ld-musl-x86_64.so.1 "$root/lib/"
  ln -s ld-musl-x86_64.so.1 "$root/lib/libc.musl-x86_64.so.1"
  printf 'int main(void) { return 0; }\n' | musl-gcc -o "$root/app/hello" -x c -
  image musl '{"Entrypoint":["/app/hello"]}' "$(layer musl)"
fi

# An index: another architecture first, ours, and an attestation entry as BuildKit writes one.
plain=$(layout_manifest "$oci" amd64 "$app" "$glibc")
arm=$(layout_manifest "$oci" arm64 "$app" "$glibc")
att=$(layout_manifest "$oci" unknown '{}' "$static")
platform() { echo "${1%\}},\"platform\":{\"architecture\":\"$2\",\"os\":\"$3\"}}"; }
layout_tag "$oci" multi "$(layout_index "$oci" "$(platform "$arm" arm64 linux)" \
  "$(platform "$plain" amd64 linux)" "$(platform "$att" unknown unknown)")"
layout_tag "$oci" arm-only "$(layout_index "$oci" "$(platform "$arm" arm64 linux)")"

# What cannot be built.
image no-entrypoint '{}' "$static"
image entrypoint-missing '{"Entrypoint":["/no/such/program"]}' "$static"
tree lacking
cp -a "$work/glibc/." "$root/"
rm "$root/opt/app/lib/libgreet.so.1"
image library-missing "$app" "$(layer lacking)"
rm -rf "$work"
echo "images: $(sed 's/.*"org.opencontainers.image.ref.name":"\([^"]*\)".*/\1/' "$oci/tags" | tr '\n' ' ')"
