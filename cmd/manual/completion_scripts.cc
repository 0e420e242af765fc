// The scripts pass the words on and show what comes back; what comes back is never evaluated.
// `cloister completion candidates` answers a line per candidate, "WORD<tab>what it is", and
// ":files" where names of files fit too.
#include "cmd/manual/completion.h"

namespace cloister::cmd {
namespace {

// COMP_WORDS is split at ":" and "=", which are parts of our words; so the line is split anew, at
// blanks. Of a candidate bash replaces only what stands behind the last of those characters.
// compgen -W would evaluate what it is given: hence the loop.
constexpr std::string_view kBash = R"sh(# bash completion for cloister
_cloister() {
  local line=${COMP_LINE:0:COMP_POINT} word candidate breaks=${COMP_WORDBREAKS//[^:=]/}
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current=${words[${#words[@]}-1]} skip=""
  if [[ -n $breaks && $current == *["$breaks"]* ]]; then
    skip=${current%"${current##*["$breaks"]}"}
  fi
  COMPREPLY=()
  while IFS= read -r candidate; do
    if [[ $candidate == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do
        COMPREPLY+=("$word")
      done < <(compgen -f -- "${current#"$skip"}")
    else
      word=${candidate%%$'\t'*}
      COMPREPLY+=("${word#"$skip"}")
    fi
  done < <(cloister completion candidates -- "${words[@]:1}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _cloister cloister
)sh";

constexpr std::string_view kZsh = R"sh(#compdef cloister
# zsh completion for cloister
_cloister() {
  local line files=""
  local -a words_typed names shown
  words_typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=yes
    else
      names+=("${line%%$'\t'*}")
      if [[ $line == *$'\t'?* ]]; then
        shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
      else
        shown+=("${line%%$'\t'*}")
      fi
    fi
  done < <(cloister completion candidates -- "${(@)words_typed}" 2>/dev/null)
  (( ${#names} )) && compadd -l -d shown -a names
  if [[ -n $files ]]; then
    compset -P '*='
    _files
  fi
}
if [[ ${funcstack[1]-} == _cloister ]]; then
  _cloister "$@"
else
  compdef _cloister cloister
fi
)sh";

constexpr std::string_view kFish = R"sh(# fish completion for cloister
function __cloister_candidates
    set -l typed (commandline -opc) (commandline -ct)
    for candidate in (cloister completion candidates -- $typed[2..] 2>/dev/null)
        if test "$candidate" = :files
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- (commandline -ct))
        else
            printf '%s\n' $candidate
        end
    end
end
complete -c cloister -f -a '(__cloister_candidates)'
)sh";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return kFish;
}

}  // namespace cloister::cmd
