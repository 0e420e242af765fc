#!/bin/sh
# learn: strace of a real program in an image's tree, by every form that strace has, becomes an
# overlay with which the manifest of that image holds what the program opened; Gramine's logs, runs
# as JSON; and what is refused.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need strace gcc jq
need_schemas
logs=$CLOISTER_SOURCE_DIR/testdata/rehearse

# --- A program whose files nobody finds by looking at it, in an image ------------------------------

tree=$work/tree
mkdir -p "$tree/etc/app" "$tree/srv/data" "$tree/opt" "$tree/var/lib/app" "$tree/proc"
gcc -static -O1 -o "$tree/opt/app" -x c - <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
// Names are spelled backwards, so that they are no strings of the program.
static const char *name(const char *backwards) {
  static char out[64];
  size_t n = strlen(backwards);
  for (size_t i = 0; i < n; ++i) out[i] = backwards[n - 1 - i];
  out[n] = 0;
  return out;
}
static int reads(int at, const char *path) {
  char byte;
  int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
  return fd < 0 || read(fd, &byte, 1) != 1 || close(fd) != 0;
}
int main(int argc, char **argv) {
  if (argc > 1) return reads(AT_FDCWD, name("dlihc/vrs/"));
  int bad = reads(AT_FDCWD, name("fnoc/ppa/cte/"));
  bad |= reads(AT_FDCWD, name("\"d'o\n a/vrs/"));
  bad |= reads(AT_FDCWD, name("\377/vrs/"));
  bad |= access(name("enon/vrs/"), F_OK) == 0;
  bad |= chdir(name("atad/vrs/")) != 0;
  bad |= reads(AT_FDCWD, name("x/../."));
  int directory = open(name("atad/vrs/"), O_RDONLY | O_DIRECTORY);
  bad |= reads(directory, name("y"));
  int state = open(name("etats/ppa/bil/rav/"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  bad |= write(state, "1", 1) != 1;
  if (fork() == 0) {
    execl("/opt/app", "app", "child", (char *)NULL);
    _exit(9);
  }
  int status = 0;
  wait(&status);
  return bad | (status != 0);
}
C
for file in etc/app/conf srv/child srv/x srv/data/y "$(printf 'srv/\377')" "$(printf "srv/a \no'd\"")"; do
  echo "$file" >"$tree/$file"
done

layout=$work/oci
mkdir -p "$layout/blobs/sha256"
cp -R "$tree" "$work/packed"
layout_tar "$work/packed" "$work/layer.tar"
layout_tag "$layout" app "$(layout_manifest "$layout" amd64 '{"Entrypoint":["/opt/app"],"WorkingDir":"/srv"}' \
  "$(layout_layer "$layout" "$work/layer.tar")")"
image=oci:$layout:app

# --- Traces of it ---------------------------------------------------------------------------------

enter='chroot'
if [ "$(id -u)" != 0 ]; then
  unshare --user --map-root-user true 2>/dev/null || skip "neither root nor user namespaces: no chroot"
  enter='unshare --user --map-root-user chroot'
fi
# traced LOG OPTION…: what strace writes of the program, run in the tree.
traced() {
  traced_log=$1
  shift
  rm -f "$tree/var/lib/app/state"
  # shellcheck disable=SC2086  # several words
  (cd / && strace -s 4096 -o "$traced_log" "$@" $enter "$tree" /opt/app)
}
traced "$work/trace.log" -f -y 2>"$work/strace.err" || {
  grep -q 'ptrace\|PTRACE\|not permitted' "$work/strace.err" && skip "strace may not trace here"
  cat "$work/strace.err"
  exit 1
}

# What the overlay says, without what a libc of another version would do otherwise.
entries() { grep -v '^#' "$1" | sed 's/  # .*//'; }
must learn "$work/trace.log" -o "$work/overlay.toml"
same "the overlay grants what was opened and where it wrote" "$(entries "$work/overlay.toml")" \
  "$(printf '%s\n' 'fs.mounts = [' \
    '  { type = "encrypted", path = "/var/lib/app", uri = "file:/var/lib/app", key_name = "_sgx_mrenclave" },' ']' 'sgx.trusted_files = [' \
    '  { uri = "file:/etc/app/conf" },' \
    '  { uri = "file:/opt/app" },' \
    '  { uri = "file:/srv/a \no'"'"'d\"" },' \
    '  { uri = "file:/srv/child" },' \
    '  { uri = "file:/srv/data/y" },' \
    '  { uri = "file:/srv/x" },' ']')"
claim "a name that no manifest can state is a remark" grep -q "^# .*/srv/\\\\\\\\*xff" "$work/overlay.toml"
claim "it says who asked" grep -q 'srv/child.*# opened by /opt/app' "$work/overlay.toml"
claim "the launcher is left out" sh -c "! grep -q chroot '$work/overlay.toml' || grep -q 'started below' '$work/overlay.toml'"

# --- The manifest ---------------------------------------------------------------------------------

granted() { sed -n 's/.*uri = "file:\([^"]*\)".*/\1/p' "$1" | grep -v '^/gramine' | sort; }
must manifest "$image" --runtime "$runtime" --exclude '/srv/**' --exclude '/etc/app/**'
same "looking at the image does not find them" "$(granted "$out" | grep -c '^/srv\|^/etc/app')" 0
must manifest "$image" --runtime "$runtime" --manifest "$work/overlay.toml"
claim "with the overlay the manifest holds them with their hashes" \
  sh -c "grep 'file:/etc/app/conf' '$out' | grep -q $(sha256sum "$tree/etc/app/conf" | cut -d ' ' -f 1)"
