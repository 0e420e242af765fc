#!/bin/sh
# Makes rpmdb.sqlite: the database that rpm writes for 26 small packages, with the tables other than
# Packages dropped and pages of 512 bytes, so that one small file has interior pages, leaves and
# overflow chains. Run by hand when the fixture should change (Debian: rpm, sqlite3).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cat <<'SPEC'
Name: hello
Version: 2.1
Release: 3
Epoch: 1
Summary: Greets
License: MIT
BuildArch: noarch
Requires: hello-data
%description
Greets.
%package -n hello-data
Summary: Data
%description -n hello-data
Data.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/hello %{buildroot}/usr/share/hello
echo x > %{buildroot}/usr/bin/hello
echo x > %{buildroot}/etc/hello/hello.conf
for i in $(seq 1 60); do echo $i > %{buildroot}/usr/share/hello/data-$i; done
for i in $(seq 1 24); do echo $i > %{buildroot}/usr/bin/tool-$i; done
SPEC
  for i in $(seq 1 24); do
    printf '%%package -n tool-%d\nSummary: Tool\n%%description -n tool-%d\nTool.\n%%files -n tool-%d\n/usr/bin/tool-%d\n' "$i" "$i" "$i" "$i"
  done
  cat <<'SPEC'
%files
/usr/bin/hello
%config /etc/hello/hello.conf
%ghost /var/log/hello.log
%files -n hello-data
/usr/share/hello
SPEC
} >"$work/hello.spec"
rpmbuild -bb --quiet --define "_topdir $work/build" --define "_dbpath $work/db" \
  --define "_buildhost localhost" "$work/hello.spec"
mkdir "$work/root"
find "$work/build" -name '*.rpm' | sort | xargs rpm --root "$work/root" --dbpath /db \
  --define '_db_backend sqlite' --nodeps --noscripts -i
cd "$work/root/db"
sqlite3 rpmdb.sqlite "SELECT 'DROP TABLE \"' || name || '\";' FROM sqlite_schema
  WHERE type = 'table' AND name NOT IN ('Packages', 'sqlite_sequence');" | sqlite3 rpmdb.sqlite
sqlite3 rpmdb.sqlite 'PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM;'
cp rpmdb.sqlite "$here/rpmdb.sqlite"
