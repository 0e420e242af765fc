#!/bin/sh
# The command line as people and their shells use it: help, slips, cloister.toml, templates, output for
# scripts, completions in real shells.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
unset CLOISTER_RUNTIME CLOISTER_KEY

# --- Help and slips -------------------------------------------------------------------------------
must --help
awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }' "$out" >"$work/names"
claim "help names the commands" grep -qx build "$work/names"
while read -r command; do
  must "$command" --help
  claim "help of $command has examples" grep -q '^Examples:' "$out"
  same "help of $command fits 80 columns" "$(awk 'length($0) > 80 && / .* /' "$out" | grep -v '[|…]' || :)" ""
done <"$work/names"
must cache ls --help
claim "a command of a command has its own example" grep -q '^  cloister cache ls' "$out"
must --version
claim "--version is version" grep -q '^cloister [0-9]' "$out"

must manifest --runtime "$runtime" "oci:$images:static" --progress none
must manifest --env 'A=[1,2]' "oci:$images:static" --runtime "$runtime" --progress none
claim "a repeatable option takes one value, as it is" grep -qF 'loader.env.A = "[1,2]"' "$out"

refused 2 "no command 'buidl'.*did you mean 'build'" buidl
refused 2 "no command 'lss' of cloister cache.*did you mean 'ls'" cache lss
refused 2 "no option '--trsut'.*did you mean '--trust'" build x --trsut all
refused 2 "IMAGE is required.*usage: cloister pull" pull
refused 4 "did you mean 'static'" inspect "oci:$images:statc"
refused 4 "did you mean '$images'" inspect "oci:${images%i}x"
refused 1 "did you mean '$runtime'" manifest "oci:$images:static" --runtime "${runtime%e}"

# --- cloister.toml --------------------------------------------------------------------------------
cat >"$work/cloister.toml" <<END
progress = "none"
[build]
image = "oci:$images:static"
runtime = ["$runtime"]
env = ["FROM=file", "OTHER=1"]
isvsvn = 3
dry-run = true
END
must build -f "$work/cloister.toml"
claim "options come from the file" grep -q '^sgx.isvsvn = 3' "$out"
claim "lists too" grep -q '^loader.env.OTHER = "1"' "$out"
must build -f "$work/cloister.toml" --isvsvn 4 --env FROM=line
claim "the command line beats it" grep -q '^sgx.isvsvn = 4' "$out"
claim "a list is replaced whole" grep -q '^loader.env.FROM = "line"' "$out"
same "a list is replaced whole: nothing of the file's" "$(grep -c '^loader.env.OTHER' "$out" || :)" 0
(cd "$work" && CLOISTER_PROGRESS=none "$CLOISTER" build "oci:$images:static" --runtime "$runtime" --dry-run >"$work/bare") 2>/dev/null
same "a cloister.toml that nobody named is not read" "$(grep -c '^sgx.isvsvn = 3' "$work/bare" || :)" 0
printf '[build]\ntrsut = "all"\n' >"$work/slip.toml"
refused 2 "line 2: there is no option 'trsut'.*did you mean 'trust'" build x -f "$work/slip.toml" --dry-run
printf '[build]\nisvsvn = 70000\n' >"$work/slip.toml"
refused 2 "70000.*the file of -f" build x -f "$work/slip.toml" --dry-run
refused 1 "cannot open" build x -f "$work/absent.toml"

# What a build records is what it was built with, wherever that came from.
sed -i '/^dry-run/d' "$work/cloister.toml"
must build -f "$work/cloister.toml" --key "$key" -o "oci:$work/built:file"
must build "oci:$images:static" --runtime "$runtime" --env FROM=file --env OTHER=1 --isvsvn 3 --key "$key" -o "oci:$work/built:line" --progress none
same "file and command line build the same image, its record included" \
  "$(manifest_digest "$work/built" file)" "$(manifest_digest "$work/built" line)"

