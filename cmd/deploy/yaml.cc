#include "cmd/deploy/yaml.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::cmd {
namespace {

// Not printable in YAML 1.2 (5.1), a line break in 1.1, or not seen as what it is.
bool must_be_escaped(std::uint32_t point) {
  return is_unseen(point) || (point & 0xfffeU) == 0xfffeU;
}

std::string escaped_point(std::uint32_t point) {
  if (point == '\n') return "\\n";
  if (point == '\t') return "\\t";
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool wide = point > 0xffff;
  std::string out = wide ? "\\U" : "\\u";
  for (int shift = wide ? 28 : 12; shift >= 0; shift -= 4)
    out += kDigits[(point >> static_cast<unsigned>(shift)) & 0xfU];
  return out;
}

// Bytes that are no text are shown as printable() shows them: a name of ours has none.
std::string escaped_text(std::string_view bytes, bool quoted) {
  const std::string text = is_utf8(bytes) ? std::string(bytes) : printable(bytes);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const auto [point, length] = code_point_at(text, at);
    at += length;
    if (must_be_escaped(point))
      out += escaped_point(point);
    else if (quoted && (point == '"' || point == '\\'))
      out += cat('\\', static_cast<char>(point));
    else
      out.append(text, from, at - from);
  }
  return out;
}

bool is_plain_key(std::string_view key) {
  // Readers of 1.1 take these for booleans and nulls.
  static constexpr std::string_view kWords[] = {"y",   "n",    "yes",   "no",  "on",
                                                "off", "true", "false", "null"};
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  };
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !key.empty() && letter(key.front()) && std::all_of(key.begin(), key.end(), plain) &&
         std::find(std::begin(kWords), std::end(kWords), lower_ascii(key)) == std::end(kWords);
}

std::string yaml_string(std::string_view text) {
  return cat('"', escaped_text(text, true), '"');
}

void comment_lines(std::string& out, std::string_view comment, std::size_t indent) {
  if (comment.empty()) return;
  for (const std::string_view line : split(comment, '\n'))
    out += cat(std::string(indent, ' '), "# ", comment_text(line), "\n");
}

}  // namespace

Yaml::Yaml(Kind kind) : kind_(kind) {}
Yaml::Yaml(bool flag) : kind_(Kind::flag), flag_(flag) {}
Yaml::Yaml(int number) : kind_(Kind::number), number_(number) {}
Yaml::Yaml(std::string text) : kind_(Kind::text), text_(std::move(text)) {}
Yaml::Yaml(std::string_view text) : kind_(Kind::text), text_(text) {}
Yaml::Yaml(const char* text) : kind_(Kind::text), text_(text) {}

Yaml Yaml::map() {
  return Yaml(Kind::map);
}
Yaml Yaml::list() {
  return Yaml(Kind::list);
}

Yaml& Yaml::put(std::string key, Yaml value, std::string comment) {
  if (value.is_scalar() || !value.empty())
    items_.push_back({std::move(key), std::move(comment), std::move(value)});
  return *this;
}

Yaml& Yaml::push(Yaml value, std::string comment) {
  if (value.is_scalar() || !value.empty())
    items_.push_back({"", std::move(comment), std::move(value)});
  return *this;
}

bool Yaml::empty() const {
  return items_.empty();
}

std::string Yaml::scalar() const {
  if (kind_ == Kind::flag) return flag_ ? "true" : "false";
  if (kind_ == Kind::number) return cat(number_);
  return yaml_string(text_);
}

// As deep as the trees that are made in this folder.
void Yaml::write(std::string& out, std::size_t indent) const {
  const std::string space(indent, ' ');
  for (const YamlItem& item : items_) {
    comment_lines(out, item.comment, indent);
    if (kind_ == Kind::map) {
      out += cat(space, is_plain_key(item.key) ? item.key : yaml_string(item.key), ":");
      if (item.value.is_scalar()) {
        out += cat(" ", item.value.scalar(), "\n");
      } else {
        out += "\n";
        item.value.write(out, indent + 2);
      }
    } else if (item.value.is_scalar()) {
      out += cat(space, "- ", item.value.scalar(), "\n");
    } else {
      std::string inner;
      item.value.write(inner, indent + 2);
      inner[indent] = '-';
      out += inner;
    }
  }
}

std::string Yaml::str() const {
  if (is_scalar()) return scalar() + "\n";
  std::string out;
  write(out, 0);
  return out;
}

std::string comment_text(std::string_view text) {
  return escaped_text(text, false);
}

}  // namespace cloister::cmd
