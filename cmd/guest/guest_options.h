// The options of builds for a virtual machine or an enclave of Nitro, as typed and as values.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "base/result.h"
#include "cmd/guest/snp_options.h"
#include "cmd/targets.h"

namespace cloister::cmd {

struct GuestArguments {
  std::string kernel, firmware, append, hostname = "guest";
  SnpMachineOptions machine;
  SnpBlockOptions block;
  bool disk = false, no_network = false;
  std::string init, nsm, certificate;  // of Nitro
};

void add_guest_options(CLI::App& app, GuestArguments& arguments);
// `usage` for an option that was given and is for other hardware.
Status check_guest_options(const CLI::App& app, Tee tee);

// What decides a launch digest beside the bytes that are loaded, and what an ID block says beside
// the digest.
struct GuestLaunch {
  measure::snp::LaunchParams params;
  std::string vcpu_type;
  sign::SnpIdBlock block;  // launch_digest is for the build
};
Result<GuestLaunch> to_guest_launch(const GuestArguments& arguments, const Limits& limits);

}  // namespace cloister::cmd