# init: what it writes builds what is built without it.
must init "oci:$images:glibc" --runtime "$runtime" -o "$work/init.toml" --progress none
must build -f "$work/init.toml" --dry-run --progress none
cp "$out" "$work/by-init"
must build "oci:$images:glibc" --runtime "$runtime" --dry-run --progress none
claim "init reproduces the default build" cmp "$out" "$work/by-init"
must init "oci:$images:glibc" --runtime "$runtime" --volume /data=encrypted --enclave-size 512M --progress none
cp "$out" "$work/init.toml"
must build -f "$work/init.toml" --dry-run --progress none
claim "with what was given" grep -q '^sgx.enclave_size = "512M"' "$out"
claim "volumes too" grep -q 'path = "/data".*type = "encrypted"\|type = "encrypted".*path = "/data"' "$out"

# --- Templates and output for scripts -------------------------------------------------------------
must inspect "oci:$images:static" --format '{{range .layers}}{{.digest}}\n{{end}}'
same "a template gives the layers" "$(cat "$out")" "$(layers_of "$images" static)"
must inspect "oci:$images:static" --format '{{json .config.entrypoint}}'
same "and JSON" "$(cat "$out")" "$(config_of "$images" static | jq -c '.config.Entrypoint')"
refused 2 "no 'dgest'.*did you mean 'digest'" inspect "oci:$images:static" --format '{{.dgest}}'
must files "oci:$images:static" --merged --format '{{.mode}} {{.path}}'
claim "a line per file" grep -qE '^0[0-7]{3} /' "$out"
must cache ls --format '{{.name}}'
claim "cache ls names images" grep -qxF "oci:$images:static" "$out"
must version --format '{{.name}} {{.version}}'
claim "version fills a template" grep -qE '^cloister [0-9]' "$out"
must version --format json
if python3 -c 'import jsonschema' 2>/dev/null; then valid version; fi

# --quiet: one line that a script can take, and nothing on stderr.
digest=$(manifest_digest "$images" static)
for words in "pull oci:$images:static" "inspect oci:$images:static" \
  "push oci:$images:static oci:$work/pushed:static"; do
  # shellcheck disable=SC2086
  must $words --quiet
  same "$words --quiet prints the digest" "$(cat "$out")" "$digest"
  same "and nothing else" "$(cat "$err")" ""
done
must build "oci:$images:static" --runtime "$runtime" --key "$key" -o "oci:$work/built:quiet" --quiet
same "build --quiet prints the digest" "$(cat "$out")" "$(manifest_digest "$work/built" quiet)"
same "and nothing but it" "$(cat "$err")" ""
must version --quiet
claim "version --quiet is a number" grep -qxE '[0-9][0-9.a-z+-]*' "$out"
must cache ls --quiet
claim "cache ls --quiet prints names" grep -qxF "oci:$images:static" "$out"
must files "oci:$images:static" --quiet --merged
same "files --quiet prints paths" "$(grep -cv '^/' "$out" || :)" 0

# --- Completions ----------------------------------------------------------------------------------
bin=$work/bin
mkdir -p "$bin"
ln -s "$CLOISTER" "$bin/cloister"
PATH=$bin:$PATH
export PATH

# Tags that a shell would act on, in a layout and in the store.
evil=$work/evil
cp -r "$images" "$evil"
jq '.manifests[0] as $m | .manifests = [$m, $m, $m, $m] | .manifests |= [foreach .[] as $e (-1; . + 1; $e + {annotations: {"org.opencontainers.image.ref.name": (["good", "$(touch pwned)", "`touch pwned`", "a\u001b[31m;touch pwned"][.])}})]' \
  "$evil/index.json" >"$work/index.json"
cp "$work/index.json" "$evil/index.json"
mkdir -p "$XDG_CACHE_HOME/evil"
cp -r "$evil/." "$XDG_CACHE_HOME/evil"

cloister completion candidates -- inspect "oci:$evil:"
same "only plain tags are offered" "$(cat "$out")" "oci:$evil:good"
CLOISTER_STORE=$XDG_CACHE_HOME/evil cloister completion candidates -- inspect ""
claim "the store's too" grep -qx good "$out"
same "but no others of it" "$(grep -c touch "$out" || :)" 0
must pull "oci:$images:static" --quiet
must completion candidates -- inspect "oci:$images:stat"
same "tags of a layout" "$(cat "$out")" "oci:$images:static"

