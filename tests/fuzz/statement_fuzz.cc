// What is inside a signed payload: statements, the measurement predicate, simple signing claims.
// The signature was checked, but whose key it was is the user's word.
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "sign/image/measurement.h"
#include "sign/image/simple_signing.h"
#include "sign/image/statement.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto statement = sign::parse_statement(text, Limits()); statement.has_value()) {
    // What was read is an object again.
    const auto again = sign::parse_measurement(statement->predicate, Limits());
    if (!again.has_value() && again.error().what() == "a measurement attestation is a JSON object")
      std::abort();
  }
  (void)sign::parse_measurement(text, Limits());
  if (const auto claim = sign::parse_simple_signing(text, Limits()); claim.has_value())
    if (!sign::parse_simple_signing(sign::encode_simple_signing(*claim), Limits()).has_value())
      std::abort();
  return 0;
}
