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
  constexpr std::array<std::string_view, 3> kNames = {"sgx", "tdx", "snp"};
  return kNames.at(static_cast<std::size_t>(kind));
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
