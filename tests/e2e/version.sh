#!/bin/sh
# What the program says it is, in each state that its sources may be in; and that an installed program
# is complete.
# shellcheck disable=SC2016  # what is in single quotes is for another shell
:
# shellcheck source=tests/e2e/lib.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/lib.sh"
need cmake git

script=$CLOISTER_SOURCE_DIR/cmake/version.cmake
sources=$work/sources
version() { cmake -DSOURCE="$sources" -DPROJECT=0.4.0 -DGIVEN="${1-}" -DPRINT=ON -P "$script"; }
in_git() { git -C "$sources" -c user.name=e2e -c user.email=e2e@localhost "$@" >/dev/null 2>&1; }
commit() { git -C "$sources" rev-parse --short=12 HEAD; }

mkdir "$sources"
same "without history: the project's" "$(version)" 0.4.0
git -C "$work" init -q
same "within another repository: the project's" "$(version)" 0.4.0
git -C "$sources" init -q
same "before the first commit: the project's" "$(version)" 0.4.0
echo 1 >"$sources/file"
in_git add file
in_git commit -m one
same "before the first tag: the commit" "$(version)" "0.4.0-dev.1.g$(commit)"
in_git tag other
in_git tag v0.5.0
same "at a tag: that" "$(version)" 0.5.0
echo 2 >"$sources/file"
same "with changes: says so" "$(version)" "0.5.0+0.g$(commit).dirty"
in_git commit -am two
same "after a tag: how far" "$(version)" "0.5.0+1.g$(commit)"
touch "$sources/untracked"
same "what git does not know of is no change" "$(version)" "0.5.0+1.g$(commit)"
in_git tag v0.6.0-rc.1
same "a release candidate" "$(version)" 0.6.0-rc.1
same "a version that is given" "$(version 1.2.3)" 1.2.3
claim "no version that would need quoting" sh -c '! cmake -DSOURCE=/ -DPROJECT=1 -DGIVEN="1\"2" -DPRINT=ON -P "$1" 2>/dev/null' - "$script"

header=$work/version.h
write_header() { cmake -DOUT="$header" -DSOURCE="$sources" -DPROJECT=0.4.0 -DGIVEN= -P "$script"; }
write_header
same "the header" "$(cat "$header")" '#define CLOISTER_VERSION "0.6.0-rc.1"'
touch -d 2001-01-01 "$header"
write_header
same "is left alone when it is right" "$(date -r "$header" +%Y)" 2001

must version
claim "the program has a version of that form" grep -qE '^cloister [0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$' "$out"
cp "$out" "$work/said"
cmake --install "$(dirname "$CLOISTER")" --prefix "$work/prefix" >"$work/install" 2>&1 || cat "$work/install"
claim "the installed program is it" sh -c '"$1" version | cmp - "$2"' - "$work/prefix/bin/cloister" "$work/said"
for document in CHANGELOG RELEASES SECURITY THREATS; do
  claim "$document is installed" test -s "$work/prefix/share/doc/cloister/$document.md"
done
claim "as are manual pages" test -s "$work/prefix/share/man/man1/cloister.1"
claim "and completions" test -s "$work/prefix/share/bash-completion/completions/cloister"
finish
