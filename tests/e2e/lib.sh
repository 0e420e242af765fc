# What the end-to-end tests share: a hermetic directory, claims, registries. Sourced by each test.
# Environment, from ctest: CLOISTER (the binary), CLOISTER_SOURCE_DIR, E2E_SHARED (made by setup.sh:
# runtime, enclave.pem, oci).
# shellcheck shell=sh
set -eu
export LC_ALL=C
: "${CLOISTER:?the binary to test}" "${CLOISTER_SOURCE_DIR:?}" "${E2E_SHARED:?}"
unset SOURCE_DATE_EPOCH DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME NO_COLOR \
  CONTAINERS_REGISTRIES_CONF SSL_CERT_FILE CLOISTER_AUTHFILE CLOISTER_PCCS CLOISTER_STORE CLOISTER_TLS_VERIFY \
  CLOISTER_QUIET CLOISTER_PROGRESS CLOISTER_PLATFORM \
  CLOISTER_MAX_LAYER_SIZE CLOISTER_MAX_RATIO CLOISTER_MAX_ENTRIES

work=$(mktemp -d "${TMPDIR:-/tmp}/cloister-e2e-XXXXXX")
export HOME="$work/home" XDG_CACHE_HOME="$work/cache" XDG_STATE_HOME="$work/state"
# Without it root's credentials of Podman would count: /run/containers/0/auth.json.
export XDG_RUNTIME_DIR="$work/run"
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
e2e_pids=
e2e_failures=0
e2e_claims=0
e2e_done=

e2e_cleanup() {
  e2e_code=$?
  for e2e_pid in $e2e_pids; do kill "$e2e_pid" 2>/dev/null || :; done
  chmod -R u+rwX "$work" 2>/dev/null || :
  rm -rf "$work"
  # An early exit by set -e is a failure, whatever the last status was.
  [ -n "$e2e_done" ] || { [ "$e2e_code" != 0 ] || e2e_code=1; }
  exit "$e2e_code"
}
trap e2e_cleanup EXIT
trap 'exit 1' INT TERM

# The last line of every test.
finish() {
  e2e_done=yes
  echo "$e2e_claims claims, $e2e_failures failed"
  [ "$e2e_failures" = 0 ] || exit 1
  exit 0
}

skip() {
  echo "SKIPPED: $*"
  e2e_done=yes
  exit 125
}

# need TOOL…: skips the test visibly where a tool is missing.
need() {
  for e2e_tool in "$@"; do
    command -v "$e2e_tool" >/dev/null || skip "$e2e_tool is not installed (./dev test installs it)"
  done
}

# --- Claims ---------------------------------------------------------------------------------------

fail() {
  e2e_failures=$((e2e_failures + 1))
  echo "FAILED: $*"
}

# claim TEXT COMMAND…: the command succeeds.
claim() {
  e2e_claims=$((e2e_claims + 1))
  e2e_text=$1
  shift
  if "$@" >"$work/claim.out" 2>&1; then
    echo "ok: $e2e_text"
  else
    fail "$e2e_text"
    echo "  command: $*"
    sed 's/^/  | /' "$work/claim.out"
  fi
}

# same TEXT GOT WANT
same() {
  e2e_claims=$((e2e_claims + 1))
  if [ "$2" = "$3" ]; then
    echo "ok: $1"
  else
    fail "$1"
    printf '  got  %s\n  want %s\n' "$2" "$3"
  fi
}

# cloister ARGS…: runs it; $out and $err are files with what it wrote, $code its exit code.
out=$work/out
err=$work/err
cloister() {
  code=0
  "$CLOISTER" "$@" >"$out" 2>"$err" </dev/null || code=$?
}

# must ARGS…: cloister succeeds, or the test ends: what follows would mean nothing.
must() {
  cloister "$@"
  [ "$code" = 0 ] && return
  echo "FAILED: cloister $* exited with $code"
  sed 's/^/  | /' "$err"
  exit 1
}

