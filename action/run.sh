#!/bin/bash
# The entry script of the action, for both of its forms: reads INPUT_*, runs cloister, writes the
# outputs, the job's summary and annotations.
#
# What reaches it is not trusted. Inputs are data: each becomes one argument, in the form --option=VALUE
# or behind "--", so that none of them can be an option. Names in an image may be chosen by somebody
# who opens a pull request: the runner obeys no command in what the tool prints, and what goes into an
# annotation is escaped. Keys and passwords are named by the variable that holds them, and never
# become an argument or an output.
#
# Exit codes are those of cloister; 2 for wrong inputs.
set -euo pipefail
export LC_ALL=C

cloister=${CLOISTER_PROGRAM:-cloister}
: "${GITHUB_OUTPUT:?this script is started by the action}" "${GITHUB_STEP_SUMMARY:?}"
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# --- What the runner reads ------------------------------------------------------------------------

escape_data() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}
# error TITLE TEXT: both are data; a title is a property, where two characters more have a meaning.
error() {
  local title
  title=$(escape_data "$1")
  title=${title//:/%3A}
  printf '::error title=%s::%s\n' "${title//,/%2C}" "$(escape_data "$2")"
}
usage() {
  error "wrong input" "$1"
  exit 2
}
output() {
  local end
  end=end_$(random)
  printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end" >>"$GITHUB_OUTPUT"
}

# --- Inputs ---------------------------------------------------------------------------------------

input() {
  local name=INPUT_$1
  printf '%s' "${!name-}"
}
# is_set NAME: of an input that is a switch.
is_set() {
  case $(input "$1") in
    true) return 0 ;;
    false | '') return 1 ;;
    *) usage "$1 is '$(input "$1")', want true or false" ;;
  esac
}
# variable INPUT: sets $name to the name of the variable that holds a secret; it must hold something.
variable() {
  name=$(input "$1")
  [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] ||
    usage "$1 is the name of an environment variable, never a secret itself"
  [[ -n ${!name-} ]] ||
    usage "the variable $name is empty: pass it with 'env:', and mind that pull requests from forks get no secrets (mode audit needs none)"
}

arguments=()
value() { # value OPTION INPUT
  local text
  text=$(input "$2")
  [[ -z $text ]] || arguments+=("$1=$text")
}
list() { # list OPTION INPUT: one argument for each line that is not empty
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    [[ -z $line ]] || arguments+=("$1=$line")
  done <<<"$(input "$2")"
}
switch() { # switch OPTION INPUT
  if is_set "$2"; then arguments+=("$1"); fi
}
need() { [[ -n $(input "$1") ]] || usage "mode $mode needs the input ${2:-$1}"; }

# What decides the manifest: the same for an audit and the build that it is about.
plan_options() {
  list --runtime RUNTIME
  value --manifest MANIFEST
  value --trust TRUST
  list --include INCLUDE
  list --exclude EXCLUDE
  value --entrypoint IMAGE_ENTRYPOINT
  list --arg IMAGE_ARGS
  list --env ENVIRONMENT
  list --passthrough PASSTHROUGH
  value --user USER
  value --workdir WORKDIR
  list --volume VOLUMES
  value --enclave-size ENCLAVE_SIZE
  value --max-threads MAX_THREADS
  switch --edmm EDMM
  switch --debug DEBUG
  switch --no-attestation NO_ATTESTATION
  value --isvprodid ISVPRODID
  value --isvsvn ISVSVN
  case $(input RA_TLS) in
    '' | false) ;;
    true) arguments+=(--ra-tls) ;;
    *) value --ra-tls RA_TLS ;;
  esac
  switch --marblerun MARBLERUN
  value --premain PREMAIN
  value --secret-prov SECRET_PROV
  value --secret-prov-ca SECRET_PROV_CA
  list --accept ACCEPT
}
image_options() {
  value --platform PLATFORM
  arguments+=(--progress=plain --no-color)
}

# --- Running cloister -----------------------------------------------------------------------------

# run FILE COMMAND ARGUMENTS…: what it prints goes to the file, the rest into the log; sets $code.
code=0
run() {
  local result=$1 token
  shift
  token=$(random)
  echo "::group::cloister $1"
  echo "::stop-commands::$token"
  printf 'cloister'
  printf ' %q' "$@"
  echo
  set +e
  "$cloister" "$@" 2>&1 >"$result" </dev/null | tee "$temporary/stderr"
  code=${PIPESTATUS[0]}
  set -e
  echo
  echo "::$token::"
  echo "::endgroup::"
}
# failed COMMAND: when it neither did its work nor came to a verdict.
failed() {
  error "cloister $1" "$(grep -vE '^[0-9a-f]{12}  ' "$temporary/stderr" | tail -n 8)"
  exit "$code"
}
must() {
  run "$@"
  [[ $code = 0 ]] || failed "$2"
}

# --- Reports --------------------------------------------------------------------------------------

# Text of an image in a line of ours: no control characters, no overrides of direction.
readonly clean='def clean: explode | map(if . < 32 or (. >= 127 and . < 160) or (. >= 8234 and . <= 8238)
  or (. >= 8294 and . <= 8297) then 65533 else . end) | implode;'
