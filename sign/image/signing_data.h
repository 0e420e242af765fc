// What is to be signed about an image, to be carried to a key that is elsewhere; and the same
// document coming back with signatures in it. Its schema:
// cmd/report/schema/signing-data.schema.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "sign/external_key.h"
#include "sign/image/image_key.h"

namespace cloister::sign {

struct SigningItem {
  bool dsse = false;           // else a simple signing payload
  Digest subject;              // the manifest or index that it is about
  std::string predicate_type;  // of the statement, for DSSE
  std::string message;  // what is signed: the payload, or the pre-authentication encoding of DSSE
  std::optional<Bytes> signature;
};

struct SigningData {
  std::string image;  // as the user named it; for people
  std::vector<SigningItem> items;

  // Each message once: several forms of attachment may carry one statement.
  void add(SigningItem item);
};

std::string encode_signing_data(const SigningData& data);  // JSON, indented
// `corrupt` for anything else; `what` names the file.
Result<SigningData> parse_signing_data(std::string_view text, const Limits& limits,
                                       std::string_view what);

// Every wanted message has a signature by `key` among those given: `invalid` with the first that
// has none. `what` names the file.
Status check_signing_data(const SigningData& wanted, const SigningData& given,
                          const ImagePublicKey& key, std::string_view what);
// A key that gives the signatures of such a file.
ExternalKey signed_elsewhere(SigningData given, std::string public_pem, std::string_view what);

}  // namespace cloister::sign