must completion bash
cat >"$work/try.bash" <<'END'
set -eu
source "$1"
compopt() { :; }   # outside of a completion it only complains
COMP_LINE="cloister $2"
COMP_POINT=${#COMP_LINE}
COMPREPLY=()
_cloister cloister
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
END
if command -v bash >/dev/null; then
  cp "$out" "$work/cloister.bash"
  in_bash() { (cd "$work" && bash --norc "$work/try.bash" "$work/cloister.bash" "$1"); }
  same "bash: commands" "$(in_bash bui)" build
  same "bash: commands of commands" "$(in_bash 'cache p')" prune
  same "bash: options" "$(in_bash 'build --tru')" --trust
  same "bash: values" "$(in_bash 'build --trust c')" closure
  same "bash: values behind =" "$(in_bash 'build --trust=c')" closure
  same "bash: tags behind :" "$(in_bash "inspect oci:$images:stat")" static
  same "bash: files" "$(in_bash "measure $work/cloister.to")" "$work/cloister.toml"
  same "bash: hostile tags" "$(in_bash "inspect oci:$evil:")" good
  same "bash: nothing of them was run" "$(find "$work" -name pwned)" ""
else
  echo "skipped: bash is not installed"
fi

must completion zsh
if command -v zsh >/dev/null; then
  mkdir -p "$work/zsh"
  cp "$out" "$work/zsh/_cloister"
  cat >"$work/try.zsh" <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "unset zle_bracketed_paste; cd $1; fpath=($1/zsh \$fpath); autoload -Uz compinit; compinit -u -d $1/zdump; PS1=GO\"> \""
zpty -r z out '*GO> *'
zpty -w -n z "cloister $2"$'\t\x05 #END\n'
zpty -r z out '*#END*'
print -r -- "$out"
END
  in_zsh() { timeout 30 zsh -f "$work/try.zsh" "$work" "$1" | tr -d '\033\010\r'; }
  claim_zsh() {
    in_zsh "$1" >"$work/zsh.out"
    claim "zsh: $1 becomes $2" grep -qF -- "$2" "$work/zsh.out"
  }
  claim_zsh bui "cloister build"
  claim_zsh 'build --trust=cl' "--trust=closure"
  claim_zsh 'cache p' "cache prune"
  in_zsh "inspect oci:$evil:" >/dev/null
  same "zsh: nothing of hostile tags was run" "$(find "$work" -name pwned)" ""
else
  echo "skipped: zsh is not installed"
fi

must completion fish
if command -v fish >/dev/null; then
  cp "$out" "$work/cloister.fish"
  in_fish() { (cd "$work" && fish --no-config -c "source $work/cloister.fish; complete -C 'cloister $1'" | cut -f 1); }
  same "fish: commands" "$(in_fish bui)" build
  same "fish: values" "$(in_fish 'build --trust c')" closure
  same "fish: hostile tags" "$(in_fish "inspect oci:$evil:")" "oci:$evil:good"
  same "fish: nothing of them was run" "$(find "$work" -name pwned)" ""
else
  echo "skipped: fish is not installed"
fi

# --- The manual -----------------------------------------------------------------------------------
if [ -n "${CLOISTER_MAN:-}" ] && command -v man >/dev/null; then
  for page in "$CLOISTER_MAN"/*.1; do
    same "man finds no fault with $(basename "$page")" "$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 "$page" 2>&1 >/dev/null)" ""
  done
else
  echo "skipped: man is not installed"
fi
if [ -n "${CLOISTER_MAN:-}" ] && command -v mandoc >/dev/null; then
  same "nor does mandoc" "$(mandoc -Tlint -Werror "$CLOISTER_MAN"/*.1 2>&1)" ""
else
  echo "skipped: mandoc is not installed"
fi
finish
