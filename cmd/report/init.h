// cloister.toml to start from: what was found in the image as comments, what was decided as
// settings.
#pragma once

#include <string>

#include "cmd/pipeline.h"
#include "cmd/plan_options.h"

namespace cloister::cmd {

// `image` as it was typed; `given` are the options that were given, which become settings. What
// stands in the file builds what the command line of `init` would have built.
std::string init_toml(const std::string& image, const PlanArguments& given, const Plan& plan);

}  // namespace cloister::cmd
