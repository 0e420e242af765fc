// How Gramine's trace writes the arguments of a call and its result.
#pragma once

#include <string_view>

#include "manifest-gen/rehearse/logs/logged_call.h"

namespace cloister::manifest {

// What stands between the parentheses into `call`, whose name is set. False when the strings cannot
// be told apart: Gramine writes them without escapes.
bool parse_gramine_arguments(std::string_view text, LoggedCall& call);

// "0x3", "-2", into outcome and result. False when it is neither.
bool parse_gramine_result(std::string_view text, LoggedCall& call);

}  // namespace cloister::manifest
