// Searches for the few words that include files, and reads the expression behind each as far as its
// ';': strings, __DIR__, dirname() and what joins them. Comments on lines of their own are passed
// over, all else is code, the text outside of "<?php" too.
#include "measure/source/php.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "measure/source/command_call.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMaxExpression = 512;

bool is_php_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_php_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// "Europe/Berlin"
bool is_region(string_view word) {
  static constexpr string_view kRegions[] = {"Africa", "America",  "Antarctica", "Arctic",
                                             "Asia",   "Atlantic", "Australia",  "Europe",
                                             "Indian", "Pacific",  "Etc"};
  return std::find(std::begin(kRegions), std::end(kRegions), word) != std::end(kRegions);
}

// Of PHP, and Symfony's class of that name.
bool is_php_command(string_view word) {
  static constexpr string_view kCommands[] = {"exec",  "shell_exec", "system",     "passthru",
                                              "popen", "proc_open",  "pcntl_exec", "Process"};
  return std::find(std::begin(kCommands), std::end(kCommands), word) != std::end(kCommands);
}

class PhpScan {
 public:
  PhpScan(string_view text, const Limits& limits) : text_(text), names_(limits) {}

  Facts run() {
    bool comment = false;
    for (size_t start = 0; start < text_.size();) {
      const size_t end = std::min(text_.find('\n', start), text_.size());
      const string_view code = trim(text_.substr(start, end - start));
      if (comment || code.starts_with("/*")) {
        // What follows on the line that ends it is code.
        comment = code.find("*/") == string_view::npos;
        if (!comment && !code.ends_with("*/")) words(start, end);
      } else if (!code.starts_with("//") && !code.starts_with("* ") &&
                 (!code.starts_with('#') || code.starts_with("#["))) {
        words(start, end);
      }
      start = end + 1;
    }
    return names_.take(Language::php, dynamic_);
  }

 private:
  void words(size_t at, size_t end) {
    while (at < end) {
      if (!is_php_word(text_[at])) {
        ++at;
        continue;
      }
      const size_t start = at;
      while (at < end && is_php_word(text_[at])) ++at;
      const char before = start > 0 ? text_[start - 1] : ' ';
      // "$include", "->require", "X::load".
      if (before == '$' || before == '>' || before == ':') continue;
      at = std::max(at, word(text_.substr(start, at - start), start, at));
    }
  }

  // Where to go on.
  size_t word(string_view word, size_t start, size_t end) {
    if (word == "include" || word == "include_once" || word == "require" ||
        word == "require_once") {
      const char next = end < text_.size() ? text_[end] : ' ';
      if (!is_php_blank(next) && next != '(' && next != '\'' && next != '"') return end;
      return included(end);
    }
    if (word == "__DIR__" || word == "__FILE__") return own(start);
    if (word == "dirname") {
      const string_view inside = trim(text_.substr(end, 64));
      if (inside.starts_with("(__") || inside.starts_with("( __")) return own(start);
      return end;
    }
    if (is_php_command(word)) {
      if (const auto command = command_of_call(text_.substr(end, kMaxExpression)))
        names_.add("run:", *command);
      else if (!std::exchange(runs_computed_, true))
        piped_strings();
      return end;
    }
    if (word == "spl_autoload_register" || word == "__autoload")
      dynamic_ = true;
    else if (is_region(word) && text_.substr(end, 1) == "/")
      names_.add("zone:", zone_at(start));
    else if (word == "DateTimeZone" || word == "date_default_timezone_set" ||
             word == "timezone_open")
      zone(end);
    else if (word == "timezone_identifiers_list" || word == "timezone_abbreviations_list" ||
             word == "IntlTimeZone")
      names_.add("zone:", "*");
    return end;
  }

  // Commands that reach such a call by a variable: strings with a pipe in them, 'stty -a | grep x'.
  void piped_strings() {
    static constexpr string_view kPipe = " | ";
    for (size_t at = text_.find(kPipe); at != string_view::npos; at = text_.find(kPipe, at + 1)) {
      const size_t begin = text_.find_last_of("'\"\n", at);
      const size_t end = text_.find_first_of("'\"\n", at);
      if (begin == string_view::npos || end == string_view::npos || text_[begin] != text_[end] ||
          text_[begin] == '\n')
        continue;
      const string_view command = text_.substr(begin + 1, end - begin - 1);
      if (command.front() >= 'a' && command.front() <= 'z') names_.add("run:", command);
    }
  }

