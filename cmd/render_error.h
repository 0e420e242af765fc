// The one place where an Error becomes text.
#pragma once

#include <string>

#include "base/result.h"

namespace cloister::cmd {

// error: WHAT
//   got …, want …
//   while …
// hint: …
// Ends in a newline. Error texts are already escaped where they carry foreign names.
std::string render_error(const Error& error, bool color);

}  // namespace cloister::cmd
