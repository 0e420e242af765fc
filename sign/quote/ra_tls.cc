// Standard: extension 2.23.133.5.4.9 = tag 60000 ([quote: bytes, claims: bytes]); claims =
// {"pubkey- hash": bytes of [algorithm: uint, hash: bytes], "nonce": bytes (optional), …}. The
// claims are hashed as they came, so their encoding need not be the canonical one; a repeated key
// is refused, because two readers might take different ones. Older: an identifier whose octets
// begin with a doubled tag and length (1.2.840.113741.1337.6 was meant), and the identifier as it
// should be.
#include "sign/quote/ra_tls.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "sign/openssl.h"
#include "sign/quote/cbor.h"

namespace cloister::sign {
namespace {

constexpr std::array<std::uint8_t, 6> kDiceOid = {0x67, 0x81, 0x05, 0x05, 0x04, 0x09};
constexpr std::array<std::uint8_t, 11> kGramineOid = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                      0xf8, 0x4d, 0x8a, 0x39, 0x06};
constexpr std::uint64_t kEvidenceTag = 60000;
constexpr std::uint64_t kSha256 = 1, kSha384 = 7, kSha512 = 8;

std::string_view claim_hash_name(std::uint64_t algorithm) {
  switch (algorithm) {
    case kSha256:
      return "SHA256";
    case kSha384:
      return "SHA384";
    case kSha512:
      return "SHA512";
    default:
      return "";
  }
}

Bytes hash_of(std::uint64_t algorithm, ByteView bytes) {
  Bytes out(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  const std::string name(claim_hash_name(algorithm));
  if (EVP_Q_digest(nullptr, name.c_str(), nullptr, raw(bytes.data()), bytes.size(), raw(out.data()),
                   &size) != 1)
    size = 0;
  out.resize(size);
  return out;
}

Status read_key_hash(ByteView text, RaTlsEvidence& out) {
  CborReader in(text);
  in.expect(CborKind::array, 2);
  out.hash_algorithm = in.expect(CborKind::uint).number;
  const ByteView hash = in.expect(CborKind::bytes).bytes;
  CL_CHECK(in.finish("the claim 'pubkey-hash' of an RA-TLS certificate"));
  out.key_hash.assign(hash.begin(), hash.end());
  if (claim_hash_name(out.hash_algorithm).empty())
    return Error::unsupported(
        cat("RA-TLS certificate with a key hash of the unknown kind ", out.hash_algorithm));
  return {};
}

Status read_claims(const Limits& limits, RaTlsEvidence& out) {
  CborReader in(out.claims);
  const std::uint64_t count = in.expect(CborKind::map).number;
  if (count > limits.claims)
    return Error::limit(
        cat("RA-TLS certificate with ", count, " claims; at most ", limits.claims, " are read"));
  std::set<std::pair<CborKind, std::string>> keys;
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const CborHead key = in.next();
    // Strings and numbers: what a claim may be named by (RFC 8392).
    std::string name;
    if (key.kind == CborKind::text || key.kind == CborKind::bytes)
      name = as_text(key.bytes);
    else if (key.kind == CborKind::uint || key.kind == CborKind::negative)
      name = cat(key.number);
    else
      in.fail();
    if (!in.ok()) break;
    if (!keys.emplace(key.kind, name).second)
      return Error::corrupt(cat("RA-TLS certificate with two claims ", quote(name)));
    if (key.kind == CborKind::text && name == "pubkey-hash") {
      const ByteView text = in.expect(CborKind::bytes).bytes;
      if (in.ok()) CL_CHECK(read_key_hash(text, out));
    } else if (key.kind == CborKind::text && name == "nonce") {
      const ByteView nonce = in.expect(CborKind::bytes).bytes;
      out.nonce.emplace(nonce.begin(), nonce.end());
    } else {
      in.skip();
    }
  }
  CL_CHECK(in.finish("the claims of an RA-TLS certificate"));
  if (out.key_hash.empty())
    return Error::corrupt("RA-TLS certificate whose claims do not name its key");
  return {};
}

Status check_size(ByteView value, const Limits& limits) {
  if (value.size() <= limits.quote_bytes) return {};
  return Error::limit(cat("RA-TLS certificate with ", value.size(), " bytes of evidence; at most ",
                          limits.quote_bytes, " are read"));
}

template <std::size_t N>
std::optional<Bytes> extension_of(const Certificate& certificate,
                                  const std::array<std::uint8_t, N>& oid, std::size_t from = 0) {
  return certificate.extension(std::as_bytes(std::span(oid)).subspan(from));
}

// Digest, then zeros: as much of the report data as a SHA-256 does not fill.
bool is_digest(const ReportData& data, const Digest& digest) {
  const auto end = data.begin() + digest.bytes.size();
  return std::equal(data.begin(), end, digest.bytes.begin()) &&
         std::all_of(end, data.end(), [](std::byte b) { return b == std::byte{0}; });
}

Check key_check(const RaTlsEvidence& evidence, const Certificate& certificate) {
  const Bytes want = hash_of(evidence.hash_algorithm, certificate.spki());
  const bool good = !want.empty() && evidence.key_hash == want;
  if (good)
    return passed_check("quote-key",
                        cat("the evidence names the server's key, ",
                            claim_hash_name(evidence.hash_algorithm), " ", hex(ByteView(want))));
  return failed_check("quote-key",
                      cat("the evidence is about another key than the server's: ",
                          hex(ByteView(evidence.key_hash))),
                      hex(ByteView(want)));
}

Check report_data_check(const RaTlsEvidence& evidence, const Certificate& certificate,
                        const ReportData& report_data) {
  constexpr const char* kName = "quote-report-data";
  const Digest bound = evidence.standard ? sha256(evidence.claims) : sha256(certificate.spki());
  const std::string_view what = evidence.standard ? "the certificate's claims" : "the server's key";
  if (is_digest(report_data, bound))
    return passed_check(kName, cat("the quote was made for ", what));
  return failed_check(kName,
                      cat("the quote was not made for ", what, ": its report data are ",
                          hex(ByteView(report_data))),
                      cat(bound.hex(), " and 32 zero bytes"));
}

Check nonce_check(const RaTlsEvidence& evidence, ByteView nonce) {
  constexpr const char* kName = "quote-nonce";
  if (!evidence.nonce)
    return failed_check(kName, "the evidence was made for no request in particular", hex(nonce));
  if (!std::equal(evidence.nonce->begin(), evidence.nonce->end(), nonce.begin(), nonce.end()))
    return failed_check(
        kName, cat("the evidence was made for another request: ", hex(ByteView(*evidence.nonce))),
        hex(nonce));
  return passed_check(kName, "the evidence was made for this request");
}

}  // namespace

