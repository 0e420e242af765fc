# A static program on nothing.
# shellcheck shell=sh disable=SC2034,SC2154
from=scratch
config='{"Entrypoint":["/hello"],"User":"65532"}'
configure() {
  lacking gcc && return 125
  printf '#include <unistd.h>\nint main(void) { return write(1, "hello static\\n", 13) != 13; }\n' |
    gcc -static -O2 -o "$root/hello" -x c -
}
work() { grep -qx 'hello static' "$log"; }
