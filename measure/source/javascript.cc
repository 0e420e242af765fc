// Searches for the few words that load modules and looks at what follows each. No tokeniser: where
// a regular expression ends and a division begins takes a parser to know, and a tokeniser that
// guesses wrong once misses all the rest. Only comments that stand on lines of their own are passed
// over; their examples would name modules that nobody loads.
#include "measure/source/javascript.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/path.h"
#include "base/text.h"
#include "measure/source/command_call.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

using std::size_t;
using std::string_view;

// 'scripts/once.js': handed to another Node.js, or to a worker.
bool is_script(string_view text) {
  return (text.ends_with(".js") || text.ends_with(".mjs") || text.ends_with(".cjs")) &&
         text.find_first_of(" *?:") == string_view::npos;
}

// Of child_process.
bool is_command(string_view word) {
  static constexpr string_view kCommands[] = {"exec",      "execSync", "spawn",
                                              "spawnSync", "execFile", "execFileSync"};
  return std::find(std::begin(kCommands), std::end(kCommands), word) != std::end(kCommands);
}

bool is_javascript_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A string literal, or the part of it before the first computed piece.
struct Literal {
  std::string text;
  bool computed = false;      // a template with "${"
  size_t start = 0, end = 0;  // of the opening quote, and behind the closing one
};

class JavaScriptScan {
 public:
  JavaScriptScan(string_view text, const Limits& limits) : text_(text), names_(limits) {}

  Facts run() {
    size_t line = 0;
    while (line < text_.size()) {
      const size_t skipped = comment(line);
      if (skipped != line) {
        line = skipped;
        continue;
      }
      const size_t end = std::min(text_.find('\n', line), text_.size());
      words(line, end);
      line = end + 1;
    }
    // In an ES module the directory is usually put into a variable of that name, whose uses say
    // more.
    if (own_directory_ && !dirname_) names_.add("below:", "");
    return names_.take(Language::javascript, dynamic_);
  }

 private:
  // Behind the comment that is all there is on this line, or `line` itself.
  size_t comment(size_t line) {
    size_t at = line;
    while (at < text_.size() && (text_[at] == ' ' || text_[at] == '\t')) ++at;
    if (text_.substr(at, 2) == "//") return std::min(text_.find('\n', at), text_.size() - 1) + 1;
    if (text_.substr(at, 2) != "/*" || unclosed_) return line;
    const size_t end = text_.find("*/", at + 2);
    unclosed_ = end == string_view::npos;  // and so for all that follow
    // What follows on the same line is code.
    return unclosed_ ? line : end + 2;
  }

  // Every word of one line; what belongs to it may stand on the next ones.
  void words(size_t at, size_t end) {
    while (at < end) {
      const char c = text_[at];
      if (c == '"' || c == '\'' || c == '`') {
        relative(at);
        ++at;
      } else if (is_javascript_word(c)) {
        const size_t start = at;
        while (at < end && is_javascript_word(text_[at])) ++at;
        word(text_.substr(start, at - start), start, at);
      } else {
        ++at;
      }
    }
  }

  void word(string_view word, size_t start, size_t end) {
    if (word == "import") {
      import_word(start, end);
    } else if (word == "from") {
      if (const auto literal = read_literal(skip(end))) add("import:", *literal);
    } else if (word == "__dirname") {
      const size_t next = skip(end);
      if (text_.substr(next, 1) == "=" && text_.substr(next, 2) != "==") return;
      dirname_ = true;
      joined(end);
    } else if (word == "__filename") {
      if (before(start) == '(') joined(end);
    } else if (word == "engine" && end < text_.size() && end > 0) {
      view_engine(end);
    } else if (is_command(word)) {
      if (const auto command = command_of_call(text_.substr(end, 1024)))
        names_.add("run:", *command);
    } else if (word != "createRequire" && word.size() >= 7 &&
               lower_ascii(word.substr(word.size() - 7)) == "require") {
      require_word(start, end);
    }
  }

  // app.set('view engine', 'ejs'): express loads the module of that name.
  void view_engine(size_t end) {
    if (text_.substr(0, end).ends_with("view engine") &&
        (text_[end] == '\'' || text_[end] == '"')) {
      const size_t comma = skip(end + 1);
      if (comma >= text_.size() || text_[comma] != ',') return;
      if (const auto literal = read_literal(skip(comma + 1))) add("require:", *literal);
    }
  }

