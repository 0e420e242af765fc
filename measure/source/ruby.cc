// Line by line: the few words that load something, and what follows each on the same line. Only
// ruby can parse Ruby: documentation and comments on lines of their own are passed over, all else
// is code, strings too.
#include "measure/source/ruby.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "measure/source/command_call.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

using std::size_t;
using std::string_view;

// Of a line no more is looked at: tables of data may be one line of a megabyte.
constexpr size_t kMaxRubyLine = 4096;
// Nor of what follows one word, so that time is linear whatever stands there.
constexpr size_t kMaxArgument = 512;

bool is_ruby_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_ruby_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// "a/b", "json-schema/x.rb": what may be the name of a feature, and has a directory.
bool is_feature_path(string_view text) {
  if (text.size() > 200 || text.find('/') == string_view::npos || text.front() == '/' ||
      text.back() == '/')
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/' ||
           c == '.';
  });
}

// "CP932"
bool is_code_page(string_view word) {
  return word.size() > 2 && word.size() < 8 && word.starts_with("CP") &&
         word.find_first_not_of("0123456789", 2) == string_view::npos;
}

// Of Kernel.
bool is_ruby_command(string_view word) {
  return word == "system" || word == "exec" || word == "spawn";
}

class RubyScan {
 public:
  RubyScan(string_view text, const Limits& limits) : text_(text), names_(limits), limits_(limits) {}

  Facts run() {
    bool documentation = false;
    size_t number = 0;
    for (size_t start = 0; start < text_.size();) {
      const size_t end = std::min(text_.find('\n', start), text_.size());
      const string_view whole = text_.substr(start, std::min(end - start, kMaxRubyLine));
      const string_view code = trim(whole);
      if (whole.starts_with("=begin"))
        documentation = true;
      else if (whole.starts_with("=end"))
        documentation = false;
      else if (code == "__END__")
        break;
      else if (code.starts_with('#'))
        comment(code, number);
      else if (!documentation)
        line(whole);
      ++number;
      start = end + 1;
    }
    if (dynamic_)
      for (const string_view text : strings_) names_.add("string:", text);
    return names_.take(Language::ruby, dynamic_);
  }

 private:
  // system("git log"), system 'git', 'log'
  void command(string_view rest) {
    const std::string call = rest.starts_with(' ') ? cat("(", trim(rest)) : std::string(rest);
    if (const auto command = command_of_call(call)) names_.add("run:", *command);
  }

  // "# -*- coding: euc-jp -*-" counts on the first two lines.
  void comment(string_view code, size_t number) {
    if (number > 1) return;
    const size_t at = code.find("coding");
    if (at == string_view::npos) return;
    string_view name = code.substr(at + 6);
    if (name.empty() || (name.front() != ':' && name.front() != '=')) return;
    name = trim(name.substr(1));
    encoding(name.substr(0, name.find_first_of(" \t*;")));
  }

  void line(string_view code) {
    own_said_ = false;
    previous_ = {};
    for (size_t at = 0; at < code.size();) {
      const char c = code[at];
      if (c == '`') {
        // `git log`
        const string_view command = command_text(code.substr(at + 1), '`');
        if (!command.empty()) names_.add("run:", command);
        ++at;
      } else if (c == '\'' || c == '"') {
        string(code, at);
        ++at;
      } else if (c == '$') {
        at = load_path(code, at);
      } else if (is_ruby_word(c)) {
        const size_t start = at;
        while (at < code.size() && is_ruby_word(code[at])) ++at;
        const string_view word = code.substr(start, at - start);
        this->word(code, word, start, at);
        previous_ = word;
      } else {
        ++at;
      }
    }
  }

