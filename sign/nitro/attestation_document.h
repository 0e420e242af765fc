// What an enclave of AWS Nitro says of itself to others: registers, three texts that the enclave
// chose, and the certificates of who says so (AWS, "Verifying the root of trust"; the document's
// CDDL stands in the documentation of aws-nitro-enclaves-nsm-api). A COSE_Sign1 around CBOR.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/sha384.h"
#include "base/time.h"
#include "sign/nitro/cose_sign1.h"
#include "sign/quote/certificate.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

struct NitroDocument {
  std::string module_id;                   // "i-0a…-enc01…": the instance, and the enclave
  Seconds time{};                          // when it was made
  std::map<std::uint8_t, Digest384> pcrs;  // by number, 0 to 31
  Certificate certificate;                 // of the enclave; valid for hours
  std::vector<Certificate> bundle;         // root first
  std::optional<Bytes> public_key, user_data, nonce;  // as the enclave gave them
  CoseSign1 sign1;

  // Registers 0, 1 and 2 are zeros in debug mode, in which the host reads the console.
  bool debug() const;
  // What the enclave can have put there for a verifier: nonce and user data of at most 64 bytes,
  // with zeros after them.
  std::vector<ReportData> session_data() const;
};

// Whether bytes begin like a COSE_Sign1 (an array of four, perhaps tagged), which no other quote or
// report does.
bool looks_like_nitro_document(ByteView bytes);

// `corrupt` for what is none, `unsupported` for registers of another hash than SHA-384, `limit` for
// more than limits.certificates. Keys that nobody knows are passed over: what is signed may grow.
Result<NitroDocument> parse_nitro_document(ByteView bytes, const Limits& limits);

}  // namespace cloister::sign