Result<RaTlsEvidence> parse_ra_tls_evidence(ByteView value, const Limits& limits) {
  CL_CHECK(check_size(value, limits));
  RaTlsEvidence out;
  out.standard = true;
  CborReader in(value);
  in.expect(CborKind::tag, kEvidenceTag);
  in.expect(CborKind::array, 2);
  const ByteView quote = in.expect(CborKind::bytes).bytes;
  const ByteView claims = in.expect(CborKind::bytes).bytes;
  CL_CHECK(in.finish("the evidence of an RA-TLS certificate"));
  out.quote.assign(quote.begin(), quote.end());
  out.claims.assign(claims.begin(), claims.end());
  CL_CHECK(read_claims(limits, out));
  return out;
}

Result<RaTlsEvidence> read_ra_tls(const Certificate& certificate, const Limits& limits) {
  auto value = extension_of(certificate, kDiceOid);
  const bool standard = value.has_value();
  if (!value) value = extension_of(certificate, kGramineOid);
  if (!value) value = extension_of(certificate, kGramineOid, 2);
  if (!value)
    return Error::policy("the server's certificate carries no quote: this is plain TLS, by anyone")
        .hint("the server must make its certificate inside the enclave (`gramine-ratls`)");
  if (standard) return parse_ra_tls_evidence(*value, limits);
  CL_CHECK(check_size(*value, limits));
  RaTlsEvidence out;
  out.quote = std::move(*value);
  return out;
}

std::vector<Check> check_ra_tls(const RaTlsEvidence& evidence, const Certificate& certificate,
                                const ReportData& report_data, std::optional<ByteView> nonce) {
  std::vector<Check> out;
  if (evidence.standard) out.push_back(key_check(evidence, certificate));
  out.push_back(report_data_check(evidence, certificate, report_data));
  if (nonce) out.push_back(nonce_check(evidence, *nonce));
  return out;
}

}  // namespace cloister::sign
