// Words, keywords and simple commands (XCU 2.9, 2.14): what is assigned, declared, looped over,
// run.
#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/shell_scanner.h"
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

constexpr std::size_t kSourcedFiles = 64;
constexpr std::size_t kEvaluations = 512;
constexpr std::size_t kOtherPrograms = 16;
constexpr std::size_t kEvaluatedVariants = 8;  // at either end of what a command may be
constexpr std::size_t kPositionals = 8;
constexpr std::size_t kInvocations = 65536;

}  // namespace

std::size_t assigned_name(std::string_view word) {
  std::size_t end = 0;
  while (end < word.size() && is_name_char(word[end])) ++end;
  if (end == 0 || end == word.size() || !is_name_start(word[0])) return 0;
  if (word[end] == '=' || (word[end] == '+' && end + 1 < word.size() && word[end + 1] == '='))
    return end;
  return 0;
}

void ShellScanner::end_word() {
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

void ShellScanner::place(ShellWord word) {
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

void ShellScanner::close_choice() {
  if (!blocks_.empty() && blocks_.back().kind == Block::choice) blocks_.pop_back();
  next_ = Next::skip;
}

void ShellScanner::command_word(ShellWord word) {
  if (word.literal && !word.quoted && keyword(word.text())) return;
  if (assign_word(word)) return;
  defining_ = -1;
  next_ = Next::words;
  command_.push_back(std::move(word));
}

void ShellScanner::open_block(Block kind) {
  const int function = defining_ >= 0 ? std::exchange(defining_, -1) : open_function();
  blocks_.push_back({kind, function});
}

bool ShellScanner::keyword(std::string_view text) {
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

bool ShellScanner::assign_word(const ShellWord& word) {
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

void ShellScanner::note_files(const ShellWord& word) {
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

void ShellScanner::end_command() {
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

void ShellScanner::loop_values() {
  for (const ShellWord& word : command_) {
    if (!word.complete) variables_.forget(loop_variable_);
    for (const Fields& fields : word.options)
      for (const std::string& field : fields) loop_value(field, word.wild);
  }
  command_.clear();
  next_ = Next::command;
}

void ShellScanner::loop_value(const std::string& value, bool wild) {
  if (wild && value.starts_with('/') && scene_.glob) {
    for (std::string& path : scene_.glob(value))
      variables_.assign(loop_variable_, {std::move(path)});
  } else if (wild) {
    variables_.forget(loop_variable_);
  } else {
    variables_.assign(loop_variable_, {value});
  }
}

bool ShellScanner::is_nothing(const ShellWord& word, const Fields& fields) {
  return !word.quoted && !word.literal && fields.size() == 1 && fields.front().empty();
}

std::vector<ShellScanner::Operand> ShellScanner::variant(const std::vector<ShellWord>& command,
                                                         std::size_t index, std::size_t program) {
  std::vector<Operand> out;
  dropped_ = false;
  const std::size_t at = program_word(command);
  for (const ShellWord& word : command) {
    const bool runs = &word == &command[at];
    const Fields& fields = word.options[std::min(runs ? program : index, word.options.size() - 1)];
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
      out.push_back({fields[i], fields.size() == 1 ? word.raw : fields[i], word.complete, word.open,
                     word.argument && i == 0});
  }
  return out;
}

std::size_t ShellScanner::bytes_of(const std::vector<Operand>& words) {
  std::size_t bytes = words.size();
  for (const Operand& word : words) bytes += word.text.size() + word.raw.size();
  return bytes;
}

void ShellScanner::note_argument_run() {
  const int function = open_function();
  if (function >= 0) functions_[static_cast<std::size_t>(function)].runs_arguments = true;
  if (function < 0 || file_.empty()) out_.runs_arguments = true;
}

void ShellScanner::run_command(const std::vector<ShellWord>& command) {
  std::size_t variants = 1;
  for (const ShellWord& word : command) variants = std::max(variants, word.options.size());
  // What eval is given is looked at as text: the values that come first and last are enough.
  const bool text = command.front().is_literal("eval");
  for (std::size_t i = 0; i < variants; ++i) {
    if (text && i >= kEvaluatedVariants && i + kEvaluatedVariants < variants) continue;
    const std::vector<Operand> words = variant(command, i, i);
    const std::size_t bytes = bytes_of(words);
    // The first is text of the script itself; the others are made of expansions.
    if (i > 0 && !budget_.take(bytes)) break;
    if (i == 0 && ran_.size() < 3) remember(words);
    dispatch(words, 0);
  }
  other_programs(command);
  without_prefix(command);
}

// Where the word that is run stands.
std::size_t ShellScanner::program_word(const std::vector<ShellWord>& command) {
  const bool front = command.front().is_literal("exec") || command.front().is_literal("eval");
  if (!front || command.size() < 2) return 0;
  return command.front().is_literal("eval") && command[1].is_literal("exec") && command.size() > 2
             ? 2
             : 1;
}

// The values above go along with each other by their order. The program that there is may be
// another one than the first: each gets the first values of the other words too.
void ShellScanner::other_programs(const std::vector<ShellWord>& command) {
  const std::size_t programs = command[program_word(command)].options.size();
  if (command.size() < 2) return;
  for (std::size_t program = 1; program < std::min(programs, kOtherPrograms); ++program) {
    for (std::size_t i = 0; i < std::min<std::size_t>(program, 2); ++i) {
      const std::vector<Operand> words = variant(command, i, program);
      if (!budget_.take(bytes_of(words))) return;
      dispatch(words, 0);
    }
  }
}

// "exec $wrapper java …": where nothing sets the variable the next word is the command.
void ShellScanner::without_prefix(const std::vector<ShellWord>& command) {
  const std::size_t at = program_word(command);
  if (command.size() < at + 2 || !command[at + 1].literal) return;
  const ShellWord& prefix = command[at];
  if (command[at + 1].text().starts_with('-')) return;
  if (prefix.literal || prefix.quoted || prefix.argument || !prefix.raw.starts_with('$')) return;
  run_command({command.begin() + static_cast<std::ptrdiff_t>(at + 1), command.end()});
}

void ShellScanner::remember(const std::vector<Operand>& words) {
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

void ShellScanner::dispatch(const std::vector<Operand>& words, std::size_t at) {
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

std::size_t ShellScanner::after_options(const std::vector<Operand>& words, std::size_t at,
                                        std::string_view with_value) {
  while (at < words.size() && words[at].text.size() > 1 && words[at].text[0] == '-') {
    const std::string& option = words[at++].text;
    if (option == "--") break;
    if (with_value.find(option.back()) != std::string_view::npos) ++at;
  }
  return at;
}

bool ShellScanner::builtin(const std::vector<Operand>& words, std::size_t at) {
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

void ShellScanner::declare(const Operand& word) {
  const std::size_t length = assigned_name(word.text);
  if (length == 0) return;
  const std::string name = word.text.substr(0, length);
  if (!word.complete)
    variables_.forget(name);
  else
    variables_.assign(name, {word.text.substr(length + (word.text[length] == '+' ? 2 : 1))});
  if (word.open) variables_.forget(name);
}

void ShellScanner::set_positional(const std::vector<Operand>& words, std::size_t at) {
  // Options end at "--", or where the first word is none.
  while (at < words.size() && words[at].text.size() > 1 &&
         (words[at].text[0] == '-' || words[at].text[0] == '+')) {
    const std::string& option = words[at++].text;
    if (option == "--") break;
    if (option.back() == 'o') ++at;  // "-euo pipefail": its name is no argument
  }
  if (at >= words.size()) return;
  Fields value;
  for (; at < words.size() && value.size() < kShellFields; ++at)
    value.push_back(words[at].complete ? words[at].text : words[at].raw);
  add_positional(std::move(value));
}

void ShellScanner::add_positional(Fields value) {
  if (positional_.size() < kPositionals &&
      std::find(positional_.begin(), positional_.end(), value) == positional_.end())
    positional_.push_back(std::move(value));
}

void ShellScanner::shift(std::uint64_t count) {
  const std::vector<Fields> before = copied(positional_, budget_);
  for (const Fields& value : before)
    if (count > 0 && value.size() > count)
      add_positional({value.begin() + static_cast<std::ptrdiff_t>(count), value.end()});
}

void ShellScanner::evaluate(const std::vector<Operand>& words, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    if (words[i].argument) note_argument_run();
    text += cat(i > begin ? " " : "", words[i].complete ? words[i].text : words[i].raw);
  }
  if (text.empty() || text == "-" || ++evaluations_ > kEvaluations) return;
  pend(cat(text, "\n"), file_);
}

void ShellScanner::source(const Operand& word) {
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

void ShellScanner::invoke(const std::vector<Operand>& words, std::size_t at) {
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

void ShellScanner::look_through_functions() {
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

}  // namespace cloister::manifest