# shellcheck disable=SC2016  # jq's own variables
readonly annotations=$clean'
def data: clean | gsub("%"; "%25");
def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
def level: {critical: "error", high: "error", medium: "warning"}[.];
def place: .where.source // empty | select(.file | startswith("/") | not)
  | " file=\(.file | property),line=\(.line // 1),";
[.findings[] | select((.accepted | not) and (.severity | level))]
| (map(select(.severity | level == "error"))[:10] + map(select(.severity | level == "warning"))[:10])[]
| "::\(.severity | level)\((place) // " ")title=\("\(.id) \(.title)" | property)::\(
    "\(.severity): \(.meaning) Found: \(.where.name) \(.evidence) Fix: \(.fix)" | data)"'
# shellcheck disable=SC2016
readonly check_table=$clean'
def cell: clean | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub("(?<c>[\\\\`*_|\\[\\]!#~])"; "\\\(.c)");
"| | check | found |", "|---|---|---|",
(.checks[] | "| \(if .passed then "✅" else "❌" end) | \(.name | cell) | \(.found | cell)\(
  if .passed or .expected == null then "" else ", want " + (.expected | cell) end) |")'

# The runner takes a megabyte of each step.
summary() {
  local most=1000000
  head -c "$most" "$1" >>"$GITHUB_STEP_SUMMARY"
  if (($(wc -c <"$1") > most)); then
    printf '\n\n*The rest of the report is in the report file.*\n' >>"$GITHUB_STEP_SUMMARY"
  fi
}

# read_formats: sets $report_formats to what is to be written beside JSON and Markdown.
report_formats=()
read_formats() {
  local format
  report=$reports/report.json
  while IFS= read -r format; do
    case $format in
      '' | json | markdown) ;;
      sarif | html) report_formats+=("$format") ;;
      *) usage "formats has '$format'; there are sarif, html, json and markdown" ;;
    esac
  done <<<"$(input FORMATS | tr -d '\r' | tr -s ', ' '\n')"
}
# report_outputs: after the run, whatever its verdict.
report_outputs() {
  local format
  output report-file "$report"
  for format in "${report_formats[@]}"; do
    output "$format-file" "$reports/report.$format"
  done
  summary "$temporary/summary.md"
}

