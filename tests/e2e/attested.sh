#!/bin/sh
# An attested connection: verify --connect and connect against a real TLS server whose certificate
# carries a quote of a platform of our own. Only the signed image gets what a client sends; for all
# else, what is wrong is named and not a byte arrives.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need jq curl
[ -n "${RA_TLS_SERVER:-}" ] || skip "RA_TLS_SERVER is not built"

must keygen image --type ed25519 -o "$work/image.pem"
image=oci:$work/built:x
must build "oci:$images:glibc" --runtime "$runtime" --key "$key" --sign-key "$work/image.pem" \
  --isvprodid 7 --isvsvn 4 -o "$image"
must inspect "$image" --measurement --format json
mrenclave=$(jq -r .mrenclave "$out")
mrsigner=$(jq -r .mrsigner "$out")
nonce=6e6f6e6365 # "nonce"

# serve MODE OPTION…: a server of its own; sets $server (HOST:PORT), $site (its directory), $log.
serve() {
  site=$work/site-$1
  log=$work/log-$1
  rm -rf "$site" "$log"
  mkdir -p "$site"
  e2e_mode=$1
  shift
  "$RA_TLS_SERVER" "$e2e_mode" "$site" --mrenclave "$mrenclave" --mrsigner "$mrsigner" --isvprodid 7 --isvsvn 4 \
    --nonce "$nonce" "$@" >"$log" 2>&1 </dev/null &
  e2e_pids="$e2e_pids $!"
  e2e_tries=100
  while [ ! -s "$log" ] && [ "$e2e_tries" -gt 0 ]; do
    e2e_tries=$((e2e_tries - 1))
    sleep 0.1
  done
  server=127.0.0.1:$(head -n 1 "$log")
}

# verdict OPTION…: verify --connect; its failed checks of the quote, in their order.
verdict() {
  cloister verify "$image" --key "$work/image.pub" --connect "$server" --root "$site/root.pem" \
    --collateral "$site/collateral" --format json "$@"
  jq -r '[.checks[] | select(.passed | not) | .name] | join(" ")' "$out"
}

# forwarded OPTION…: sends a line through the proxy; what came back. The proxy's exit code is in
# $work/proxy.code.
forwarded() {
  rm -f "$work/proxy.out"
  {
    e2e_code=0
    "$CLOISTER" connect "$image" "$server" --key "$work/image.pub" --root "$site/root.pem" \
      --collateral "$site/collateral" --listen 127.0.0.1:0 --once "$@" >"$work/proxy.out" 2>"$work/proxy.err" </dev/null || e2e_code=$?
    echo "$e2e_code" >"$work/proxy.code"
  } &
  e2e_proxy=$!
  e2e_tries=100
  while ! grep -q '127\.0\.0\.1:[0-9]' "$work/proxy.out" 2>/dev/null && [ "$e2e_tries" -gt 0 ]; do
    e2e_tries=$((e2e_tries - 1))
    sleep 0.1
  done
  { printf 'secret\n'; sleep 1; } | curl -s -m 10 "telnet://$(grep -o '127\.0\.0\.1:[0-9]*' "$work/proxy.out" | head -n 1)" || :
  wait "$e2e_proxy"
}

serve good
same "the signed image is recognised" "$(verdict)" ""
same "and takes a nonce" "$(verdict --report-data nonce:nonce)" ""
same "another nonce is stale" "$(verdict --report-data nonce:other)" quote-nonce
same "what is sent comes back" "$(forwarded)" secret
same "the proxy ends well" "$(cat "$work/proxy.code")" 0
claim "the server got what was sent" grep -qx 'got 7 bytes' "$log"

# Without the platform's own root nobody's quote is believed.
cloister verify "$image" --key "$work/image.pub" --connect "$server" --collateral "$site/collateral" --format json
same "a root of one's own is not Intel's" "$code" 3
claim "and that is the reason" jq -e 'any(.checks[]; .name == "quote-chain" and (.passed | not))' "$out"

serve good --forms older
same "the older form of evidence will do" "$(verdict)" ""
same "but holds no nonce" "$(verdict --report-data nonce:nonce)" quote-nonce

# denied MODE CHECKS: the server is not the signed image, for that reason, and gets nothing.
denied() {
  serve "$1"
  same "$1: the reason" "$(verdict --report-data nonce:nonce)" "$2"
  same "$1: nothing comes back" "$(forwarded --report-data nonce:nonce)" ""
  same "$1: the proxy says no" "$(cat "$work/proxy.code")" 3
  same "$1: not a byte arrived" "$(grep -c '^got [1-9]' "$log" || :)" 0
}
denied wrong-key-binding quote-key
denied stale-nonce quote-nonce
denied debug "quote-debug quote-attributes"
denied other-image "quote-image quote-mrenclave"
denied plain-tls quote-evidence
finish
