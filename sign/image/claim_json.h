// Members of the predicates that we state, written and read: what is missing, malformed or out of
// range is `corrupt`, by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::sign {

OrderedJson digest_set(const Digest& digest);  // {"sha256": …}

Error missing_claim(std::string_view field);
Result<const Json*> claim_object(const Json& json, std::string_view key);
Result<std::string> claim_string(const Json& json, std::string_view key);
Result<Digest> claim_digest(const Json& json, std::string_view key);  // of a digest_set
Result<std::uint64_t> claim_number(const Json& json, std::string_view key, std::uint64_t max);
// Exactly as many bytes, as lower case hex.
Status claim_bytes(const Json& json, std::string_view key, std::span<std::byte> out);

}  // namespace cloister::sign