  void word(string_view code, string_view word, size_t start, size_t end) {
    const char before = start > 0 ? code[start - 1] : ' ';
    const string_view rest = code.substr(end, kMaxArgument);
    if (word == "require" || word == "require_relative" || word == "load" || word == "autoload" ||
        word == "gem" || word == "require_dependency" || word == "eager_autoload")
      loads(word, before, rest);
    else if (before == '.' ? word == "popen" || word.starts_with("capture2") ||
                                 word == "capture3" || word == "popen3"
                           : is_ruby_command(word))
      command(rest);
    else if (word == "Zeitwerk" || word == "const_missing")
      dynamic_ = dynamic_ || word == "Zeitwerk";
    else if (word == "__dir__" || word == "__FILE__")
      own(code, word, start, end);
    else if (word == "require_paths" || word == "require_path")
      each_string(rest, [&](string_view text) { names_.add("lib:", text); });
    else if (word == "activate_bin_path" || word == "bin_path")
      program_of_gem(rest);
    else if (word == "encode" || word == "force_encoding" || word == "set_encoding" ||
             word == "external_encoding" || word == "default_internal")
      converted(before, rest);
    else if (word == "Encoding" && rest.starts_with("::"))
      constant(rest.substr(2));
    else if (word == "ISO" || word == "Shift_JIS" || word == "EUC" || word == "Windows" ||
             word == "Big5" || word == "GBK" || word == "GB18030" || word == "UTF" ||
             is_code_page(word))
      charset(code, word, start, rest);
    else if (word.starts_with("unicode_normalize"))
      names_.add("require:", "unicode_normalize/normalize");  // String#unicode_normalize
    else if (word == "TZ" || word == "TZInfo")
      names_.add("zone:", "");
  }

  // ---- what loads ----

  void loads(string_view word, char before, string_view rest) {
    // "def require", "alias require x", ":require", "$load", "@gem", "x.load" of something else.
    if (previous_ == "def" || previous_ == "alias" || before == ':' || before == '$' ||
        before == '@')
      return;
    if (before == '.' && previous_ == "Bundler" && word == "require") {
      names_.add("bundle:", "");
      return;
    }
    if (before == '.' && previous_ != "Kernel" && word != "autoload") return;
    if (rest.starts_with('?') || rest.starts_with('!') || rest.starts_with(':')) return;
    string_view argument = trim(rest);
    if (rest.empty() || (!is_ruby_blank(rest.front()) && rest.front() != '(')) {
      dynamic_ = dynamic_ || word == "eager_autoload";
      return;
    }
    if (argument.starts_with('(')) argument = trim(argument.substr(1));
    if (word == "eager_autoload") {
      dynamic_ = true;
    } else if (word == "gem") {
      if (const Quoted name = quoted(argument); name.found && !name.computed)
        names_.add("gem:", name.text);
    } else if (word == "autoload") {
      automatic(argument);
    } else {
      feature(word, argument);
    }
  }

  // autoload :Name, "feature". Without a feature it is computed from the name (ActiveSupport).
  void automatic(string_view argument) {
    if (argument.empty() || argument.front() == '=') return;
    const size_t comma = argument.find(',');
    if (comma == string_view::npos)
      dynamic_ = dynamic_ || argument.front() == ':' || argument.front() == '"';
    else
      feature("autoload", trim(argument.substr(comma + 1)));
  }

  void feature(string_view word, string_view argument) {
    if (argument.empty()) return;
    const bool relative = word == "require_relative";
    if (argument.find("__dir__") != string_view::npos ||
        argument.find("__FILE__") != string_view::npos) {
      if (const std::string path = own_path(argument); !path.empty()) {
        names_.add("relative:", path);
        own_said_ = true;
        return;
      }
    }
    const Quoted name = quoted(argument);
    if (!name.found) {
      const char c = argument.front();
      // "load = 1", "require && x": no call.
      if (argument.find("bin_path") == string_view::npos &&
          (is_ruby_word(c) || c == '@' || c == '$' || c == ':' || c == '*'))
        dynamic_ = true;
      return;
    }
    const string_view after = trim(argument.substr(name.length));
    const bool joined = name.computed || after.starts_with('+') || after.starts_with('%');
    if (!joined) {
      if (!name.text.empty()) names_.add(relative ? "relative:" : "require:", name.text);
      return;
    }
    const size_t slash = name.text.rfind('/');
    if (relative || slash == string_view::npos)
      dynamic_ = true;
    else
      names_.add("family:", name.text.substr(0, slash + 1));
  }

