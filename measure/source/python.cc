// One pass of a lexer over the text (Python Language Reference, "Lexical analysis"): it knows
// strings, comments, brackets, continued lines and where a statement begins, and nothing more of
// the grammar. Text that is no Python gives some names and never trouble.
#include "measure/source/python.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "measure/source/command_call.h"
#include "measure/source/name_set.h"
#include "measure/source/python_archive.h"
#include "measure/source/python_calls.h"
#include "measure/source/python_words.h"

namespace cloister::measure::source {
namespace {

constexpr std::size_t kMaxLoose = 1024;         // strings without a dot that are kept
constexpr std::size_t kMaxPathStatement = 600;  // bytes of a statement that changes sys.path
constexpr std::size_t kMaxCondition = 80;
constexpr std::size_t kMaxFstringDepth = 8;

// Conditions without blanks and with '"' for '\''.
constexpr std::string_view kNeverRuns[] = {"TYPE_CHECKING",
                                           "typing.TYPE_CHECKING",
                                           "t.TYPE_CHECKING",
                                           "tp.TYPE_CHECKING",
                                           "False",
                                           "0",
                                           "sys.platform==\"win32\"",
                                           "sys.platform.startswith(\"win\")",
                                           "sys.platform==\"darwin\"",
                                           "os.name==\"nt\"",
                                           "_os.name==\"nt\""};
constexpr std::string_view kMainOnly = "__name__==\"__main__\"";

struct StringToken {
  std::string_view text;  // between the quotes, escapes as they are
  bool plain = false;     // no f-string, and closed
};

class Lexer {
 public:
  Lexer(std::string_view text, const Limits& limits)
      : p_(text.data()), end_(text.data() + text.size()), names_(limits) {}

  Facts run() {
    if (rest().starts_with("\xef\xbb\xbf")) p_ += 3;
    while (p_ < end_) {
      if (line_start_) indentation();
      if (p_ < end_) token();
    }
    Facts facts;
    facts.language = Language::python;
    if (dynamic_)
      for (const std::string_view name : loose_) names_.add(cat("'", name));
    facts.dynamic = dynamic_ || names_.full();
    facts.names = names_.take();
    return facts;
  }

 private:
  enum class Guard { none, never, main };

  std::string_view rest() const { return {p_, static_cast<std::size_t>(end_ - p_)}; }
  bool at(char c) const { return p_ < end_ && *p_ == c; }

  void token() {
    const char c = *p_;
    switch (class_of(c)) {
      case kBlank:
        ++p_;
        return;
      case kNewline:
        ++p_;
        if (depth_ == 0) line_start_ = statement_ = true;
        return;
      case kWord:
        word();
        return;
      case kDigit:
        while (p_ < end_ && (is_python_word(*p_) || *p_ == '.')) ++p_;
        break;
      case kQuote:
        note(string(false));
        break;
      case kOpen:
        ++depth_;
        ++p_;
        break;
      case kClose:
        if (depth_ > 0) --depth_;
        ++p_;
        break;
      default:
        if (c == '#') {
          comment();
          return;
        }
        if (c == '\\') {
          continuation();
          return;
        }
        ++p_;
        if ((c == ';' || c == ':') && depth_ == 0) {
          statement_ = true;
          return;
        }
    }
    statement_ = false;
    defines_ = false;
  }

  void comment() {
    while (p_ < end_ && class_of(*p_) != kNewline) ++p_;
  }

  // A backslash and the end of the line.
  void continuation() {
    ++p_;
    if (at('\r')) ++p_;
    if (at('\n')) ++p_;
  }

  void indentation() {
    line_start_ = false;
    std::size_t width = 0;
    const char* q = p_;
    for (; q < end_ && class_of(*q) == kBlank; ++q) width += *q == '\t' ? 8 - width % 8 : 1;
    p_ = q;
    if (q == end_ || class_of(*q) == kNewline || *q == '#') return;
    indent_ = width;
    if (guard_ != Guard::none && width <= guard_indent_) guard_ = Guard::none;
  }

  // Blanks, and within brackets also line ends and comments.
  void skip_blanks(bool across_lines) {
    while (p_ < end_) {
      const std::uint8_t k = class_of(*p_);
      if (k == kBlank || (across_lines && k == kNewline)) {
        ++p_;
      } else if (*p_ == '\\' && p_ + 1 < end_ && class_of(p_[1]) == kNewline) {
        continuation();
      } else if (across_lines && *p_ == '#') {
        comment();
      } else {
        return;
      }
    }
  }