# refused CODE PATTERN ARGS…: cloister exits with CODE, says PATTERN (extended regular expression,
# any line of the error), gives a hint, prints no result, and leaves nothing half-written.
refused() {
  e2e_want=$1 e2e_pattern=$2
  shift 2
  e2e_claims=$((e2e_claims + 1))
  cloister "$@"
  e2e_why=
  [ "$code" = "$e2e_want" ] || e2e_why="exit code $code, want $e2e_want"
  grep -qE "^error: " "$err" || e2e_why="$e2e_why; no line begins with error:"
  tr '\n' ' ' <"$err" | grep -qE "$e2e_pattern" || e2e_why="$e2e_why; the error does not say: $e2e_pattern"
  grep -qE '^hint: ' "$err" || e2e_why="$e2e_why; no hint"
  [ ! -s "$out" ] || e2e_why="$e2e_why; something on standard output"
  e2e_left=$(leftovers)
  [ -z "$e2e_left" ] || e2e_why="$e2e_why; left over: $e2e_left"
  if [ -z "$e2e_why" ]; then
    echo "ok: refused: $(head -n 1 "$err")"
  else
    fail "cloister $*: $e2e_why"
    sed 's/^/  | /' "$err"
  fi
}

# Files that only an unfinished write would have left.
leftovers() { find "$work" -name '.tmp-*' -o -path "$work/result*" | head -n 5; }

# need_schemas: skips the test where documents cannot be compared with their schemas.
need_schemas() {
  need python3
  python3 -c 'import jsonschema' 2>/dev/null || skip "python3-jsonschema is not installed (./dev test installs it)"
}

# agrees TEXT SCHEMA DOCUMENT, two files.
agrees() {
  claim "$1: agrees with its schema" python3 -W ignore -c '
import json, sys
from jsonschema import Draft202012Validator as Validator
schema, document = (json.load(open(name)) for name in sys.argv[1:])
Validator.check_schema(schema)
errors = sorted(Validator(schema).iter_errors(document), key=str)
for error in errors: print(error.json_path, error.message)
sys.exit(bool(errors))' "$2" "$3"
}
# valid NAME: the last result agrees with cmd/report/schema/NAME.schema.json.
valid() { agrees "$1" "$CLOISTER_SOURCE_DIR/cmd/report/schema/$1.schema.json" "$out"; }

# --- Images ---------------------------------------------------------------------------------------

# shellcheck source=testdata/layout.sh
. "$CLOISTER_SOURCE_DIR/testdata/layout.sh"

# shellcheck disable=SC2034  # for the tests
images=$E2E_SHARED/oci
# shellcheck disable=SC2034
runtime=$E2E_SHARED/runtime
# shellcheck disable=SC2034
key=$E2E_SHARED/enclave.pem

# The manifest of LAYOUT's TAG as it stands, and its digest.
manifest_digest() {
  jq -r --arg tag "$2" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' \
    "$1/index.json"
}
blob_path() { echo "$1/blobs/sha256/${2#sha256:}"; }
manifest_of() { cat "$(blob_path "$1" "$(manifest_digest "$1" "$2")")"; }
config_of() { cat "$(blob_path "$1" "$(manifest_of "$1" "$2" | jq -r .config.digest)")"; }
layers_of() { manifest_of "$1" "$2" | jq -r '.layers[].digest'; }

# forged NAME FILE TITLE: the artifact oci:$work/first:app with another file under this title, as a
# layout of that name; what is attached to the first goes along.
forged() {
  cp -r "$work/first" "$work/$1"
  blob=$(layout_blob "$work/$1" "$(manifest_of "$work/$1" app | jq -r --arg t "$3" \
    '.layers[] | select(.annotations["org.opencontainers.image.title"] == $t) | .mediaType')" "$2")
  manifest_of "$work/$1" app | jq -c --argjson blob "$blob" --arg t "$3" '.layers |= map(
    if .annotations["org.opencontainers.image.title"] == $t then $blob + {annotations} else . end)' >"$work/manifest"
  config_of "$work/$1" app | jq -c --argjson layers "$(jq -c '[.layers[].digest]' "$work/manifest")" \
    '.rootfs.diff_ids = $layers' >"$work/config"
  config=$(layout_blob "$work/$1" "$(jq -r .config.mediaType "$work/manifest")" "$work/config")
  jq -c --argjson config "$config" '.config = $config' "$work/manifest" >"$work/manifest2"
  layout_tag "$work/$1" app "$(layout_blob "$work/$1" "$layout_manifest_type" "$work/manifest2")"
}

