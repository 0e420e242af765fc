// Words of a shell script while they are put together, and what is known of its variables: every
// value that may be meant, within bounds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

// What one value of a word is: most words are one field; "$@" and arrays are any number.
using Fields = std::vector<std::string>;

// Text that expansions may add to words, over a whole scan: without it "A=$A$A" doubles for ever.
class ShellBudget {
 public:
  bool take(std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::size_t left_ = 4U << 20;
};

inline constexpr std::size_t kShellOptions = 64;  // values of one word or variable
inline constexpr std::size_t kShellFields = 256;
inline constexpr std::size_t kShellFieldBytes = 4096;  // of a value with expansions

struct ShellWord {
  std::vector<Fields> options{Fields{""}};
  std::string raw;  // as spelled, at most kRawBytes
  bool begun = false;
  bool quoted = false;    // quotes in it: stays a word when it is empty
  bool literal = true;    // no expansion
  bool complete = true;   // every part has a known value
  bool open = false;      // and may have others
  bool argument = false;  // begins with one of the script's arguments
  bool wild = false;      // unquoted '*', '?' or '['

  static constexpr std::size_t kRawBytes = 128;

  void put(char c);
  // Appends what an expansion stands for. Unquoted values are split at blanks.
  void append(const std::vector<Fields>& values, bool split, ShellBudget& budget);
  // The only text of a literal word.
  const std::string& text() const { return options.front().front(); }
  bool is_literal(std::string_view text) const;
};

struct ShellVariable {
  std::vector<Fields> values;
  bool unknown = false;  // it may have others
};

class ShellVariables {
 public:
  // Adds a value: none is ever forgotten.
  void assign(std::string_view name, Fields value);
  void add_fields(std::string_view name, const Fields& more, ShellBudget& budget);  // NAME+=(…)
  void forget(std::string_view name);  // read: some value
  // Null when nothing is assigned to it anywhere.
  const ShellVariable* find(std::string_view name) const;

 private:
  std::map<std::string, ShellVariable, std::less<>> table_;
};

// As many as the budget has room for.
std::vector<Fields> copied(const std::vector<Fields>& values, ShellBudget& budget);

// The value without what a pattern matches at its beginning ("#", "##") or end ("%", "%%"): literal
// patterns, and those of dirname and basename. False when the pattern is another.
bool remove_pattern(std::string& value, std::string_view operation, std::string_view pattern);

// What a command substitution prints, when it is one of the few that scripts find themselves with:
// dirname, basename, pwd, readlink -f, cd … && pwd. Each command is a list of known words.
bool evaluate_substitution(const std::vector<Fields>& commands, std::string_view workdir,
                           std::string& value);

}  // namespace cloister::manifest
