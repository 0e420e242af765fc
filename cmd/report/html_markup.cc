// WHATWG HTML, 13.1.2.4 and 13.1.3: in text and in quoted attributes only `&`, `<` and the quote
// have a meaning; all five specials are escaped everywhere, so that no place has to be thought
// about. What a browser would draw as nothing, or in another order than it is written (Unicode UAX
// #9, UTS #39), is drawn as its escape.
#include "cmd/report/html_markup.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::cmd {
namespace {

// \x1b, \u202e, \u{e0041}
std::string escape_of(char32_t c) {
  const std::string digits = hex_number(c).substr(2);
  if (c < 0x100) return cat("\\x", std::string(2 - digits.size(), '0'), digits);
  if (c < 0x10000) return cat("\\u", std::string(4 - digits.size(), '0'), digits);
  return cat("\\u{", digits, "}");
}

void append_text(std::string& out, std::string_view utf8, bool tags) {
  for (std::size_t i = 0; i < utf8.size();) {
    const CodePoint c = code_point_at(utf8, i);
    const bool broken = c.length == 1 && c.value >= 0x80;
    if (broken || is_unseen(c.value)) {
      out += tags ? cat("<span class=\"esc\">", escape_of(c.value), "</span>") : escape_of(c.value);
    } else if (c.value == '&') {
      out += "&amp;";
    } else if (c.value == '<') {
      out += "&lt;";
    } else if (c.value == '>') {
      out += "&gt;";
    } else if (c.value == '"') {
      out += "&quot;";
    } else if (c.value == '\'') {
      out += "&#39;";
    } else {
      out.append(utf8, i, c.length);
    }
    i += c.length;
  }
}

const Json* member_of(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(std::string(key));
  return it == object.end() ? nullptr : &*it;
}

}  // namespace

Markup& Markup::text(std::string_view utf8) {
  append_text(out_, utf8, true);
  return *this;
}

Markup& Markup::word(std::string_view token) {
  for (const char c : token)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') out_ += c;
  return *this;
}

Markup& Markup::count(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  out_ += digits;
  return *this;
}

Markup& Markup::add(const Markup& other) {
  out_ += other.out_;
  return *this;
}

std::string plain_html(std::string_view utf8) {
  std::string out;
  append_text(out, utf8, false);
  return out;
}

std::string script_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  const auto escape = [&](char32_t unit) {
    const std::string digits = hex_number(unit).substr(2);
    out += cat("\\u", std::string(4 - digits.size(), '0'), digits);
  };
  for (std::size_t i = 0; i < json.size();) {
    const CodePoint c = code_point_at(json, i);
    if (c.value >= 0x10000) {
      escape(0xd800 + ((c.value - 0x10000) >> 10));
      escape(0xdc00 + ((c.value - 0x10000) & 0x3ff));
    } else if (c.value >= 0x7f || c.value == '<' || c.value == '>' || c.value == '&') {
      escape(c.value);
    } else {
      out += json[i];
    }
    i += c.length;
  }
  return out;
}

std::string_view text_of(const Json& object, std::string_view key) {
  const Json* value = member_of(object, key);
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>()
                                                : std::string_view();
}

std::uint64_t number_of(const Json& object, std::string_view key) {
  const Json* value = member_of(object, key);
  if (value == nullptr) return 0;
  if (value->is_number_unsigned()) return value->get<std::uint64_t>();
  if (!value->is_number_integer()) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value->get<std::int64_t>(), 0));
}

bool flag_of(const Json& object, std::string_view key) {
  const Json* value = member_of(object, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

const Json& object_of(const Json& object, std::string_view key) {
  static const Json none = Json::object();
  const Json* value = member_of(object, key);
  return value != nullptr && value->is_object() ? *value : none;
}

const Json& list_of(const Json& object, std::string_view key) {
  static const Json none = Json::array();
  const Json* value = member_of(object, key);
  return value != nullptr && value->is_array() ? *value : none;
}

bool has(const Json& object, std::string_view key) {
  const Json* value = member_of(object, key);
  return value != nullptr && !value->is_null();
}

}  // namespace cloister::cmd
