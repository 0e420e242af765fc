// Any text as the measurement of a guest: what is read is written and read again the same, and
// passes for itself alone.
#include <cstdint>
#include <cstdlib>

#include "sign/image/guest_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = sign::parse_guest_measurement(text, Limits());
  if (!read.has_value()) return 0;
  const std::string written = sign::encode_guest_measurement(*read);
  const auto again = sign::parse_guest_measurement(written, Limits());
  if (!again.has_value() || !(*again == *read) || sign::encode_guest_measurement(*again) != written)
    std::abort();
  sign::GuestEvidence evidence;
  evidence.stated = *read;
  evidence.measured = *again;
  const auto checks = sign::check_guest_evidence(evidence, {});
  if (!checks[0].passed || !checks[1].passed ||
      !sign::check_guest_claim(evidence, *again)[0].passed)
    std::abort();
  return 0;
}
