// WWW-Authenticate: what a registry asks for (RFC 9110 §11.6.1; distribution's token.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::oci {

struct Challenge {
  std::string scheme;                         // lower case: "bearer", "basic"
  std::map<std::string, std::string> params;  // names lower case, values unquoted
};

// All challenges of one header value. Never fails: reading stops at the first thing that is no
// challenge, and what came before it counts. At most 16 challenges of 32 parameters, from 16 KiB.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace cloister::oci
