#!/bin/sh
# The GitHub Action, run as its runner would: inputs as variables, outputs and summary in files, what is
# printed read for commands. A stand-in program shows what reaches it and says hostile things back; the
# real one builds, pushes and verifies.
# shellcheck disable=SC2016  # what is in single quotes is for another shell
:
# shellcheck source=tests/e2e/lib.sh
. "$CLOISTER_SOURCE_DIR/tests/e2e/lib.sh"
need bash jq openssl curl skopeo docker-registry
need_schemas

action=$CLOISTER_SOURCE_DIR/action
workspace=$work/workspace
mkdir -p "$workspace" "$work/temp"

# act SCRIPT NAME=VALUE…: one step; $code, and $work/step with output, summary and log.
act() {
  script=$1
  shift
  rm -rf "$work/step"
  mkdir "$work/step"
  code=0
  (cd "$workspace" && env -i PATH="$PATH" HOME="$HOME" LC_ALL=C TMPDIR="$work/temp" \
    XDG_CACHE_HOME="$XDG_CACHE_HOME" XDG_STATE_HOME="$XDG_STATE_HOME" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" \
    GITHUB_OUTPUT="$work/step/output" GITHUB_STEP_SUMMARY="$work/step/summary" GITHUB_WORKSPACE="$workspace" \
    RUNNER_TEMP="$work/temp" CLOISTER_PROGRAM="$program" STAND_IN="$work/stand-in" "$@" \
    bash "$action/$script") >"$work/step/log" 2>&1 </dev/null || code=$?
  touch "$work/step/output" "$work/step/summary"
}
# output NAME: read as the runner reads it.
output() {
  awk -v name="$1" '
    end == "" && (i = index($0, "<<")) { key = substr($0, 1, i - 1); end = substr($0, i + 2); value = ""; n = 0; next }
    end != "" && $0 == end { if (key == name) print value; end = ""; next }
    end != "" { value = n++ ? value "\n" $0 : $0 }' "$work/step/output"
}
# commands: the lines that the runner obeys, without groups.
commands() {
  awk '
    { line = $0; sub(/^[ \t]+/, "", line) }
    stopped != "" { if (line == "::" stopped "::") stopped = ""; next }
    line ~ /^::stop-commands::/ { stopped = substr(line, 18); next }
    line ~ /^::(group|endgroup)::/ { next }
    line ~ /^::/ || line ~ /##\[/ { print line }' "$work/step/log"
}
# shellcheck disable=SC2317  # by claim
said() { grep -qF -- "$1" "$work/step/log"; }

# --- A program that says what it was asked, and then what it is told to -------------------------------

program=$work/stand-in/cloister
mkdir -p "$work/stand-in"
cat >"$program" <<'SH'
#!/bin/sh
for argument in "$@"; do printf '%s\n.\n' "$argument"; done >"$STAND_IN/arguments"
for argument in "$@"; do
  case $argument in
    --format=*) format=${argument#--format=} ;;
    --output=*.md) echo "# as $format" >"${argument#--output=}" ;;
    --output=*) cp "$STAND_IN/report.json" "${argument#--output=}" ;;
    --report=markdown=*) echo '# the report' >"${argument#--report=markdown=}" ;;
    --report=sarif=*) echo '{}' >"${argument#--report=sarif=}" ;;
  esac
