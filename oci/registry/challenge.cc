// The grammar is awkward: commas separate both challenges and the parameters of one challenge, so
// `Bearer realm="a,b",scope=x, Basic realm=y` needs a look at what follows a token: "=" makes it a
// parameter, a blank or the end makes it the next scheme. Values may be quoted and hold commas and
// escapes. Some schemes carry a single token68 ("Negotiate YII=") instead of parameters.
#include "oci/registry/challenge.h"

#include <cstddef>
#include <optional>

#include "base/text.h"

namespace cloister::oci {
namespace {

constexpr std::size_t kMaxHeader = 16 << 10;
constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParams = 32;

// RFC 9110 §5.6.2, tchar.
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool peek(char c) const { return !at_end() && text_[at_] == c; }
  bool accept(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  void skip_blanks() {
    while (peek(' ') || peek('\t')) ++at_;
  }
  void skip_separators() {
    while (peek(' ') || peek('\t') || peek(',')) ++at_;
  }
  std::string_view token() {
    const std::size_t from = at_;
    while (!at_end() && is_token_char(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  // The text between quotes, unescaped; nothing when it does not end.
  std::optional<std::string> quoted_string() {
    if (!accept('"')) return std::nullopt;
    std::string out;
    while (!at_end()) {
      if (accept('"')) return out;
      if (peek('\\') && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    return std::nullopt;
  }
  void skip_to_comma() {
    while (!at_end() && !peek(',')) ++at_;
  }
  std::size_t position() const { return at_; }
  void rewind(std::size_t position) { at_ = position; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// name "=" (token | quoted-string), blanks allowed around "=". Nothing, and the scanner back where
// it was, when that is not what follows.
std::optional<std::pair<std::string, std::string>> parse_param(Scanner& scanner) {
  const std::size_t start = scanner.position();
  const std::string name = lower_ascii(scanner.token());
  scanner.skip_blanks();
  if (!name.empty() && scanner.accept('=')) {
    scanner.skip_blanks();
    auto value =
        scanner.peek('"') ? scanner.quoted_string() : std::optional<std::string>(scanner.token());
    const bool quoted_or_token = value.has_value() && !scanner.peek('=');  // "YII==" is a token68
    if (quoted_or_token) return std::pair(name, std::move(*value));
  }
  scanner.rewind(start);
  return std::nullopt;
}

void parse_params(Scanner& scanner, Challenge& challenge) {
  for (;;) {
    scanner.skip_separators();
    auto param = parse_param(scanner);
    if (!param) return;
    if (challenge.params.size() < kMaxParams) challenge.params.insert(std::move(*param));
  }
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> out;
  if (header.size() > kMaxHeader) return out;
  Scanner scanner(header);
  while (out.size() < kMaxChallenges) {
    scanner.skip_separators();
    const std::string_view scheme = scanner.token();
    const bool ends =
        scanner.at_end() || scanner.peek(' ') || scanner.peek('\t') || scanner.peek(',');
    if (scheme.empty() || !ends) break;
    Challenge challenge{lower_ascii(scheme), {}};
    const std::size_t before = scanner.position();
    parse_params(scanner, challenge);
    if (challenge.params.empty()) {
      // A token68, or nothing: the next challenge begins after the next comma.
      scanner.rewind(before);
      scanner.skip_to_comma();
    }
    out.push_back(std::move(challenge));
  }
  return out;
}

}  // namespace cloister::oci
