#include "manifest-gen/closure/shell_words.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Field splitting (XCU 2.6.5) with the usual IFS; an empty field stands for a blank at an end.
Fields split_fields(const std::string& text) {
  Fields out{""};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_blank(text[i]))
      out.back() += text[i];
    else if (!out.back().empty() || (i == 0 && out.size() == 1))
      out.emplace_back();
  }
  return out;
}

std::size_t bytes_of(const Fields& fields) {
  std::size_t bytes = fields.size();
  for (const std::string& field : fields) bytes += field.size();
  return bytes;
}

// False when it grows beyond what a word may be.
bool join_fields(Fields& into, const Fields& more) {
  if (more.empty()) return true;
  if (into.size() + more.size() > kShellFields) return false;
  if (into.back().size() + more.front().size() > kShellFieldBytes) return false;
  into.back() += more.front();
  into.insert(into.end(), more.begin() + 1, more.end());
  return true;
}

std::string without_options(const Fields& command) {
  for (std::size_t i = 1; i < command.size(); ++i)
    if (!command[i].starts_with('-')) return command[i];
  return {};
}

std::string dirname_of(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string in_workdir(const std::string& path, std::string_view workdir) {
  if (path.starts_with('/')) return path;
  return path == "." || path.empty() ? std::string(workdir) : cat(workdir, "/", path);
}

}  // namespace

void ShellWord::put(char c) {
  for (Fields& fields : options) fields.back() += c;
  begun = true;
}

void ShellWord::append(const std::vector<Fields>& values, bool split, ShellBudget& budget) {
  begun = true;
  literal = false;
  if (values.empty()) return;
  std::vector<Fields> out;
  for (const Fields& before : options) {
    for (const Fields& value : values) {
      Fields joined = before;
      const bool one = split && value.size() == 1;
      const bool fits = budget.take(bytes_of(before) + bytes_of(value)) &&
                        out.size() < kShellOptions &&
                        join_fields(joined, one ? split_fields(value.front()) : value);
      if (!fits) {
        complete = false;
        break;
      }
      out.push_back(std::move(joined));
    }
  }
  if (!out.empty()) options = std::move(out);
}

bool ShellWord::is_literal(std::string_view text_wanted) const {
  return literal && !quoted && text() == text_wanted;
}

void ShellVariables::assign(std::string_view name, Fields value) {
  ShellVariable& variable = table_[std::string(name)];
  if (std::find(variable.values.begin(), variable.values.end(), value) != variable.values.end())
    return;
  if (variable.values.size() >= kShellOptions || value.size() > kShellFields ||
      bytes_of(value) > kShellFieldBytes + value.size()) {
    variable.unknown = true;
    return;
  }
  variable.values.push_back(std::move(value));
}

void ShellVariables::add_fields(std::string_view name, const Fields& more, ShellBudget& budget) {
  ShellVariable& variable = table_[std::string(name)];
  // Onto the longest only: every subset of ten conditional options would be a thousand values.
  Fields value = variable.values.empty() ? Fields() : variable.values.back();
  if (!budget.take(bytes_of(value))) {
    variable.unknown = true;
    return;
  }
  value.insert(value.end(), more.begin(), more.end());
  assign(name, std::move(value));
}

void ShellVariables::forget(std::string_view name) {
  table_[std::string(name)].unknown = true;
}

const ShellVariable* ShellVariables::find(std::string_view name) const {
  const auto at = table_.find(name);
  return at == table_.end() ? nullptr : &at->second;
}

std::vector<Fields> copied(const std::vector<Fields>& values, ShellBudget& budget) {
  std::vector<Fields> out;
  for (const Fields& value : values) {
    if (!budget.take(bytes_of(value))) break;
    out.push_back(value);
  }
  return out;
}

bool remove_pattern(std::string& value, std::string_view operation, std::string_view pattern) {
  const bool front = operation.starts_with('#');
  if (pattern == "*/" && operation == "##") {
    value = std::string(base_name(value));
    return true;
  }
  if (pattern == "/*" && operation == "%") {
    const std::size_t slash = value.rfind('/');
    if (slash != std::string::npos) value.resize(slash);
    return true;
  }
  if (pattern.find_first_of("*?[\\") != std::string_view::npos) return false;
  if (front && value.starts_with(pattern))
    value.erase(0, pattern.size());
  else if (!front && value.ends_with(pattern))
    value.resize(value.size() - pattern.size());
  return true;
}

bool evaluate_substitution(const std::vector<Fields>& commands, std::string_view workdir,
                           std::string& value) {
  if (commands.empty() || commands.size() > 2 || commands.front().empty()) return false;
  const Fields& first = commands.front();
  const std::string& name = first.front();
  if (commands.size() == 2) {
    if (name != "cd" || commands[1].empty() || commands[1].front() != "pwd") return false;
    value = in_workdir(without_options(first), workdir);
    return true;
  }
  const std::string operand = without_options(first);
  if (name == "pwd") {
    value = workdir;
  } else if (operand.empty()) {
    return false;
  } else if (name == "dirname") {
    value = dirname_of(operand);
  } else if (name == "basename") {
    value = std::string(base_name(operand));
    if (first.size() == 3 && value.ends_with(first[2]) && value != first[2])
      value.resize(value.size() - first[2].size());
  } else if (name == "readlink" || name == "realpath") {
    value = in_workdir(operand, workdir);
  } else if (name == "which" || (name == "command" && first.size() == 3)) {
    value = operand;
  } else {
    return false;
  }
  return true;
}

}  // namespace cloister::manifest
