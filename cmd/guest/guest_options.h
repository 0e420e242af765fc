// The options of builds for a virtual machine, as typed and as values.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "base/result.h"
#include "cmd/guest/snp_options.h"

namespace cloister::cmd {

struct GuestArguments {
  std::string kernel, firmware, append, hostname = "guest";
  SnpMachineOptions machine;
  SnpBlockOptions block;
  bool disk = false, no_network = false;
};

void add_guest_options(CLI::App& app, GuestArguments& arguments);
// The first that was given; empty: none, as other targets want it.
std::string first_guest_option(const CLI::App& app);

// What decides a launch digest beside the bytes that are loaded, and what an ID block says beside
// the digest.
struct GuestLaunch {
  measure::snp::LaunchParams params;
  std::string vcpu_type;
  sign::SnpIdBlock block;  // launch_digest is for the build
};
Result<GuestLaunch> to_guest_launch(const GuestArguments& arguments, const Limits& limits);

}  // namespace cloister::cmd
