#include "sign/image/claim_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::sign {

OrderedJson digest_set(const Digest& digest) {
  return OrderedJson::object({{"sha256", digest.hex()}});
}

Error missing_claim(std::string_view field) {
  return Error::corrupt(cat("the measurement attestation lacks ", field));
}

Result<const Json*> claim_object(const Json& json, std::string_view key) {
  CL_TRY(const Json* found, get_object(json, key));
  if (found == nullptr) return missing_claim(quote(key));
  return found;
}

Result<std::string> claim_string(const Json& json, std::string_view key) {
  CL_TRY(auto text, get_string(json, key));
  if (!text) return missing_claim(quote(key));
  return std::move(*text);
}

Result<Digest> claim_digest(const Json& json, std::string_view key) {
  CL_TRY(const Json* set, claim_object(json, key));
  CL_TRY(const std::string text, claim_string(*set, "sha256"));
  return Digest::parse_hex(text);
}

Result<std::uint64_t> claim_number(const Json& json, std::string_view key, std::uint64_t max) {
  CL_TRY(const auto number, get_int(json, key));
  if (!number) return missing_claim(quote(key));
  if (*number < 0 || static_cast<std::uint64_t>(*number) > max)
    return Error::corrupt(cat(quote(key), " of the measurement attestation is out of range"))
        .detail(cat("got ", *number, ", want 0 to ", max));
  return static_cast<std::uint64_t>(*number);
}

Status claim_bytes(const Json& json, std::string_view key, std::span<std::byte> out) {
  CL_TRY(const std::string text, claim_string(json, key));
  const auto bytes = unhex(text);
  if (!bytes || bytes->size() != out.size() || hex(*bytes) != text)
    return Error::corrupt(
        cat(quote(key), " of the measurement attestation is not ", out.size(), " bytes as hex"));
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return {};
}

}  // namespace cloister::sign