# added_layer LAYOUT TAG DIRECTORY: unpacks the layer that a build added.
added_layer() {
  mkdir -p "$3"
  tar -xzf "$(blob_path "$1" "$(layers_of "$1" "$2" | tail -n 1)")" -C "$3"
}

# --- Registry -------------------------------------------------------------------------------------

# make_pki: a private CA with a server certificate for loopback and a client certificate, in $pki.
make_pki() {
  pki=$work/pki
  mkdir -p "$pki"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=e2e CA" \
    -keyout "$pki/ca.key" -out "$pki/ca.crt" 2>/dev/null
  make_certificate server "subjectAltName=DNS:localhost,IP:127.0.0.1"
  make_certificate client "extendedKeyUsage=clientAuth"
}
make_certificate() { # make_certificate NAME EXTENSION
  openssl req -newkey rsa:2048 -nodes -subj "/CN=e2e $1" -keyout "$pki/$1.key" -out "$pki/$1.csr" 2>/dev/null
  echo "$2" >"$pki/$1.ext"
  openssl x509 -req -days 2 -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial \
    -extfile "$pki/$1.ext" -out "$pki/$1.cert" 2>/dev/null
}

# start_token_server: for registries started with `token`; sets $token_server. The user is the same
# as that of a basic one; everybody may pull what begins with public/.
start_token_server() {
  [ -n "${TOKEN_SERVER:-}" ] || skip "TOKEN_SERVER is not built"
  "$TOKEN_SERVER" "$pki/server.key" "$pki/server.cert" e2e-issuer e2e-registry test:test-pass \
    >"$work/token-server" 2>&1 </dev/null &
  e2e_pids="$e2e_pids $!"
  e2e_tries=100
  while [ ! -s "$work/token-server" ] && [ "$e2e_tries" -gt 0 ]; do
    e2e_tries=$((e2e_tries - 1))
    sleep 0.1
  done
  token_server=$(head -n 1 "$work/token-server")
}

# start_registry NAME [basic|token] [tls] [client]: a registry of its own on a free port of loopback;
# sets $registry. The user of a basic one is test with password test-pass. `tls` needs make_pki before
# it, `token` that and start_token_server; `client` wants a client certificate of the same CA.
start_registry() {
  e2e_registry=$work/registry-$1
  mkdir -p "$e2e_registry"
  {
    printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s/data}}\n' "$e2e_registry"
    printf 'http:\n  addr: "127.0.0.1:0"\n'
    case " $* " in
      *" tls "*) printf '  tls:\n    certificate: %s\n    key: %s\n' "$pki/server.cert" "$pki/server.key" ;;
    esac
    case " $* " in
      *" client "*) printf '    clientcas: [%s]\n' "$pki/ca.crt" ;;
    esac
    case " $* " in
      *" basic "*)
        htpasswd -Bbn test test-pass >"$e2e_registry/htpasswd" 2>/dev/null
        printf 'auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n' "$e2e_registry"
        ;;
      *" token "*)
        printf 'auth: {token: {realm: "http://%s/token", service: e2e-registry, issuer: e2e-issuer, rootcertbundle: %s}}\n' \
          "$token_server" "$pki/server.cert"
        ;;
    esac
  } >"$e2e_registry/config.yml"
  docker-registry serve "$e2e_registry/config.yml" >"$e2e_registry/log" 2>&1 </dev/null &
  registry_pid=$!
  e2e_pids="$e2e_pids $registry_pid"
  e2e_tries=100
  registry=
  while [ -z "$registry" ]; do
    registry=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/localhost:\1/p' "$e2e_registry/log" | head -n 1)
    e2e_tries=$((e2e_tries - 1))
    [ "$e2e_tries" -gt 0 ] || { cat "$e2e_registry/log"; exit 1; }
    [ -n "$registry" ] || sleep 0.1
  done
}

# skopeo with a policy that accepts test images, and plain http.
copy() { skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
