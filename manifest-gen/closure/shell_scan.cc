// POSIX shell command language (XCU 2) and what bash adds, reduced to what is needed to see simple
// commands: quoting, expansions, operators, compound commands, here-documents. Two passes over the
// text: the first collects assignments, since functions use what is assigned below them.
//
// Nested substitutions, "${…}", arrays, sourced files and eval are frames on an explicit stack, so
// that the depth of the input costs memory, not stack.
#include "manifest-gen/closure/shell_scan.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "manifest-gen/closure/shell_words.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

template <std::size_t N>
bool one_of(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// After these a command can stand again.
constexpr std::string_view kPrefixes[] = {"if",    "then", "else", "elif", "do",   "while",
                                          "until", "!",    "fi",   "done", "time", "coproc"};
constexpr std::string_view kDeclarations[] = {"export", "local", "declare", "typeset", "readonly"};
// Their operands are names that get some value.
constexpr std::string_view kReaders[] = {"read", "mapfile", "readarray", "getopts", "unset"};
constexpr std::string_view kBuiltins[] = {
    ":",      "[",       "]",      "alias",   "bg",       "break", "continue", "echo",
    "exit",   "false",   "fg",     "hash",    "jobs",     "kill",  "let",      "printf",
    "pwd",    "return",  "shopt",  "test",    "times",    "true",  "type",     "ulimit",
    "umask",  "unalias", "wait",   "disown",  "dirs",     "popd",  "pushd",    "enable",
    "logout", "history", "caller", "compgen", "complete", "bind",  "help",     "suspend"};

constexpr std::size_t kSourcedFiles = 64, kEvaluations = 64, kFrames = 16;  // of text in text
constexpr std::size_t kPositionals = 8, kInvocations = 65536;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_char(char c) {
  return is_name_start(c) || is_digit(c);
}

// The length of NAME in "NAME=…" and "NAME+=…"; 0 when it is no assignment.
std::size_t assigned_name(std::string_view word) {
  std::size_t end = 0;
  while (end < word.size() && is_name_char(word[end])) ++end;
  if (end == 0 || end == word.size() || !is_name_start(word[0])) return 0;
  if (word[end] == '=' || (word[end] == '+' && end + 1 < word.size() && word[end + 1] == '='))
    return end;
  return 0;
}

// A word of one variant of a command.
struct Operand {
  std::string text, raw;
  bool complete = true, open = false, argument = false;
};

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
  Scanner(std::string_view text, const ShellScene& scene) : scene_(scene), script_(text) {
    for (const auto& [name, value] : scene.env) variables_.assign(name, {value});
    variables_.assign("PWD", {scene.workdir});
  }

  ShellScan run() {
    pass();
    out_ = ShellScan();
    invocations_.clear();
    last_pass_ = true;
    pass();
    look_through_functions();
    out_.files = std::move(files_.list);
    out_.directories = std::move(directories_.list);
    out_.unknown = std::move(unknown_.list);
    return std::move(out_);
  }

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
  // Text to look at before anything else: a sourced file, or the operand of eval.
  struct Pending {
    std::string text, file;
  };

  void pass() {
    text_ = script_;
    at_ = 0;
    file_.clear();
    positional_.assign(1, scene_.arguments);
    budget_ = ShellBudget();
    evaluations_ = 0;
    sourced_.clear();
    unwind(0);
    reset_state();
    blocks_.clear();
    while (true) {
      if (!pending_.empty()) enter_text();
      if (at_ < text_.size()) {
        step();
        continue;
      }
      end_command();
      if (!pending_.empty()) continue;
      if (!leave_text()) break;
    }
  }

  void reset_state() {
    word_ = ShellWord();
    next_ = Next::command;
    quoted_ = false;
    command_.clear();
    ran_.clear();
    here_documents_.clear();
  }

  // ---- characters ----

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void begin_word() {
    if (word_.begun) return;
    word_.begun = true;
    word_begin_ = at_;
  }
  void put(char c) {
    begin_word();
    word_.put(c);
  }

  void step() {
    const char c = peek();
    if (c == '\\') {
      if (peek(1) != '\n' && at_ + 1 < text_.size()) {
        if (quoted_ && std::string_view("$`\"\\").find(peek(1)) == std::string_view::npos)
          put('\\');
        put(peek(1));
        word_.quoted = true;
      }
      at_ += 2;
    } else if (c == '$') {
      begin_word();
      dollar();
    } else if (c == '`') {
      if (in(Frame::backquote))
        end_word();
      else
        begin_word();
      ++at_;
      backquote();
    } else if (c == '"') {
      begin_word();
      ++at_;
      word_.quoted = true;
      quoted_ = !quoted_;
    } else if (in(Frame::parameter) && parameter_character(c)) {
      return;
    } else if (in(Frame::arithmetic)) {
      arithmetic_character(c);
    } else if (quoted_) {
      put(c);
      ++at_;
    } else {
      unquoted(c);
    }
  }

  bool in(Frame kind) const { return !stack_.empty() && stack_.back().kind == kind; }

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
        if (next_ == Next::list || next_ == Next::pattern || next_ == Next::test)
          end_word();
        else
          end_command();
        skip_here_documents();
        return;
      case ';':
      case '&':
      case '|':
        separator(c);
        return;
      case '(':
        open_parenthesis();
        return;
      case ')':
        end_word();
        ++at_;
        close_parenthesis();
        return;
      case '<':
      case '>':
        if (next_ == Next::test) {
          ++at_;
          end_word();
        } else {
          redirection();
        }
        return;
      case '#':
        if (!word_.begun) {
          skip_line();
          return;
        }
        break;
      case '*':
      case '?':
      case '[':
        word_.wild = true;
        break;
      default:
        break;
    }
    put(c);
    ++at_;
  }

  void single_quotes() {
    begin_word();
    ++at_;
    word_.quoted = true;
    while (at_ < text_.size() && text_[at_] != '\'') word_.put(text_[at_++]);
    ++at_;
  }

  void separator(char c) {
    if (next_ == Next::pattern || next_ == Next::test) {
      ++at_;
      end_word();
      return;
    }
    // ";;", ";&" and ";;&" end a branch of "case"; "&>" redirects.
    if (c == '&' && peek(1) == '>') {
      redirection();
      return;
    }
    const bool branch = c == ';' && (peek(1) == ';' || peek(1) == '&');
    end_command();
    while (peek() == c || (branch && peek() == '&')) ++at_;
    if (branch && !blocks_.empty() && blocks_.back().kind == Block::choice) next_ = Next::pattern;
  }

  void open_parenthesis() {
    if (next_ == Next::pattern || next_ == Next::test) {
      ++at_;
      end_word();
      return;
    }
    if ((next_ == Next::command || next_ == Next::for_name) && !word_.begun && peek(1) == '(') {
      at_ += 2;
      push(Frame::arithmetic);
      return;
    }
    if (word_.begun && word_.literal && (next_ == Next::command || next_ == Next::words) &&
        word_.text().ends_with('=') && assigned_name(word_.text()) > 0) {
      ++at_;
      const std::string name = word_.text();
      word_ = ShellWord();
      push(Frame::array);
      stack_.back().name = name;
      next_ = Next::list;
      return;
    }
    if (word_.begun && word_.literal && !word_.text().empty() &&
        std::string_view("!@+?*").find(word_.text().back()) != std::string_view::npos) {
      pattern_list();
      return;
    }
    if (function_definition()) return;
    ++at_;
    end_command();
    open_block(Block::subshell);
  }

  // bash's extended patterns, "@(a|b)": part of the word.
  void pattern_list() {
    std::size_t depth = 0;
    do {
      if (peek() == '(') ++depth;
      if (peek() == ')') --depth;
      put(text_[at_++]);
    } while (depth > 0 && at_ < text_.size() && peek() != '\n');
    word_.wild = true;
  }

  // "name ()": the word before the parenthesis is the first of the command.
  bool function_definition() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t')) ++end;
    if (end >= text_.size() || text_[end] != ')') return false;
    std::string name;
    if (word_.begun && word_.literal && next_ == Next::command)
      name = word_.text();
    else if (!word_.begun && next_ == Next::words && command_.size() == 1 && command_[0].literal)
      name = command_[0].text();
    if (name.empty()) return false;
    at_ = end + 1;
    word_ = ShellWord();
    command_.clear();
    next_ = Next::command;
    define(name);
    return true;
  }

  void define(const std::string& name) {
    const auto [at, added] = function_ids_.try_emplace(name, static_cast<int>(functions_.size()));
    if (added) functions_.emplace_back();
    defining_ = at->second;
  }

  void close_parenthesis() {
    if (next_ == Next::test) {
      end_word();
      return;
    }
    if (next_ == Next::pattern) {
      end_word();
      next_ = Next::command;
      return;
    }
    if (in(Frame::array)) {
      end_word();
      close_array();
      return;
    }
    end_command();
    if (!blocks_.empty() && blocks_.back().kind == Block::subshell) {
      blocks_.pop_back();
    } else if (in(Frame::substitution)) {
      close_substitution();
    }
  }

  // ---- frames ----

  void push(Frame kind) {
    Saved saved;
    saved.kind = kind;
    saved.word = std::move(word_);
    saved.word_begin = word_begin_;
    saved.next = next_;
    saved.after_redirection = after_redirection_;
    saved.quoted = quoted_;
    saved.command = std::move(command_);
    saved.function = std::exchange(function_, open_function());
    saved.blocks = std::move(blocks_);
    saved.ran = std::move(ran_);
    stack_.push_back(std::move(saved));
    word_ = ShellWord();
    next_ = Next::command;
    quoted_ = false;
    command_.clear();
    blocks_.clear();
    ran_.clear();
  }

  Saved pop() {
    Saved saved = std::move(stack_.back());
    stack_.pop_back();
    word_ = std::move(saved.word);
    word_begin_ = saved.word_begin;
    next_ = saved.next;
    after_redirection_ = saved.after_redirection;
    quoted_ = saved.quoted;
    command_ = std::move(saved.command);
    blocks_ = std::move(saved.blocks);
    ran_ = std::move(saved.ran);
    function_ = saved.function;
    return saved;
  }

  void unwind(std::size_t size) {
    while (stack_.size() > size) (void)pop();
  }

  void backquote() {
    if (in(Frame::backquote)) {
      end_command();
      close_substitution();
    } else {
      push(Frame::backquote);
    }
  }

  void close_substitution() {
    const std::vector<Fields> ran = std::move(ran_);
    (void)pop();
    std::string value;
    if (evaluate_substitution(ran, scene_.workdir, value))
      word_.append({{std::move(value)}}, !quoted_, budget_);
    else
      unknown_part();
  }

  void unknown_part() {
    word_.begun = true;
    word_.literal = word_.complete = false;
  }

  void arithmetic_character(char c) {
    ++at_;
    Saved& frame = stack_.back();
    if (c == '(') ++frame.depth;
    if (c != ')') return;
    if (frame.depth > 0) {
      --frame.depth;
      return;
    }
    if (peek() == ')') ++at_;
    (void)pop();
    if (!word_.begun) return;
    unknown_part();
    word_.quoted = true;  // a number, never nothing
  }

  void close_array() {
    Fields values;
    bool complete = true;
    for (const ShellWord& word : command_) {
      complete = complete && word.complete;
      for (const Fields& fields : word.options)
        if (!is_nothing(word, fields)) values.insert(values.end(), fields.begin(), fields.end());
    }
    std::string name = stack_.back().name;
    (void)pop();
    const bool more = name.ends_with("+=");
    name.resize(name.size() - (more ? 2 : 1));
    if (!complete || values.size() > kShellFields || !budget_.take(values.size() + 1))
      variables_.forget(name);
    else if (more && last_pass_)
      return;  // added the first time
    else if (more)
      variables_.add_fields(name, values, budget_);
    else
      variables_.assign(name, std::move(values));
  }

  // A file's text, or that of eval, before what follows. The command in which it stands is over.
  void enter_text() {
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    texts_.push_back(std::move(next.text));
    push(Frame::text);
    Saved& frame = stack_.back();
    frame.text = text_;
    frame.at = at_;
    frame.file = file_;
    text_ = texts_.back();
    at_ = 0;
    file_ = std::move(next.file);
    ++text_depth_;
  }

  bool leave_text() {
    if (stack_.empty()) return false;
    if (text_depth_ == 0) {
      // What a substitution that never ends belongs to is still looked at.
      (void)pop();
      return true;
    }
    while (stack_.back().kind != Frame::text) (void)pop();
    Saved& frame = stack_.back();
    text_ = frame.text;
    at_ = frame.at;
    file_ = frame.file;
    --text_depth_;
    (void)pop();
    return true;
  }

  void pend(std::string text, std::string file) {
    if (text_depth_ >= kFrames) return;
    pending_.push_back({std::move(text), std::move(file)});
  }

  // ---- expansions ----

  void dollar() {
    ++at_;
    const char c = peek();
    if (c == '(' && peek(1) == '(') {
      at_ += 2;
      push(Frame::arithmetic);
    } else if (c == '(') {
      ++at_;
      push(Frame::substitution);
    } else if (c == '{') {
      ++at_;
      open_parameter();
    } else if (c == '\'' && !quoted_) {
      single_quotes();
    } else if (c == '"' && !quoted_) {
      return;
    } else if (is_name_start(c)) {
      const std::size_t begin = at_;
      while (is_name_char(peek())) ++at_;
      expand(text_.substr(begin, at_ - begin));
    } else if (is_digit(c) || std::string_view("@*#?-$!").find(c) != std::string_view::npos) {
      ++at_;
      expand(text_.substr(at_ - 1, 1));
    } else {
      word_.put('$');
    }
  }

  // "${" … the name and the operator; the word after it is a frame.
  void open_parameter() {
    push(Frame::parameter);
    const std::size_t begin = at_;
    if (peek() == '#' && peek(1) != '}') ++at_;
    if (peek() == '!') ++at_;
    if (is_name_char(peek()))
      while (is_name_char(peek())) ++at_;
    else if (std::string_view("@*#?-$!").find(peek()) != std::string_view::npos && peek() != '\0')
      ++at_;
    if (peek() == '[')
      while (at_ < text_.size() && peek() != ']' && peek() != '}' && peek() != '\n') ++at_;
    if (peek() == ']') ++at_;
    stack_.back().name = text_.substr(begin, at_ - begin);
    const std::size_t operation = at_;
    if (peek() == ':') ++at_;
    if (std::string_view("-=+?#%/^,@").find(peek()) != std::string_view::npos && peek() != '\0') {
      const char c = peek();
      ++at_;
      if (peek() == c && c != '-' && c != '=' && c != '+' && c != '?') ++at_;
    }
    stack_.back().operation = text_.substr(operation, at_ - operation);
  }

  // Within "${…}" everything but quotes and expansions is text. False: not handled here.
  bool parameter_character(char c) {
    if (c == '}' && !quoted_) {
      ++at_;
      close_parameter();
      return true;
    }
    if (quoted_ || c == '\'') {
      if (c != '\'' || quoted_ || stack_.back().quoted) {
        put(c);
        ++at_;
        return true;
      }
      return false;
    }
    put(c);
    ++at_;
    return true;
  }

  void close_parameter() {
    const ShellWord operand = std::move(word_);
    const Saved frame = pop();
    word_.begun = true;
    parameter(frame.name, frame.operation, operand);
  }

  // The values of a parameter, and whether there may be others.
  ShellVariable values_of(std::string_view name) {
    ShellVariable out;
    if (name == "@" || name == "*") {
      out.values = copied(positional_, budget_);
      out.unknown = !scene_.arguments_known;
    } else if (name == "0" || name == "BASH_SOURCE") {
      const std::string& path = name == "0" || file_.empty() ? scene_.script : file_;
      if (!path.empty()) out.values.push_back({path});
      out.unknown = path.empty();
    } else if (const auto number = parse_u64(name)) {
      for (const Fields& fields : positional_)
        if (*number > 0 && *number <= fields.size() && budget_.take(fields[*number - 1].size()))
          out.values.push_back({fields[*number - 1]});
      out.unknown = !scene_.arguments_known;
    } else if (!is_name_start(name.empty() ? '\0' : name.front())) {
      out.unknown = true;
    } else if (const ShellVariable* variable = variables_.find(name)) {
      out.values = copied(variable->values, budget_);
      out.unknown = variable->unknown || out.values.size() != variable->values.size();
    } else {
      // Nothing sets it: it is empty, unless a file that could not be read does.
      out.unknown = out_.sourced.size() != read_sources_ || !last_pass_;
    }
    return out;
  }

  static bool is_argument(std::string_view name) {
    return name == "@" || name == "*" || (name.size() == 1 && is_digit(name[0]) && name != "0");
  }

  void expand(std::string_view name) { parameter(name, {}, ShellWord()); }

  void note_argument(std::string_view name) {
    if (!is_argument(name)) return;
    const bool first = std::all_of(word_.options.begin(), word_.options.end(), [](const Fields& f) {
      return f.size() == 1 && f.front().empty();
    });
    word_.argument = word_.argument || first;
  }

  void parameter(std::string_view name, std::string_view operation, const ShellWord& operand) {
    word_.literal = false;
    std::string_view subscript;
    if (const std::size_t bracket = name.find('['); bracket != std::string_view::npos) {
      subscript = name.substr(bracket);
      name = name.substr(0, bracket);
    }
    const bool indirect = name.size() > 1 && name.front() == '!';
    if (indirect) name.remove_prefix(1);
    if (name.size() > 1 && name.front() == '#') {
      unknown_part();  // a length
      return;
    }
    note_argument(name);
    ShellVariable found = values_of(name);
    if (indirect) found = indirected(found);
    if (name == "*" || subscript == "[*]") {
      for (Fields& value : found.values) value = {join(value, " ")};
    } else if (subscript != "[@]" && name != "@") {
      for (Fields& value : found.values)
        if (value.size() > 1) value.resize(1);
    }
    apply(name, operation, operand, std::move(found));
  }

  ShellVariable indirected(const ShellVariable& names) {
    ShellVariable out;
    out.unknown = names.unknown;
    for (const Fields& name : names.values) {
      if (name.empty()) continue;
      const ShellVariable inner = values_of(name.front());
      out.unknown = out.unknown || inner.unknown;
      for (const Fields& value : inner.values)
        if (out.values.size() < kShellOptions) out.values.push_back(value);
    }
    return out;
  }

  static bool is_empty(const Fields& value) {
    return value.empty() || (value.size() == 1 && value.front().empty());
  }

  void apply(std::string_view name, std::string_view operation, const ShellWord& operand,
             ShellVariable found) {
    const bool split = !quoted_;
    const std::string_view plain = operation.starts_with(':') ? operation.substr(1) : operation;
    if (plain == "-" || plain == "=") {
      const bool empty = std::all_of(found.values.begin(), found.values.end(), is_empty);
      std::erase_if(found.values, is_empty);
      if (empty || found.unknown)
        found.values.insert(found.values.end(), operand.options.begin(), operand.options.end());
      if (plain == "=")
        for (const Fields& value : operand.options) variables_.assign(name, value);
      word_.complete = word_.complete && operand.complete;
    } else if (plain == "+") {
      const bool set =
          found.unknown || !std::all_of(found.values.begin(), found.values.end(), is_empty);
      found.values = set ? operand.options : std::vector<Fields>{};
      word_.complete = word_.complete && operand.complete;
    } else if (operation.empty() || plain == "?") {
      if (found.unknown && found.values.empty()) unknown_part();
      word_.open = word_.open || found.unknown;
    } else if (operation.front() == '#' || operation.front() == '%') {
      word_.complete = word_.complete && !found.values.empty() && operand.complete;
      word_.open = word_.open || found.unknown;
      for (Fields& value : found.values)
        for (std::string& field : value)
          if (!remove_pattern(field, operation, operand.options.front().front()))
            word_.complete = false;
    } else if (operation == ":" && name == "@" && operand.options.size() == 1) {
      slice(found, operand.options.front().front());
    } else {
      found.values.clear();
      word_.complete = false;
    }
    if (found.values.empty() && operation.empty() && found.unknown) return;
    word_.append(found.values, split, budget_);
  }

  // "${@:2}"
  void slice(ShellVariable& found, std::string_view from) {
    const auto number = parse_u64(trim(from));
    if (!number || *number == 0) {
      word_.complete = false;
      return;
    }
    for (Fields& value : found.values) {
      const auto drop = std::min<std::uint64_t>(*number - 1, value.size());
      value.erase(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(drop));
    }
    word_.open = word_.open || found.unknown;
  }

  // ---- redirections and here-documents ----

  void redirection() {
    // A number right before it is a descriptor, not a word.
    const bool descriptor =
        word_.literal && std::all_of(word_.text().begin(), word_.text().end(), is_digit);
    if (!descriptor)
      end_word();
    else
      word_ = ShellWord();
    if (text_.substr(at_).starts_with("<<") && peek(2) != '<') {
      here_document();
      return;
    }
    const bool substitution = peek(1) == '(';
    const bool input = peek() == '<' && peek(1) != '>';
    if (substitution) {  // <(command), >(command)
      at_ += 2;
      begin_word();
      push(Frame::substitution);
      return;
    }
    while (peek() == '<' || peek() == '>' || peek() == '&' || peek() == '|') ++at_;
    skip_blanks();
    if (next_ != Next::target && next_ != Next::input) after_redirection_ = next_;
    next_ = input ? Next::input : Next::target;
  }

  void here_document() {
    at_ += 2;
    if (peek() == '-') ++at_;
    skip_blanks();
    std::string delimiter;
    char quote = '\0';
    while (at_ < text_.size() && peek() != '\n' &&
           (quote != '\0' ||
            std::string_view(" \t\r;&|()<>").find(peek()) == std::string_view::npos)) {
      const char c = text_[at_++];
      if (c == quote)
        quote = '\0';
      else if (quote == '\0' && (c == '\'' || c == '"'))
        quote = c;
      else if (c != '\\')
        delimiter += c;
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

  // ---- words ----

  void end_word() {
    if (!word_.begun) return;
    ShellWord word = std::move(word_);
    word_ = ShellWord();
    if (word_begin_ <= at_ && at_ <= text_.size() + 2)
      word.raw = trim(text_.substr(std::min(word_begin_, text_.size()),
                                   std::min(at_ - word_begin_, ShellWord::kRawBytes)));
    if (next_ == Next::target || next_ == Next::input) {
      if (next_ == Next::input) note_files(word);
      next_ = after_redirection_;
      return;
    }
    note_files(word);
    place(std::move(word));
  }

  void place(ShellWord word) {
    switch (next_) {
      case Next::command:
        command_word(std::move(word));
        break;
      case Next::words:
      case Next::for_words:
      case Next::list:
        command_.push_back(std::move(word));
        break;
      case Next::for_name:
        loop_variable_ = word.literal ? word.text() : std::string();
        next_ = Next::for_in;
        break;
      case Next::for_in:
        next_ = word.is_literal("in") ? Next::for_words : Next::command;
        break;
      case Next::case_word:
        next_ = Next::case_in;
        break;
      case Next::case_in:
        next_ = Next::pattern;
        break;
      case Next::pattern:
        if (word.is_literal("esac")) close_choice();
        break;
      case Next::test:
        if (word.is_literal("]]")) next_ = Next::skip;
        break;
      case Next::name:
        if (word.literal) define(word.text());
        next_ = Next::command;
        break;
      case Next::target:
      case Next::input:
      case Next::skip:
        break;
    }
  }

  void close_choice() {
    if (!blocks_.empty() && blocks_.back().kind == Block::choice) blocks_.pop_back();
    next_ = Next::skip;
  }

  void command_word(ShellWord word) {
    if (word.literal && !word.quoted && keyword(word.text())) return;
    if (assign_word(word)) return;
    defining_ = -1;
    next_ = Next::words;
    command_.push_back(std::move(word));
  }

  void open_block(Block kind) {
    const int function = defining_ >= 0 ? std::exchange(defining_, -1) : open_function();
    blocks_.push_back({kind, function});
  }

  bool keyword(std::string_view text) {
    if (one_of(kPrefixes, text)) return true;
    if (text == "{") {
      open_block(Block::group);
    } else if (text == "}") {
      if (!blocks_.empty() && blocks_.back().kind == Block::group) blocks_.pop_back();
    } else if (text == "for" || text == "select") {
      next_ = Next::for_name;
    } else if (text == "case") {
      open_block(Block::choice);
      next_ = Next::case_word;
    } else if (text == "esac") {
      close_choice();
    } else if (text == "[[") {
      next_ = Next::test;
    } else if (text == "function") {
      next_ = Next::name;
    } else {
      return false;
    }
    return true;
  }

  // NAME=value; true when it is one.
  bool assign_word(const ShellWord& word) {
    const std::string& text = word.options.front().front();
    const std::size_t length = assigned_name(text);
    if (length == 0) return false;
    const std::string name = text.substr(0, length);
    // The second time "A=$A x" would add once more.
    if (last_pass_ && (word.raw.find(cat("$", name)) != std::string::npos ||
                       word.raw.find(cat("${", name)) != std::string::npos))
      return true;
    const std::size_t value_at = length + (text[length] == '+' ? 2 : 1);
    if (!word.complete) variables_.forget(name);
    for (const Fields& fields : word.options) {
      if (fields.front().size() < value_at) continue;
      Fields value = fields;
      value.front().erase(0, value_at);
      if (word.complete) variables_.assign(name, std::move(value));
    }
    if (word.open) variables_.forget(name);
    return true;
  }

  // Absolute paths, also behind '=' (--conf=/etc/x.conf, VAR=/path).
  void note_files(const ShellWord& word) {
    if (!word.complete || !last_pass_) return;
    for (const Fields& fields : word.options) {
      for (std::string_view text : fields) {
        if (const std::size_t equals = text.find('=');
            !text.starts_with('/') && equals != std::string_view::npos)
          text.remove_prefix(equals + 1);
        if (text.size() > 1 && text.front() == '/') files_.add(std::string(text));
      }
    }
  }

  // ---- commands ----

  void end_command() {
    end_word();
    if (next_ == Next::for_words) loop_values();
    if (!command_.empty() && next_ != Next::list) {
      const std::vector<ShellWord> command = std::move(command_);
      command_.clear();
      run_command(command);
    }
    if (next_ == Next::target || next_ == Next::input) next_ = Next::command;
    if (next_ != Next::list && next_ != Next::pattern && next_ != Next::case_in)
      next_ = Next::command;
  }

  void loop_values() {
    for (const ShellWord& word : command_) {
      if (!word.complete) variables_.forget(loop_variable_);
      for (const Fields& fields : word.options)
        for (const std::string& field : fields) loop_value(field, word.wild);
    }
    command_.clear();
    next_ = Next::command;
  }

  void loop_value(const std::string& value, bool wild) {
    if (wild && value.starts_with('/') && scene_.glob) {
      for (std::string& path : scene_.glob(value))
        variables_.assign(loop_variable_, {std::move(path)});
    } else if (wild) {
      variables_.forget(loop_variable_);
    } else {
      variables_.assign(loop_variable_, {value});
    }
  }

  static bool is_nothing(const ShellWord& word, const Fields& fields) {
    return !word.quoted && !word.literal && fields.size() == 1 && fields.front().empty();
  }

  // The words of variant `index`; each word's values are all used, their combinations are not.
  std::vector<Operand> variant(const std::vector<ShellWord>& command, std::size_t index) {
    std::vector<Operand> out;
    for (const ShellWord& word : command) {
      const Fields& fields = word.options[std::min(index, word.options.size() - 1)];
      if (is_nothing(word, fields)) {
        if (word.argument && out.empty()) note_argument_run();
        if (!word.complete && out.empty() && !word.argument)
          out.push_back({"", word.raw, false, false, false});
        else if (!word.complete || word.open)
          dropped_ = true;
        continue;
      }
      if (word.argument && fields.size() == 1 && fields.front().empty()) {
        if (out.empty()) note_argument_run();
        dropped_ = dropped_ || word.open;
        continue;
      }
      for (std::size_t i = 0; i < fields.size() && out.size() < kShellFields * 4; ++i)
        out.push_back({fields[i], fields.size() == 1 ? word.raw : fields[i], word.complete,
                       word.open, word.argument && i == 0});
    }
    return out;
  }

  int open_function() const { return blocks_.empty() ? function_ : blocks_.back().function; }

  void note_argument_run() {
    const int function = open_function();
    if (function >= 0) functions_[static_cast<std::size_t>(function)].runs_arguments = true;
    if (function < 0 || file_.empty()) out_.runs_arguments = true;
  }

  void run_command(const std::vector<ShellWord>& command) {
    std::size_t variants = 1;
    for (const ShellWord& word : command) variants = std::max(variants, word.options.size());
    for (std::size_t i = 0; i < variants; ++i) {
      dropped_ = false;
      std::vector<Operand> words = variant(command, i);
      std::size_t bytes = words.size();
      for (const Operand& word : words) bytes += word.text.size() + word.raw.size();
      // The first is text of the script itself; the others are made of expansions.
      if (i > 0 && !budget_.take(bytes)) break;
      if (i == 0 && ran_.size() < 3) remember(words);
      dispatch(words, 0);
    }
  }

  // What a substitution may be evaluated from.
  void remember(const std::vector<Operand>& words) {
    Fields texts;
    for (const Operand& word : words) {
      if (!word.complete || texts.size() >= 8) {
        texts.clear();
        break;
      }
      texts.push_back(word.text);
    }
    ran_.push_back(std::move(texts));
  }

  void dispatch(const std::vector<Operand>& words, std::size_t at) {
    while (at < words.size()) {
      const Operand& first = words[at];
      if (first.argument) note_argument_run();
      if (!first.complete) {
        if (!first.argument && last_pass_) unknown_.add(first.raw);
        return;
      }
      if (first.open && !first.argument && last_pass_) unknown_.add(first.raw);
      const std::string& name = first.text;
      if (name.empty()) return;
      if (name == "exec" || name == "builtin") {
        at = after_options(words, at + 1, name == "exec" ? "a" : "");
      } else if (name == "command") {
        if (at + 1 < words.size() && (words[at + 1].text == "-v" || words[at + 1].text == "-V"))
          return;
        at = after_options(words, at + 1, "");
      } else {
        if (!builtin(words, at)) invoke(words, at);
        return;
      }
    }
  }

  static std::size_t after_options(const std::vector<Operand>& words, std::size_t at,
                                   std::string_view with_value) {
    while (at < words.size() && words[at].text.size() > 1 && words[at].text[0] == '-') {
      const std::string& option = words[at++].text;
      if (option == "--") break;
      if (with_value.find(option.back()) != std::string_view::npos) ++at;
    }
    return at;
  }

  bool builtin(const std::vector<Operand>& words, std::size_t at) {
    const std::string& name = words[at].text;
    if (name == "." || name == "source") {
      if (at + 1 < words.size()) source(words[at + 1]);
    } else if (name == "set") {
      set_positional(words, at + 1);
    } else if (name == "shift") {
      shift(at + 1 < words.size() ? parse_u64(words[at + 1].text).value_or(1) : 1);
    } else if (name == "eval") {
      evaluate(words, at + 1, words.size());
    } else if (name == "trap") {
      if (at + 2 < words.size()) evaluate(words, at + 1, at + 2);
    } else if (name == "cd") {
      const std::size_t operand = after_options(words, at + 1, "");
      if (operand < words.size() && words[operand].complete && last_pass_)
        directories_.add(words[operand].text);
    } else if (one_of(kDeclarations, name)) {
      for (std::size_t i = at + 1; i < words.size(); ++i) declare(words[i]);
    } else if (one_of(kReaders, name)) {
      for (std::size_t i = at + 1; i < words.size(); ++i)
        if (!words[i].text.empty() && is_name_start(words[i].text[0]) && name != "unset")
          variables_.forget(words[i].text);
    } else {
      if (name == "printf" && at + 2 < words.size() && words[at + 1].text == "-v")
        variables_.forget(words[at + 2].text);
      return one_of(kBuiltins, name);
    }
    return true;
  }

  void declare(const Operand& word) {
    const std::size_t length = assigned_name(word.text);
    if (length == 0) return;
    const std::string name = word.text.substr(0, length);
    if (!word.complete)
      variables_.forget(name);
    else
      variables_.assign(name, {word.text.substr(length + (word.text[length] == '+' ? 2 : 1))});
    if (word.open) variables_.forget(name);
  }

  void set_positional(const std::vector<Operand>& words, std::size_t at) {
    // Options end at "--", or where the first word is none.
    while (at < words.size() && words[at].text.size() > 1 &&
           (words[at].text[0] == '-' || words[at].text[0] == '+')) {
      const bool last = words[at].text == "--";
      ++at;
      if (last) break;
    }
    if (at >= words.size()) return;
    Fields value;
    for (; at < words.size() && value.size() < kShellFields; ++at)
      value.push_back(words[at].complete ? words[at].text : words[at].raw);
    add_positional(std::move(value));
  }

  void add_positional(Fields value) {
    if (positional_.size() < kPositionals &&
        std::find(positional_.begin(), positional_.end(), value) == positional_.end())
      positional_.push_back(std::move(value));
  }

  void shift(std::uint64_t count) {
    const std::vector<Fields> before = copied(positional_, budget_);
    for (const Fields& value : before)
      if (count > 0 && value.size() > count)
        add_positional({value.begin() + static_cast<std::ptrdiff_t>(count), value.end()});
  }

  void evaluate(const std::vector<Operand>& words, std::size_t begin, std::size_t end) {
    std::string text;
    for (std::size_t i = begin; i < end; ++i) {
      if (words[i].argument) note_argument_run();
      text += cat(i > begin ? " " : "", words[i].complete ? words[i].text : words[i].raw);
    }
    if (text.empty() || text == "-" || ++evaluations_ > kEvaluations) return;
    pend(cat(text, "\n"), file_);
  }

  void source(const Operand& word) {
    if (!word.complete) {
      if (last_pass_ && !word.argument) unknown_.add(cat(". ", word.raw));
      return;
    }
    if (!sourced_.insert(word.text).second || sourced_.size() > kSourcedFiles) return;
    out_.sourced.push_back({word.text, file_});
    if (!scene_.source) return;
    const auto cached = source_texts_.find(word.text);
    if (cached == source_texts_.end()) {
      auto text = scene_.source(word.text);
      if (text) ++read_sources_;
      source_texts_.emplace(word.text, text);
      if (text) pend(std::move(*text), word.text);
    } else if (cached->second) {
      pend(*cached->second, word.text);
    }
  }

  void invoke(const std::vector<Operand>& words, std::size_t at) {
    if (!last_pass_ || invocations_.size() >= kInvocations) return;
    Invocation out;
    out.complete = !dropped_;
    out.argument = words[at].argument;
    out.file = file_;
    for (std::size_t i = at; i < words.size(); ++i) {
      out.complete = out.complete && words[i].complete && !words[i].open;
      out.words.push_back(words[i].complete ? words[i].text : words[i].raw);
    }
    invocations_.push_back(std::move(out));
  }

  // A call of a function is no program; one that runs its arguments runs those of its calls.
  void look_through_functions() {
    std::set<std::vector<std::string>> seen;
    for (std::size_t i = 0; i < invocations_.size(); ++i) {
      Invocation& call = invocations_[i];
      const auto function = function_ids_.find(call.words.front());
      if (function == function_ids_.end()) {
        std::vector<std::string> key = call.words;
        key.push_back(call.file);
        if (seen.insert(std::move(key)).second) out_.invocations.push_back(std::move(call));
        continue;
      }
      if (!functions_[static_cast<std::size_t>(function->second)].runs_arguments ||
          call.words.size() < 2 || invocations_.size() >= kInvocations)
        continue;
      Invocation inner = std::move(call);
      do inner.words.erase(inner.words.begin());
      while (inner.words.size() > 1 &&
             (inner.words.front() == "exec" || inner.words.front() == "command"));
      const std::string& name = inner.words.front();
      if (name.empty() || name.find('$') != std::string::npos || one_of(kBuiltins, name)) continue;
      invocations_.push_back(std::move(inner));
    }
  }

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
  std::vector<std::string> here_documents_;
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

}  // namespace

ShellScan scan_shell(std::string_view text, const ShellScene& scene) {
  return Scanner(text, scene).run();
}

}  // namespace cloister::manifest
