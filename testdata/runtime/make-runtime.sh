#!/bin/sh
# Builds a STAND-IN for the Gramine runtime in OUTDIR: a root file system of the exact shape of an
# installed Gramine 1.9 (paths, ways of linking, package database), so that builds can be shown and
# tested where the real one is not at hand. It holds no Gramine code: the loader and the libraries
# are a few lines of C from this folder, the glibc is this machine's own. Nothing built with it can
# run in an enclave.
#
#   make-runtime.sh OUTDIR        needs gcc and binutils, no privileges; about a second
#
# Running it again does nothing unless this folder changed.
set -eu
export LC_ALL=C
[ $# -eq 1 ] || { echo "usage: make-runtime.sh OUTDIR" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1"
out=$(CDPATH='' cd -- "$1" && pwd)
multiarch=x86_64-linux-gnu
marker=$out/STAND-IN

# The same inputs as last time? A directory that is not ours is left alone.
state=$(cat "$here"/*.c "$here"/*.py "$here"/*.sh | cksum)
[ "$(cat "$marker" 2>/dev/null)" != "$state" ] || exit 0
if [ ! -e "$marker" ] && [ -n "$(ls -A "$out")" ]; then
  echo "make-runtime.sh: $out is not empty" >&2
  exit 1
fi
echo incomplete > "$marker"
rm -rf "${out:?}/usr" "${out:?}/var" "${out:?}/lib" "${out:?}/lib64"

lib=$out/usr/lib/$multiarch
gramine=$lib/gramine
python=$out/usr/lib/python3/dist-packages
mkdir -p "$out/usr/bin" "$gramine/sgx" "$gramine/direct" "$gramine/runtime/glibc" "$out/usr/lib64" \
  "$python/graminelibos.dist-info" "$out/var/lib/dpkg" "$out/usr/share/doc"
ln -s usr/lib "$out/lib"
ln -s usr/lib64 "$out/lib64"

# Where this machine keeps a library of the C compiler's default search.
library() { gcc -print-file-name="$1"; }
compile() { gcc -O2 -fPIC -fno-stack-protector -fcf-protection=none -Wl,--build-id=none "$@"; }

# The loader's own libraries: this machine's libc with its dynamic linker, and libprotobuf-c.
cp -L "$(library libc.so.6)" "$lib/libc.so.6"
cp -L "$(library ld-linux-x86-64.so.2)" "$lib/ld-linux-x86-64.so.2"
ln -s "../lib/$multiarch/ld-linux-x86-64.so.2" "$out/usr/lib64/ld-linux-x86-64.so.2"
protobuf=$(library libprotobuf-c.so.1)
protobuf_version=stand-in
if [ -e "$protobuf" ]; then
  cp -L "$protobuf" "$lib/libprotobuf-c.so.1.0.0"
  protobuf_version=$(dpkg-query -W -f '${Version}' libprotobuf-c1 2>/dev/null || echo unknown)
else
  compile -shared -nostdlib -Wl,-soname,libprotobuf-c.so.1 \
    -o "$lib/libprotobuf-c.so.1.0.0" "$here/libprotobuf-c.c"
fi
ln -s libprotobuf-c.so.1.0.0 "$lib/libprotobuf-c.so.1"

# The parts of Gramine.
compile -pie -o "$gramine/sgx/loader" "$here/loader.c" "$lib/libprotobuf-c.so.1"
compile -shared -nostdlib -Wl,-soname,libpal.so -Wl,-e,pal_entry \
  -o "$gramine/sgx/libpal.so" "$here/libpal.c"
compile -shared -nostdlib -Wl,-soname,libsysdb.so -Wl,-e,libos_entry \
  -o "$gramine/libsysdb.so" "$here/libsysdb.c" "$gramine/sgx/libpal.so"
compile -O1 -static-pie -nostdlib -o "$gramine/direct/libpal.so" "$here/direct.c"
ln -s libpal.so "$gramine/direct/loader"
cp "$here/offsets.py" "$python/_graminelibos_offsets.py"
printf 'Metadata-Version: 2.1\nName: graminelibos\nVersion: 1.9\nSummary: stand-in, no Gramine code\n' \
  > "$python/graminelibos.dist-info/METADATA"

# Gramine's patched glibc, played by this machine's glibc; beside it what a glibc directory also
# holds: an object file and a link to a library that is not the C library's.
for name in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libmvec.so.1 libdl.so.2 libpthread.so.0 \
  librt.so.1 libutil.so.1 libanl.so.1 libresolv.so.2 libnsl.so.1 libthread_db.so.1 \
  libnss_files.so.2 libnss_dns.so.2 libnss_compat.so.2; do
  from=$(library "$name")
  if [ -e "$from" ]; then cp -L "$from" "$gramine/runtime/glibc/$name"; fi
done
cp "$gramine/runtime/glibc/ld-linux-x86-64.so.2" "$gramine/runtime/glibc/ld.so"
cp "$gramine/runtime/glibc/libc.so.6" "$gramine/runtime/glibc/libc.so"
cp "$(library crti.o)" "$gramine/runtime/glibc/crti.o"
for name in libra_tls_attest.so libsecret_prov_attest.so; do
  compile -shared -Wl,-soname,$name -o "$lib/$name" "$here/libprotobuf-c.c"
  ln -s "../../../$name" "$gramine/runtime/glibc/$name"
done
compile -o "$out/usr/bin/gramine-ratls" "$here/gramine-ratls.c"

# What a package manager leaves: versions and licences.
libc_version=$(dpkg-query -W -f '${Version}' libc6 2>/dev/null || echo unknown)
package() {
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nDescription: %s\n\n' \
    "$1" "$2" "$3" >> "$out/var/lib/dpkg/status"
  mkdir -p "$out/usr/share/doc/$1"
  if ! cp -L "/usr/share/doc/$1/copyright" "$out/usr/share/doc/$1/copyright" 2>/dev/null; then
    printf 'Stand-in for the copyright file of %s.\n' "$1" > "$out/usr/share/doc/$1/copyright"
  fi
}
package gramine 1.9 'STAND-IN of the shape of Gramine 1.9, for tests; contains no Gramine code'
package libc6 "$libc_version" 'GNU C Library: Shared libraries'
package libprotobuf-c1 "$protobuf_version" 'Protocol Buffers C shared library (protobuf-c)'

chmod -R u=rwX,go=rX "$out"
echo "$state" > "$marker"
