// POSIX shell command language (XCU 2), reduced to what is needed to see command words: quoting,
// comments, operators, redirections, here-documents, command substitution. Nested substitutions and
// double quotes are kept on an explicit stack, so depth of the input costs memory, not stack.
#include "manifest-gen/closure/shell_scan.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

template <std::size_t N>
bool one_of(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// After these a command can stand again.
constexpr std::string_view kPrefixes[] = {"if", "then", "else", "elif", "do",   "while", "until",
                                          "!",  "{",    "}",    "fi",   "done", "esac",  "time"};
// The rest of the simple command is no command.
constexpr std::string_view kOpaque[] = {"for", "case", "select", "function", "in"};
// Builtins whose operands are (or become) commands.
constexpr std::string_view kRunners[] = {"exec", "command", "eval", "set", "builtin"};
constexpr std::string_view kBuiltins[] = {
    ":",      "[",      "[[",       "]]",      "]",        "alias",   "bg",
    "break",  "cd",     "continue", "declare", "echo",     "exit",    "export",
    "false",  "fg",     "getopts",  "hash",    "jobs",     "kill",    "let",
    "local",  "printf", "pwd",      "read",    "readonly", "return",  "shift",
    "shopt",  "test",   "times",    "trap",    "true",     "type",    "typeset",
    "ulimit", "umask",  "unalias",  "unset",   "wait",     "mapfile", "readarray",
    "disown", "dirs",   "popd",     "pushd",   "enable",   "source",  "."};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                     is_name_char);
}

class Unique {
 public:
  void add(std::string word) {
    if (seen_.insert(word).second) list.push_back(std::move(word));
  }
  std::vector<std::string> list;

 private:
  std::set<std::string> seen_;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  ShellScan run() {
    while (at_ < text_.size()) step();
    end_command();
    out_.commands = std::move(commands_.list);
    out_.files = std::move(files_.list);
    out_.sourced = std::move(sourced_.list);
    return std::move(out_);
  }

 private:
  enum class Next : char { command, operand, runner, opaque, source };

  struct Word {
    std::string text;
    bool begun = false, expands = false, arguments = false;
  };
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void put(char c) {
    word_.text += c;
    word_.begun = true;
  }

  void step() {
    const char c = peek();
    if (c == '\\') {
      if (peek(1) != '\n' && at_ + 1 < text_.size()) put(peek(1));
      at_ += 2;
    } else if (c == '$') {
      dollar();
    } else if (c == '`') {
      ++at_;
      backquote();
    } else if (c == '"') {
      ++at_;
      word_.begun = true;
      quoted_ = !quoted_;
    } else if (quoted_) {
      put(c);
      ++at_;
    } else {
      unquoted(c);
    }
  }

  void unquoted(char c) {
    switch (c) {
      case '\'':
        single_quotes();
        return;
      case ' ':
      case '\t':
      case '\r':
        ++at_;
        end_word();
        return;
      case '\n':
        ++at_;
        end_command();
        skip_here_documents();
        return;
      case ';':
      case '&':
      case '|':
      case '(':
        ++at_;
        end_command();
        return;
      case ')':
        ++at_;
        end_command();
        close_substitution();
        return;
      case '<':
      case '>':
        redirection();
        return;
      case '#':
        if (!word_.begun) {
          skip_line();
          return;
        }
        break;
      default:
        break;
    }
    put(c);
    ++at_;
  }

  void single_quotes() {
    ++at_;
    word_.begun = true;
    while (at_ < text_.size() && text_[at_] != '\'') word_.text += text_[at_++];
    ++at_;
  }

  void dollar() {
    ++at_;
    word_.begun = word_.expands = true;
    if (peek() == '(') {
      ++at_;
      open_substitution(false);
    } else if (peek() == '{') {
      ++at_;
      word_.arguments = word_.arguments || peek() == '@' || peek() == '1' || peek() == '*';
      while (at_ < text_.size() && peek() != '}' && peek() != '\n') ++at_;
      if (peek() == '}') ++at_;
    } else {
      word_.arguments = word_.arguments || peek() == '@' || peek() == '1' || peek() == '*';
      if (is_name_char(peek()) || peek() == '@' || peek() == '*' || peek() == '#') ++at_;
      while (is_name_char(peek())) ++at_;
    }
  }

  void backquote() {
    word_.begun = word_.expands = true;
    if (!stack_.empty() && stack_.back().backquote) {
      end_command();
      pop();
    } else {
      open_substitution(true);
    }
  }

