#!/bin/sh
# A channel that one can send data into: verify --connect looks at a server, connect forwards to it, and
# both only when the other side is the signed image. The servers are real TLS servers of one platform
# of our own, right or wrong in one way each; they tell how many bytes reached them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq python3
[ -n "${RA_TLS_SERVER:-}" ] || skip "RA_TLS_SERVER is not built"

must keygen image -o "$work/signer.pem"
must build "oci:$images:glibc" --runtime "$runtime" --key "$key" --isvprodid 5 --isvsvn 2 -o "oci:$work/app:v" \
  --sign-key "$work/signer.pem"
app=oci:$work/app:v
must inspect "$app" --format json
enclave="--mrenclave $(jq -r .sgx.mrenclave "$out") --mrsigner $(jq -r .sgx.mrsigner "$out") --isvprodid 5 --isvsvn 2"
fresh=$(printf 'nonce-of-today' | od -A n -v -t x1 | tr -d ' \n')

# server NAME MODE OPTION…: on $port; what it says is in $work/NAME/log. $proof is what judges it.
server() {
  mkdir -p "$work/$1"
  e2e_name=$1 e2e_mode=$2
  shift 2
  "$RA_TLS_SERVER" "$e2e_mode" "$work/$e2e_name" "$@" >"$work/$e2e_name/log" 2>"$work/$e2e_name/err" </dev/null &
  server_pid=$!
  e2e_pids="$e2e_pids $server_pid"
  await_line "$work/$e2e_name/log"
  port=$(head -n 1 "$work/$e2e_name/log")
  proof="--collateral $work/$e2e_name/collateral --root $work/$e2e_name/root.pem"
}
await_line() { # await_line FILE [LINES]
  e2e_tries=200
  while { [ ! -e "$1" ] || [ "$(wc -l <"$1")" -lt "${2:-1}" ]; } && [ "$e2e_tries" -gt 0 ]; do
    e2e_tries=$((e2e_tries - 1))
    sleep 0.05
  done
}
await_text() { # await_text FILE TEXT
  e2e_tries=200
  while ! grep -q "$2" "$1" 2>/dev/null && [ "$e2e_tries" -gt 0 ]; do
    e2e_tries=$((e2e_tries - 1))
    sleep 0.05
  done
}
# idle_client: connects to $at, and says nothing for a minute.
idle_client() {
  rm -f "$work/idle"
  python3 -c 'import socket, sys, time; s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); print("open", flush=True); time.sleep(60)' \
    "$at" >"$work/idle" &
  e2e_pids="$e2e_pids $!"
  await_line "$work/idle"
}
# received NAME: what each connection brought to that server, sorted.
received() { sed 1d "$work/$1/log" | sort | tr '\n' ' '; }

# client PORT SIZE [COUNT]: sends that many bytes, COUNT times at once, ends its half, reads to the end;
# says whether the same came back: "same", "other", "empty", "reset".
cat >"$work/client.py" <<'PY'
import hashlib, os, socket, sys, threading
port, size = int(sys.argv[1]), int(sys.argv[2])
count = int(sys.argv[3]) if len(sys.argv) > 3 else 1
outcomes = [None] * count
def talk(which):
    sent = os.urandom(size)
    back = bytearray()
    broke = threading.Event()  # a reset is told once, to whoever sends or receives
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
            def send():
                try:
                    s.sendall(sent)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    broke.set()
            sender = threading.Thread(target=send)
            sender.start()
            try:
                while True:
                    piece = s.recv(65536)
                    if not piece: break
                    back += piece
            finally:
                sender.join()
        if broke.is_set(): raise ConnectionError
        outcomes[which] = "same" if bytes(back) == sent else "empty" if not back else "other"
    except ConnectionError:
        outcomes[which] = "reset" if not back else "cut"
threads = [threading.Thread(target=talk, args=(i,)) for i in range(count)]
for one in threads: one.start()
for one in threads: one.join()
print(" ".join(sorted(set(outcomes))))
PY
client() { python3 "$work/client.py" "$@"; }