done
printf '::set-output name=digest::stolen\n  ::add-mask::e\n##[add-path]/tmp\nerror: it is\n::error::broken\nhint: mend it\n' >&2
exit "$(cat "$STAND_IN/code")"
SH
chmod +x "$program"
cat >"$work/stand-in/report.json" <<'JSON'
{"subject": {"kind": "image", "name": "reg.example:5000/team/app\nend_\ndigest<<X:1", "digest": "sha256:00"},
 "verdict": {"passed": true, "failOn": "critical", "worst": "high"},
 "counts": {"critical": 0, "high": 1, "medium": 1, "low": 1, "info": 0, "accepted": 1},
 "sgx": {"mrenclave": "ab"},
 "findings": [
  {"id": "CL1", "severity": "high", "title": "a, b: 100%", "meaning": "It is\nso.", "fix": "mend it",
   "where": {"kind": "file", "name": "/x\u001b[31m\r\n::error::no", "source": {"file": "a,b:c.toml", "line": 7}}, "evidence": "\u202e%0A"},
  {"id": "CL2", "severity": "medium", "title": "t", "meaning": "m", "fix": "f", "where": {"kind": "file", "name": "n", "source": {"file": "/etc/x", "line": 1}}, "evidence": "e"},
  {"id": "CL3", "severity": "low", "title": "t", "meaning": "m", "fix": "f", "where": {"kind": "file", "name": "n"}, "evidence": "e"},
  {"id": "CL4", "severity": "critical", "title": "t", "meaning": "m", "fix": "f", "where": {"kind": "file", "name": "n"}, "evidence": "e",
   "accepted": {"reason": "r", "by": "p"}}]}
JSON
echo 0 >"$work/stand-in/code"

# Every kind of input with everything that a shell, a runner or a command line might take for its own.
hostile="\$(touch $work/pwned)
--push

