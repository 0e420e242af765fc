// Any bytes as a SEV-SNP report: what is read keeps its signed part, and without a chain none of it
// is believed.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sign/quote/verify_snp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto report = sign::parse_snp_report(bytes);
  if (!report.has_value()) return 0;
  const Bytes& part = report->signed_bytes;
  if (!std::equal(part.begin(), part.end(), bytes.begin())) __builtin_trap();
  const auto verdict = sign::verify_snp_report(*report, {}, sign::SnpRoots::amd(), {},
                                               Seconds(std::chrono::seconds(1'750'000'000)), {});
  if (verdict.genuine()) __builtin_trap();
  return 0;
}
