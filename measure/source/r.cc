// Word by word, with the few words after each that tell what a call is given: R is parsed only as
// far as strings, comments and brackets go (R Language Definition, sections 10.1 to 10.3).
// DESCRIPTION is a Debian control file, told by its first line; of a document the chunks are code.
#include "measure/source/r.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "measure/source/name_list.h"

namespace cloister::measure::source {
namespace {

using std::size_t;
using std::string_view;

constexpr string_view kChunk = "```{r";
constexpr size_t kMaxPath = 256;
// How far a call is looked through for what its first argument means.
constexpr size_t kCallTokens = 12;

bool is_r_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_r_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_r_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

template <size_t N>
bool one_of_r(const string_view (&list)[N], string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// Their first argument names a package: unquoted too, or only as a string.
constexpr string_view kAttach[] = {"library", "require"};
constexpr string_view kLoad[] = {"requireNamespace", "loadNamespace", "attachNamespace",
                                 "getNamespace",     "asNamespace",   "use_package",
                                 "getFromNamespace"};
// All of their arguments do.
constexpr string_view kLists[] = {"import", "p_load", "pacman_load", "use"};
constexpr string_view kFirstOf[] = {"importFrom", "importClassesFrom", "importMethodsFrom"};
// A string in such a call is a path whatever it looks like.
constexpr string_view kPaths[] = {
    "source",    "sys.source", "list.files",  "list.dirs",    "dir",      "setwd",    "runApp",
    "file.path", "here",       "plumb",       "pr",           "readRDS",  "read.csv", "readLines",
    "load",      "scan",       "file",        "fread",        "read_csv", "dyn.load", "knit",
    "render",    "read.table", "shinyAppDir", "normalizePath"};
constexpr string_view kJoins[] = {"file.path", "here"};
constexpr string_view kSources[] = {"source", "sys.source"};
constexpr string_view kCommands[] = {"system", "system2", "pipe"};
constexpr string_view kInternet[] = {"url",
                                     "download.file",
                                     "socketConnection",
                                     "serverSocket",
                                     "socketAccept",
                                     "make.socket",
                                     "curlGetHeaders",
                                     "nsl",
                                     "available.packages",
                                     "install.packages",
                                     "url.show",
                                     "makeCluster",
                                     "makePSOCKcluster",
                                     "newPSOCKnode"};
constexpr string_view kBitmaps[] = {"png",       "jpeg",     "tiff",   "bmp",        "svg",
                                    "cairo_pdf", "cairo_ps", "ggsave", "renderPlot", "plotPNG",
                                    "X11",       "x11",      "knit",   "render"};
constexpr string_view kWorkers[] = {"makeCluster", "makePSOCKcluster", "newPSOCKnode"};

// "data.table": letters, digits and dots.
bool is_r_package(string_view name) {
  if (name.size() < 2 || name.size() > 64 || !is_r_letter(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (is_r_letter(c) && static_cast<unsigned char>(c) < 0x80) || is_r_digit(c) || c == '.';
  });
}

// "data/prices.csv", "lib", "Europe/Berlin"; with `any`, without a look at what it holds.
bool is_r_path(string_view text, bool any) {
  if (text.empty() || text.size() > kMaxPath || text == "." || text == ".." || text == "/")
    return false;
  if (text.find("://") != string_view::npos) return false;
  bool path = any;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '*' || c == '?' || c == '|' || c == '\\' ||
        c == '%' || c == '<' || c == '(')
      return false;
    if (is_r_blank(c) && !any) return false;
    path = path || c == '/' || c == '.';
  }
  return path;
}

enum class TokenKind { end, word, string, punctuation };
struct Token {
  TokenKind kind = TokenKind::end;
  string_view text;  // of a string what is between its quotes, escapes as they are
  size_t end = 0;    // where the next begins
};

// The token that begins at or after `at`.
Token next_token(string_view code, size_t at) {
  for (;;) {
    while (at < code.size() && is_r_blank(code[at])) ++at;
    if (at >= code.size()) return {TokenKind::end, {}, code.size()};
    if (code[at] != '#') break;
    at = std::min(code.find('\n', at), code.size());
  }
  const char c = code[at];
  // r"(text)", R"---[text]---"
  if ((c == 'r' || c == 'R') && at + 1 < code.size() &&
      (code[at + 1] == '"' || code[at + 1] == '\'')) {
    size_t open = at + 2;
    while (open < code.size() && code[open] == '-') ++open;
    const size_t dashes = open - at - 2;
    const size_t bracket =
        open < code.size() ? string_view("([{").find(code[open]) : string_view::npos;
    if (bracket != string_view::npos && dashes <= 16) {
      std::string close(1, ")]}"[bracket]);
      close.append(dashes, '-');
      close += code[at + 1];
      const size_t end = std::min(code.find(close, open + 1), code.size());
      return {TokenKind::string, code.substr(open + 1, end - open - 1),
              std::min(end + close.size(), code.size())};
    }
  }
  if (c == '"' || c == '\'' || c == '`') {
    size_t end = at + 1;
    while (end < code.size() && code[end] != c) end += code[end] == '\\' && c != '`' ? 2 : 1;
    end = std::min(end, code.size());
    return {c == '`' ? TokenKind::word : TokenKind::string, code.substr(at + 1, end - at - 1),
            std::min(end + 1, code.size())};
  }
  if (is_r_letter(c) || c == '.' || is_r_digit(c)) {
    size_t end = at;
    while (end < code.size() && (is_r_letter(code[end]) || is_r_digit(code[end]) ||
                                 code[end] == '.' || code[end] == '_'))
      ++end;
    return {TokenKind::word, code.substr(at, end - at), end};
  }
  size_t length = 1;
  if (c == ':')
    while (length < 3 && at + length < code.size() && code[at + length] == ':') ++length;
  return {TokenKind::punctuation, code.substr(at, length), at + length};
}

class RScan {
 public:
  RScan(string_view text, const Limits& limits) : text_(text), names_(limits), limits_(limits) {}

