#include "base/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace cloister {
namespace {

Result<TomlValue> convert(const toml::node& node, std::size_t depth, std::string_view what);

Error too_deep(std::string_view what) {
  return Error::limit(cat(what, " is nested too deeply"));
}

Result<TomlTable> convert_table(const toml::table& table, std::size_t depth,
                                std::string_view what) {
  if (depth == 0) return too_deep(what);
  TomlTable out;
  for (const auto& [key, node] : table) {
    CL_TRY(TomlValue value, convert(node, depth - 1, what));
    out.set(std::string(key.str()), std::move(value));
  }
  return out;
}

Result<TomlValue> convert(const toml::node& node, std::size_t depth, std::string_view what) {
  if (const auto* t = node.as_table()) {
    CL_TRY(TomlTable table, convert_table(*t, depth, what));
    return TomlValue(std::move(table));
  }
  if (const auto* a = node.as_array()) {
    if (depth == 0) return too_deep(what);
    TomlArray out;
    for (const auto& item : *a) {
      CL_TRY(TomlValue value, convert(item, depth - 1, what));
      out.push_back(std::move(value));
    }
    return TomlValue(std::move(out));
  }
  if (const auto* v = node.as_string()) return TomlValue(v->get());
  if (const auto* v = node.as_integer()) return TomlValue(v->get());
  if (const auto* v = node.as_boolean()) return TomlValue(v->get());
  if (const auto* v = node.as_floating_point()) return TomlValue(v->get());
  return Error::unsupported(cat(what, " has a date or time at line ", node.source().begin.line));
}

// toml++ bounds brackets but not dotted keys, and destroys its tables recursively: a key of some
// ten thousand parts would exhaust the stack. So the nesting of the text is bounded before it is
// parsed, by just enough of the lexer to know what is a string and what is a comment.
class NestingScan {
 public:
  explicit NestingScan(std::string_view text) : text_(text) {}

  bool deeper_than(std::size_t max) {
    while (at_ < text_.size() && level_ <= max) step(text_[at_]);
    return level_ > max;
  }

 private:
  void step(char c) {
    switch (c) {
      case '"':
      case '\'':
        return skip_string(c);
      case '#':
        return skip_comment();
      case '.':
        ++level_;
        break;
      case '[':
      case '{':
        open_.push_back(level_);
        ++level_;
        break;
      case ']':
      case '}':
        if (open_.empty()) break;
        level_ = open_.back();
        open_.pop_back();
        break;
      case ',':
        if (!open_.empty()) level_ = open_.back() + 1;
        break;
      case '\n':
        if (open_.empty()) level_ = 0;
        break;
      default:
        break;
    }
    ++at_;
  }
  void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }
  void skip_string(char mark) {
    const std::string delimiter(3, mark);
    const bool multiline = text_.substr(at_).starts_with(delimiter);
    at_ += multiline ? 3 : 1;
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && mark == '"') {
        at_ += 2;
      } else if (multiline && text_.substr(at_).starts_with(delimiter)) {
        at_ += 3;  // the string itself may end in one or two marks
        for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == mark; ++i) ++at_;
        return;
      } else if (!multiline && (text_[at_] == mark || text_[at_] == '\n')) {
        if (text_[at_] == mark) ++at_;
        return;
      } else {
        ++at_;
      }
    }
    at_ = text_.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t level_ = 0;          // brackets open around here, and parts of the key
  std::vector<std::size_t> open_;  // the level outside each open bracket
};