\`touch $work/pwned\` \"; touch $work/pwned; ' *"
act run.sh INPUT_MODE=audit INPUT_IMAGE=--push "INPUT_INCLUDE=$hostile" "INPUT_TRUST=closure --push" \
  INPUT_IMAGE_ARGS=--save "INPUT_ENVIRONMENT=A=B=C d" INPUT_EDMM=true INPUT_DEBUG=false INPUT_FAIL_ON=critical \
  INPUT_FORMATS=sarif
same "hostile inputs are no failure of the script" "$code" 0
same "each input is one argument, and none an option" "$(grep -v '^\.$' "$work/stand-in/arguments" | grep -vE '^--(output|report)=')" \
  "audit
--trust=closure --push
--include=\$(touch $work/pwned)
--include=--push
--include=\`touch $work/pwned\` \"; touch $work/pwned; ' *
--arg=--save
--env=A=B=C d
--edmm
--progress=plain
--no-color
--fail-on=critical
--format=json
--
--push"
claim "nothing of an input was executed" test ! -e "$work/pwned"
same "the runner obeys nothing that the program prints, and annotations are escaped" "$(commands)" \
  "::error file=a%2Cb%3Ac.toml,line=7,title=CL1 a%2C b%3A 100%25::high: It is�so. Found: /x�[31m��::error::no �%250A Fix: mend it
::warning title=CL2 t::medium: m Found: n e Fix: f"
same "an output holds what was said, whatever it looks like" "$(output repository)" "reg.example:5000/team/app
end_
digest<<X"
same "no other output was set by it" "$(output digest)" sha256:00
same "output mrenclave" "$(output mrenclave)" ab
same "output findings" "$(output findings | jq .high)" 1
same "the summary is the report" "$(cat "$work/step/summary")" "# the report"
claim "report-file is there" test -s "$(output report-file)"
claim "sarif-file is there" test -s "$(output sarif-file)"
same "no html was asked for" "$(output html-file)" ""

echo 3 >"$work/stand-in/code"
act run.sh INPUT_MODE=audit INPUT_IMAGE=x INPUT_OUTPUT_DIR=reports INPUT_FORMATS="html, sarif"
same "a gate that says no is exit code 3" "$code" 3
claim "and is said" said "::error title=the audit says no::a finding is high, and the gate is at critical"
claim "the reports are there all the same" test -s "$(output sarif-file | sed "s|^|$workspace/|")"
claim "output-dir gives names within the workspace" sh -c 'case $1 in reports/cloister-*/report.json) ;; *) exit 1 ;; esac' - "$(output report-file)"
claim "the summary too" test -s "$work/step/summary"

act run.sh INPUT_MODE=diff INPUT_IMAGE=--new INPUT_BASELINE=--old INPUT_FORMATS=html INPUT_TRUST=all
same "a comparison that says no is exit code 3" "$code" 3
same "its summary" "$(cat "$work/step/summary")" "# as markdown"
claim "its reports" test -s "$(output report-file)" -a -s "$(output html-file)"
same "its arguments" "$(grep -v '^\.$' "$work/stand-in/arguments" | grep -v '^--output')" "diff
--trust=all
--progress=plain
--no-color
--format=html
--
--old
--new"

echo 1 >"$work/stand-in/code"
act run.sh INPUT_MODE=audit INPUT_IMAGE=x
same "what failed is exit code 1" "$code" 1
same "and its error an annotation" "$(commands)" \
  "::error title=cloister audit::::set-output name=digest::stolen%0A  ::add-mask::e%0A##[add-path]/tmp%0Aerror: it is%0A::error::broken%0Ahint: mend it"

# wrong TEXT NAME=VALUE…: refused before the program is asked anything.
wrong() {
  text=$1
  shift
  rm -f "$work/stand-in/arguments"
  act run.sh INPUT_MODE=audit INPUT_IMAGE=x "$@"
  same "wrong input: $text" "$code" 2
  claim "... is said" said "::error title=wrong input::"
  claim "... and nothing was run" test ! -e "$work/stand-in/arguments"
}
ln -sf "$work/temp" "$workspace/link"
wrong "a mode that is none" INPUT_MODE=buidl
wrong "no image" INPUT_IMAGE=
wrong "two images" "INPUT_IMAGE=a
b"
wrong "a switch that is none" INPUT_EDMM=yes
wrong "an unknown format" INPUT_FORMATS=pdf
wrong "a directory above the workspace" INPUT_OUTPUT_DIR=../x
wrong "an absolute directory" "INPUT_OUTPUT_DIR=$work/temp"
wrong "a link out of the workspace" INPUT_OUTPUT_DIR=link
wrong "a build without a key" INPUT_MODE=build
wrong "a secret that is empty, as in a fork" INPUT_MODE=build INPUT_KEY_ENV=SECRET SECRET=
claim "... says which and why" said "the variable SECRET is empty"
wrong "a secret in place of its name" INPUT_MODE=build "INPUT_KEY_ENV=-----BEGIN PRIVATE KEY-----"
claim "... is not shown" sh -c '! grep -q BEGIN "$1"' - "$work/step/log"
wrong "a comparison with nothing" INPUT_MODE=diff

# --- The program itself -----------------------------------------------------------------------------

program=$CLOISTER
start_registry action basic
must keygen image -o "$work/image.pem"
enclave_key=$(cat "$key")
image_key=$(cat "$work/image.pem")
name=$registry/app
act run.sh INPUT_MODE=build "INPUT_IMAGE=oci:$images:glibc" "INPUT_RUNTIME=$runtime" INPUT_AUDIT=false \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_SIGN_KEY_ENV=IMAGE_KEY "IMAGE_KEY=$image_key" \
  "INPUT_TAGS=$name:1
$name:latest" INPUT_PUSH=true INPUT_ISVSVN=3 "INPUT_REGISTRY=$registry" INPUT_USERNAME=test \
  INPUT_PASSWORD_ENV=TOKEN TOKEN=test-pass
same "a build succeeds" "$code" 0
[ "$code" = 0 ] || sed 's/^/  | /' "$work/step/log"
digest=$(output digest)
for tag in 1 latest; do
  same "digest is that of $tag in the registry" "$digest" \
    "$(skopeo inspect --tls-verify=false --creds test:test-pass --format '{{.Digest}}' "docker://$name:$tag")"
done
same "image is pinned" "$(output image)" "$name@$digest"
same "repository has no tag" "$(output repository)" "$name"
metadata=$(output metadata-file)
same "mrenclave" "$(output mrenclave)" "$(jq -r .sgx.mrenclave "$metadata")"
same "mrsigner" "$(output mrsigner)" "$(openssl rsa -in "$key" -noout -modulus 2>/dev/null |
  sed 's/Modulus=//' | tr A-F a-f | fold -w2 | tac | tr -d '\n' | sed 's/../\\x&/g' | xargs -0 printf | sha256sum | cut -c -64)"
claim "the summary has the measurement" grep -q "$(output mrenclave)" "$work/step/summary"
agrees "predicate-file" "$CLOISTER_SOURCE_DIR/sign/image/schema/enclave-measurement-v1.json" "$(output predicate-file)"
skopeo inspect --raw --tls-verify=false --creds test:test-pass "docker://$name:$(echo "$digest" | tr : -).att" >"$work/att"
envelope=$(jq -r --arg type "$(output predicate-type)" \
  'first(.layers[] | select(.annotations.predicateType == $type) | .digest)' "$work/att")
curl -sf -u test:test-pass "http://$registry/v2/app/blobs/$envelope" | jq -r .payload | base64 -d | jq -S .predicate >"$work/attested"
same "predicate-file is what the build attested" "$(jq -S . "$(output predicate-file)")" "$(cat "$work/attested")"
line=$(printf '%s' "$enclave_key" | sed -n 3p)
claim "no key and no password is in log, outputs or reports" sh -c '! grep -rqF -e "$1" -e "$2" -e test-pass "$3" "$4"' - \
  "$line" "$(printf '%s' "$image_key" | sed -n 2p)" "$work/step" "$work/temp"
claim "credentials were for that step" sh -c '! grep -rq auths "$1" "$2"' - "$HOME" "$work/temp"

cat >"$work/policy.toml" <<TOML
schemaVersion = 1
[signers]
keys = ["image.pub"]
TOML
act run.sh INPUT_MODE=verify "INPUT_IMAGE=$name:1" "INPUT_POLICY=$work/policy.toml" INPUT_MIN_ISVSVN=3 \
  "INPUT_REGISTRY=$registry" INPUT_USERNAME=test INPUT_PASSWORD_ENV=TOKEN TOKEN=test-pass
same "it is verified" "$code" 0
[ "$code" = 0 ] || sed 's/^/  | /' "$work/step/log"
same "verify: digest" "$(output digest)" "$digest"
same "verify: mrenclave" "$(output mrenclave)" "$(jq -r .sgx.mrenclave "$metadata")"
claim "the summary lists the checks" grep -q '✅ | signature' "$work/step/summary"
act run.sh INPUT_MODE=verify "INPUT_IMAGE=$name:1" "INPUT_PUBLIC_KEY=env://KEY" "KEY=$(cat "$work/image.pub")" \
  INPUT_MIN_ISVSVN=4 "INPUT_REGISTRY=$registry" INPUT_USERNAME=test INPUT_PASSWORD_ENV=TOKEN TOKEN=test-pass
same "a check that fails is exit code 3" "$code" 3
claim "the summary says which" grep -q '❌ | isvsvn' "$work/step/summary"
claim "and so does an annotation" said "::error title=not verified::isvsvn: 3"
act run.sh INPUT_MODE=verify "INPUT_IMAGE=$name:1" "INPUT_POLICY=$work/policy.toml"
same "not logged in: exit code 4" "$code" 4

act run.sh INPUT_MODE=build "INPUT_IMAGE=oci:$images:static" "INPUT_RUNTIME=$runtime" INPUT_AUDIT=false \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_OUTPUT=oci:out:v1
same "a build into the workspace succeeds" "$code" 0
same "and has that digest" "$(output digest)" "$(manifest_digest "$workspace/out" v1)"
same "it has no name to pin" "$(output image)$(output repository)" ""
agrees "its predicate" "$CLOISTER_SOURCE_DIR/sign/image/schema/enclave-measurement-v1.json" "$(output predicate-file)"

# --- Auditing and comparing --------------------------------------------------------------------------

image=oci:$images:glibc
act run.sh INPUT_MODE=audit "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_FORMATS="sarif html"
same "an audit passes" "$code" 0
[ "$code" = 0 ] || sed 's/^/  | /' "$work/step/log"
same "audit: digest" "$(output digest)" "$(manifest_digest "$images" glibc)"
audited=$(output mrenclave)
claim "audit: mrenclave" expr "$audited" : '[0-9a-f]\{64\}$'
same "audit: findings" "$(output findings)" "$(jq -c .counts "$(output report-file)")"
same "audit: SARIF for upload" "$(jq -r .version "$(output sarif-file)")" 2.1.0
claim "audit: a page" grep -qi '<html' "$(output html-file)"
claim "audit: the summary names the image" grep -q "glibc" "$work/step/summary"
act run.sh INPUT_MODE=audit "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_INCLUDE=/etc/passwd INPUT_DEBUG=true \
  INPUT_FAIL_ON=critical INPUT_FORMATS=sarif
same "a debug enclave does not pass" "$code" 3
claim "... and an annotation says so" sh -c 'grep -q "^::error .*debug" "$1"' - "$work/step/log"
claim "... with its report" test -s "$(output sarif-file)"
act run.sh INPUT_MODE=build "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_AUDIT=true INPUT_DEBUG=true INPUT_FAIL_ON=critical \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_OUTPUT=oci:debug:v1
same "what does not pass is not built" "$code$(output digest)$(ls "$workspace/debug" 2>/dev/null)" 3
act run.sh INPUT_MODE=build "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_AUDIT=true \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_OUTPUT=oci:passed:v1
same "what passes is built" "$code" 0
same "and is the enclave that was audited" "$(output mrenclave)" "$audited"
claim "its summary has both" grep -q '^## Built' "$work/step/summary"

must build "$image" --runtime "$runtime" --dry-run "--lock=$workspace/cloister.lock.json"
act run.sh INPUT_MODE=diff INPUT_BASELINE=cloister.lock.json "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_FORMATS=sarif
same "no drift" "$code" 0
[ "$code" = 0 ] || sed 's/^/  | /' "$work/step/log"
act run.sh INPUT_MODE=diff INPUT_BASELINE=cloister.lock.json "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_FORMATS=sarif \
  INPUT_TRUST=all
same "drift" "$code" 3
same "... widens" "$(jq .widens "$(output report-file)")" true
claim "... as the summary says" grep -q /usr/share/doc/readme "$work/step/summary"
claim "... in SARIF too" test -s "$(output sarif-file)"
act run.sh INPUT_MODE=build "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_TRUST=all INPUT_AUDIT=false INPUT_LOCKED=cloister.lock.json \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_OUTPUT=oci:drifted:v1
same "what drifted is not built when locked" "$code$(output digest)" 3
act run.sh INPUT_MODE=build "INPUT_IMAGE=$image" "INPUT_RUNTIME=$runtime" INPUT_AUDIT=false INPUT_LOCKED=cloister.lock.json \
  INPUT_KEY_ENV=ENCLAVE_KEY "ENCLAVE_KEY=$enclave_key" INPUT_OUTPUT=oci:locked:v1
same "what did not is" "$code" 0

# --- Installing -------------------------------------------------------------------------------------

release=$work/release
archive=cloister-9.8.7-linux-$(dpkg --print-architecture 2>/dev/null || echo amd64).tar.gz
make_release() { # make_release TEXT: a release whose program prints it, signed by $work/release.pem
  rm -rf "$release"
  mkdir -p "$release/${archive%.tar.gz}/bin"
  printf '#!/bin/sh\necho %s\n' "$1" >"$release/${archive%.tar.gz}/bin/cloister"
  chmod +x "$release/${archive%.tar.gz}/bin/cloister"
  tar -czf "$release/$archive" -C "$release" "${archive%.tar.gz}"
  (cd "$release" && sha256sum -- *.tar.gz >SHA256SUMS)
  openssl dgst -sha256 -sign "$work/release.pem" -out "$release/SHA256SUMS.sig" "$release/SHA256SUMS"
}
install() {
  act install.sh INPUT_VERSION=9.8.7 "INPUT_RELEASE_KEY=$(cat "$work/release.pub")" "INPUT_RELEASE_URL=file://$release" "$@"
}
not_installed() { # not_installed TEXT PATTERN
  same "$1: not installed" "$code" 1
  claim "$1: says why" grep -q "::error title=installing cloister::.*$2" "$work/step/log"
  same "$1: no program" "$(output program)" ""
}
must keygen image -o "$work/release.pem"
make_release genuine
install
same "a signed release is installed" "$code" 0
[ "$code" = 0 ] || sed 's/^/  | /' "$work/step/log"
same "and is what was signed" "$("$(output program)")" genuine
act install.sh ACTION_REF=v9.8.7 "INPUT_RELEASE_KEY=$(cat "$work/release.pub")" "INPUT_RELEASE_URL=file://$release" PATH=/usr/bin:/bin
same "the action's own tag is the version" "$("$(output program)")" genuine
install INPUT_RELEASE_KEY="$(cat "$work/image.pub")"
not_installed "another key" "not signed by the release key"
printf x >>"$release/$archive"
install
not_installed "a changed archive" "is not what was signed"
sed -i 's/^./0/' "$release/SHA256SUMS"
install
not_installed "changed checksums" "not signed by the release key"
make_release genuine
install INPUT_VERSION=9.8.6
not_installed "another version under that address" "cannot fetch"
cp "$release/$archive" "$release/$(echo "$archive" | sed 's/9.8.7/9.8.6/')"
install INPUT_VERSION=9.8.6
not_installed "an archive under another version's name" "do not name"
install "INPUT_VERSION=9.8.7;x"
not_installed "a version that is none" "give cloister-path, or version"
install INPUT_RELEASE_KEY=
[ -e "$action/release.pub" ] || not_installed "no key" "no release.pub"
act install.sh "INPUT_CLOISTER_PATH=$CLOISTER"
same "a program that is there is taken" "$(output program)" "$(realpath "$CLOISTER")"
act install.sh "PATH=$(dirname "$CLOISTER"):$PATH"
same "as is one on PATH" "$(output program)" "$CLOISTER"
act install.sh INPUT_CLOISTER_PATH=/no/such/program
not_installed "a path to nothing" "is not there"

# --- What the two actions declare -------------------------------------------------------------------

declared() { awk '/^[a-z]/ { in_inputs = /^inputs:/ } in_inputs && /^  [a-z-]+:$/ { sub(/:$/, ""); print $1 }' "$1" | sort; }
passed() { sed -n 's/^ *INPUT_\([A-Z_]*\): \${{ inputs\.\([a-z-]*\) }}$/\1 \2/p' "$1" | sort; }
read_inputs() {
  { sed 's/\(^\| \)# .*//' "$action/run.sh" | grep -ohE '\b(input|value|list|switch|need|is_set|variable)( --[a-z-]+)? [A-Z_]+' | sed 's/.* //'
    grep -ohE 'INPUT_[A-Z_]+' "$action/install.sh" | sed 's/INPUT_//'; } | sort -u
}
for file in "$CLOISTER_SOURCE_DIR/action.yml" "$action/container/action.yml"; do
  same "$(basename "$(dirname "$file")"): every input reaches the script under its name" "$(passed "$file")" \
    "$(declared "$file" | while read -r input; do echo "$(echo "$input" | tr a-z- A-Z_) $input"; done | sort)"
  claim "$(basename "$(dirname "$file")"): no expression in what a shell reads" sh -c '! grep -E "^ *run:|entrypoint:|args:" "$1" | grep -q "\${{"' - "$file"
done
same "the scripts read what is declared, and no more" "$(read_inputs)" \
  "$(passed "$CLOISTER_SOURCE_DIR/action.yml" | cut -d' ' -f1)"
same "the container action declares the same but for the installation" \
  "$(declared "$CLOISTER_SOURCE_DIR/action.yml" | grep -vE '^(cloister-path|version|release-.*)$')" "$(declared "$action/container/action.yml")"
finish
