// Programs that run another one, given in their arguments: tini, gosu, env, timeout …
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

bool is_wrapper(std::string_view base);  // by base name

// Where in `argv` the program stands that the wrapper runs: its own options, their values and what
// it wants before the program (a user, a duration, NAME=VALUE) are passed over. argv.size() when
// there is none, or argv[0] is no wrapper. `env -S` is taken apart by env_program() instead.
std::size_t wrapped_program(const std::vector<std::string>& argv);

}  // namespace cloister::manifest
