# A program of musl's with a library found through $ORIGIN, on nothing.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
from=scratch
config='{"Entrypoint":["/app/bin/hello"]}'
configure() {
  lacking musl-gcc && return 125
  mkdir -p "$root/lib" "$root/app/bin" "$root/app/lib" "$root/etc"
  cp -L /lib/ld-musl-x86_64.so.1 "$root/lib/ld-musl-x86_64.so.1"
  ln -s ld-musl-x86_64.so.1 "$root/lib/libc.musl-x86_64.so.1"
  echo /lib:/usr/lib | put etc/ld-musl-x86_64.path
  echo 'const char *greet(void) { return "hello from musl"; }' >"$work/greet.c"
  cat >"$work/hello.c" <<'C'
#include <stdio.h>
extern const char *greet(void);
int main(void) {
  puts(greet());
  FILE *f = fopen("/etc/motd", "r");
  for (int c; f && (c = getc(f)) != EOF;) putchar(c);
  return 0;
}
C
  musl-gcc -shared -fPIC -o "$root/app/lib/libgreet.so" "$work/greet.c" -Wl,-soname,libgreet.so
  musl-gcc -o "$root/app/bin/hello" "$work/hello.c" -L"$root/app/lib" -lgreet -Wl,-rpath,'$ORIGIN/../lib'
  echo welcome | put etc/motd
}
work() { grep -qx 'hello from musl' "$log"; }
