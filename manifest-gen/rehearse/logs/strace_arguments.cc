// strace prints C: strings in double quotes with C's escapes (octal ones as short as they can be),
// structures in braces, lists in brackets, comments. A string longer than -s is followed by "...".
// -y writes what a descriptor stands for in angle brackets, in which '<' and '>' of a name are
// escaped since strace 5.11; earlier ones write them as they are, so a name's end is looked for
// where the argument goes on. -yy writes pairs of addresses with an arrow there, and device numbers
// in a second pair of brackets.
#include "manifest-gen/rehearse/logs/strace_arguments.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "manifest-gen/rehearse/logs/logged_number.h"

namespace cloister::manifest {
namespace {

constexpr auto kNone = std::string_view::npos;
// How much of a line is looked at for decorations that do not end, so that a line full of them
// takes no more than linear time.
constexpr std::size_t kVainLook = 64U << 10;

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}
int hex_digit(char c) {
  if (is_decimal(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `at` is that of the opening quote; answers the position after the closing one.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return kNone;
}

// Whether an argument or result can go on like this after a descriptor's decoration.
bool follows_decoration(std::string_view rest) {
  return rest.empty() || std::string_view(",)]}|= \t").find(rest[0]) != kNone ||
         rest.starts_with("(deleted)");
}

// `at` is that of the '<'; answers the position after its '>'.
std::size_t end_of_decoration(std::string_view text, std::size_t at) {
  const bool is_path = at + 1 < text.size() && text[at + 1] == '/';
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      ++at;
    } else if (c == '<') {
      ++depth;
    } else if (c == '>') {
      if (!is_path && text[at - 1] == '-') continue;
      if (depth > 1)
        --depth;
      else if (follows_decoration(text.substr(at + 1)))
        return at + 1;
    }
  }
  return kNone;
}

// Whether a '<' here begins a decoration: after a number or AT_FDCWD, and is no shift.
bool begins_decoration(std::string_view text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size() || text[at + 1] == '<' || text[at + 1] == ' ') return false;
  return is_decimal(text[at - 1]) || text.substr(0, at).ends_with("AT_FDCWD");
}

// What stands between the brackets, as a path where it is one that exists.
std::string decoration_text(std::string_view inside, std::string_view after) {
  if (!inside.starts_with('/')) return std::string(inside.substr(0, 256));
  if (after.starts_with("(deleted)") || inside.ends_with(" (deleted)")) return {};
  inside = inside.substr(0, inside.find('<'));
  return unescape_strace(inside).value_or("");
}

LoggedArgument argument_of(std::string_view text) {
  text = trim(text);
  LoggedArgument out;
  if (text.starts_with('"')) {
    const std::size_t end = end_of_quoted(text, 0);
    const std::string_view after = end == kNone ? "" : text.substr(end);
    const auto value = end == kNone ? std::nullopt : unescape_strace(text.substr(1, end - 2));
    if (value && after.empty()) {
      out.kind = LoggedArgument::Kind::text;
      out.value = *value;
    } else {
      out.kind = LoggedArgument::Kind::hidden;
    }
    return out;
  }
  const std::size_t at = text.find('<');
  if (at != kNone && begins_decoration(text, at)) {
    const std::size_t end = end_of_decoration(text, at);
    if (end != kNone) {
      out.value = text.substr(0, at);
      out.decoration = decoration_text(text.substr(at + 1, end - at - 2), text.substr(end));
      return out;
    }
  }
  out.value = text;
  return out;
}

// The text between `before` and the next quote or bracket that ends it.
std::string_view word_after(std::string_view text, std::string_view before, std::string_view ends) {
  const std::size_t at = text.find(before);
  if (at == kNone) return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find_first_of(ends));
}

}  // namespace

std::optional<std::string> unescape_strace(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i >= text.size()) return {};
    const char c = text[i];
    if (is_octal(c)) {
      unsigned value = 0;
      std::size_t digits = 0;
      for (; digits < 3 && i + digits < text.size() && is_octal(text[i + digits]); ++digits)
        value = value * 8 + static_cast<unsigned>(text[i + digits] - '0');
      if (value > 0xff) return {};
      out += static_cast<char>(value);
      i += digits - 1;
    } else if (c == 'x') {
      if (i + 2 >= text.size()) return {};
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      constexpr std::string_view kLetters = "ntrvfab\"\\'", kBytes = "\n\t\r\v\f\a\b\"\\'";
      const std::size_t at = kLetters.find(c);
      if (at == kNone) return {};
      out += kBytes[at];
    }
  }
  return out;
}

std::optional<std::size_t> scan_strace_arguments(std::string_view text, std::size_t begin,
                                                 std::vector<LoggedArgument>* out) {
  std::size_t depth = 0, start = begin, vain = 0;
  const auto take = [&](std::size_t end) {
    const std::string_view argument = text.substr(start, end - start);
    start = end + 1;
    if (out == nullptr ||
        (out->empty() && end < text.size() && text[end] == ')' && trim(argument).empty()))
      return;
    out->push_back(argument_of(argument));
  };
  for (std::size_t i = begin; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = end_of_quoted(text, i);
        if (i == kNone) return {};
        --i;
        break;
      case '/':
        if (text.substr(i).starts_with("/*")) {
          i = text.find("*/", i + 2);
          if (i == kNone) return {};
          ++i;
        }
        break;
      case '<':
        if (vain < kVainLook && begins_decoration(text, i)) {
          const std::size_t end = end_of_decoration(text, i);
          if (end != kNone)
            i = end - 1;
          else
            vain += text.size() - i;
        }
        break;
      case '(':
      case '[':
      case '{':
        ++depth;
        break;
      case ')':
      case ']':
      case '}':
        if (depth == 0) {
          if (text[i] != ')') return {};
          take(i);
          return i + 1;
        }
        --depth;
        break;
      case ',':
        if (depth == 0) take(i);
        break;
      default:
        break;
    }
  }
  return {};
}

