// TOML 1.0 as a plain value tree: parsed by toml++ (wrapped once), written by us.
//
// We write it ourselves because the text is measured into the enclave: its bytes must not depend
// on a library version, and Gramine's parser (tomlc99) takes less than the standard allows: \u
// escapes only with upper-case digits, hence raw UTF-8 everywhere it is possible.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace cloister {

class TomlValue;
using TomlArray = std::vector<TomlValue>;

// Keys in the order they were set. Lookup is linear: manifests have few keys per table.
class TomlTable {
 public:
  const TomlValue* find(std::string_view key) const;
  TomlValue* find(std::string_view key);
  TomlValue& set(std::string key, TomlValue value);  // replaces in place, or appends
  void erase(std::string_view key);
  bool empty() const;
  std::size_t size() const;
  using Item = std::pair<std::string, TomlValue>;
  const Item* begin() const;
  const Item* end() const;
  Item* begin();
  Item* end();

  // By dotted path of bare keys ("sgx.enclave_size"): null when absent on the way.
  const TomlValue* at(std::string_view dotted) const;
  // Sets by dotted path, making tables on the way. REQUIRES: no non-table value is on the way.
  TomlValue& put(std::string_view dotted, TomlValue value);

  bool operator==(const TomlTable&) const;

 private:
  std::vector<Item> items_;
};

class TomlValue {
 public:
  using Variant = std::variant<bool, std::int64_t, double, std::string, TomlArray, TomlTable>;
  TomlValue() : v_(false) {}
  TomlValue(bool v) : v_(v) {}                            // NOLINT: a value is what it holds
  TomlValue(std::int64_t v) : v_(v) {}                    // NOLINT
  TomlValue(int v) : v_(static_cast<std::int64_t>(v)) {}  // NOLINT
  TomlValue(double v) : v_(v) {}                          // NOLINT
  TomlValue(std::string v) : v_(std::move(v)) {}          // NOLINT
  TomlValue(const char* v) : v_(std::string(v)) {}        // NOLINT
  TomlValue(TomlArray v) : v_(std::move(v)) {}            // NOLINT
  TomlValue(TomlTable v) : v_(std::move(v)) {}            // NOLINT

  template <class T>
  const T* as() const {
    return std::get_if<T>(&v_);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&v_);
  }
  const std::string* string() const { return as<std::string>(); }
  const std::int64_t* integer() const { return as<std::int64_t>(); }
  const bool* boolean() const { return as<bool>(); }
  const TomlArray* array() const { return as<TomlArray>(); }
  const TomlTable* table() const { return as<TomlTable>(); }
  TomlTable* table() { return as<TomlTable>(); }
  std::string_view type_name() const;  // "a string", "an integer", …
  bool operator==(const TomlValue&) const = default;

 private:
  Variant v_;
};

inline bool TomlTable::empty() const {
  return items_.empty();
}
inline std::size_t TomlTable::size() const {
  return items_.size();
}
inline const TomlTable::Item* TomlTable::begin() const {
  return items_.data();
}
inline const TomlTable::Item* TomlTable::end() const {
  return items_.data() + items_.size();
}
inline TomlTable::Item* TomlTable::begin() {
  return items_.data();
}
inline TomlTable::Item* TomlTable::end() {
  return items_.data() + items_.size();
}

// `what` names the document in errors, which carry the line. Dates and times are `unsupported`:
// no document of ours has any.
Result<TomlTable> parse_toml(std::string_view text, const Limits& limits, std::string_view what);

// Where a value stands in a text, for people who have to find it there.
struct TomlPlace {
  std::string key;       // dotted, each part as toml_key() writes it: "sgx.allowed_files"
  std::string element;   // in an array: the string, or the element's "uri", "path" or "name"
  std::size_t line = 0;  // from 1
};
// Every key, tables included, and every element of an array that is no key's table. Fails as
// parse_toml does.
Result<std::vector<TomlPlace>> toml_places(std::string_view text, const Limits& limits,
                                           std::string_view what);

struct TomlRemark {
  std::size_t line = 0;  // from 1
  std::string text;      // what follows '#', trimmed
  bool alone = false;    // nothing but the comment is on the line
};
// Every comment of a text, in order; what is in a string is none.
std::vector<TomlRemark> toml_remarks(std::string_view text);

// One line per leaf, full dotted keys; an array of tables has one line per element:
//   sgx.trusted_files = [
//     { uri = "file:/a", sha256 = "…" },
//   ]
// `comment`, when given, is asked for each such line (the dotted key, and the element's index or
// npos) and its answer, when not empty, is appended as "  # …". Empty tables are not written.
// REQUIRES: all strings are UTF-8 without NUL.
using TomlComment = std::function<std::string(std::string_view key, std::size_t index)>;
std::string emit_toml(const TomlTable& table, const TomlComment& comment = {});

// One basic string with its quotes, one key (bare where possible).
std::string toml_string(std::string_view text);
std::string toml_key(std::string_view key);

}  // namespace cloister