  // $LOAD_PATH.unshift "x", $: << File.expand_path("../lib", __FILE__)
  size_t load_path(string_view code, size_t at) {
    static constexpr string_view kLong = "$LOAD_PATH", kShort = "$:";
    const bool is_long = code.substr(at).starts_with(kLong);
    if (!is_long && !code.substr(at).starts_with(kShort)) return at + 1;
    const size_t end = at + (is_long ? kLong.size() : kShort.size());
    const string_view rest = trim(code.substr(end, kMaxArgument));
    for (const string_view adds : {".unshift", "<<", ".push", ".insert", ".prepend", ".concat"}) {
      if (!rest.starts_with(adds)) continue;
      if (rest.find("__dir__") != string_view::npos || rest.find("__FILE__") != string_view::npos) {
        names_.add("path:@own/", own_path(rest));
        own_said_ = true;
      } else {
        each_string(rest, [&](string_view text) {
          if (text.find('#') == string_view::npos) names_.add("path:", text);
        });
      }
    }
    return end;
  }

  // Gem.activate_bin_path('rack', 'rackup', version)
  void program_of_gem(string_view rest) {
    std::string name;
    each_string(rest, [&](string_view text) {
      if (text.empty()) return;
      name += name.empty() ? "" : "/";
      name += text;
    });
    if (name.find('/') != std::string::npos && std::count(name.begin(), name.end(), '/') == 1)
      names_.add("bin:", name);
  }

  // ---- the file's own directory ----

  // The path, relative to the file's directory, that an expression of __dir__ or __FILE__ names:
  // File.expand_path("../x", __FILE__), File.join(__dir__, "a", "b"), "#{__dir__}/x".
  static std::string own_path(string_view expression) {
    // "../" of a file leads to its directory.
    const bool of_file = expression.find("__FILE__") != string_view::npos &&
                         expression.find("dirname") == string_view::npos;
    std::string out;
    each_string(expression, [&](string_view text) {
      if (const size_t close = text.rfind('}');
          close != string_view::npos && text.find("#{") != string_view::npos) {
        if (text.find("__dir__") == string_view::npos && text.find("__FILE__") == string_view::npos)
          text = text.substr(0, text.find("#{"));
        else
          text = text.substr(close + 1);
      }
      while (text.starts_with('/')) text.remove_prefix(1);
      if (text.empty()) return;
      if (!out.empty()) out += '/';
      out += text;
    });
    if (of_file && out.starts_with("..")) out.erase(0, out.starts_with("../") ? 3 : 2);
    return out;
  }

  void own(string_view code, string_view word, size_t start, size_t end) {
    if (own_said_) return;
    own_said_ = true;
    const string_view before = trim(code.substr(0, start)), after = trim(code.substr(end));
    // "if $0 == __FILE__", "class_eval code, __FILE__, __LINE__", its own name in messages.
    if (before.ends_with("==") || after.starts_with("==") ||
        code.find("__LINE__") != string_view::npos || code.find("basename") != string_view::npos)
      return;
    if (word == "__FILE__" && before.ends_with(',') && code.find("eval") != string_view::npos)
      return;
    names_.add("own:", own_path(code));
  }

  // ---- character sets ----

