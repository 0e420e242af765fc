// Policies: written by people, but perhaps not by those who run the program on them.
#include <cstdint>
#include <cstdlib>

#include "sign/policy/policy.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = sign::parse_policy(text, Limits(), "the policy");
  // None without a signer is taken, nor one whose threshold nobody can meet.
  if (policy.has_value() &&
      (policy->signers.threshold == 0 || policy->signers.threshold > policy->signers.keys.size() ||
       policy->rebuilders.threshold > policy->rebuilders.keys.size()))
    std::abort();
  return 0;
}