  std::string_view read_word() {
    const char* begin = p_;
    while (p_ < end_ && is_python_word(*p_)) ++p_;
    return {begin, static_cast<std::size_t>(p_ - begin)};
  }

  void word() {
    const std::string_view word = read_word();
    if (word.size() <= 2 && p_ < end_ && class_of(*p_) == kQuote) {
      bool prefix = true, format = false;
      for (const char c : word) {
        const char l = static_cast<char>(c | 0x20);
        prefix = prefix && (l == 'r' || l == 'b' || l == 'u' || l == 'f' || l == 't');
        format = format || l == 'f' || l == 't';
      }
      note(string(prefix && format));
      statement_ = defines_ = false;
      return;
    }
    const bool statement = statement_, defines = defines_;
    statement_ = defines_ = false;
    if (statement) {
      if (word == "import") return import_statement();
      if (word == "from") return from_statement();
      if (word == "if" || word == "elif") return condition();
      if (word == "def" || word == "class") {
        defines_ = true;
        return;
      }
    }
    if (word == "async" || word == "def") {
      defines_ = word == "def";
      return;
    }
    if (defines) return;
    if (word == "sys" || word == "addsitedir") return path_change(word);
    const Call call = call_of(word);
    if (call != Call::none) called(call);
  }

  // ---- statements ----

  // "a . b" as "a.b"; empty when there is none.
  std::string dotted(bool across_lines) {
    std::string out;
    for (;;) {
      if (p_ == end_ || class_of(*p_) != kWord) return {};
      const std::string_view part = read_word();
      if (out.size() + part.size() >= kMaxName) return {};
      out += part;
      skip_blanks(across_lines);
      if (!at('.')) return out;
      ++p_;
      out += '.';
      skip_blanks(across_lines);
    }
  }

  bool at_keyword(std::string_view name) const {
    if (!rest().starts_with(name)) return false;
    const std::string_view after = rest().substr(name.size());
    return after.empty() || !is_python_word(after.front());
  }
  bool keyword(std::string_view name, bool across_lines) {
    if (!at_keyword(name)) return false;
    p_ += name.size();
    skip_blanks(across_lines);
    return true;
  }

  void skip_alias(bool across_lines) {
    if (!keyword("as", across_lines)) return;
    (void)read_word();
    skip_blanks(across_lines);
  }

  void import_statement() {
    do {
      if (at(',')) ++p_;
      skip_blanks(false);
      std::string name = dotted(false);
      if (name.empty()) return;
      add(std::move(name));
      skip_alias(false);
    } while (at(','));
  }

  void from_statement() {
    skip_blanks(false);
    std::string module;
    for (; at('.') && module.size() < kMaxName; skip_blanks(false)) {
      module += '.';
      ++p_;
    }
    if (p_ < end_ && class_of(*p_) == kWord && !at_keyword("import")) {
      const std::string name = dotted(false);
      if (name.empty()) return;
      module += name;
    }
    if (module.empty() || !keyword("import", false)) return;
    module += ':';
    if (at('*')) {
      ++p_;
      add(module + '*');
      return;
    }
    const bool brackets = at('(');
    if (brackets) ++p_;
    skip_blanks(brackets);
    while (p_ < end_ && class_of(*p_) == kWord) {
      const std::string_view name = read_word();
      if (name.size() < kMaxName) add(cat(module, name));
      skip_blanks(brackets);
      skip_alias(brackets);
      if (!at(',')) break;
      ++p_;
      skip_blanks(brackets);
    }
    if (brackets && at(')')) ++p_;
  }

  // "if" at the beginning of a line: a block that never runs here, or only in a main program.
  void condition() {
    if (guard_ != Guard::none) return;
    std::string text;
    for (const char* q = p_; q < end_ && text.size() < kMaxCondition; ++q) {
      if (class_of(*q) == kBlank) continue;
      if (class_of(*q) == kNewline || *q == ':') break;
      text += *q == '\'' ? '"' : *q;
    }
    std::string_view bare = text;
    if (bare.size() > 2 && bare.front() == '(' && bare.back() == ')')
      bare = bare.substr(1, bare.size() - 2);
    if (bare == kMainOnly)
      guard_ = Guard::main;
    else if (std::find(std::begin(kNeverRuns), std::end(kNeverRuns), bare) != std::end(kNeverRuns))
      guard_ = Guard::never;
    guard_indent_ = indent_;
  }

