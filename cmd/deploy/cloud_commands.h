// `deploy gcp`, `deploy azure` and `deploy aws`: their options and what they do.
#pragma once

#include "cmd/command.h"

namespace cloister::cmd {

Action add_deploy_gcp(CLI::App& app);
Action add_deploy_azure(CLI::App& app);
Action add_deploy_aws(CLI::App& app);

}  // namespace cloister::cmd
