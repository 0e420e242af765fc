// The scanner behind scan_shell. Private to the folder: shell_scan.cc reads characters, quotes and
// what nests, shell_expansion.cc knows what a "$" stands for, shell_commands.cc makes words and
// simple commands of it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/closure/shell_words.h"

namespace cloister::manifest {

inline bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_name_char(char c) {
  return is_name_start(c) || is_digit(c);
}

// The length of NAME in "NAME=…" and "NAME+=…"; 0 when it is no assignment.
std::size_t assigned_name(std::string_view word);

class Unique {
 public:
  void add(std::string word) {
    if (seen_.insert(word).second) list.push_back(std::move(word));
  }
  std::vector<std::string> list;

 private:
  std::set<std::string> seen_;
};

class ShellScanner {
 public:
  ShellScanner(std::string_view text, const ShellScene& scene);
  ShellScan run();

 private:
  enum class Next : char {
    command,    // a command can stand
    words,      // operands of a command
    target,     // what is redirected to: the next word
    input,      // what is redirected from
    for_name,   // after "for"
    for_in,     // "in", or the end
    for_words,  // what the loop runs over
    case_word,  // after "case"
    case_in,    // "in"
    pattern,    // up to ')'
    test,       // between "[[" and "]]"
    name,       // after "function"
    list,       // NAME=( … )
    skip        // up to the end of the command
  };
  enum class Block : char { group, subshell, choice };
  struct OpenBlock {
    Block kind;
    int function;  // whose body it is part of, or -1
  };
  enum class Frame : char { substitution, backquote, arithmetic, parameter, array, text };
  struct Saved {
    Frame kind;
    ShellWord word;
    std::size_t word_begin;
    Next next, after_redirection;
    bool quoted;
    std::vector<ShellWord> command;
    std::vector<OpenBlock> blocks;
    std::vector<Fields> ran;
    int function;
    // Frame::parameter and Frame::array
    std::string name, operation;
    // Frame::arithmetic
    std::size_t depth = 0;
    // Frame::text
    std::string_view text;
    std::size_t at = 0;
    std::string file;
  };
  struct Function {
    bool runs_arguments = false;
  };
  // A word of one variant of a command.
  struct Operand {
    std::string text, raw;
    bool complete = true, open = false, argument = false;
  };
  // Text to look at before anything else: a sourced file, or the operand of eval.
  struct Pending {
    std::string text, file;
  };
  void pass();
  void reset_state();

  // ---- characters (shell_scan.cc) ----

  char peek(std::size_t ahead = 0) const;
  void begin_word();
  void put(char c);
  void step();
  bool in(Frame kind) const { return !stack_.empty() && stack_.back().kind == kind; }
  void unquoted(char c);
  void single_quotes();
  bool inside_words();
  void separator(char c);
  void open_parenthesis();

  // bash's extended patterns, "@(a|b)": part of the word.
  void pattern_list();

  // "name ()": the word before the parenthesis is the first of the command.
  bool function_definition();
  void define(const std::string& name);
  void close_parenthesis();

  // ---- frames (shell_scan.cc) ----

  void push(Frame kind);
  Saved pop();
  void unwind(std::size_t size);
  void backquote();
  void close_substitution();
  void unknown_part();
  void arithmetic_character(char c);
  void close_array();

  // A file's text, or that of eval, before what follows. The command in which it stands is over.
  void enter_text();
  bool leave_text();
  void pend(std::string text, std::string file);

  // ---- expansions (shell_expansion.cc) ----

  void dollar();

  // "${" … the name and the operator; the word after it is a frame.
  void open_parameter();

  // Within "${…}" everything but quotes and expansions is text. False: not handled here.
  bool parameter_character(char c);
  void close_parameter();

  // The values of a parameter, and whether there may be others.
  ShellVariable values_of(std::string_view name);
  static bool is_argument(std::string_view name);
  void expand(std::string_view name) { parameter(name, {}, ShellWord()); }
  void note_argument(std::string_view name);
  void parameter(std::string_view name, std::string_view operation, const ShellWord& operand);
  ShellVariable indirected(const ShellVariable& names);
  static bool is_empty(const Fields& value);
  void apply(std::string_view name, std::string_view operation, const ShellWord& operand,
             ShellVariable found);

