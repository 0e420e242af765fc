// POSIX shell command language (XCU 2) and what bash adds, reduced to what is needed to see simple
// commands: quoting, expansions, operators, compound commands, here-documents. Two passes over the
// text: the first collects assignments, since functions use what is assigned below them.
//
// Nested substitutions, "${…}", arrays, sourced files and eval are frames on an explicit stack, so
// that the depth of the input costs memory, not stack.
#include "manifest-gen/closure/shell_scan.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/shell_scanner.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

constexpr std::size_t kFrames = 16;
constexpr std::string_view kLibraryPath = "LD_LIBRARY_PATH";

}  // namespace

ShellScanner::ShellScanner(std::string_view text, const ShellScene& scene)
    : scene_(scene), script_(text) {
  for (const auto& [name, value] : scene.env) variables_.assign(name, {value});
  variables_.assign("PWD", {scene.workdir});
  // Scripts put directories in front of what it was: nothing, where the image does not set it.
  if (variables_.find(kLibraryPath) == nullptr) variables_.assign(kLibraryPath, {""});
}

ShellScan ShellScanner::run() {
  pass();
  out_ = ShellScan();
  invocations_.clear();
  last_pass_ = true;
  pass();
  look_through_functions();
  note_library_directories();
  out_.files = std::move(files_.list);
  out_.directories = std::move(directories_.list);
  out_.unknown = std::move(unknown_.list);
  return std::move(out_);
}

void ShellScanner::note_library_directories() {
  Unique directories;
  const ShellVariable* variable = variables_.find(kLibraryPath);
  if (variable == nullptr) return;
  for (const Fields& value : variable->values)
    for (const std::string& field : value)
      for (const std::string_view directory : split(field, ':'))
        if (directory.starts_with('/')) directories.add(std::string(directory));
  out_.library_directories = std::move(directories.list);
}

void ShellScanner::pass() {
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

void ShellScanner::reset_state() {
  word_ = ShellWord();
  next_ = Next::command;
  quoted_ = false;
  command_.clear();
  ran_.clear();
  here_documents_.clear();
}

char ShellScanner::peek(std::size_t ahead) const {
  return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

void ShellScanner::begin_word() {
  if (word_.begun) return;
  word_.begun = true;
  word_begin_ = at_;
}

void ShellScanner::put(char c) {
  begin_word();
  word_.put(c);
}

void ShellScanner::step() {
  const char c = peek();
  if (c == '\\') {
    if (peek(1) != '\n' && at_ + 1 < text_.size()) {
      if (quoted_ && std::string_view("$`\"\\").find(peek(1)) == std::string_view::npos) put('\\');
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

void ShellScanner::unquoted(char c) {
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
      if (!inside_words()) end_command();
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

void ShellScanner::single_quotes() {
  begin_word();
  ++at_;
  word_.quoted = true;
  while (at_ < text_.size() && text_[at_] != '\'') word_.put(text_[at_++]);
  ++at_;
}

// Ends a word where line ends and separators are like blanks. The word may be the one that ends
// such a place ("esac", "]]"): then they are not.
bool ShellScanner::inside_words() {
  const auto is_inside = [&] {
    return next_ == Next::list || next_ == Next::pattern || next_ == Next::test;
  };
  if (!is_inside()) return false;
  end_word();
  return is_inside();
}

void ShellScanner::separator(char c) {
  if ((next_ == Next::pattern || next_ == Next::test) && inside_words()) {
    ++at_;
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

void ShellScanner::open_parenthesis() {
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

void ShellScanner::pattern_list() {
  std::size_t depth = 0;
  do {
    if (peek() == '(') ++depth;
    if (peek() == ')') --depth;
    put(text_[at_++]);
  } while (depth > 0 && at_ < text_.size() && peek() != '\n');
  word_.wild = true;
}

bool ShellScanner::function_definition() {
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

void ShellScanner::define(const std::string& name) {
  const auto [at, added] = function_ids_.try_emplace(name, static_cast<int>(functions_.size()));
  if (added) functions_.emplace_back();
  defining_ = at->second;
}

void ShellScanner::close_parenthesis() {
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

void ShellScanner::push(Frame kind) {
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

ShellScanner::Saved ShellScanner::pop() {
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

void ShellScanner::unwind(std::size_t size) {
  while (stack_.size() > size) (void)pop();
}

void ShellScanner::backquote() {
  if (in(Frame::backquote)) {
    end_command();
    close_substitution();
  } else {
    push(Frame::backquote);
  }
}

void ShellScanner::close_substitution() {
  const std::vector<Fields> ran = std::move(ran_);
  (void)pop();
  std::string value;
  if (evaluate_substitution(ran, scene_.workdir, value))
    word_.append({{std::move(value)}}, !quoted_, budget_);
  else
    unknown_part();
}

void ShellScanner::unknown_part() {
  word_.begun = true;
  word_.literal = word_.complete = false;
}

void ShellScanner::arithmetic_character(char c) {
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

void ShellScanner::close_array() {
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

void ShellScanner::enter_text() {
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

bool ShellScanner::leave_text() {
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

void ShellScanner::pend(std::string text, std::string file) {
  if (text_depth_ >= kFrames) return;
  pending_.push_back({std::move(text), std::move(file)});
}

void ShellScanner::redirection() {
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

void ShellScanner::here_document() {
  at_ += 2;
  if (peek() == '-') ++at_;
  skip_blanks();
  std::string delimiter;
  char quote = '\0';
  bool literal = false;
  while (
      at_ < text_.size() && peek() != '\n' &&
      (quote != '\0' || std::string_view(" \t\r;&|()<>").find(peek()) == std::string_view::npos)) {
    const char c = text_[at_++];
    if (c == quote)
      quote = '\0';
    else if (quote == '\0' && (c == '\'' || c == '"'))
      quote = c;
    else if (c != '\\')
      delimiter += c;
    literal = literal || c == '\'' || c == '"' || c == '\\';
  }
  if (!delimiter.empty()) here_documents_.push_back({std::move(delimiter), literal});
}

void ShellScanner::skip_here_documents() {
  for (const HereDocument& document : here_documents_) {
    const std::size_t text = at_;
    std::size_t text_end = at_;
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      skip_line();
      const std::string_view line = text_.substr(begin, at_ - begin);
      if (at_ < text_.size()) ++at_;  // the newline
      if (trim(line) == document.delimiter) break;
      text_end = at_;
    }
    if (!document.literal) substitutions(text_.substr(text, text_end - text));
  }
  here_documents_.clear();
}

// "$( … )" in the text of a here-document runs; those within run with it.
void ShellScanner::substitutions(std::string_view text) {
  for (std::size_t at = text.find("$("); at != std::string_view::npos; at = text.find("$(", at)) {
    if (text.substr(at, 3) == "$((" || (at > 0 && text[at - 1] == '\\')) {
      at += 2;
      continue;
    }
    std::size_t depth = 1, end = at + 2;
    for (; end < text.size() && depth > 0; ++end) {
      if (text[end] == '(') ++depth;
      if (text[end] == ')') --depth;
    }
    if (depth > 0) return;
    pend(cat(text.substr(at + 2, end - at - 3), "\n"), file_);
    at = end;
  }
}

void ShellScanner::skip_line() {
  const std::size_t end = text_.find('\n', at_);
  at_ = end == std::string_view::npos ? text_.size() : end;
}

void ShellScanner::skip_blanks() {
  while (peek() == ' ' || peek() == '\t') ++at_;
}

ShellScan scan_shell(std::string_view text, const ShellScene& scene) {
  return ShellScanner(text, scene).run();
}

}  // namespace cloister::manifest
