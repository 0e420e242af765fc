#include <cloister_version.h>  // written by cmake/version.cmake

#include "cmd/session.h"

namespace cloister::cmd {

constinit const std::string_view kVersion = CLOISTER_VERSION;

}  // namespace cloister::cmd
