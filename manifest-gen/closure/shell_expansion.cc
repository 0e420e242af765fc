// What "$" and "${…}" stand for (XCU 2.6.2 and what bash adds): all values that a variable may
// have, and whether there may be others.
#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/shell_scanner.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
void ShellScanner::dollar() {
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

void ShellScanner::open_parameter() {
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

bool ShellScanner::parameter_character(char c) {
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

void ShellScanner::close_parameter() {
  const ShellWord operand = std::move(word_);
  const Saved frame = pop();
  word_.begun = true;
  parameter(frame.name, frame.operation, operand);
}

ShellVariable ShellScanner::values_of(std::string_view name) {
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

bool ShellScanner::is_argument(std::string_view name) {
  return name == "@" || name == "*" || (name.size() == 1 && is_digit(name[0]) && name != "0");
}

void ShellScanner::note_argument(std::string_view name) {
  if (!is_argument(name)) return;
  const bool first = std::all_of(word_.options.begin(), word_.options.end(), [](const Fields& f) {
    return f.size() == 1 && f.front().empty();
  });
  word_.argument = word_.argument || first;
}

void ShellScanner::parameter(std::string_view name, std::string_view operation,
                             const ShellWord& operand) {
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

ShellVariable ShellScanner::indirected(const ShellVariable& names) {
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

bool ShellScanner::is_empty(const Fields& value) {
  return value.empty() || (value.size() == 1 && value.front().empty());
}

void ShellScanner::apply(std::string_view name, std::string_view operation,
                         const ShellWord& operand, ShellVariable found) {
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

void ShellScanner::slice(ShellVariable& found, std::string_view from) {
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

}  // namespace cloister::manifest
