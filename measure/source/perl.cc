// Line by line, and for the few statements that load modules up to their ';'. Only perl can parse
// Perl: documentation and comments on lines of their own are passed over, all else is code.
#include "measure/source/perl.h"

#include <algorithm>
#include <cstddef>

#include "base/path.h"
#include "base/text.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

using std::size_t;
using std::string_view;

constexpr size_t kMaxStatement = 2048;

bool is_perl_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// "A::B", at least one name; a name does not begin with a digit.
bool is_module(string_view text) {
  bool begin = true;
  for (size_t i = 0; i < text.size(); ++i) {
    if (begin ? (is_perl_word(text[i]) && !(text[i] >= '0' && text[i] <= '9'))
              : is_perl_word(text[i])) {
      begin = false;
    } else if (!begin && text.substr(i, 2) == "::") {
      ++i;
      begin = true;
    } else {
      return false;
    }
  }
  return !begin;
}

// By how Encode calls them, in lower case.
bool is_cjk_charset(string_view name) {
  static constexpr string_view kBegins[] = {
      "euc-", "eucjp",    "euckr",      "euccn",    "euctw", "shiftjis", "shift_jis", "shift-jis",
      "sjis", "cp932",    "cp936",      "cp949",    "cp950", "gb2312",   "gbk",       "gb12345",
      "big5", "iso-2022", "iso-ir-165", "7bit-jis", "jis0",  "ksc",      "ks_c_",     "johab"};
  if (name.size() > 24) return false;
  const std::string lower = lower_ascii(name);
  if (lower == "hz" || lower == "macjapanese" || lower == "mackorean" ||
      lower.starts_with("macchinese"))
    return true;
  return std::any_of(std::begin(kBegins), std::end(kBegins),
                     [&](string_view begin) { return lower.starts_with(begin); });
}

class PerlScan {
 public:
  PerlScan(string_view text, const Limits& limits) : text_(text), names_(limits) {}

  Facts run() {
    bool documentation = false;
    for (size_t line = 0; line < text_.size();) {
      const size_t end = std::min(text_.find('\n', line), text_.size());
      const string_view whole = text_.substr(line, end - line);
      if (whole.starts_with('=') && whole.size() > 1 && is_perl_word(whole[1])) {
        documentation = !whole.starts_with("=cut");
      } else if (!documentation) {
        const string_view code = trim(whole);
        if (code == "__END__" || code == "__DATA__") break;
        if (!code.starts_with('#')) words(line, end);
      }
      line = end + 1;
    }
    return names_.take(Language::perl, dynamic_);
  }

 private:
  void words(size_t at, size_t end) {
    while (at < end) {
      const char c = text_[at];
      if (c == '\'' || c == '"') {
        string(at, end);
        ++at;
      } else if (is_perl_word(c)) {
        const size_t start = at;
        while (at < end && is_perl_word(text_[at])) ++at;
        // "$use", "->require", "Foo::use" are no statements.
        const char before = start > 0 ? text_[start - 1] : ' ';
        charset(text_.substr(start, at - start), start, at);
        if (before == '$' || before == '@' || before == '%' || before == ':' || before == '>')
          continue;
        word(text_.substr(start, at - start), at);
      } else {
        ++at;
      }
    }
  }

  void word(string_view word, size_t at) {
    if (word == "use" || word == "no")
      use(at);
    else if (word == "require")
      require(at);
    else if (word == "do")
      file(at);
    else if (word == "load_class" || word == "load_module" || word == "use_module" ||
             word == "require_module" || word == "find_modules" || word == "load_classes")
      dynamic_ = true;
    else if (word == "__FILE__")
      names_.add("own:", "");
  }

  // decode($name, …), Encode::find_encoding($name), ":encoding(euc-jp)".
  void charset(string_view word, size_t start, size_t at) {
    if (word != "encode" && word != "decode" && word != "from_to" && word != "find_encoding" &&
        word != "encoding")
      return;
    const string_view before = text_.substr(0, start);
    if (before.ends_with("->") || before.ends_with('$') || before.ends_with("sub ")) return;
    if (word == "encoding" && !before.ends_with(':')) return;
    string_view rest = text_.substr(at, 64);
    rest = trim(rest);
    if (rest.starts_with('(')) rest = trim(rest.substr(1));
    if (rest.starts_with('$'))
      names_.add("charset:", "*");
    else if (word == "encoding" && is_cjk_charset(rest.substr(0, rest.find_first_of(") \t\n"))))
      names_.add("charset:", lower_ascii(rest.substr(0, rest.find_first_of(") \t\n"))));
  }

  string_view statement(size_t at) const {
    const string_view rest = text_.substr(at, kMaxStatement);
    return rest.substr(0, rest.find(';'));
  }

  static string_view module_at(string_view text) {
    size_t end = 0;
    while (end < text.size() && (is_perl_word(text[end]) || text[end] == ':')) ++end;
    while (end > 0 && text[end - 1] == ':') --end;
    return text.substr(0, end);
  }