  void import_word(size_t start, size_t end) {
    size_t at = skip(end);
    if (at >= text_.size()) return;
    if (text_[at] == '.') {
      // import.meta.url, .dirname, .resolve("…")
      static constexpr string_view kUrl = ".meta.url", kDirname = ".meta.dirname",
                                   kResolve = ".meta.resolve";
      if (text_.substr(at, kUrl.size()) == kUrl) {
        meta_url(start);
      } else if (text_.substr(at, kDirname.size()) == kDirname) {
        joined(at + kDirname.size());
      } else if (text_.substr(at, kResolve.size()) == kResolve) {
        call("import:", skip(at + kResolve.size()), /*declared=*/false);
      }
      return;
    }
    if (text_[at] == '(') {
      if (before(start) != '.') call("import:", at, /*declared=*/false);
    } else if (const auto literal = read_literal(at)) {
      add("import:", *literal);
    }
  }

  // new URL("x", import.meta.url) names its file; createRequire(import.meta.url) none; of all other
  // uses the directory is what matters.
  void meta_url(size_t start) {
    const size_t paren = start > 0 ? rskip(start - 1) : 0;
    if (paren < text_.size() && text_[paren] == ',') {
      if (const auto literal = literal_before(paren)) {
        names_.add("below:", *literal);
        return;
      }
    }
    static constexpr string_view kCreate = "createRequire";
    if (paren < text_.size() && text_[paren] == '(' && paren >= kCreate.size() &&
        text_.substr(paren - kCreate.size(), kCreate.size()) == kCreate)
      return;
    if (paren < text_.size() && text_[paren] == '(') own_directory_ = true;
  }

  void require_word(size_t start, size_t end) {
    size_t at = skip(end);
    static constexpr string_view kResolve = ".resolve";
    const bool resolve =
        text_.substr(at, kResolve.size()) == kResolve &&
        (at + kResolve.size() >= text_.size() || !is_javascript_word(text_[at + kResolve.size()]));
    if (resolve) at = skip(at + kResolve.size());
    static constexpr string_view kFunction = "function";
    const size_t head = start > 0 ? rskip(start - 1) + 1 : 0;
    const bool declared = head >= kFunction.size() &&
                          text_.substr(head - kFunction.size(), kFunction.size()) == kFunction;
    if (at < text_.size() && text_[at] == '(')
      call(resolve ? "resolve:" : "require:", at, declared);
  }

  // `at` is the opening parenthesis.
  void call(string_view prefix, size_t at, bool declared) {
    at = skip(at + 1);
    if (const auto literal = read_literal(at)) {
      add(prefix, *literal);
      return;
    }
    // "require()", "require(12)" of bundlers, and declarations load nothing.
    if (declared || at >= text_.size() || text_[at] == ')' || is_digit(text_[at])) return;
    dynamic_ = true;
  }

  void add(string_view prefix, const Literal& literal) {
    taken_ = literal.start;
    const size_t next = skip(literal.end);
    const bool continued = next < text_.size() && text_[next] == '+';
    if (!literal.computed && !continued) {
      if (!literal.text.empty()) names_.add(prefix, literal.text);
    } else if (literal.text.empty() || literal.text == "." || literal.text == "./") {
      dynamic_ = true;
    } else {
      names_.add(prefix, literal.text + "*");
    }
  }

  // What stands behind "__dirname": further arguments of path.join, or "+ '/x'".
  void joined(size_t at) {
    std::string path;
    bool known = false;
    for (;;) {
      at = skip(at);
      if (at >= text_.size() || (text_[at] != ',' && text_[at] != '+')) break;
      const auto literal = read_literal(skip(at + 1));
      known = literal && !literal->computed;
      if (!literal) break;
      if (!path.empty() && !path.ends_with('/') && !literal->text.starts_with('/')) path += '/';
      path += literal->text;
      if (!known) break;
      at = literal->end;
    }
    // A directory that is only partly known: all of it from the known part on.
    if (!known && !path.empty() && !path.ends_with('/')) {
      const size_t slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
    }
    names_.add("below:", path);
  }

