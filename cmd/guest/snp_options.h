// The options that describe a SEV-SNP launch, as `measure` and `build` take them.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "measure/snp/launch.h"
#include "sign/snp/id_block.h"

namespace cloister::cmd {

// Decimal, or hexadecimal behind 0x; `usage` names the option.
Result<std::uint64_t> parse_number_option(std::string_view option, std::string_view text,
                                          std::uint64_t max);

// The virtual machine, as typed.
struct SnpMachineOptions {
  std::string vcpus = "1", vcpu_type, vcpu_sig, guest_features = "0x1";
};
void add_snp_machine_options(CLI::App& app, SnpMachineOptions& options);
// QEMU's name of the processor; empty when it was given by its signature.
std::string snp_model(const SnpMachineOptions& options);
Result<measure::snp::LaunchParams> snp_launch_params(const SnpMachineOptions& options,
                                                     const Limits& limits);

// What an ID block says beside the digest, as typed; empty: not given.
struct SnpBlockOptions {
  std::string policy, guest_svn, family_id, image_id;

  bool given() const {
    return !policy.empty() || !guest_svn.empty() || !family_id.empty() || !image_id.empty();
  }
};
void add_snp_block_options(CLI::App& app, SnpBlockOptions& options);
// Without a launch digest.
Result<sign::SnpIdBlock> snp_id_block(const SnpBlockOptions& options);

}  // namespace cloister::cmd