std::string emit_float(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
  char buffer[40];
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

std::string emit_inline(const TomlValue& value) {
  if (const auto* v = value.boolean()) return *v ? "true" : "false";
  if (const auto* v = value.integer()) return cat(*v);
  if (const auto* v = value.as<double>()) return emit_float(*v);
  if (const auto* v = value.string()) return toml_string(*v);
  std::string out;
  if (const auto* array = value.array()) {
    out = "[";
    for (const TomlValue& item : *array) {
      if (out.size() > 1) out += ", ";
      out += emit_inline(item);
    }
    return out + "]";
  }
  out = "{";
  for (const auto& [key, item] : *value.table()) {
    out += out.size() > 1 ? ", " : " ";
    out += toml_key(key) + " = " + emit_inline(item);
  }
  return out + (out.size() > 1 ? " }" : "}");
}

class Emitter {
 public:
  explicit Emitter(const TomlComment& comment) : comment_(comment) {}
  std::string out;

  void table(const TomlTable& t, const std::string& prefix) {
    for (const auto& [key, value] : t) {
      const std::string name = prefix.empty() ? toml_key(key) : cat(prefix, ".", toml_key(key));
      if (const auto* sub = value.table()) {
        table(*sub, name);
      } else if (const auto* array = value.array(); array && has_tables(*array)) {
        elements(*array, name);
      } else {
        line(cat(name, " = ", emit_inline(value)), name, std::string_view::npos);
      }
    }
  }

 private:
  static bool has_tables(const TomlArray& array) {
    return std::any_of(array.begin(), array.end(),
                       [](const TomlValue& v) { return v.table() != nullptr; });
  }
  void elements(const TomlArray& array, const std::string& name) {
    line(name + " = [", name, std::string_view::npos);
    for (std::size_t i = 0; i < array.size(); ++i)
      line(cat("  ", emit_inline(array[i]), ","), name, i);
    out += "]\n";
  }
  void line(const std::string& text, const std::string& name, std::size_t index) {
    out += text;
    const std::string note = comment_ ? comment_(name, index) : std::string();
    if (!note.empty()) out += "  # " + printable(note);
    out += '\n';
  }
  const TomlComment& comment_;
};

}  // namespace

const TomlValue* TomlTable::find(std::string_view key) const {
  for (const auto& [name, value] : items_)
    if (name == key) return &value;
  return nullptr;
}

TomlValue* TomlTable::find(std::string_view key) {
  return const_cast<TomlValue*>(std::as_const(*this).find(key));  // NOLINT: this is not const
}

TomlValue& TomlTable::set(std::string key, TomlValue value) {
  if (TomlValue* existing = find(key)) return *existing = std::move(value);
  return items_.emplace_back(std::move(key), std::move(value)).second;
}

void TomlTable::erase(std::string_view key) {
  std::erase_if(items_, [&](const auto& item) { return item.first == key; });
}

const TomlValue* TomlTable::at(std::string_view dotted) const {
  const TomlTable* table = this;
  const TomlValue* value = nullptr;
  for (std::string_view part : split(dotted, '.')) {
    if (table == nullptr) return nullptr;
    value = table->find(part);
    if (value == nullptr) return nullptr;
    table = value->table();
  }
  return value;
}

TomlValue& TomlTable::put(std::string_view dotted, TomlValue value) {
  TomlTable* table = this;
  auto parts = split(dotted, '.');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    TomlValue* next = table->find(parts[i]);
    if (next == nullptr) next = &table->set(std::string(parts[i]), TomlTable());
    table = next->table();
  }
  return table->set(std::string(parts.back()), std::move(value));
}

bool TomlTable::operator==(const TomlTable& other) const {
  if (size() != other.size()) return false;
  return std::all_of(begin(), end(), [&](const auto& item) {
    const TomlValue* theirs = other.find(item.first);
    return theirs != nullptr && *theirs == item.second;
  });
}

std::string_view TomlValue::type_name() const {
  static constexpr std::string_view kNames[] = {"a boolean", "an integer", "a float",
                                                "a string",  "an array",   "a table"};
  return kNames[v_.index()];
}

Result<TomlTable> parse_toml(std::string_view text, const Limits& limits, std::string_view what) {
  // One more for the point of a float, which looks like that of a key.
  if (NestingScan(text).deeper_than(limits.toml_depth + 1)) return too_deep(what);
  auto parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error::corrupt(cat(what, " is not valid TOML at line ", error.source().begin.line,
                              ", column ", error.source().begin.column, ": ",
                              printable(error.description())));
  }
  return convert_table(parsed.table(), limits.toml_depth, what);
}

std::string emit_toml(const TomlTable& table, const TomlComment& comment) {
  Emitter emitter(comment);
  emitter.table(table, "");
  return std::move(emitter.out);
}

std::string toml_string(std::string_view text) {
  static constexpr char kUpperHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (u < 0x20 || u == 0x7f) {
          out += "\\u00";
          out += kUpperHex[u >> 4];
          out += kUpperHex[u & 15];
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string toml_key(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? std::string(key) : toml_string(key);
}

}  // namespace cloister
