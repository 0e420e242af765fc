// What may follow on a command line that is being typed. The shells' scripts ask the program, so
// that there is one answer for all of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/manual/description.h"

namespace cloister::cmd {

struct Candidate {
  std::string word;
  std::string text;  // what it is; may be empty
};

struct Candidates {
  std::vector<Candidate> words;  // begin with what was typed
  bool files = false;            // so may names of files
  bool images = false;           // and images, which begin with `prefix`
  std::string prefix;            // of the value alone: "re" of "--runtime=re"
  std::string before;            // what stands before it in the word: "--runtime="
};

// `words` stand behind the program's name; the last one, perhaps empty, is being typed.
Candidates complete(const CommandText& program, const std::vector<std::string>& words);

// What a shell can be given without quoting, and a terminal shown. Names of images, layouts and
// tags are anybody's: those with other characters are not offered.
bool is_plain_word(std::string_view word);

// The script for "bash", "zsh" or "fish".
std::string_view completion_script(std::string_view shell);

}  // namespace cloister::cmd