  // sys.path.insert(…), .append, .extend, sys.path += …, sys.path[0:0] = …, site.addsitedir(…):
  // the strings that stand in the statement.
  void path_change(std::string_view word) {
    const char* const from = p_;
    if (word == "sys") {
      if (!rest().starts_with(".path") || (end_ - p_ > 5 && is_python_word(p_[5]))) return;
      p_ += 5;
      skip_blanks(false);
      const bool method = rest().starts_with(".insert") || rest().starts_with(".append") ||
                          rest().starts_with(".extend");
      if (!method && !assigned()) {
        p_ = from;
        return;
      }
    }
    add("@path:");
    // Only looked at: the statement is read again for what else it has.
    const char* const at = p_;
    const char* const stop =
        end_ - p_ > static_cast<std::ptrdiff_t>(kMaxPathStatement) ? p_ + kMaxPathStatement : end_;
    int depth = 0;
    while (p_ < stop) {
      const std::uint8_t k = class_of(*p_);
      if (k == kNewline && depth == 0) break;
      if (k == kQuote) {
        const StringToken token = string(false);
        if (token.plain && !token.text.empty() && token.text.size() < kMaxName &&
            token.text.find_first_of("\\\n\0") == std::string_view::npos)
          add(cat("@path:", token.text));
        continue;
      }
      if (k == kOpen) ++depth;
      if (k == kClose && --depth < 0) break;
      ++p_;
    }
    p_ = at;
  }

  // After "sys.path": "= …", "+= …", "[…] = …".
  bool assigned() const {
    const char* q = p_;
    if (q < end_ && *q == '[') {
      const char* const stop = q + std::min<std::ptrdiff_t>(end_ - q, kMaxCondition);
      while (q < stop && *q != ']' && class_of(*q) != kNewline) ++q;
      if (q < end_) ++q;
      while (q < end_ && class_of(*q) == kBlank) ++q;
    } else if (q < end_ && *q == '+') {
      ++q;
    }
    return q + 1 < end_ && *q == '=' && q[1] != '=';
  }

  void called(Call call) {
    if (call == Call::data) return add("@data");
    if (call == Call::computed) return computed();
    if (call == Call::command) {
      if (const auto command = command_of_call(rest())) add(cat("@run:", *command));
      return;
    }
    const char* const after = p_;
    skip_blanks(false);
    if (!at('(')) {
      // Handed on as a value: who knows what it is called with.
      if (call == Call::import && !at('=') && guard_ != Guard::never) dynamic_ = true;
      p_ = after;
      return;
    }
    ++p_;
    ++depth_;
    skip_blanks(true);
    if (call == Call::entry && keyword("group", true)) {
      if (at('=')) ++p_;
      skip_blanks(true);
    }
    const std::optional<std::string_view> literal = literal_argument();
    switch (call) {
      case Call::import:
        if (!literal || literal->empty())
          computed();
        else
          imported(*literal);
        return;
      case Call::library:
        return add(cat("@lib:", literal.value_or("")));
      case Call::find:
        return add(cat("@find:", literal.value_or("")));
      case Call::load_entry:
        return load_entry();
      default:
        return add(cat("@entry:", literal.value_or("")));
    }
  }

  // load_entry_point("distribution", "group", "name"), after the first.
  void load_entry() {
    std::string mark = "@entry";
    for (int i = 0; i < 2; ++i) {
      skip_blanks(true);
      if (!at(',')) return;
      ++p_;
      skip_blanks(true);
      const std::optional<std::string_view> literal = literal_argument();
      if (!literal || literal->find(':') != std::string_view::npos) return;
      mark += cat(":", *literal);
    }
    add(std::move(mark));
  }

  void computed() {
    if (guard_ != Guard::never) dynamic_ = true;
  }

  void imported(std::string_view name) {
    const std::string_view bare = name.substr(std::min(name.find_first_not_of('.'), name.size()));
    const bool letter = bare.size() == 1 && class_of(bare.front()) == kWord;
    if (!letter && shape_of(bare) == Shape::none) return computed();
    add(std::string(name));
  }

  // The first argument when it is one plain string and nothing else.
  std::optional<std::string_view> literal_argument() {
    const char* const begin = p_;
    const char* q = p_;
    while (q < end_ && q - p_ < 2 && class_of(*q) == kWord) ++q;
    if (q == end_ || class_of(*q) != kQuote) return std::nullopt;
    bool format = false;
    for (; p_ < q; ++p_) {
      const char l = static_cast<char>(*p_ | 0x20);
      format = format || l == 'f' || l == 't' || l == 'b';
    }
    const StringToken token = string(format);
    const char* const after = p_;
    skip_blanks(true);
    const bool whole = at(',') || at(')');
    p_ = after;
    if (token.plain && whole && token.text.size() < kMaxName &&
        token.text.find_first_of("\\\n\r") == std::string_view::npos)
      return token.text;
    p_ = begin;
    return std::nullopt;
  }

