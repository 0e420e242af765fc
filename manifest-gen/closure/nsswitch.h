// /etc/nsswitch.conf (nsswitch.conf(5)): which services answer a lookup.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

// Database ("passwd") → services in order, "[NOTFOUND=return]" and the like left out. Any text;
// the last line of a database counts, as for glibc.
std::map<std::string, std::vector<std::string>, std::less<>> parse_nsswitch(std::string_view text);

}  // namespace cloister::manifest