  // new DateTimeZone($name), date_default_timezone_set('Europe/Berlin').
  void zone(size_t at) {
    const string_view rest = trim(text_.substr(at, 64));
    if (rest.starts_with("::")) {
      if (rest.starts_with("::list")) names_.add("zone:", "*");
      return;
    }
    if (!rest.starts_with('(')) return;  // the type of a parameter
    const string_view argument = trim(rest.substr(1));
    if (argument.starts_with('\'') || argument.starts_with('"')) {
      if (const string_view name = zone_at(at + text_.substr(at).find(argument.front()) + 1);
          !name.empty())
        names_.add("zone:", name);
    } else if (!argument.starts_with(')')) {
      names_.add("zone:", "*");
    }
  }

  string_view zone_at(size_t at) const {
    const string_view rest = text_.substr(at, 64);
    size_t end = 0;
    while (end < rest.size() &&
           (is_php_word(rest[end]) || rest[end] == '/' || rest[end] == '-' || rest[end] == '+'))
      ++end;
    return rest.substr(0, end);
  }

  // ---- expressions ----

  struct Path {
    std::string text;
    bool own = false;       // begins with the file's directory
    bool computed = false;  // something else follows, or stands in front
    size_t end = 0;
  };

  // __DIR__ . '/a' . $b; dirname(__DIR__, 2) . "/a"; 'a/b.php'
  Path path(size_t at) const {
    Path out;
    const size_t stop = std::min(text_.size(), at + kMaxExpression);
    int depth = 0;  // of dirname(
    bool first = true;
    while (at < stop) {
      const char c = text_[at];
      if (is_php_blank(c) || c == '(' || c == '@' || (c == '.' && !first)) {
        ++at;
      } else if (c == ')' && depth > 0) {
        --depth;
        ++at;
      } else if (c == ',' && depth > 0) {
        // dirname(__DIR__, 2): one is counted already.
        ++at;
        while (at < stop && is_php_blank(text_[at])) ++at;
        if (at < stop && text_[at] >= '1' && text_[at] <= '9')
          for (char n = '1'; n < text_[at]; ++n) out.text += "/..";
        if (at < stop) ++at;
      } else if (c == '\'' || c == '"') {
        const size_t close = text_.substr(0, stop).find(c, at + 1);
        if (close == string_view::npos) {
          out.computed = true;
          break;
        }
        string_view piece = text_.substr(at + 1, close - at - 1);
        const size_t variable = c == '"' ? piece.find('$') : string_view::npos;
        out.computed = variable != string_view::npos;
        piece = piece.substr(0, variable);
        if (!piece.empty() && piece.back() == '{') piece.remove_suffix(1);
        out.text += piece;
        at = close + 1;
        first = false;
        if (out.computed) break;
      } else if (is_php_word(c)) {
        const size_t start = at;
        while (at < stop && is_php_word(text_[at])) ++at;
        const string_view word = text_.substr(start, at - start);
        if (first && word == "__DIR__") {
          out.own = true;
          for (int i = 0; i < depth; ++i) out.text += "/..";
          first = false;
        } else if (first && word == "__FILE__" && depth > 0) {
          out.own = true;
          for (int i = 1; i < depth; ++i) out.text += "/..";
          first = false;
        } else if (first && word == "dirname") {
          ++depth;
        } else if (word == "DIRECTORY_SEPARATOR" && !first) {
          out.text += '/';
        } else {
          out.computed = true;
          break;
        }
      } else {
        out.computed = c == '$' || c == '\\' || c == '?' || first;
        break;
      }
    }
    out.end = at;
    return out;
  }

  size_t included(size_t at) {
    const Path path = this->path(at);
    if (path.own)
      add_own(path);
    else if (path.computed)
      dynamic_ = true;
    else if (!path.text.empty())
      names_.add("include:", path.text);
    return path.end;
  }

  // A path of __DIR__ that nothing includes here: class maps, templates, data.
  size_t own(size_t at) {
    const Path path = this->path(at);
    if (path.own && (!path.text.empty() || path.computed)) add_own(path);
    return path.end;
  }

  void add_own(const Path& path) {
    std::string text = path.text;
    if (path.computed) {
      // What follows is computed: the directory that stands before it.
      text.resize(text.rfind('/') == std::string::npos ? 0 : text.rfind('/'));
      text += '/';
    }
    const size_t begin = std::min(text.find_first_not_of('/'), text.size());
    const string_view relative = string_view(text).substr(begin);
    if (relative.empty())
      dynamic_ = true;  // anything of its own directory
    else
      names_.add("own:", relative);
  }

  string_view text_;
  NameList names_;
  bool dynamic_ = false;
  bool runs_computed_ = false;
};

}  // namespace

bool is_php(std::string_view path, std::string_view shebang) {
  for (const char* suffix : {".php", ".phtml", ".inc", ".php5", ".module"})
    if (path.ends_with(suffix)) return true;
  for (const string_view word : split(shebang, ' '))
    if (base_name(word).starts_with("php")) return true;
  return false;
}

Facts scan_php(ByteView text, const Limits& limits) {
  return PhpScan(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
