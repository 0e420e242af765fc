#include "cmd/targets.h"

#include <algorithm>

namespace cloister::cmd {
namespace {

constexpr Target kTargets[] = {
    {Tee::sgx, "sgx", "an enclave of Intel SGX, by Gramine", false},
    {Tee::snp, "snp", "a virtual machine of AMD SEV-SNP", true},
    {Tee::nitro, "nitro", "an enclave of AWS Nitro", true},
};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

const Target& target_named(std::string_view name) {
  return *std::find_if(std::begin(kTargets), std::end(kTargets),
                       [&](const Target& target) { return target.name == name; });
}

std::string target_names() {
  std::string out;
  for (const Target& target : kTargets) {
    if (!out.empty()) out += ", ";
    out += target.name;
  }
  return out;
}

}  // namespace cloister::cmd
