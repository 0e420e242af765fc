#!/bin/sh
# ./dev demo: the whole job as a user would do it, each command printed before it runs. A real Debian
# image of redis goes into a real registry on loopback, becomes an enclave-ready image, and is pushed
# and read back. The Gramine runtime is a stand-in of the real one's shape (testdata/runtime): the
# result shows everything except that it starts in an enclave.
#
# What takes long (the redis image, the program) is kept under build/demo for the next time.
set -eu
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)"

work=build/demo
mkdir -p "$work"
registry_pid=
stop() {
  [ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }
exec 3>&1 # the commands are shown even where their output goes to a file
show() {
  printf '$ %s\n' "$*" >&3
  "$@"
}

say "the program"
./dev build

say "a real image: redis from Debian's packages"
sh testdata/redis/make-image.sh "$work/redis"

say "a stand-in for the Gramine runtime (its shape, none of its code)"
sh testdata/runtime/make-runtime.sh "$work/gramine-stand-in"

say "a registry on loopback"
port=5080
while curl -s -o /dev/null "http://127.0.0.1:$port/"; do port=$((port + 1)); done
cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $PWD/$work/registry}}
http: {addr: "127.0.0.1:$port"}
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 </dev/null &
registry_pid=$!
tries=0
until curl -s -o /dev/null "http://127.0.0.1:$port/v2/"; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { cat "$work/registry.log" >&2; exit 1; }
  sleep 0.1
done
registry=localhost:$port
show skopeo --insecure-policy copy -q --dest-tls-verify=false \
  "oci:$work/redis/oci:redis" "docker://$registry/redis:7"

# As a user would have them; the store and the keys of the machine stay as they are.
PATH=$PWD/build:$PATH
XDG_CACHE_HOME=$PWD/$work/cache
XDG_STATE_HOME=$PWD/$work/state
export PATH XDG_CACHE_HOME XDG_STATE_HOME

say "what would the enclave be allowed to do? (first lines)"
show cloister build "$registry/redis:7" --runtime "$work/gramine-stand-in" --dry-run \
  >"$work/dry-run.toml"
sed -n '1,30p' "$work/dry-run.toml"
printf '… %s lines in all\n' "$(wc -l <"$work/dry-run.toml")"

say "should it be built? (the page: $work/report.html)"
show cloister audit "$registry/redis:7" --runtime "$work/gramine-stand-in" --report "html=$work/report.html"

say "build, sign, push"
[ -e "$work/enclave.pem" ] || show cloister keygen sgx -o "$work/enclave.pem"
[ -e "$work/image.pem" ] || show cloister keygen image -o "$work/image.pem"
show cloister build "$registry/redis:7" --runtime "$work/gramine-stand-in" \
  --key "$work/enclave.pem" --sign-key "$work/image.pem" -t "$registry/redis:7-sgx" --push --with-direct

say "what a client sees"
show cloister inspect "$registry/redis:7-sgx"
show cloister verify "$registry/redis:7-sgx" --key "$work/image.pub"
show skopeo inspect --tls-verify=false "docker://$registry/redis:7-sgx"