  void open_substitution(bool backquote) {
    stack_.push_back({std::move(word_), next_, quoted_, backquote});
    word_ = Word();
    next_ = Next::command;
    quoted_ = false;
  }
  void close_substitution() {
    if (!stack_.empty() && !stack_.back().backquote) pop();
  }
  void pop() {
    Saved& saved = stack_.back();
    word_ = std::move(saved.word);
    next_ = saved.next;
    quoted_ = saved.quoted;
    stack_.pop_back();
  }

  void redirection() {
    // A number right before it is a descriptor, not a word.
    if (!std::all_of(word_.text.begin(), word_.text.end(),
                     [](char d) { return d >= '0' && d <= '9'; }))
      end_word();
    word_ = Word();
    if (text_.substr(at_).starts_with("<<") && peek(2) != '<') {
      here_document();
      return;
    }
    while (peek() == '<' || peek() == '>' || peek() == '&' || peek() == '|') ++at_;
    skip_blanks();
    redirected_ = true;
  }

  void here_document() {
    at_ += 2;
    const bool dash = peek() == '-';
    if (dash) ++at_;
    skip_blanks();
    std::string delimiter;
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n;&|()<>").find(peek()) == std::string_view::npos) {
      if (peek() != '\'' && peek() != '"' && peek() != '\\') delimiter += peek();
      ++at_;
    }
    if (!delimiter.empty()) here_documents_.push_back(std::move(delimiter));
  }

  void skip_here_documents() {
    for (const std::string& delimiter : here_documents_) {
      while (at_ < text_.size()) {
        const std::size_t begin = at_;
        skip_line();
        const std::string_view line = text_.substr(begin, at_ - begin);
        if (at_ < text_.size()) ++at_;  // the newline
        if (trim(line) == delimiter) break;
      }
    }
    here_documents_.clear();
  }

  void skip_line() {
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }

  void end_command() {
    end_word();
    next_ = Next::command;
  }

  void end_word() {
    if (!word_.begun) return;
    const Word word = std::move(word_);
    word_ = Word();
    note_file(word);
    if (redirected_) {
      redirected_ = false;
      return;
    }
    switch (next_) {
      case Next::command:
        command_word(word);
        break;
      case Next::runner:
        run_word(word);
        break;
      case Next::source:
        if (!word.expands) sourced_.add(word.text);
        next_ = Next::operand;
        break;
      case Next::operand:
      case Next::opaque:
        break;
    }
  }

  // Absolute paths, also behind '=' (--conf=/etc/x.conf, VAR=/path).
  void note_file(const Word& word) {
    if (word.expands) return;
    std::string_view text = word.text;
    if (const std::size_t equals = text.find('=');
        !text.starts_with('/') && equals != std::string_view::npos)
      text.remove_prefix(equals + 1);
    if (text.size() > 1 && text.front() == '/') files_.add(std::string(text));
  }

  void command_word(const Word& word) {
    if (is_assignment(word.text) || one_of(kPrefixes, word.text))
      return;  // still a command position
    next_ = Next::operand;
    if (word.arguments && word.text.empty()) out_.runs_arguments = true;
    if (word.expands || word.text.empty()) return;
    if (one_of(kOpaque, word.text)) {
      next_ = Next::opaque;
    } else if (word.text == "." || word.text == "source") {
      next_ = Next::source;
    } else if (one_of(kRunners, word.text)) {
      next_ = Next::runner;
    } else if (!one_of(kBuiltins, word.text)) {
      commands_.add(word.text);
      if (is_wrapper(base_name(word.text))) next_ = Next::runner;
    }
  }

  void run_word(const Word& word) {
    if (word.arguments && word.text.empty()) out_.runs_arguments = true;
    if (word.expands || word.text.empty() || word.text.starts_with('-') || is_assignment(word.text))
      return;
    if (!one_of(kBuiltins, word.text) && !one_of(kRunners, word.text)) commands_.add(word.text);
  }

  struct Saved {
    Word word;
    Next next;
    bool quoted, backquote;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  Word word_;
  Next next_ = Next::command;
  bool quoted_ = false, redirected_ = false;
  std::vector<Saved> stack_;
  std::vector<std::string> here_documents_;
  Unique commands_, files_, sourced_;
  ShellScan out_;
};

}  // namespace

ShellScan scan_shell(std::string_view text) {
  return Scanner(text).run();
}

}  // namespace cloister::manifest
