// The system calls of x86-64 by number.
#pragma once

#include <string_view>

namespace cloister::manifest {

// One more than the highest number that is looked at.
inline constexpr int kSystemCalls = 463;

// Empty for a number that has no call, or a later one.
std::string_view system_call_name(int number);

}  // namespace cloister::manifest
