// Markup that hostile text cannot leave: what the HTML report is written with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cloister::cmd {

// A piece of HTML under construction. Markup can only be a string literal, everything else is text.
class Markup {
 public:
  template <std::size_t N>
  Markup& raw(const char (&literal)[N]) {
    out_.append(literal, N - 1);
    return *this;
  }
  // Text between tags. Control characters, marks that turn the direction of writing and invisible
  // characters are shown: <span class="esc">\u202e</span>.
  Markup& text(std::string_view utf8);
  // A word for the value of an attribute: all but letters, digits, '-' and '_' is left out.
  Markup& word(std::string_view token);
  // 12345 → "12,345".
  Markup& count(std::uint64_t number);
  Markup& add(const Markup& other);

  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

// text() for where no tags may stand: <title> and attributes in double quotes.
std::string plain_html(std::string_view utf8);

// JSON text for a <script type="application/json">: the same value in ASCII without `<`, `>` and
// `&`, so that none of its strings can end the element or begin a comment, nor turn the lines of
// who reads the source.
std::string script_json(std::string_view json);

// The document is one of ours, of many shapes: what is absent, null or of another type reads as
// empty. References are to the document or to a constant.
std::string_view text_of(const Json& object, std::string_view key);
std::uint64_t number_of(const Json& object, std::string_view key);
bool flag_of(const Json& object, std::string_view key);
const Json& object_of(const Json& object, std::string_view key);
const Json& list_of(const Json& object, std::string_view key);
bool has(const Json& object, std::string_view key);  // neither absent nor null

}  // namespace cloister::cmd
