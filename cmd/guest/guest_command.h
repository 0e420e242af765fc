// `build --tee snp` and `build --tee nitro`: how a build for a virtual machine ends.
#pragma once

#include <string>
#include <vector>

#include "cmd/build_image.h"
#include "cmd/guest/guest_options.h"
#include "cmd/plan_options.h"
#include "cmd/session.h"

namespace cloister::cmd {

struct GuestBuildRequest {
  Tee tee;
  const CommonOptions& common;
  const PlanArguments& plan;
  const BuildTarget& target;
  const GuestArguments& guest;
  const std::string& image;
  const std::string& date;
  const std::vector<std::string>& labels;
  bool dry_run = false;
};
Result<int> run_guest_build(const GuestBuildRequest& request, const Environment& env);

}  // namespace cloister::cmd
