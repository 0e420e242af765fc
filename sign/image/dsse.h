// DSSE 1.0.2 envelopes (secure-systems-lab/dsse): a payload, its type, and signatures over both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/image/image_key.h"

namespace cloister::sign {

inline constexpr std::string_view kInTotoPayloadType = "application/vnd.in-toto+json";

struct DsseEnvelope {
  std::string payload_type;
  std::string payload;            // decoded: the very bytes that are signed, and to be parsed
  std::vector<Bytes> signatures;  // decoded
};

// What is signed: "DSSEv1", then type and payload, each after its length in decimal.
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

// The envelope with one signature, as JSON.
Result<std::string> sign_dsse(std::string_view payload_type, std::string_view payload,
                              const ImageKey& key);
// A JSON object as text. `corrupt` for anything that is no envelope; base64 may be of the standard
// or the URL alphabet.
Result<DsseEnvelope> parse_dsse(std::string_view text, const Limits& limits);
// One of the signatures is this key's. Which others there are does not matter: anyone may add one.
bool verify_dsse(const DsseEnvelope& envelope, const ImagePublicKey& key);

}  // namespace cloister::sign
