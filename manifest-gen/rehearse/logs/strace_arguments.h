// How strace writes the arguments of a call, its result, and what descriptors stand for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/logs/logged_call.h"

namespace cloister::manifest {

// Where the arguments end that begin at `begin`, just after the '(': the position after the ')'.
// Nothing when they do not end. `out` gets them, where it is given.
std::optional<std::size_t> scan_strace_arguments(std::string_view text, std::size_t begin,
                                                 std::vector<LoggedArgument>* out);

// "= 3</etc/passwd>", "= -1 ENOENT (No such file or directory)", "= ?" into the call. False when it
// is nothing of the kind.
bool parse_strace_result(std::string_view text, LoggedCall& call);

// The bytes of a string as strace escapes them, without its quotes; nothing when malformed.
std::optional<std::string> unescape_strace(std::string_view text);

// CallKey::object of the descriptor that `arguments` begin with, where -y or -yy says it.
std::string strace_object(std::string_view arguments);

// "{sa_family=AF_INET, sin_port=htons(80), …}".
std::optional<SocketUse> parse_strace_address(std::string_view text, std::string_view action);
// "AF_INET" → "inet".
std::string strace_family(std::string_view text);

// The strings of "["redis-server", "--port", …]"; nothing when they are not all shown.
std::optional<std::vector<std::string>> parse_strace_strings(std::string_view text);

}  // namespace cloister::manifest
