#!/bin/sh
# rehearse: what a sandboxed program may do is what Gramine would let it do, what it did is in the
# report with the line to add, and nothing of a hostile one gets out or stays behind.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need gcc jq curl pgrep
need_schemas

tree=$work/tree
mkdir -p "$tree/etc/app" "$tree/srv/data" "$tree/opt" "$tree/proc" "$tree/var/lib/app"
gcc -static -pthread -O1 -o "$tree/opt/app" "$CLOISTER_SOURCE_DIR/tests/e2e/rehearse.c" 2>"$work/gcc" ||
  skip "gcc cannot link statically: $(head -n 1 "$work/gcc")"
cp "$tree/opt/app" "$tree/opt/tool"
chmod 4755 "$tree/opt/tool"
for file in etc/app/conf srv/hidden etc/page; do echo "$file" >"$tree/$file"; done
marker=$work/host-file
echo 'of the host' >"$marker"
ln -s app "$tree/etc/alias"
ln -s "$marker" "$tree/srv/to-host"
layout=$work/oci
mkdir -p "$layout/blobs/sha256"
cp -R "$tree" "$work/packed"
layout_tar "$work/packed" "$work/layer.tar"
layout_tag "$layout" app "$(layout_manifest "$layout" amd64 '{"Entrypoint":["/opt/app"],"WorkingDir":"/"}' \
  "$(layout_layer "$layout" "$work/layer.tar")")"
image=oci:$layout:app

rehearse() { cloister rehearse "$image" --runtime "$runtime" --exclude '/srv/**' --exclude /opt/tool "$@"; }
rehearse --format json -- exit 0
case $code in
  0 | 3) ;;
  *)
    grep -q 'allows no sandbox' "$err" && skip "$(grep -m 1 'allows no sandbox' "$err")"
    cat "$err"
    exit 1
    ;;
esac

# --- As Gramine decides ---------------------------------------------------------------------------

rehearse --format json --include /etc/app/conf -- rules
same "a program that is refused something is not ready" "$code" 3
valid rehearse
same "what is let through, and what is not" "$(grep '=' "$err" | grep -v 'is at\|digest' | tr '\n' ' ')" \
  "$(tr '\n' ' ' <<'T'
granted=ok
alias=EACCES
unlisted=EACCES
stat-unlisted=ok
access-unlisted=ok
list=ok
absent=ENOENT
write-granted=EACCES
create-unlisted=EACCES
mkdir=ok
tmpfs=ok
rename-tmpfs=ok
unlink-tmpfs=ok
unlink-unlisted=EACCES
chmod-granted=EACCES
chown-tmpfs=ok
chdir=ok
relative=ok
dotdot=ok
at=ok
at-unlisted=EACCES
openat2=ENOSYS
exec-unlisted=EACCES
meminfo=ok
self-exe=ok
mounts=ENOENT
null=ok
kmsg=ENOENT
cpu-online=ok
sys-kernel=ENOENT
setuid=ok
is-33=ok
symlink=ENOSYS
timerfd=ENOSYS
child-unlisted=EACCES
T
)"
use() { jq -r --arg path "$1" --arg use "$2" '.run.paths[] | select(.path == $path) | .uses[$use] | tojson' "$out"; }
same "reads are counted by the path as it is spelled" "$(use /etc/app/conf read)" '{"done":4}'
same "and so are refusals, those of children too" "$(jq -r '.run.paths[] | select(.path == "/srv/hidden") | .uses.read.refused' "$out")" 3
same "the verdict names what was refused" \
  "$(jq -r '[.verdict.denied[] | select(.harmless != true) | .path] | sort | join(" ")' "$out")" \
  "/etc/alias/conf /etc/app/conf /opt/tool /srv/hidden /srv/new"
same "calls that Gramine lacks are there" "$(jq -r '.verdict.unimplemented[] | select(.call == "timerfd_create") | .times' "$out")" 1
same "and how it was kept in" "$(jq -r '.run.isolation | test("namespace")' "$out")" true

# --- Exactly what is missing ----------------------------------------------------------------------

rehearse --format json -- read /etc/app/conf
same "everything granted: clean" "$code $(jq -r .verdict.clean "$out")" "0 true"
rehearse --format json --exclude /etc/app/conf -o "$work/overlay.toml" -- read /etc/app/conf
same "one file is missing, and named" \
  "$code $(jq -r '[.verdict.denied[].path] | join(" ")' "$out")" "3 /etc/app/conf"
claim "the overlay has it" grep -q 'file:/etc/app/conf' "$work/overlay.toml"
cloister rehearse "$image" --runtime "$runtime" --manifest "$work/overlay.toml" -- read /etc/app/conf
same "with the overlay it is clean" "$code" 0
claim "which a person is told first" grep -q '^CLEAN' "$out"

# --- Learning -------------------------------------------------------------------------------------

bare() { cloister rehearse "$image" --runtime "$runtime" --trust none "$@"; }
bare -- read /etc/app/conf /srv/hidden /etc/alias/conf
same "without a closure it is refused" "$code" 3
bare --learn -o "$work/learned.toml" --format json -- read /etc/app/conf /srv/hidden /etc/alias/conf
same "nothing is refused when learning" "$(jq -r '[.run.paths[].uses[]?.refused // 0] | add' "$out")" 0
bare --manifest "$work/learned.toml" -- read /etc/app/conf /srv/hidden /etc/alias/conf
same "what was learned is enough" "$code" 0

# --- Work -----------------------------------------------------------------------------------------

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
rehearse --format json --include /etc/page -p "$port:8080" --http "http://localhost:$port/" --requests 5 \
  --exec "curl -sf http://127.0.0.1:$port/ >'$work/page'" --profile -- server
