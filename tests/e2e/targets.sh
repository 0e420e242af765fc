#!/bin/sh
# Where audit says that a program can run: of small programs that are made here, each with one trait
# that decides, and of real ones where an image corpus is at hand. In every format, with evidence.
# shellcheck disable=SC2016  # $ in programs of jq and awk
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need gcc jq
need_schemas
mkdir -p "$work/oci/blobs/sha256"

# program NAME CONFIG: the C program on standard input, in an image of its own; it is never run.
program() {
  mkdir -p "$work/$1"
  gcc -o "$work/$1/app" -x c -
  layout_tar "$work/$1" "$work/$1.tar"
  layer=$(layout_layer "$work/oci" "$work/$1.tar")
  layout_tag "$work/oci" "$1" "$(layout_manifest "$work/oci" amd64 "$2" "$layer")"
}
plain='{"Entrypoint":["/app"],"User":"1000"}'
server='{"Entrypoint":["/app"],"User":"1000","ExposedPorts":{"5432/tcp":{}},"Volumes":{"/data":{}}}'
program threads "$plain" <<'C'
#include <pthread.h>
static void *work(void *arg) { return arg; }
int main(void) { pthread_t t; return pthread_create(&t, 0, work, 0) || pthread_join(t, 0); }
C
# A process for each connection, over memory that all share: as a database does it.
program database "$server" <<'C'
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
  int id = shmget(IPC_PRIVATE, 4096, 0600), s = socket(AF_INET, SOCK_STREAM, 0);
  return listen(s, 1) || shmat(id, 0, 0) == (void *)-1 || fork() < 0;
}
C
# A process for each snapshot: as a cache does it.
program cache "$server" <<'C'
#include <sys/socket.h>
#include <unistd.h>
int main(void) { return listen(socket(AF_INET, SOCK_STREAM, 0), 1) || fork() < 0; }
C
program timers "$plain" <<'C'
#include <sys/timerfd.h>
int main(void) { return timerfd_create(0, 0) < 0; }
C

# fits TEXT IMAGE WANT: the answers for SGX, SEV-SNP and Nitro.
fits() {
  must audit "$2" --runtime "$runtime" --fail-on none --format json
  same "$1" "$(jq -r '[.targets[].fits] | join(" ")' "$out")" "$3"
  valid audit
  claim "$1: every reason names its evidence" jq -e 'all(.targets[].reasons[]; .evidence != "" and .what != "")' "$out"
}
# effect TARGET EVIDENCE: of the reason with that evidence, a regular expression.
effect() { jq -r --arg t "$1" --arg e "$2" '.targets[] | select(.tee == $t) | [.reasons[] | select(.evidence | test($e)) | .effect] | join(" ")' "$out"; }

fits "threads, no network" "oci:$work/oci:threads" "yes yes yes"
fits "a database" "oci:$work/oci:database" "no yes with-limits"
same "because of its processes over shared memory" "$(effect sgx '^CL401 /app$')" against
same "because Nitro has no network" "$(effect nitro 'exposes 5432/tcp')" limit
same "and no disk" "$(effect nitro '^volumes /data$')" limit
fits "a cache" "oci:$work/oci:cache" "yes yes with-limits"
same "at the price of an enclave for each process" "$(effect sgx '^CL415 /app$')" cost
fits "timers" "oci:$work/oci:timers" "with-limits yes yes"
same "which Gramine lacks" "$(effect sgx '^CL404 /app$')" limit
must audit "oci:$work/oci:threads" --runtime "$runtime" --enclave-size 8G --format json
same "a large enclave is a limit" "$(effect sgx 'enclave size 8.0 GiB$')" limit

# --- Formats --------------------------------------------------------------------------------------

cloister audit "oci:$work/oci:database" --runtime "$runtime" --fail-on none \
  --report markdown="$work/a.md" --report html="$work/a.html" --report sarif="$work/a.sarif"
claim "text: a section" grep -qx "Where it can run" "$out"
claim "text: an answer" grep -qxE "  SGX enclave +no" "$out"
claim "text: fits 80 columns" awk 'length($0) > 80 && !/sha256:/ { print; bad = 1 } END { exit bad }' "$out"
claim "Markdown: a row" grep -q "^| SGX enclave | no | against: " "$work/a.md"
claim "the page: a section" grep -q '<section id="targets"' "$work/a.html"
agrees "SARIF stays what it was" "$CLOISTER_SOURCE_DIR/cmd/report/schema/sarif.schema.json" "$work/a.sarif"
must build "oci:$work/oci:cache" --runtime "$runtime" --key "$key" -o "oci:$work/built:1"
must audit "oci:$work/built:1" --format json --fail-on none
claim "of an image that is built already nothing is said" jq -e 'has("targets") | not' "$out"
"$CLOISTER" audit "oci:$work/oci:cache" --runtime "$runtime" --format json --fail-on none >"$work/saved.json" 2>"$err"
cloister diff "$work/saved.json" "oci:$work/oci:cache" --runtime "$runtime" --quiet
same "a saved report can be compared" "$code $(cat "$out")" "0 the same"

# --- Real programs --------------------------------------------------------------------------------

corpus=${CLOISTER_CORPUS:-$CLOISTER_SOURCE_DIR/build/corpus/oci}
# real IMAGE WANT: of the corpus.
real() {
  if [ -n "$(manifest_digest "$corpus" "$1" 2>/dev/null)" ]; then
    fits "$1" "oci:$corpus:$1" "$2"
  else
    echo "not there: $1 in $corpus (./dev truth makes it)"
  fi
}
real redis "yes yes with-limits"
real python "yes yes with-limits"
real nginx "yes yes with-limits"
real postgres "no yes with-limits"
finish