  Facts run() {
    if (is_description())
      description();
    else if (text_.starts_with(kChunk) || text_.find(cat("\n", kChunk)) != string_view::npos)
      document();
    else
      code(text_);
    if (dynamic_)
      for (const string_view text : strings_) names_.add("string:", text);
    return names_.take(Language::r, dynamic_);
  }

 private:
  // ---- DESCRIPTION ----

  bool is_description() const {
    const string_view line = text_.substr(0, text_.find('\n'));
    const size_t colon = line.find(':');
    if (colon == string_view::npos || colon == 0 || colon > 40) return false;
    if (colon + 1 < line.size() && !is_r_blank(line[colon + 1])) return false;
    return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
      return is_r_letter(c) || c == '@' || c == '/' || c == '-' || c == '_';
    });
  }

  void description() {
    string_view kind;
    for (const string_view line : split(text_, '\n')) {
      string_view value = line;
      if (line.empty() || !is_r_blank(line.front())) {
        const size_t colon = std::min(line.find(':'), line.size());
        const string_view field = line.substr(0, colon);
        kind = field == "Depends" || field == "Imports"     ? string_view("package:")
               : field == "Suggests" || field == "Enhances" ? string_view("suggests:")
                                                            : string_view();
        value = line.substr(std::min(colon + 1, line.size()));
      }
      if (kind.empty()) continue;
      for (string_view item : split(value, ',')) {
        item = trim(item);
        item = trim(item.substr(0, item.find('(')));
        if (is_r_package(item)) names_.add(kind, item);
      }
    }
  }

  // ---- documents ----

  void document() {
    bool inside = false;
    size_t begin = 0;
    for (size_t start = 0; start < text_.size();) {
      const size_t end = std::min(text_.find('\n', start), text_.size());
      const string_view line = text_.substr(start, end - start);
      if (!inside && line.starts_with(kChunk)) {
        inside = true;
        begin = std::min(end + 1, text_.size());
      } else if (inside && line.starts_with("```")) {
        inside = false;
        code(text_.substr(begin, start - begin));
      }
      start = end + 1;
    }
    if (inside) code(text_.substr(begin));
  }

  // ---- code ----

  void code(string_view text) {
    code_ = text;
    previous_ = {};
    depth_ = known_ = 0;
    list_depth_ = path_depth_ = joined_depth_ = libraries_depth_ = 0;
    for (size_t at = 0;;) {
      const Token token = next_token(code_, at);
      if (token.kind == TokenKind::end) return;
      if (token.kind == TokenKind::word)
        word(token);
      else if (token.kind == TokenKind::string)
        string(token);
      else
        bracket(token.text);
      previous_ = token;
      at = token.end;
    }
  }

  Token peek(const Token& token) const { return next_token(code_, token.end); }
  bool calls(const Token& token) const { return peek(token).text == "("; }
  bool after_member() const { return previous_.text == "$" || previous_.text == "@"; }

  void bracket(string_view text) {
    if (text == "(" || text == "[" || text == "{") {
      ++depth_;
    } else if (text == ")" || text == "]" || text == "}") {
      if (list_depth_ == depth_) list_depth_ = 0;
      if (path_depth_ == depth_) path_depth_ = 0;
      if (libraries_depth_ == depth_) libraries_depth_ = 0;
      if (joined_depth_ == depth_ && depth_ > 0) {
        joined_depth_ = 0;
        if (is_r_path(joined_, true)) names_.add("path:", joined_);
      }
      if (depth_ > 0) --depth_;
    }
  }

  void word(const Token& token) {
    const string_view word = token.text;
    if (after_member()) return;
    const Token next = peek(token);
    if (next.text == "::" || next.text == ":::") {
      if (is_r_package(word)) names_.add("package:", word);
      return;
    }
    if (listed(token, next)) return;
    if (next.text != "(") {
      // lapply(packages, library, character.only = TRUE); lapply(files, source)
      if ((one_of_r(kAttach, word) || one_of_r(kSources, word)) &&
          (next.text == "," || next.text == ")") && previous_.text != "function" &&
          (previous_.text == "," || previous_.text == "="))
        dynamic_ = true;
      return;
    }
    if (previous_.text == "function") return;
    call(word, next);
  }

  // An argument of "import(a, b)".
  bool listed(const Token& token, const Token& next) {
    if (list_depth_ == 0 || depth_ != list_depth_) return false;
    if (previous_.text != "(" && previous_.text != ",") return false;
    if (next.text != "," && next.text != ")" && next.text != "[") return false;
    if (list_first_) {
      // importFrom(grDevices, png)
      if (previous_.text != "(")
        module(token.text);
      else if (is_r_package(token.text))
        names_.add("package:", token.text);
      return true;
    }
    if (!is_r_package(token.text)) return false;
    names_.add("package:", token.text);
    if (token.text == "grDevices") names_.add("module:", "bitmaps");
    return true;
  }

  void call(string_view word, const Token& open) {
    if (one_of_r(kAttach, word)) {
      attach(open);
    } else if (one_of_r(kLoad, word)) {
      first_argument(open, word == "getNamespace" || word == "asNamespace");
    } else if (one_of_r(kLists, word)) {
      list_depth_ = depth_ + 1;
      list_first_ = false;
    } else if (one_of_r(kFirstOf, word)) {
      list_depth_ = depth_ + 1;
      list_first_ = true;
    } else if (one_of_r(kCommands, word)) {
      command(open);
    } else if (word == ".libPaths") {
      libraries_depth_ = depth_ + 1;
    } else if (word == "do.call") {
      const Token first = peek(open);
      dynamic_ = dynamic_ || (first.kind == TokenKind::string && one_of_r(kAttach, first.text));
    }
    if (one_of_r(kJoins, word) && joined_depth_ == 0) {
      joined_.clear();
      joined_depth_ = depth_ + 1;
    }
    if (one_of_r(kPaths, word) && path_depth_ == 0) path_depth_ = depth_ + 1;
    if (one_of_r(kSources, word)) computed_source(open);
    module(word);
  }

  void module(string_view word) {
    if (one_of_r(kInternet, word)) names_.add("module:", "internet");
    if (one_of_r(kBitmaps, word)) names_.add("module:", "bitmaps");
    if (one_of_r(kWorkers, word)) names_.add("module:", "workers");
  }

  // library(x), library("x"), library(x, character.only = TRUE)
  void attach(const Token& open) {
    Token first = peek(open);
    if (first.text == "package" && peek(first).text == "=") first = peek(peek(first));
    if (first.kind == TokenKind::string) {
      package(first);
      return;
    }
    Token at = first;
    for (size_t i = 0; i < kCallTokens && at.kind != TokenKind::end && at.text != ")"; ++i) {
      if (at.text == "character.only") {
        dynamic_ = true;
        return;
      }
      at = peek(at);
    }
    if (first.kind == TokenKind::word)
      package(first);
    else
      dynamic_ = dynamic_ || first.text != ")";
  }

  void package(const Token& token) {
    if (is_r_package(token.text)) names_.add("package:", token.text);
    known_ = token.end;
  }

  void first_argument(const Token& open, bool harmless) {
    Token first = peek(open);
    if (first.text == "package" && peek(first).text == "=") first = peek(peek(first));
    if (first.kind == TokenKind::string) {
      package(first);
    } else if (first.kind == TokenKind::word && !harmless) {
      dynamic_ = true;
    }
  }

  // source(file.path("lib", "x.R")) is known; source(x) and source(paste0(dir, "x.R")) are not.
  void computed_source(const Token& open) {
    Token first = peek(open);
    if (first.text == "file" && peek(first).text == "=") first = peek(peek(first));
    if (first.kind != TokenKind::word) return;
    if (one_of_r(kJoins, first.text)) {
      Token at = peek(first);
      for (size_t i = 0; i < kCallTokens && at.text != ")"; ++i) {
        at = peek(at);
        if (at.kind == TokenKind::word) {
          dynamic_ = true;
          return;
        }
      }
    } else if (first.text != "textConnection" && peek(first).text != "::") {
      dynamic_ = true;
    }
  }

  void command(const Token& open) {
    Token first = peek(open);
    if (first.text == "command" && peek(first).text == "=") first = peek(peek(first));
    if (first.kind != TokenKind::string) {
      if (first.kind == TokenKind::word) names_.add("command:", "*");
      return;
    }
    const string_view line = trim(first.text);
    const string_view name = line.substr(0, line.find_first_of(" \t\n;|&<>"));
    if (!name.empty() && name.size() <= kMaxPath) names_.add("command:", name);
  }

  void string(const Token& token) {
    const string_view text = token.text;
    if (token.end == known_ || listed(token, peek(token))) return;
    if (libraries_depth_ != 0 && depth_ >= libraries_depth_) {
      if (is_r_path(text, true)) names_.add("libraries:", text);
      return;
    }
    if (text.starts_with("http://") || text.starts_with("https://") || text.starts_with("ftp://"))
      names_.add("module:", "internet");
    if (is_r_package(text) && strings_.size() < limits_.source_names) strings_.insert(text);
    if (joined_depth_ != 0 && depth_ == joined_depth_) {
      if (joined_.size() > kMaxPath) return;
      if (!joined_.empty() && !joined_.ends_with('/')) joined_ += '/';
      joined_ += text;
      return;
    }
    if (is_r_path(text, path_depth_ != 0 && depth_ >= path_depth_)) names_.add("path:", text);
  }

  string_view text_, code_;
  NameList names_;
  const Limits& limits_;
  std::set<string_view> strings_;  // what may be packages
  Token previous_;
  size_t depth_ = 0;  // of brackets
  size_t known_ = 0;  // where a string ends whose meaning a call has given
  // Where the arguments of a call stand that is being looked through; 0: of none.
  size_t list_depth_ = 0, path_depth_ = 0, joined_depth_ = 0, libraries_depth_ = 0;
  bool list_first_ = false;
  std::string joined_;
  bool dynamic_ = false;
};

}  // namespace

bool is_r(std::string_view path, std::string_view shebang) {
  for (const char* suffix : {".R", ".r", ".Rmd", ".rmd", ".qmd", ".Rprofile"})
    if (path.ends_with(suffix)) return true;
  const string_view base = base_name(path);
  if (base == "DESCRIPTION" || base == "NAMESPACE" || base == "Rprofile" || base == "Rprofile.site")
    return true;
  for (const string_view word : split(shebang, ' '))
    if (base_name(word) == "Rscript" || base_name(word) == "r") return true;
  return false;
}

Facts scan_r(ByteView text, const Limits& limits) {
  return RScan(as_text(text), limits).run();
}

}  // namespace cloister::measure::source