  void converted(char before, string_view rest) {
    if (before != '.') return;
    string_view argument = rest;
    if (argument.starts_with('!')) argument.remove_prefix(1);
    argument = trim(argument);
    if (argument.starts_with('(') || argument.starts_with('='))
      argument = trim(argument.substr(1));
    else if (rest.empty() || !is_ruby_blank(rest.front()))
      return;
    const Quoted name = quoted(argument);
    if (name.found && !name.computed)
      encoding(name.text);
    else if (!argument.empty() && argument.front() >= 'a' && argument.front() <= 'z')
      names_.add("encoding:", "*");
  }

  void constant(string_view rest) {
    size_t end = 0;
    while (end < rest.size() && is_ruby_word(rest[end])) ++end;
    const string_view name = rest.substr(0, end);
    // Classes of errors, and the converter between any two.
    if (name == "Converter" || name == "UndefinedConversionError" ||
        name == "InvalidByteSequenceError" || name == "CompatibilityError" ||
        name == "ConverterNotFoundError" || name.starts_with("default_"))
      return;
    encoding(name);
  }

  // "ISO-8859-15" and its like, wherever it stands.
  void charset(string_view code, string_view word, size_t start, string_view rest) {
    if (word == "UTF" && !rest.starts_with("-16") && !rest.starts_with("-32")) return;
    if ((word == "ISO" || word == "EUC" || word == "Windows") && !rest.starts_with('-')) return;
    const string_view text = code.substr(start, 64);
    encoding(text.substr(0, text.find_first_of(" '\":,)]}")));
  }

  void encoding(string_view name) {
    std::string plain;
    for (const char c : lower_ascii(name.substr(0, 64))) plain += c == '_' ? '-' : c;
    if (plain.empty() || plain == "utf-8" || plain == "ascii" || plain == "us-ascii" ||
        plain == "binary" || plain == "ascii-8bit" || plain == "utf8" || plain == "bom|utf-8")
      return;
    names_.add("encoding:", plain);
  }

  // ---- strings ----

  struct Quoted {
    string_view text;
    size_t length = 0;  // of the literal with its quotes
    bool found = false;
    bool computed = false;  // "#{"; text is what stands before
  };
  static Quoted quoted(string_view text) {
    Quoted out;
    if (text.empty() || (text.front() != '\'' && text.front() != '"')) return out;
    const size_t end = text.find(text.front(), 1);
    if (end == string_view::npos) return out;
    out.found = true;
    out.length = end + 1;
    out.text = text.substr(1, end - 1);
    if (text.front() == '"') {
      const size_t computed = out.text.find("#{");
      out.computed = computed != string_view::npos;
      out.text = out.text.substr(0, computed);
    }
    return out;
  }

  template <class Visit>
  static void each_string(string_view text, Visit visit) {
    for (size_t at = 0; at < text.size(); ++at) {
      if (text[at] != '"' && text[at] != '\'') continue;
      const size_t end = text.find(text[at], at + 1);
      if (end == string_view::npos) return;
      visit(text.substr(at + 1, end - at - 1));
      at = end;
    }
  }

  void string(string_view code, size_t at) {
    const Quoted literal = quoted(code.substr(at, 256));
    if (literal.found && !literal.computed && !literal.text.empty() &&
        is_feature_path(literal.text) && strings_.size() < limits_.source_names)
      strings_.insert(literal.text);
  }

  string_view text_;
  NameList names_;
  const Limits& limits_;
  std::set<string_view> strings_;  // what may be features
  string_view previous_;           // the word before, on the same line
  bool own_said_ = false;          // what this line does with its own directory is known
  bool dynamic_ = false;
};

}  // namespace

bool is_ruby(std::string_view path, std::string_view shebang) {
  for (const char* suffix : {".rb", ".ru", ".rake", ".gemspec"})
    if (path.ends_with(suffix)) return true;
  const string_view base = base_name(path);
  if (base == "Gemfile" || base == "Rakefile") return true;
  for (const string_view word : split(shebang, ' '))
    if (base_name(word).starts_with("ruby")) return true;
  return false;
}

Facts scan_ruby(ByteView text, const Limits& limits) {
  return RubyScan(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
