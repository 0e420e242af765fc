#include "sign/quote/verdict.h"

#include <algorithm>

namespace cloister::sign {
namespace {

constexpr std::array<std::string_view, 9> kStatusNames = {
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
};

}  // namespace

std::string_view tee_name(TeeKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"sgx", "tdx", "snp", "nitro"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view tee_subject(TeeKind kind) {
  constexpr std::array<std::string_view, 4> kSubjects = {
      "an SGX enclave", "a TDX trust domain", "a SEV-SNP guest", "an enclave of AWS Nitro"};
  return kSubjects.at(static_cast<std::size_t>(kind));
}

bool QuoteVerdict::answer(std::string_view name, bool passed, std::string found,
                          std::string expected) {
  checks.push_back(passed ? passed_check(std::string(name), std::move(found))
                          : failed_check(std::string(name), std::move(found), std::move(expected)));
  return passed;
}

std::string_view tcb_status_name(TcbStatus status) {
  return kStatusNames.at(static_cast<std::size_t>(status));
}

std::optional<TcbStatus> parse_tcb_status(std::string_view name) {
  const auto at = std::find(kStatusNames.begin(), kStatusNames.end(), name);
  if (at == kStatusNames.end()) return std::nullopt;
  return static_cast<TcbStatus>(at - kStatusNames.begin());
}

}  // namespace cloister::sign