claim "and the place that is written" grep -q 'path = "/var/lib/app"' "$out"

must learn "$work/trace.log" --image "$image" --runtime "$runtime" --exclude '/srv/**' --format text
claim "against the image, only what its manifest lacks is proposed" grep -q '/srv/child' "$out"
claim "against the image, what is granted is not" sh -c "! grep -q 'trusted-file.*/opt/app' '$out'"
must learn "$work/trace.log" --image "$image" --runtime "$runtime" --manifest "$work/overlay.toml"
same "with the overlay nothing but the unspeakable is left" \
  "$(entries "$out" | grep -v xff)" ""

# --- The same by every form -----------------------------------------------------------------------

must learn "$work/trace.log" --format json
valid run
cp "$out" "$work/run.json"
paths() { jq -c '[.paths[] | select(.uses | has("read") or has("create") or has("write") or has("execute")) | [.path, (.uses | keys - ["look"])]]' "$1"; }
expected=$(paths "$work/run.json")
traced "$work/pid.log" -f
traced "$work/times.log" -f -yy -tt -T
traced "$work/relative.log" -f -y -r -n
traced "$work/hex.log" -f -y -ttt -i -xx
traced "$work/files.log" -f -y -e trace=%file,%process,close
for form in pid times relative hex files; do
  must learn "$work/$form.log" --format json
  same "strace's form '$form' tells the same" "$(paths "$out")" "$expected"
done
traced "$work/one" -ff -y
must learn "$work"/one.* --format json
same "one file for each process tells the same" "$(paths "$out")" "$expected"
rm -f "$tree/var/lib/app/state"
# shellcheck disable=SC2086
(cd / && strace -f -y -s 4096 $enter "$tree" /opt/app) 2>"$work/terminal.log"
must learn "$work/terminal.log" --format json
same "what a terminal shows tells the same" "$(paths "$out")" "$expected"

must learn "$work/run.json" "$work/trace.log" --format json
same "runs are merged" "$(jq '.executions' "$out")" "$((2 * $(jq '.executions' "$work/run.json")))"
valid run
must learn "$work/run.json"
same "a run as JSON gives the same overlay" "$(entries "$out")" "$(entries "$work/overlay.toml")"
code=0
"$CLOISTER" learn - <"$work/trace.log" >"$out" 2>"$err" || code=$?
same "a log may come from standard input" "$(entries "$out")" "$(entries "$work/overlay.toml")"
must learn "$work/trace.log" --format markdown
claim "Markdown has a table" grep -q '^| trusted-file | <code>/etc/app/conf</code> |' "$out"

# --- Gramine's logs -------------------------------------------------------------------------------

must learn "$logs/gramine-1.8.log"
same "Gramine 1.8: what its policy let through" "$(entries "$out" | grep -o 'file:[^"]*')" \
  "$(printf 'file:/etc/redis/redis.conf\nfile:/usr/share/zoneinfo/UTC')"
must learn "$logs/gramine-1.9.log" --format json
valid run
same "Gramine 1.9: only what has a directory" "$(jq -r '.paths[].path' "$out")" /data/dump.rdb
claim "and it is said how the others are learned" grep -q 'loader.log_level' "$out"
must learn "$logs/gramine-trace.log" --format json
valid run
same "a trace: what was read" \
  "$(jq -r '.paths[] | select(.uses.read.done) | .path' "$out" | sed 's/\(long-\)\{2,\}name/long/')" \
  "$(printf '%s\n' /etc/localtime /srv/conf/server.conf '/srv/www/a "quoted", name' /srv/www/long.html)"
same "a trace: what was refused" "$(jq -r '.paths[] | select(.uses.create.refused) | .path' "$out")" /var/log/server.log
same "a trace: programs" "$(jq -r '.programs[].path' "$out" | tr '\n' ' ')" "/bin/date /usr/bin/server "
same "a trace: sockets" "$(jq -r '.sockets[] | select(.action == "bind") | .address' "$out")" 0.0.0.0:8080
same "a trace: its end" "$(jq -c '[.forks, .threads, .exitStatus]' "$out")" '[1,1,0]'
must learn "$logs/graphene.log" --format json
same "Graphene" "$(jq -r '.paths[].path' "$out" | tr '\n' ' ')" "/etc/app.conf /etc/hosts /etc/none /etc/secret "

# --- What is refused ------------------------------------------------------------------------------

echo hello >"$work/hello"
refused 1 "holds nothing that strace, Gramine or a rehearsal writes" learn "$work/hello"
echo '{"schemaVersion":2}' >"$work/later.json"
refused 1 "schema version 2" learn "$work/later.json"
echo '{"schemaVersion":1,' >"$work/half.json"
refused 1 "half.json" learn "$work/half.json"
refused 1 "none.log" learn "$work/none.log"
refused 2 "no absolute path" learn "$work/trace.log" --start-dir relative
refused 2 "image" learn "$work/trace.log" --trust all
refused 2 "once" learn - -
finish
