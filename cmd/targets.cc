#include "cmd/targets.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "cmd/option_heading.h"

namespace cloister::cmd {
namespace {

constexpr Target kTargets[] = {
    {Tee::sgx, "sgx", "an enclave of Intel SGX, by Gramine", false},
    {Tee::snp, "snp", "a virtual machine of AMD SEV-SNP", true},
    {Tee::nitro, "nitro", "an enclave of AWS Nitro", true},
};

std::vector<std::string> target_names() {
  std::vector<std::string> out;
  for (const Target& target : kTargets) out.emplace_back(target.name);
  return out;
}

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

const Target& target_named(std::string_view name) {
  return *std::find_if(std::begin(kTargets), std::end(kTargets),
                       [&](const Target& target) { return target.name == name; });
}

const Target& target_of(Tee tee) {
  return *std::find_if(std::begin(kTargets), std::end(kTargets),
                       [&](const Target& target) { return target.tee == tee; });
}

void add_target_option(CLI::App& app, std::string& tee) {
  std::string text = "Hardware that it is for:";
  for (const Target& target : kTargets)
    text += cat(&target == kTargets ? " " : "; ", target.name, ", ", target.summary);
  OptionHeading heading(app, kHeadingOptions);
  app.add_option("--tee", tee, text)->check(CLI::IsMember(target_names()))->capture_default_str();
}

void add_wanted_target_option(CLI::App& app, std::string& tee) {
  app.add_option("--tee", tee, "Hardware that it must be for")
      ->check(CLI::IsMember(target_names()));
}

}  // namespace cloister::cmd
