// Strings stand in double quotes without any escape, so a name may hold quotes and commas itself.
// Where a call has one string, it reaches from the first quote to the last, as no other argument
// has any; two strings are told apart only when neither holds a quote. Addresses are structures of
// Gramine's own: "{family=IPv4,ip=0.0.0.0,port=6379}", with an abstract name of a Unix socket shown
// as an empty path.
#include "manifest-gen/rehearse/logs/gramine_arguments.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "manifest-gen/rehearse/logs/logged_number.h"
#include "manifest-gen/rehearse/logs/logged_paths.h"

namespace cloister::manifest {
namespace {

void plain_arguments(std::string_view text, std::vector<LoggedArgument>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(", "), text.size());
    const std::string_view word = trim(text.substr(0, end));
    LoggedArgument argument;
    if (word.starts_with("(invalid-addr")) argument.kind = LoggedArgument::Kind::hidden;
    argument.value = word;
    if (!word.empty()) out.push_back(std::move(argument));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

LoggedArgument text_argument(std::string_view value) {
  LoggedArgument out;
  out.kind = LoggedArgument::Kind::text;
  out.value = value;
  return out;
}

std::string_view field_of(std::string_view text, std::string_view name, std::string_view ends) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find_first_of(ends));
}

// Gramine writes all eight groups.
std::string short_ipv6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1 ||
      inet_ntop(AF_INET6, &address, out.data(), out.size()) == nullptr)
    return std::string(text);
  return out.data();
}

std::optional<SocketUse> gramine_address(std::string_view text, std::string_view action) {
  SocketUse out;
  out.action = action;
  const std::string_view family = field_of(text, "{family=", ",}");
  if (family == "IPv4") {
    out.family = "inet";
    out.address = cat(field_of(text, "ip=", ","), ":", field_of(text, "port=", "}"));
  } else if (family == "IPv6") {
    out.family = "inet6";
    out.address =
        cat("[", short_ipv6(field_of(text, "ip=[", "]")), "]:", field_of(text, "port=", "}"));
  } else if (family == "UNIX") {
    out.family = "unix";
    const std::size_t at = text.find("path="), end = text.rfind('}');
    if (at != std::string_view::npos && end != std::string_view::npos && end > at)
      out.address = text.substr(at + 5, std::min<std::size_t>(end - at - 5, 108));
  } else {
    return {};
  }
  return out;
}

}  // namespace

bool parse_gramine_arguments(std::string_view text, LoggedCall& call) {
  const LoggedPathCall* const row = logged_path_call(call.name);
  if (call.name == "bind" || call.name == "connect") {
    call.socket = gramine_address(text, call.name);
  } else if (call.name == "socket") {
    std::string_view family = text.substr(0, text.find(','));
    if (family.starts_with("UNKNOWN(")) family = field_of(family, "UNKNOWN(", ")");
    call.socket = SocketUse{lower_ascii(family), "socket", {}};
  }
  if (!call_matters(call.name)) return true;
  const std::size_t first = text.find('"'), last = text.rfind('"');
  if (row == nullptr || first == std::string_view::npos || first == last) {
    plain_arguments(text, call.arguments);
    return true;
  }
  plain_arguments(text.substr(0, first), call.arguments);
  if (call.name == "execve") {
    // Its other arguments are strings without quotes around them.
    const std::size_t end = text.find("\", [", first + 1);
    if (end == std::string_view::npos) return false;
    call.arguments.push_back(text_argument(text.substr(first + 1, end - first - 1)));
    return true;
  }
  if (row->second.path < 0) {
    call.arguments.push_back(text_argument(text.substr(first + 1, last - first - 1)));
    plain_arguments(text.substr(last + 1), call.arguments);
    return true;
  }
  if (std::ranges::count(text, '"') != 4) return false;
  const std::size_t end = text.find('"', first + 1), second = text.find('"', end + 1);
  call.arguments.push_back(text_argument(text.substr(first + 1, end - first - 1)));
  plain_arguments(text.substr(end + 1, second - end - 1), call.arguments);
  call.arguments.push_back(text_argument(text.substr(second + 1, last - second - 1)));
  plain_arguments(text.substr(last + 1), call.arguments);
  return true;
}

bool parse_gramine_result(std::string_view text, LoggedCall& call) {
  text = trim(text);
  const auto result = take_logged_number(text);
  if (!result || !text.empty()) return false;
  const std::uint64_t number = result->value;
  if (!result->negative) {
    call.outcome = LoggedCall::Outcome::done;
    call.result = static_cast<std::int64_t>(number);
    return true;
  }
  call.outcome =
      number == 13 || number == 1 ? LoggedCall::Outcome::refused : LoggedCall::Outcome::failed;
  // EINTR, EAGAIN, EALREADY, EINPROGRESS, and those that restart a call.
  call.in_progress = number == 4 || number == 11 || number == 114 || number == 115 ||
                     (number >= 512 && number <= 516);
  return true;
}

}  // namespace cloister::manifest
