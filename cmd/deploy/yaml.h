// YAML as a tree of values that is written, never read: what is put into it can change neither the
// structure nor the type of anything beside it, whatever it spells.
//
// Strings are double-quoted (YAML 1.2, 7.3.1) and say nothing that a reader of 1.1 takes otherwise:
// there "no" is false, 0x1f a number, and U+2028 ends a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::cmd {

struct YamlItem;

class Yaml {
 public:
  static Yaml map();
  static Yaml list();
  Yaml(bool flag);              // NOLINT: a value is what it holds
  Yaml(int number);             // NOLINT
  Yaml(std::string text);       // NOLINT; UTF-8
  Yaml(std::string_view text);  // NOLINT
  Yaml(const char* text);       // NOLINT

  // REQUIRES: this is a map (put) or a list (push). `comment` becomes lines above the item; what is
  // empty adds nothing.
  Yaml& put(std::string key, Yaml value, std::string comment = {});
  Yaml& push(Yaml value, std::string comment = {});
  bool empty() const;  // without items

  // Each line ends in a line feed.
  std::string str() const;

 private:
  enum class Kind { flag, number, text, map, list };
  explicit Yaml(Kind kind);
  bool is_scalar() const { return kind_ != Kind::map && kind_ != Kind::list; }
  std::string scalar() const;
  void write(std::string& out, std::size_t indent) const;

  Kind kind_;
  bool flag_ = false;
  int number_ = 0;
  std::string text_;
  std::vector<YamlItem> items_;
};

struct YamlItem {
  std::string key, comment;
  Yaml value;
};

// What may stand behind "# " in YAML and in shell: one line for a reader of either.
std::string comment_text(std::string_view text);

}  // namespace cloister::cmd