  // A literal of a relative path: workers, data files.
  void relative(size_t at) {
    const string_view rest = text_.substr(at + 1, 3);
    if (at == taken_) return;
    const bool marked = rest.starts_with("./") || rest == "../";
    if (!marked && !is_javascript_word(rest.empty() ? ' ' : rest.front())) return;
    if (const auto literal = read_literal(at); literal && !literal->computed)
      if (marked || is_script(literal->text)) names_.add("file:", literal->text);
  }

  std::optional<Literal> read_literal(size_t at) const {
    if (at >= text_.size()) return std::nullopt;
    const char quote = text_[at];
    if (quote != '"' && quote != '\'' && quote != '`') return std::nullopt;
    Literal out;
    out.start = at;
    for (size_t i = at + 1; i < text_.size() && i - at <= kMaxLiteral; ++i) {
      const char c = text_[i];
      if (c == quote) {
        out.end = i + 1;
        return out;
      }
      if (c == '\n' && quote != '`') return std::nullopt;
      if (quote == '`' && text_.substr(i, 2) == "${") {
        out.computed = true;
        out.end = i;
        return out;
      }
      if (c == '\\' && i + 1 < text_.size()) ++i;  // \" and the like: the character itself
      out.text += text_[i];
    }
    return std::nullopt;
  }

  // The literal that ends before `at`, a ','.
  std::optional<std::string> literal_before(size_t at) const {
    if (at == 0) return std::nullopt;
    const size_t close = rskip(at - 1);
    if (close >= text_.size()) return std::nullopt;
    const char quote = text_[close];
    if ((quote != '"' && quote != '\'' && quote != '`') || close == 0) return std::nullopt;
    const size_t from = close > kMaxLiteral ? close - kMaxLiteral : 0;
    const size_t open = text_.substr(from, close - from).rfind(quote);
    if (open == string_view::npos) return std::nullopt;
    const string_view body = text_.substr(from + open + 1, close - from - open - 1);
    if (body.find('\n') != string_view::npos || body.find("${") != string_view::npos)
      return std::nullopt;
    return std::string(body);
  }

  // Over blanks and comments; bounded, so that hostile runs of blanks cost linear time.
  size_t skip(size_t at) const {
    const size_t stop = std::min(text_.size(), at + kMaxGap);
    while (at < stop) {
      if (is_space(text_[at])) {
        ++at;
      } else if (text_.substr(at, 2) == "/*") {
        const size_t end = text_.substr(0, stop).find("*/", at + 2);
        if (end == string_view::npos) return at;
        at = end + 2;
      } else if (text_.substr(at, 2) == "//") {
        const size_t end = text_.substr(0, stop).find('\n', at);
        if (end == string_view::npos) return at;
        at = end + 1;
      } else {
        break;
      }
    }
    return at;
  }
  // Back to the last byte at or before `at` that is no blank; size() when there is none.
  size_t rskip(size_t at) const {
    const size_t stop = at > kMaxGap ? at - kMaxGap : 0;
    while (is_space(text_[at])) {
      if (at == stop) return text_.size();
      --at;
    }
    return at;
  }
  char before(size_t start) const {
    if (start == 0) return '\0';
    const size_t at = rskip(start - 1);
    return at < text_.size() ? text_[at] : '\0';
  }

  static constexpr size_t kMaxLiteral = 1024, kMaxGap = 1024;
  string_view text_;
  NameList names_;
  size_t taken_ = string_view::npos;  // the literal of the last module name
  bool dynamic_ = false, own_directory_ = false, dirname_ = false, unclosed_ = false;
};

constexpr std::array<string_view, 3> kSuffixes{".js", ".mjs", ".cjs"};

}  // namespace

bool is_javascript(string_view path, string_view shebang) {
  for (const string_view suffix : kSuffixes)
    if (path.ends_with(suffix)) return true;
  for (const string_view word : split(shebang, ' ')) {
    const string_view base = base_name(word);
    if (base == "node" || base == "nodejs") return true;
  }
  return false;
}

Facts scan_javascript(ByteView text, const Limits& limits) {
  return JavaScriptScan(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
