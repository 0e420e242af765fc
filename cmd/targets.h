// The hardware that an image can be built for: one table. What a target packs, measures and signs
// is behind its row; nothing else knows its name.
#pragma once

#include <CLI/App.hpp>
#include <span>
#include <string>
#include <string_view>

namespace cloister::cmd {

enum class Tee { sgx, snp, nitro };

struct Target {
  Tee tee;
  std::string_view name;  // as --tee has it
  std::string_view summary;
  // A machine of its own, with a kernel and the image's own libc; otherwise a process under
  // Gramine.
  bool machine;
};

std::span<const Target> targets();
// REQUIRES: a name of the table, which the option checks.
const Target& target_named(std::string_view name);
const Target& target_of(Tee tee);
void add_target_option(CLI::App& app, std::string& tee);
// For who reads what was built; empty: any will do. Under the heading that is current.
void add_wanted_target_option(CLI::App& app, std::string& tee);

}  // namespace cloister::cmd
