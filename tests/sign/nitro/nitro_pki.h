// AWS's key hierarchy for Nitro, made anew: a root and an intermediate that live as long as the
// process, and documents by certificates of enclaves below them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/sha384.h"
#include "base/time.h"
#include "sign/nitro/verify_document.h"

namespace cloister::sign {

struct NitroDocumentParts {
  std::string module_id = "i-0123456789abcdef0-enc0123456789abcdef", digest = "SHA384";
  Seconds time = Seconds(std::chrono::seconds(1'750'000'000));
  std::map<std::uint8_t, Digest384> pcrs;
  std::optional<Bytes> public_key, user_data, nonce;
  bool indefinite = true;  // the map, as newer hosts write it
  bool with_root = true;   // in the bundle
  // Of the enclave's certificate: three hours.
  Seconds from = Seconds(std::chrono::seconds(1'749'999'000));
  Seconds to = Seconds(std::chrono::seconds(1'750'009'800));
};

const Certificate& nitro_test_root();
NitroRoots nitro_test_roots();
// The payload, and a document around any payload, signed by the key of the enclave's certificate.
Bytes encode_nitro_payload(const NitroDocumentParts& parts);
Bytes sign_nitro_payload(ByteView payload);
Bytes encode_nitro_document(const NitroDocumentParts& parts);

}  // namespace cloister::sign