  // ---- strings ----

  // At a quote. An unclosed one-line string ends with its line.
  StringToken string(bool format) {
    const char quote = *p_;
    const bool triple = end_ - p_ >= 3 && p_[1] == quote && p_[2] == quote;
    p_ += triple ? 3 : 1;
    if (format) {
      format_string(quote, triple);
      return {};
    }
    const char* const begin = p_;
    while (p_ < end_) {
      const char c = *p_;
      if (c == '\\') {
        p_ += end_ - p_ >= 2 ? 2 : 1;
      } else if (c == quote) {
        if (!triple) return {{begin, static_cast<std::size_t>(p_++ - begin)}, true};
        if (end_ - p_ >= 3 && p_[1] == quote && p_[2] == quote) {
          const StringToken token{{begin, static_cast<std::size_t>(p_ - begin)}, true};
          p_ += 3;
          return token;
        }
        ++p_;
      } else if (!triple && class_of(c) == kNewline) {
        return {};
      } else {
        ++p_;
      }
    }
    return {};
  }

  // Within braces stands an expression, which since Python 3.12 may hold the same quotes again.
  void format_string(char quote, bool triple) {
    struct Level {
      char quote;
      bool triple;
      int braces;
    };
    std::array<Level, kMaxFstringDepth> levels{};
    std::size_t depth = 1;
    levels[0] = {quote, triple, 0};
    while (p_ < end_ && depth > 0) {
      Level& top = levels[depth - 1];
      const char c = *p_;
      if (class_of(c) == kQuote && top.braces > 0) {
        const bool three = end_ - p_ >= 3 && p_[1] == c && p_[2] == c;
        if (depth == levels.size() || !is_python_word(p_[-1])) {
          (void)string(false);
        } else {
          levels[depth++] = {c, three, 0};
          p_ += three ? 3 : 1;
        }
      } else if (c == '\\') {
        p_ += end_ - p_ >= 2 ? 2 : 1;
      } else if (c == top.quote && top.braces == 0) {
        if (top.triple && !(end_ - p_ >= 3 && p_[1] == c && p_[2] == c)) {
          ++p_;
          continue;
        }
        p_ += top.triple ? 3 : 1;
        --depth;
      } else if (class_of(c) == kNewline && !top.triple && depth == 1 && top.braces == 0) {
        return;
      } else if (c == '{') {
        if (top.braces == 0 && end_ - p_ >= 2 && p_[1] == '{') {
          p_ += 2;
        } else {
          ++top.braces;
          ++p_;
        }
      } else {
        if (c == '}' && top.braces > 0) --top.braces;
        ++p_;
      }
    }
  }

  void note(const StringToken& token) {
    if (!token.plain || token.text.empty()) return;
    switch (shape_of(token.text)) {
      case Shape::dotted:
        return add(cat("'", token.text));
      case Shape::loose:
        if (guard_ == Guard::none && loose_.size() < kMaxLoose) loose_.push_back(token.text);
        return;
      default:
        if (looks_like_path(token.text)) return add(std::string(token.text));
        if (looks_like_zone(token.text)) add(cat("@zone:", token.text));
    }
  }

  void add(std::string name) {
    if (guard_ == Guard::never) return;
    if (guard_ == Guard::main) name.insert(0, 1, '!');
    names_.add(std::move(name));
  }

  const char* p_;
  const char* end_;
  NameSet names_;
  std::vector<std::string_view> loose_;
  bool dynamic_ = false;
  std::size_t depth_ = 0;  // brackets that are open
  bool line_start_ = true, statement_ = true;
  bool defines_ = false;  // after "def": the next word is no call
  std::size_t indent_ = 0, guard_indent_ = 0;
  Guard guard_ = Guard::none;
};

}  // namespace

bool is_python(std::string_view path, std::string_view shebang) {
  if (path.ends_with(".py") || is_python_archive_name(path)) return true;
  if (shebang.empty()) return false;
  // "/usr/bin/python3 -I", "/usr/bin/env python3", "env -S python3 -u".
  std::size_t at = shebang.find("python");
  for (; at != std::string_view::npos; at = shebang.find("python", at + 1))
    if (at == 0 || shebang[at - 1] == '/' || shebang[at - 1] == ' ' || shebang[at - 1] == '\t')
      return true;
  return false;
}

Facts scan_python(ByteView text, const Limits& limits) {
  return is_python_archive(text) ? scan_python_archive(text, limits)
                                 : scan_python_text(text, limits);
}

Facts scan_python_text(ByteView text, const Limits& limits) {
  return Lexer(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