  // "${@:2}"
  void slice(ShellVariable& found, std::string_view from);

  // ---- redirections and here-documents (shell_scan.cc) ----

  void redirection();
  void here_document();
  void skip_here_documents();
  void skip_line();
  void skip_blanks();

  // ---- words (shell_commands.cc) ----

  void end_word();
  void place(ShellWord word);
  void close_choice();
  void command_word(ShellWord word);
  void open_block(Block kind);
  bool keyword(std::string_view text);

  // NAME=value; true when it is one.
  bool assign_word(const ShellWord& word);

  // Absolute paths, also behind '=' (--conf=/etc/x.conf, VAR=/path).
  void note_files(const ShellWord& word);

  // ---- commands (shell_commands.cc) ----

  void end_command();
  void loop_values();
  void loop_value(const std::string& value, bool wild);
  static bool is_nothing(const ShellWord& word, const Fields& fields);

  // The words of variant `index`; each word's values are all used, their combinations are not.
  std::vector<Operand> variant(const std::vector<ShellWord>& command, std::size_t index,
                               std::size_t program);
  static std::size_t bytes_of(const std::vector<Operand>& words);  // for the budget
  static std::size_t program_word(const std::vector<ShellWord>& command);
  void other_programs(const std::vector<ShellWord>& command);
  int open_function() const { return blocks_.empty() ? function_ : blocks_.back().function; }
  void note_argument_run();
  void without_prefix(const std::vector<ShellWord>& command);
  void run_command(const std::vector<ShellWord>& command);

  // What a substitution may be evaluated from.
  void remember(const std::vector<Operand>& words);
  void dispatch(const std::vector<Operand>& words, std::size_t at);
  static std::size_t after_options(const std::vector<Operand>& words, std::size_t at,
                                   std::string_view with_value);
  bool builtin(const std::vector<Operand>& words, std::size_t at);
  void declare(const Operand& word);
  void set_positional(const std::vector<Operand>& words, std::size_t at);
  void add_positional(Fields value);
  void shift(std::uint64_t count);
  void evaluate(const std::vector<Operand>& words, std::size_t begin, std::size_t end);
  void source(const Operand& word);
  void invoke(const std::vector<Operand>& words, std::size_t at);

  void note_library_directories();

  // A call of a function is no program; one that runs its arguments runs those of its calls.
  void look_through_functions();
  const ShellScene& scene_;
  const std::string_view script_;
  std::string_view text_;
  std::size_t at_ = 0, word_begin_ = 0;
  std::string file_;
  ShellWord word_;
  Next next_ = Next::command, after_redirection_ = Next::command;
  bool quoted_ = false, last_pass_ = false;
  bool dropped_ = false;  // a word of the current variant that may be anything was left out
  int defining_ = -1;     // the function whose body comes next
  int function_ = -1;     // the function around the frame
  std::string loop_variable_;
  std::vector<ShellWord> command_;
  std::vector<OpenBlock> blocks_;
  std::vector<Saved> stack_;
  std::vector<Fields> ran_;
  struct HereDocument {
    std::string delimiter;
    bool literal;  // quoted: nothing in it is expanded
  };
  std::vector<HereDocument> here_documents_;
  void substitutions(std::string_view text);
  std::deque<std::string> texts_;  // stable: views point into it
  std::deque<Pending> pending_;
  std::size_t text_depth_ = 0, evaluations_ = 0, read_sources_ = 0;
  std::set<std::string> sourced_;
  std::map<std::string, std::optional<std::string>> source_texts_;
  std::vector<Fields> positional_;
  ShellVariables variables_;
  ShellBudget budget_;
  std::map<std::string, int, std::less<>> function_ids_;
  std::vector<Function> functions_;
  std::vector<Invocation> invocations_;
  Unique files_, directories_, unknown_;
  ShellScan out_;
};

}  // namespace cloister::manifest
