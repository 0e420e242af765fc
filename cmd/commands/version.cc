#include <memory>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

namespace cloister::cmd {

Action add_version(CLI::App&) {
  return [](const Environment&) -> Result<int> {
    CL_CHECK(write_result("", cat("cloister ", kVersion, "\n")));
    return 0;
  };
}

}  // namespace cloister::cmd
