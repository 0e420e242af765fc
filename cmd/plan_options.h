// The options that decide the manifest, as build, manifest, deps and why take them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "cmd/pipeline.h"

namespace cloister::cmd {

// As typed; to_plan_options() checks them.
struct PlanArguments {
  std::vector<std::string> runtimes, args, env, passthrough, volumes, includes, excludes, accepted;
  std::string manifest_file, entrypoint, user, workdir, enclave_size, trust = "closure";
  std::optional<std::uint32_t> max_threads;
  std::optional<std::uint32_t> isvprodid, isvsvn;
  bool edmm = false, debug = false, no_attestation = false;
};

void add_runtime_option(CLI::App& app, std::vector<std::string>& runtimes);
void add_plan_options(CLI::App& app, PlanArguments& arguments);
Result<PlanOptions> to_plan_options(const PlanArguments& arguments, const Limits& limits);

}  // namespace cloister::cmd