# name_outputs NAME DIGEST: an image in a registry, and as it is pinned; others only have a digest.
name_outputs() {
  local repository=${1#docker://}
  output digest "$2"
  case $1 in
    '' | oci:* | oci-archive:* | docker-archive:* | docker-daemon:*) return ;;
  esac
  repository=${repository%@sha256:*}
  [[ ${repository##*/} != *:* ]] || repository=${repository%:*}
  output repository "$repository"
  [[ -z $2 ]] || output image "$repository@$2"
}

# --- Modes ----------------------------------------------------------------------------------------

audit() {
  local format
  arguments=()
  plan_options
  image_options
  value --fail-on FAIL_ON
  value --policy POLICY
  read_formats
  arguments+=(--format=json "--output=$report" "--report=markdown=$temporary/summary.md")
  for format in "${report_formats[@]}"; do
    arguments+=("--report=$format=$reports/report.$format")
  done
  run /dev/null audit "${arguments[@]}" -- "$(input IMAGE)"
  [[ $code = 0 || $code = 3 ]] || failed audit
  report_outputs
  jq -r "$annotations" "$report"
  output findings "$(jq -c '.counts' "$report")"
  [[ $mode = build ]] || {
    name_outputs "$(jq -r '.subject.name' "$report")" "$(jq -r '.subject.digest // ""' "$report")"
    output mrenclave "$(jq -r '.sgx.mrenclave // ""' "$report")"
  }
  [[ $code = 0 ]] || {
    error "the audit says no" "a finding is $(jq -r '"\(.verdict.worst), and the gate is at \(.verdict.failOn)"' "$report"); the job's summary has all of them"
    exit "$code"
  }
}

build() {
  local key metadata=$reports/metadata.json predicate=$reports/predicate.json from
  variable KEY_ENV
  key=$name
  if is_set AUDIT; then audit; fi
  arguments=()
  plan_options
  image_options
  arguments+=("--key=env://$key" "--metadata-file=$metadata")
  if [[ -n $(input SIGN_KEY_ENV) ]]; then
    variable SIGN_KEY_ENV
    arguments+=("--sign-key=env://$name")
    value --sbom SBOM
    value --sig-format SIG_FORMAT
  fi
  list --tag TAGS
  switch --push PUSH
  value --output OUTPUT
  value --date DATE
  list --label LABELS
  switch --with-direct WITH_DIRECT
  value --locked LOCKED
  run /dev/null build "${arguments[@]}" -- "$(input IMAGE)"
  [[ $code = 0 ]] || failed build
  name_outputs "$(jq -r '.image.name // ""' "$metadata")" "$(jq -r '.image.digest' "$metadata")"
  output mrenclave "$(jq -r .sgx.mrenclave "$metadata")"
  output mrsigner "$(jq -r .sgx.mrsigner "$metadata")"
  output metadata-file "$metadata"
  build_summary "$metadata"

  # What somebody else may sign; the built image is in the store under its name, or where it was put.
  arguments=(--measurement --format=predicate)
  from=$(input OUTPUT)
  if [[ -n $(input TAGS) ]]; then
    from=$(jq -r .image.name "$metadata")
    arguments+=(--offline)
  fi
  if [[ -n $from ]]; then
    image_options
    must "$predicate" inspect "${arguments[@]}" -- "$from"
    output predicate-file "$predicate"
    output predicate-type urn:cloister:enclave-measurement:v1
  fi
}
build_summary() {
  jq -r '"## Built \(.image.name // "an image")", "", "| | |", "|---|---|", "| digest | `\(.image.digest)` |",
    "| MRENCLAVE | `\(.sgx.mrenclave)` |", "| MRSIGNER | `\(.sgx.mrsigner)` |",
    "| product, security version | \(.sgx.isvprodid), \(.sgx.isvsvn) |",
    "| runtime | \(.runtime.name) \(.runtime.version) |",
    "| may open | \(.manifest.trustedFiles) files, \(.manifest.trustedBytes) bytes |"' "$1" \
    >"$temporary/build.md"
  summary "$temporary/build.md"
}

# compare_as FORMAT FILE: one report; both sides are in the store after the first.
compare_as() {
  run /dev/null diff "${arguments[@]}" "--format=$1" "--output=$2" -- "$(input BASELINE)" "$(input IMAGE)"
  [[ $code = 0 || $code = 3 ]] || failed diff
}
compare() {
  local format
  need BASELINE baseline
  arguments=()
  plan_options
  image_options
  read_formats
  compare_as json "$report"
  compare_as markdown "$temporary/summary.md"
  for format in "${report_formats[@]}"; do
    compare_as "$format" "$reports/report.$format"
  done
  report_outputs
  [[ $code = 0 ]] || {
    error "more is allowed than before" "the job's summary says what '$(input IMAGE)' may do that '$(input BASELINE)' may not"
    exit "$code"
  }
}

verify() {
  report=$reports/verify.json
  arguments=()
  image_options
  value --key PUBLIC_KEY
  value --policy POLICY
  value --mrsigner MRSIGNER
  value --isvprodid ISVPRODID
  value --min-isvsvn MIN_ISVSVN
  switch --rebuild REBUILD
  list --runtime RUNTIME
  arguments+=(--format=json)
  run "$report" verify "${arguments[@]}" -- "$(input IMAGE)"
  [[ -s $report && ($code = 0 || $code = 3) ]] || failed verify
  {
    echo "## $(jq -r 'if .verified then "Verified" else "Not verified" end' "$report")"
    echo
    jq -r "$check_table" "$report"
  } >"$temporary/verify.md"
  summary "$temporary/verify.md"
  output report-file "$report"
  name_outputs "$(jq -r .image.name "$report")" "$(jq -r .image.digest "$report")"
  output mrenclave "$(jq -r 'first(.checks[] | select(.name == "mrenclave") | .found) // ""' "$report")"
  [[ $code = 0 ]] || {
    error "not verified" "$(jq -r "$clean"'[.checks[] | select(.passed | not) | "\(.name): \(.found)"] | map(clean) | join("; ")' "$report")"
    exit "$code"
  }
}

# Where reports stay for later steps: under the runner's temporary directory, or in the workspace,
# where a checkout of somebody else's must not lead out of it.
report_directory() {
  local base
  base=$(input OUTPUT_DIR)
  if [[ -z $base ]]; then
    base=${RUNNER_TEMP:?}
  else
    [[ $base != /* && $(realpath -m -- "$base")/ = "$(realpath -- "${GITHUB_WORKSPACE:-.}")"/* ]] ||
      usage "output-dir is '$base', want a directory in the workspace"
    base=./$base
    mkdir -p -- "$base"
  fi
  reports=$(mktemp -d "$base/cloister-XXXXXX")
  reports=${reports#./}
  chmod 755 "$reports"
}

# Credentials for this run alone; otherwise those of Docker and Podman are used.
log_in() {
  [[ -n $(input PASSWORD_ENV) ]] || return 0
  variable PASSWORD_ENV
  need REGISTRY registry
  need USERNAME username
  export CLOISTER_AUTHFILE=$temporary/auth.json
  printf '%s\n' "${!name}" | "$cloister" login --quiet --password-stdin "--username=$(input USERNAME)" \
    -- "$(input REGISTRY)" 2>"$temporary/stderr" || {
    code=$?
    failed login
  }
}

mode=$(input MODE)
case $mode in
  audit | build | verify) action=$mode ;;
  diff) action=compare ;;
  *) usage "mode is '$mode', want audit, build, diff or verify" ;;
esac
need IMAGE image
[[ $(input IMAGE) != *$'\n'* ]] || usage "image is one image, and has several lines"
cd -- "${GITHUB_WORKSPACE:-.}"
report_directory
log_in
"$action"