# proxy ARGS…: cloister connect in the background; $at is its port, $proxy_pid it.
proxy() {
  : >"$work/proxy.out"
  "$CLOISTER" connect "$@" >"$work/proxy.out" 2>"$work/proxy.err" </dev/null &
  proxy_pid=$!
  e2e_pids="$e2e_pids $proxy_pid"
  await_line "$work/proxy.out"
  at=$(sed 's/.*://' "$work/proxy.out")
}
# ended: the proxy's exit code.
ended() {
  code=0
  wait "$proxy_pid" || code=$?
}
failed_of() { jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out"; }

# --- the right server -----------------------------------------------------------------------------

# shellcheck disable=SC2086  # options
server good good $enclave --nonce "$fresh"
# shellcheck disable=SC2086
cloister verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" $proof --format json
same "verified over a connection" "$code $(failed_of)" "0 "
claim "by what the certificate carries" jq -e '
  [.checks[] | select(.passed) | .name] | index("quote-evidence") and index("quote-key") and
  index("quote-report-data") and index("quote-signature") and index("quote-image")' "$out"
# shellcheck disable=SC2086
must verify "$app" --key "$work/signer.pub" --connect "localhost:$port" --report-data nonce:nonce-of-today $proof
claim "and people are told" grep -q "A genuine processor runs exactly this image" "$out"
same "a verifier sends nothing" "$(received good)" "got 0 bytes got 0 bytes "

# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof
same "the address is the result, alone" "$(cat "$work/proxy.out")" "127.0.0.1:$at"
same "what was sent comes back" "$(client "$at" 5)" same
ended
same "and then it is over" "$code" 0
for size in 0 1 16384 8388608; do
  # shellcheck disable=SC2086
  proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once --report-data nonce:nonce-of-today $proof
  got=$(client "$at" "$size")
  ended
  same "$size bytes both ways" "$got $code" "same 0"
done
claim "all of it at the server" grep -qx "got 8388608 bytes" "$work/good/log"

# A proxy that stays: several at once, one after the other, and Ctrl-C.
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --listen 127.0.0.1:0 $proof
same "twenty clients at once" "$(client "$at" 100000 20)" same
same "and a large one after them" "$(client "$at" 8388608)" same
claim "each is said" test "$(grep -c 'connection to the signed image' "$work/proxy.err")" = 21
# One that only listens to itself does not stand in the way of others, nor of the end.
idle_client
same "an idle client is no obstacle" "$(client "$at" 1000)" same
began=$(date +%s%N)
kill -INT "$proxy_pid"
ended
took=$((($(date +%s%N) - began) / 1000000))
same "Ctrl-C" "$code" 130
claim "within two seconds ($took ms), with clients connected" test "$took" -lt 2000
same "nobody listens there any more" "$(client "$at" 5)" reset

# The same with --once, before there is a client and while there is one.
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof
kill -INT "$proxy_pid"
ended
same "Ctrl-C while it waits for its client" "$code" 130
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof
idle_client
await_text "$work/proxy.err" "connection to the signed image"
kill -INT "$proxy_pid"
ended
same "Ctrl-C in the middle" "$code" 130

# Two programs cannot have one address.
# shellcheck disable=SC2086
refused 1 "cannot listen" connect "$app" "127.0.0.1:$port" --key "$work/signer.pub" --listen "127.0.0.1:$port" $proof
# Each form of the certificate.
for form in standard older; do
  # shellcheck disable=SC2086
  server "form-$form" good $enclave --forms "$form"
  # shellcheck disable=SC2086
  must verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" $proof
  # shellcheck disable=SC2086
  proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof
  got=$(client "$at" 1000)
  ended
  same "RA-TLS, $form form" "$got $code" "same 0"
done

# --- the wrong ones -------------------------------------------------------------------------------

# wrong NAME FAILED WHY [OPTION…]: the server NAME fails these checks and gets no byte of data.
wrong() {
  e2e_name=$1 e2e_names=$2 e2e_pattern=$3
  shift 3
  # shellcheck disable=SC2086
  cloister verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" $proof "$@" --format json
  same "$e2e_name: verify says why" "$code $(failed_of)" "3 $e2e_names"
  # shellcheck disable=SC2086
  proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof "$@"
  same "$e2e_name: the client is cut off" "$(client "$at" 100000)" reset
  ended
  same "$e2e_name: connect says no" "$code" 3
  claim "$e2e_name: and why" grep -qE "$e2e_pattern" "$work/proxy.err"
  claim "$e2e_name: with a hint" grep -q "^hint: nothing was sent" "$work/proxy.err"
  await_line "$work/$e2e_name/log" 3
  same "$e2e_name: nothing reached the server" "$(received "$e2e_name")" "got 0 bytes got 0 bytes "
}
# shellcheck disable=SC2086
server wrong-key-binding wrong-key-binding $enclave
wrong wrong-key-binding "quote-key" "quote-key"
# shellcheck disable=SC2086
server older-wrong-key wrong-key-binding $enclave --forms older
wrong older-wrong-key "quote-report-data" "quote-report-data"
# shellcheck disable=SC2086
server stale-nonce stale-nonce $enclave --nonce "$fresh"
wrong stale-nonce "quote-nonce" "quote-nonce" --report-data nonce:nonce-of-today
# shellcheck disable=SC2086
server no-nonce good $enclave
wrong no-nonce "quote-nonce" "quote-nonce" --report-data nonce:nonce-of-today
# shellcheck disable=SC2086
server older-nonce good $enclave --nonce "$fresh" --forms older
wrong older-nonce "quote-nonce" "quote-nonce" --report-data nonce:nonce-of-today
# shellcheck disable=SC2086
server debug debug $enclave
wrong debug "quote-debug quote-attributes" "debug"
# shellcheck disable=SC2086
server other-image other-image $enclave
wrong other-image "quote-image quote-mrenclave" "NOT the signed image"
# shellcheck disable=SC2086
server plain-tls plain-tls $enclave
wrong plain-tls "quote-evidence" "quote-evidence"
server snp good --tee snp
wrong snp "quote-image" "the quote is of a SEV-SNP guest"

# A good server, judged without proof, or by a root that is not its own.
# shellcheck disable=SC2086
server unproved good $enclave
proof="--root $work/unproved/root.pem"
wrong unproved "quote-collateral" "quote-collateral"
# shellcheck disable=SC2086
server strange-root good $enclave
proof="--collateral $work/strange-root/collateral --root $work/good/root.pem"
# shellcheck disable=SC2086
cloister verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" $proof --format json
claim "a root of the same name is another one" test "$code" = 3

# A proxy that stays survives a server that is wrong, or gone.
# shellcheck disable=SC2086
server leaving plain-tls $enclave
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" $proof
same "refused" "$(client "$at" 10)" reset
same "and again, each of many" "$(client "$at" 10000 10)" reset
kill "$server_pid"
wait "$server_pid" 2>/dev/null || :
same "a server that is gone" "$(client "$at" 10)" reset
claim "is called that" grep -q "cannot connect" "$work/proxy.err"
claim "the proxy goes on" kill -0 "$proxy_pid"
kill -INT "$proxy_pid"
ended
same "until it is told to end" "$code" 130
# shellcheck disable=SC2086
refused 1 "cannot connect" verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" $proof
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --key "$work/signer.pub" --once $proof
same "no server, no data" "$(client "$at" 10)" reset
ended
same "which is a failure and no verdict" "$code" 1

# A policy that runs out while the proxy runs allows nothing more.
# shellcheck disable=SC2086
server lasting good $enclave
until=$(($(date +%s) + 10))
printf 'schemaVersion = 1\nnot-after = "%s"\n[signers]\nkeys = ["signer.pub"]\n' \
  "$(date -u -d "@$until" +%Y-%m-%dT%H:%M:%SZ)" >"$work/policy.toml"
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$port" --policy "$work/policy.toml" $proof
same "a policy in force" "$(client "$at" 10)" same
while [ "$(date +%s)" -le "$((until + 1))" ]; do sleep 0.2; done
same "and the same one a moment later" "$(client "$at" 10)" reset
claim "says so" grep -q "the policy was valid until" "$work/proxy.err"
kill -INT "$proxy_pid"
ended

# A server that dies in the middle: what was cut is not passed off as whole.
cat >"$work/cutting.py" <<'PY'
import socket, sys, threading
# Forwards to a port, and breaks the connection to the client's side after so many bytes back.
to, limit = int(sys.argv[1]), int(sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", to))
    def up(client=client, server=server):
        try:
            while piece := client.recv(65536): server.sendall(piece)
        except OSError: pass
    threading.Thread(target=up, daemon=True).start()
    left = limit
    while left > 0 and (piece := server.recv(min(left, 65536))):
        client.sendall(piece)
        left -= len(piece)
    client.shutdown(socket.SHUT_RDWR)
    client.close()
PY
# shellcheck disable=SC2086
server cut good $enclave
python3 "$work/cutting.py" "$port" 100000 >"$work/cutting.log" &
e2e_pids="$e2e_pids $!"
await_line "$work/cutting.log"
# shellcheck disable=SC2086
proxy "$app" "127.0.0.1:$(cat "$work/cutting.log")" --key "$work/signer.pub" --once $proof
same "half an answer is no answer" "$(client "$at" 1000000)" cut
ended
same "and a failure" "$code" 1

# --- what is asked wrongly ------------------------------------------------------------------------

# shellcheck disable=SC2086
refused 1 "offline" connect "$app" "127.0.0.1:$port" --key "$work/signer.pub" --offline $proof
# shellcheck disable=SC2086
refused 1 "offline" verify "$app" --key "$work/signer.pub" --connect "127.0.0.1:$port" --offline $proof
refused 2 "is no server" connect "$app" localhost --key "$work/signer.pub"
refused 2 "is no server" verify "$app" --key "$work/signer.pub" --connect ":443"
refused 2 "is no address" connect "$app" localhost:443 --key "$work/signer.pub" --listen 6379
refused 2 "digest of its key" connect "$app" localhost:443 --key "$work/signer.pub" --report-data 00ff
refused 2 "report-data" connect "$app" localhost:443 --key "$work/signer.pub" --report-data ""
refused 2 "digest of its key" verify "$app" --key "$work/signer.pub" --connect localhost:443 --report-data nonce:
refused 2 "allow-unbound" verify "$app" --key "$work/signer.pub" --connect localhost:443 --allow-unbound
must keygen image -o "$work/other.pem"
# shellcheck disable=SC2086
cloister connect "$app" "127.0.0.1:$port" --key "$work/other.pub" --once $proof
same "an image that somebody else signed is not even asked for" "$code $(cat "$out")" "3 "
claim "with what is wrong" grep -q "FAILED  signature" "$err"
finish
