// A server's certificate as RA-TLS makes it: self-signed, with evidence about its key. For tests:
// any part can be wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "sign/quote/certificate.h"
#include "sign/quote/verdict.h"

namespace cloister::sign {

// Makes a quote with that report data.
using QuoteMaker = std::function<Bytes(const ReportData&)>;

enum class RaTlsForms : std::uint8_t { standard, older, both, none };

struct RaTlsOptions {
  RaTlsForms forms = RaTlsForms::both;
  QuoteMaker quote;
  std::uint64_t hash_algorithm = 1;  // 1 SHA-256, 7 SHA-384, 8 SHA-512
  std::optional<Bytes> nonce;
  bool of_another_key = false;    // everything about the evidence is right, but for the key
  std::optional<Bytes> claims;    // instead of those of the key
  std::optional<Bytes> evidence;  // the value of the standard extension, whatever it is
};

struct RaTlsCertificate {
  Certificate certificate;
  std::string certificate_pem, key_pem;
};
RaTlsCertificate make_ra_tls_certificate(const RaTlsOptions& options);

// Canonical CBOR, as far as evidence needs it.
Bytes cbor_head(unsigned major, std::uint64_t number);
Bytes cbor_bytes(ByteView bytes);
Bytes cbor_text(std::string_view text);
Bytes cbor_array(const std::vector<Bytes>& items);
Bytes cbor_map(const std::vector<std::pair<Bytes, Bytes>>& pairs);
Bytes cbor_evidence(ByteView quote, ByteView claims);

// A certificate with that value in the standard extension.
Certificate certificate_with_evidence(const Bytes& evidence);

}  // namespace cloister::sign