bool parse_strace_result(std::string_view text, LoggedCall& call) {
  text = trim(text);
  if (!text.starts_with('=')) return false;
  text = trim(text.substr(1));
  if (text.empty()) return false;
  if (text[0] == '?') {
    call.outcome = LoggedCall::Outcome::unknown;
    return true;
  }
  const auto result = take_logged_number(text);
  if (!result) return false;
  if (result->negative) {
    const std::string_view name = trim(text).substr(0, trim(text).find_first_of(" ("));
    call.outcome = name == "EACCES" || name == "EPERM" ? LoggedCall::Outcome::refused
                                                       : LoggedCall::Outcome::failed;
    call.in_progress =
        name == "EINPROGRESS" || name == "EALREADY" || name == "EINTR" || name == "EAGAIN";
    return true;
  }
  call.outcome = LoggedCall::Outcome::done;
  call.result = static_cast<std::int64_t>(result->value);
  if (text.starts_with('<')) {
    const std::size_t close = end_of_decoration(text, 0);
    if (close != kNone)
      call.result_decoration = decoration_text(text.substr(1, close - 2), text.substr(close));
  }
  return true;
}

std::string strace_object(std::string_view arguments) {
  std::size_t at = 0;
  while (at < arguments.size() && is_decimal(arguments[at])) ++at;
  if (at == 0 || !begins_decoration(arguments, at)) return {};
  const std::string_view what = arguments.substr(at + 1, 32);
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kObjects = {{
      {"socket:", "socket"},
      {"TCP", "socket"},
      {"UDP", "socket"},
      {"UNIX", "socket"},
      {"NETLINK", "socket"},
      {"RAW", "socket"},
      {"PING", "socket"},
      {"pipe:", "pipe"},
      {"anon_inode:[eventpoll]", "epoll"},
      {"anon_inode:[eventfd]", "eventfd"},
      {"/dev/pts/", "terminal"},
      {"/dev/tty", "terminal"},
      {"/dev/console", "terminal"},
      {"/dev/shm/", ""},
      {"/dev/mqueue/", ""},
      {"/dev/", "device"},
      {"/proc/", "pseudo"},
      {"/sys/", "pseudo"},
  }};
  for (const auto& [begin, object] : kObjects)
    if (what.starts_with(begin)) return std::string(object);
  return {};
}

std::string strace_family(std::string_view text) {
  text = text.substr(0, text.find_first_of(",} "));
  if (text.starts_with("AF_") || text.starts_with("PF_")) text.remove_prefix(3);
  if (text == "LOCAL" || text == "FILE") return "unix";
  return lower_ascii(text.substr(0, 32));
}

std::optional<SocketUse> parse_strace_address(std::string_view text, std::string_view action) {
  const std::string_view family = word_after(text, "sa_family=", ",} ");
  if (family.empty()) return {};
  SocketUse out;
  out.family = strace_family(family);
  out.action = action;
  const std::string_view port = word_after(text, "_port=htons(", ")");
  if (out.family == "inet") {
    out.address = cat(word_after(text, "inet_addr(\"", "\""), ":", port);
  } else if (out.family == "inet6") {
    std::string_view address = word_after(text, "inet_pton(AF_INET6, \"", "\"");
    if (address.empty()) address = word_after(text, "inet_pton(\"", "\"");
    out.address = cat("[", address, "]:", port);
  } else if (out.family == "unix") {
    const std::size_t at = text.find("sun_path=");
    if (at == kNone) return out;
    text.remove_prefix(at + 9);
    const bool abstract = text.starts_with('@');
    if (abstract) text.remove_prefix(1);
    if (!text.starts_with('"')) return out;
    const std::size_t end = end_of_quoted(text, 0);
    if (end == kNone) return {};
    auto path = unescape_strace(text.substr(1, end - 2));
    if (!path || path->size() > 108) return {};  // sizeof sun_path
    out.address = abstract ? "@" + *path : *path;
  }
  return out;
}

std::optional<std::vector<std::string>> parse_strace_strings(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('[') || !text.ends_with(']')) return {};
  text = trim(text.substr(1, text.size() - 2));
  std::vector<std::string> out;
  while (!text.empty()) {
    if (text[0] != '"') return {};
    const std::size_t end = end_of_quoted(text, 0);
    if (end == kNone) return {};
    auto value = unescape_strace(text.substr(1, end - 2));
    if (!value) return {};
    out.push_back(*std::move(value));
    text = trim(text.substr(end));
    if (text.empty()) break;
    if (text[0] != ',') return {};
    text = trim(text.substr(1));
  }
  return out;
}

}  // namespace cloister::manifest
