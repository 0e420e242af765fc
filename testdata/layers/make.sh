#!/bin/sh
# Makes the archives beside it, as the tar programs of the world write them:
#   gnu-gnu, gnu-posix, gnu-ustar   GNU tar; names that are not UTF-8 or not NFC, long names and links
#   gnu-sparse-{old,0.0,0.1,1.0}    GNU tar; one file of 300000 bytes, data at 0, 65536 and the end
#   python-pax, python-gnu          Python's tarfile; the same names, device, owner ids beyond octal
# All dates are fixed. Needs GNU tar and Python 3; the results are committed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 - <<'PY'
import os
long = b'd' * 120 + b'/' + b'f' * 140
os.makedirs(b'names/' + b'd' * 120)
for name in (long, b'latin1-\xe9\xff', 'nfd-e\u0301'.encode(), b'new\nline'):
    open(b'names/' + name, 'wb').write(name)
os.symlink(b't' * 130 + b'\xff', b'names/link')
os.link(b'names/' + long, b'names/z-hard')
with open('sparse', 'wb') as f:
    f.write(b'head'); f.seek(65536); f.write(b'middle' * 100); f.seek(299996); f.write(b'tail')
PY
pack() { out=$1; shift; tar --sort=name --mtime=@1700000000 --owner=0 --group=0 -b1 --mode=u=rwX,go=rX -cf "$here/$out.tar" "$@"; }
pack gnu-gnu --format=gnu names
pack gnu-posix --format=posix --pax-option=delete=atime,delete=ctime,exthdr.name=x names
tar --format=ustar --sort=name --mtime=@1700000000 --owner=0 --group=0 -b1 -cf "$here/gnu-ustar.tar" \
    --exclude=link --exclude='d*' --exclude=z-hard names
pack gnu-sparse-old --format=oldgnu -S sparse
for v in 0.0 0.1 1.0; do
  pack gnu-sparse-$v --format=posix --pax-option=delete=atime,delete=ctime,exthdr.name=x \
    -S --sparse-version=$v sparse
done

python3 - "$here" <<'PY'
import io, sys, tarfile
def make(path, form):
    with tarfile.open(path, 'w', format=form, bufsize=512) as t:
        def add(name, data=b'', **fields):
            i = tarfile.TarInfo(name.decode('utf-8', 'surrogateescape'))
            i.mtime, i.size = 1700000000, len(data)
            for k, v in fields.items(): setattr(i, k, v)
            t.addfile(i, io.BytesIO(data))
        for name in (b'd' * 120 + b'/' + b'f' * 140, b'latin1-\xe9\xff', 'nfd-e\u0301'.encode()):
            add(name, name)
        add(b'link', type=tarfile.SYMTYPE, linkname='t' * 130 + '\udcff')
        add(b'z-hard', type=tarfile.LNKTYPE, linkname='latin1-\udce9\udcff')
        add(b'null', type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        add(b'owner', uid=3000000000 if form == tarfile.PAX_FORMAT else 2000000, gid=7, mode=0o4755)
        if form == tarfile.PAX_FORMAT:
            add(b'caps', pax_headers={'SCHILY.xattr.security.capability': '\x01\x00\x00\x02\x00'})
make(sys.argv[1] + '/python-pax.tar', tarfile.PAX_FORMAT)
make(sys.argv[1] + '/python-gnu.tar', tarfile.GNU_FORMAT)
PY