same "a server that works is clean" "$code $(cat "$work/page")" "0 hi"
same "requests are counted" "$(jq -r .run.requests "$out")" 5
claim "and what they cost" jq -e '.tax.exitsPerRequest > 1' "$out"
same "sockets are seen" "$(jq -r '[.run.sockets[] | select(.action == "bind") | .address] | join(" ")' "$out")" 0.0.0.0:8080
rehearse --exclude /etc/page -p "$port:8080" --exec "curl -sf http://127.0.0.1:$port/" -- server
same "a command that fails is no success" "$code" 3
rehearse --format json --duration 1 --exec true --ready-timeout 1 -- sleep
same "nor is a program that is never ready" "$code $(jq -r '.workProblem | test("not ready")' "$out")" "3 true"
rehearse --report json="$work/first.json" -- read /etc/app/conf
rehearse --merge "$work/first.json" --format json -- exit 0
same "rehearsals merge" "$(jq -r '[.run.paths[] | select(.path == "/etc/app/conf")] | length' "$out")" 1

# --- Sizes ----------------------------------------------------------------------------------------

rehearse --format json --enclave-size 256M --max-threads 4 -- large
size() { jq -r --arg key "$1" '.verdict.sizes[] | select(.key == $key) | (.add // .wouldDo).value // empty' "$out"; }
same "300 MB fit in a power of two" "$(size sgx.enclave_size)" '"512M"'
claim "20 threads and Gramine's own" test "$(size sgx.max_threads)" -ge 24

# --- How it ends ----------------------------------------------------------------------------------

rehearse --until-exit -- exit 7
same "its status is passed on" "$code" 7
rehearse --until-exit -- crash
same "and its signal" "$code" 134
cloister rehearse "oci:$layout:none" --runtime "$runtime" --until-exit
same "a rehearsal that fails itself says so" "$code" 125
cloister rehearse "oci:$layout:none" --runtime "$runtime"
same "without --until-exit as every command" "$code" 4
refused 2 'not on this machine' rehearse "$image" --http http://example.com/
refused 2 'names no port' rehearse "$image" -p nothing
refused 2 'no meaning' rehearse "$image" -p 80 --network host
refused 1 'takes .* of memory|the files take' rehearse "$image" --runtime "$runtime" --learn --memory 64K

# --- Hostile --------------------------------------------------------------------------------------

rehearse --learn --pids-limit 100 --format json -- hostile "$marker"
same "nothing gets out" "$(grep '=' "$err" | tr '\n' ' ')" "$(tr '\n' ' ' <<'T'
host-file=ENOENT
host-link=ENOENT
host-create=ENOENT
setuid-program=EPERM
mknod=EPERM
mount=ENOSYS
unshare=ENOSYS
chroot=EPERM
ptrace=ENOSYS
kill-parent=ok
kill-others=ESRCH
fork-bomb=EAGAIN
forks=bounded
T
)" || cat "$err"
claim "the host's file is as it was" grep -qx 'of the host' "$marker"
claim "and nothing was made" test ! -e /tmp/cloister-was-here
rehearse --until-exit --memory 256M -- memory
same "memory is bounded for all together" "$code" 137

# shellcheck disable=SC2317  # called by claim
gone() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pgrep -f "$1" >/dev/null || return 0
    sleep 0.2
  done
  pgrep -fa "$1"
  return 1
}
mounts_before=$(wc -l </proc/self/mountinfo)
for signal in INT KILL; do
  "$CLOISTER" rehearse "$image" --runtime "$runtime" --duration 60 -- sleep "marker-$signal-$$" \
    >"$work/killed" 2>&1 </dev/null &
  rehearsal=$!
  for _ in $(seq 100); do
    pgrep -f "^/opt/app sleep marker-$signal-$$" >/dev/null && break
    sleep 0.1
  done
  claim "the program runs ($signal)" pgrep -f "^/opt/app sleep marker-$signal-$$"
  kill -"$signal" "$rehearsal"
  code=0
  wait "$rehearsal" || code=$?
  [ "$signal" = KILL ] || same "interrupted" "$code" 130
  claim "no process is left behind after SIG$signal" gone "^/opt/app sleep marker-$signal-$$"
done
same "and no mount" "$(wc -l </proc/self/mountinfo)" "$mounts_before"
claim "nor anything in the store" sh -c "[ -z \"\$(find '$XDG_CACHE_HOME/cloister/cloister/tmp' -type f)\" ]"

# --- Users ----------------------------------------------------------------------------------------

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$work"
  mkdir -m 777 "$work/other"
  chmod -R a+rX "$layout" "$runtime"
  code=0
  setpriv --reuid 4321 --regid 4321 --clear-groups env HOME="$work/other" XDG_CACHE_HOME="$work/other/cache" \
    XDG_STATE_HOME="$work/other/state" "$CLOISTER" rehearse "$image" --runtime "$runtime" --format json \
    -- read /etc/app/conf >"$out" 2>"$err" || code=$?
  if [ "$code" = 1 ] && grep -q 'allows no sandbox' "$err"; then
    echo "SKIPPED: without privileges: $(grep -m 1 'allows no sandbox' "$err")"
  else
    same "without privileges too" "$code $(jq -r .run.isolation "$out")" "0 user namespace"
  fi
  code=0
  # shellcheck disable=SC2016  # the inner shell's
  unshare -Umr sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' - "$CLOISTER" rehearse "$image" \
    --runtime "$runtime" --format json -- read /etc/app/conf >"$out" 2>"$err" || code=$?
  same "and as root where there are no user namespaces" "$code $(jq -r .run.isolation "$out")" \
    "0 root without a user namespace"
fi

finish