  void use(size_t at) {
    if (at < used_until_ || at >= text_.size() || !is_blank(text_[at])) return;
    // No statement begins within another one of the same line: one look at each is enough.
    used_until_ = std::min(text_.find_first_of(";}\n", at), text_.size());
    const string_view statement = trim(this->statement(at));
    const string_view module = module_at(statement);
    if (!is_module(module) || (module.size() > 1 && module[0] == 'v' && module[1] <= '9')) return;
    names_.add("module:", module);
    const string_view arguments = statement.substr(module.size());
    if (module == "lib") {
      each_string(arguments, [&](string_view text) { library(text); });
    } else if (module == "parent" || module == "base" || module == "if" || module == "autouse" ||
               module == "aliased") {
      each_string(arguments, [&](string_view text) {
        if (is_module(text)) names_.add("module:", text);
      });
    } else {
      // "use Mojo::Base 'Mojolicious'": what it is given may be a class to load.
      each_string(arguments, [&](string_view text) {
        if (is_module(text) && text[0] >= 'A' && text[0] <= 'Z') names_.add("string:", text);
      });
    }
    if (module == "open" || arguments.find(":encoding") != string_view::npos) {
      names_.add("module:", "Encode");
      names_.add("module:", "PerlIO::encoding");
    }
  }

  void library(string_view text) {
    for (const string_view bin : {"$FindBin::Bin", "$FindBin::RealBin", "$RealBin", "$Bin",
                                  "${FindBin::Bin}", "$FindBin::Script"}) {
      if (!text.starts_with(bin)) continue;
      names_.add("lib:", cat("@script", text.substr(bin.size())));
      return;
    }
    if (text.find('$') == string_view::npos) names_.add("lib:", text);
  }

  void require(size_t at) {
    size_t next = at;
    while (next < text_.size() && next - at < kMaxStatement &&
           (is_blank(text_[next]) || text_[next] == '('))
      ++next;
    if (next == at || next >= text_.size()) return;
    const char c = text_[next];
    if (c == '$' || c == '@' || c == '{') {
      dynamic_ = true;
    } else if (c == '"' || c == '\'') {
      file(at);
    } else if (const string_view module = module_at(text_.substr(next, kMaxStatement));
               is_module(module)) {
      names_.add("module:", module);
    }
  }

  // The string right behind "require" or "do".
  void file(size_t at) {
    size_t next = at;
    while (next < text_.size() && next - at < kMaxStatement &&
           (is_blank(text_[next]) || text_[next] == '('))
      ++next;
    if (next >= text_.size() || (text_[next] != '"' && text_[next] != '\'')) return;
    const string_view text = quoted(next, std::min(text_.size(), next + kMaxStatement));
    if (text.find('$') != string_view::npos)
      dynamic_ = true;
    else if (!text.empty())
      names_.add("file:", text);
  }

  string_view quoted(size_t at, size_t stop) const {
    const size_t end = text_.substr(0, stop).find(text_[at], at + 1);
    return end == string_view::npos ? string_view() : text_.substr(at + 1, end - at - 1);
  }

  // 'A::B', "dbi:SQLite:dbname=x", eval "require $x".
  void string(size_t at, size_t end) {
    const size_t stop = std::min(end, at + 512);
    const string_view text = quoted(at, stop);
    static constexpr string_view kDbi = "dbi:";
    if (text.find("::") != string_view::npos && is_module(text)) {
      names_.add("string:", text);
    } else if (is_cjk_charset(text)) {
      names_.add("charset:", lower_ascii(text));
    } else if (text.size() > kDbi.size() && lower_ascii(text.substr(0, 4)) == kDbi) {
      const string_view driver = module_at(text.substr(4)).substr(0, text.find(':', 4) - 4);
      if (is_module(driver)) names_.add("module:", cat("DBD::", driver));
    } else if (const string_view code = trim(text_.substr(at + 1, stop - at - 1));
               code.starts_with("require $") || code.starts_with("use $") ||
               code.starts_with("require ${")) {
      dynamic_ = true;
    }
  }

  // Strings and the words of qw(…).
  template <class Visit>
  void each_string(string_view text, Visit visit) const {
    for (size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '"' || text[at] == '\'') {
        const size_t end = text.find(text[at], at + 1);
        if (end == string_view::npos) return;
        visit(text.substr(at + 1, end - at - 1));
        at = end;
      } else if (text.substr(at, 2) == "qw" && (at == 0 || !is_perl_word(text[at - 1]))) {
        size_t open = at + 2;
        while (open < text.size() && is_blank(text[open])) ++open;
        if (open >= text.size()) return;
        const char close = text[open] == '('   ? ')'
                           : text[open] == '[' ? ']'
                           : text[open] == '{' ? '}'
                           : text[open] == '<' ? '>'
                                               : text[open];
        const size_t end = std::min(text.find(close, open + 1), text.size());
        size_t word = open + 1;
        while (word < end) {
          while (word < end && is_blank(text[word])) ++word;
          size_t stop = word;
          while (stop < end && !is_blank(text[stop])) ++stop;
          if (stop > word) visit(text.substr(word, stop - word));
          word = stop;
        }
        at = end;
      }
    }
  }

  string_view text_;
  NameList names_;
  size_t used_until_ = 0;  // the end of the last "use" statement
  bool dynamic_ = false;
};

}  // namespace

bool is_perl(std::string_view path, std::string_view shebang) {
  for (const char* suffix : {".pl", ".pm", ".al", ".psgi", ".t"})
    if (path.ends_with(suffix)) return true;
  for (const string_view word : split(shebang, ' ')) {
    const string_view base = base_name(word);
    if (base.starts_with("perl")) return true;
  }
  return false;
}

Facts scan_perl(ByteView text, const Limits& limits) {
  return PerlScan(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
