// Evidence in TLS certificates: what is read, what binds it to the key, and what is refused.
#include "sign/quote/ra_tls.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/ra_tls_certificate.h"

namespace cloister::sign {
namespace {

// A stand-in for a quote: nothing but its report data, which is what these tests are about.
Bytes plain_quote(const ReportData& data) {
  return {data.begin(), data.end()};
}
ReportData data_of(const RaTlsEvidence& evidence) {
  ReportData out{};
  EXPECT_EQ(evidence.quote.size(), out.size());
  std::copy(evidence.quote.begin(), evidence.quote.end(), out.begin());
  return out;
}
RaTlsOptions ra_tls_options(RaTlsForms forms) {
  RaTlsOptions out;
  out.forms = forms;
  out.quote = plain_quote;
  return out;
}
// Names of the failed checks of a certificate as made.
std::string binding_of(const RaTlsOptions& options, std::optional<ByteView> nonce = {}) {
  const RaTlsCertificate made = make_ra_tls_certificate(options);
  const RaTlsEvidence evidence = must(read_ra_tls(made.certificate, Limits()));
  std::string out;
  for (const Check& check : check_ra_tls(evidence, made.certificate, data_of(evidence), nonce))
    if (!check.passed) out += cat(check.name, " ");
  return out;
}
Code evidence_error(const Bytes& evidence) {
  const auto read = read_ra_tls(certificate_with_evidence(evidence), Limits());
  EXPECT_FALSE(read.has_value()) << hex(ByteView(evidence));
  return read.has_value() ? Code::internal : read.error().code();
}
Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}
Bytes key_hash_claim(std::uint64_t algorithm = 1) {
  return cbor_bytes(cbor_array({cbor_head(0, algorithm), cbor_bytes(Bytes(32))}));
}

TEST(RaTls, EveryFormBindsTheKey) {
  for (const RaTlsForms forms : {RaTlsForms::standard, RaTlsForms::older, RaTlsForms::both})
    EXPECT_EQ(binding_of(ra_tls_options(forms)), "");
  for (const std::uint64_t algorithm : {1U, 7U, 8U}) {
    RaTlsOptions options = ra_tls_options(RaTlsForms::standard);
    options.hash_algorithm = algorithm;
    EXPECT_EQ(binding_of(options), "");
  }
}

TEST(RaTls, TheStandardFormDecides) {
  RaTlsOptions options = ra_tls_options(RaTlsForms::both);
  const RaTlsCertificate made = make_ra_tls_certificate(options);
  const RaTlsEvidence evidence = must(read_ra_tls(made.certificate, Limits()));
  EXPECT_TRUE(evidence.standard);
  EXPECT_EQ(data_of(evidence), [&] {
    ReportData want{};
    const Digest digest = sha256(evidence.claims);
    std::copy(digest.bytes.begin(), digest.bytes.end(), want.begin());
    return want;
  }());
  // Broken standard evidence is no reason to take the older one.
  options.evidence = to_bytes("nonsense");
  const auto broken = read_ra_tls(make_ra_tls_certificate(options).certificate, Limits());
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code(), Code::corrupt);
}

TEST(RaTls, EvidenceAboutAnotherKeyIsSeen) {
  RaTlsOptions options = ra_tls_options(RaTlsForms::standard);
  options.of_another_key = true;
  EXPECT_EQ(binding_of(options), "quote-key ");
  options.forms = RaTlsForms::older;
  EXPECT_EQ(binding_of(options), "quote-report-data ");
}

TEST(RaTls, ClaimsThatTheQuoteWasNotMadeForAreSeen) {
  RaTlsOptions options = ra_tls_options(RaTlsForms::standard);
  options.quote = [](ReportData data) {
    data[0] ^= std::byte{1};
    return plain_quote(data);
  };
  EXPECT_EQ(binding_of(options), "quote-report-data ");
  options.quote = [](ReportData data) {
    data[63] = std::byte{1};  // the half that must be zero
    return plain_quote(data);
  };
  EXPECT_EQ(binding_of(options), "quote-report-data ");
  options.forms = RaTlsForms::older;
  EXPECT_EQ(binding_of(options), "quote-report-data ");
}

TEST(RaTls, NoncesAreAskedForWhenExpected) {
  const Bytes ours = to_bytes("0123456789abcdef"), other = to_bytes("0123456789abcdeX");
  RaTlsOptions options = ra_tls_options(RaTlsForms::standard);
  EXPECT_EQ(binding_of(options, ByteView(ours)), "quote-nonce ");  // it has none
  options.nonce = ours;
  EXPECT_EQ(binding_of(options, ByteView(ours)), "");
  EXPECT_EQ(binding_of(options), "");
  EXPECT_EQ(binding_of(options, ByteView(other)), "quote-nonce ");
  EXPECT_EQ(binding_of(options, ByteView(ours).subspan(0, 8)), "quote-nonce ");
  options.forms = RaTlsForms::older;
  EXPECT_EQ(binding_of(options, ByteView(ours)), "quote-nonce ");
}

TEST(RaTls, ACertificateWithoutEvidenceIsPlainTls) {
  const auto read =
      read_ra_tls(make_ra_tls_certificate(ra_tls_options(RaTlsForms::none)).certificate, Limits());
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code(), Code::policy);
}

TEST(RaTls, UnknownClaimsArePassedOver) {
  const Bytes deep = [] {
    Bytes nested = cbor_head(0, 1);
    for (int i = 0; i < 5000; ++i) nested = joined(cbor_head(4, 1), nested);
    return nested;
  }();
  const Bytes claims = cbor_map({{cbor_text("note"), cbor_text("hello")},
                                 {cbor_head(0, 7), cbor_array({cbor_head(1, 4), cbor_head(7, 22)})},
                                 {cbor_bytes(to_bytes("note")), deep},
                                 {cbor_text("map"), cbor_map({{cbor_head(0, 1), cbor_text("x")}})},
                                 {cbor_text("tagged"), joined(cbor_head(6, 32), cbor_text("a:"))},
                                 {cbor_text("pubkey-hash"), key_hash_claim()}});
  const auto read =
      must(read_ra_tls(certificate_with_evidence(cbor_evidence(Bytes(4), claims)), Limits()));
  EXPECT_EQ(read.claims, claims);
  EXPECT_EQ(read.key_hash, Bytes(32));
}

TEST(RaTls, AmbiguousAndMalformedEvidenceIsRefused) {
  const Bytes key = cbor_text("pubkey-hash");
  const Bytes good = cbor_map({{key, key_hash_claim()}});
  const auto evidence = [](const Bytes& claims) { return cbor_evidence(Bytes(8), claims); };
  EXPECT_TRUE(read_ra_tls(certificate_with_evidence(evidence(good)), Limits()).has_value());

  // Claims.
  EXPECT_EQ(evidence_error(evidence(cbor_map({{key, key_hash_claim()}, {key, key_hash_claim()}}))),
            Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(cbor_map({{cbor_text("a"), cbor_head(0, 1)},
                                              {key, key_hash_claim()},
                                              {cbor_text("a"), cbor_head(0, 2)}}))),
            Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(cbor_map({}))), Code::corrupt);
  EXPECT_EQ(evidence_error(evidence({})), Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(joined(good, {std::byte{0}}))), Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(cbor_map({{key, cbor_text("x")}}))), Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(cbor_map({{cbor_head(7, 20), key_hash_claim()}}))),
            Code::corrupt);
  EXPECT_EQ(evidence_error(evidence(cbor_map({{key, key_hash_claim(3)}}))), Code::unsupported);
  EXPECT_EQ(evidence_error(evidence(joined(cbor_head(5, 1000), good))), Code::limit);
  EXPECT_EQ(evidence_error(evidence(joined(cbor_head(5, 60), good))), Code::corrupt);

  // Around them.
  const Bytes whole = evidence(good);
  EXPECT_EQ(evidence_error(joined(whole, {std::byte{0}})), Code::corrupt);
  EXPECT_EQ(evidence_error(joined(cbor_head(6, 60001), Bytes(whole.begin() + 3, whole.end()))),
            Code::corrupt);
  EXPECT_EQ(evidence_error(Bytes(whole.begin() + 3, whole.end())), Code::corrupt);  // no tag
  EXPECT_EQ(evidence_error({}), Code::corrupt);
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_EQ(
        evidence_error(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
        Code::corrupt);
}

TEST(RaTls, DeclaredSizesCostNothing) {
  const Bytes tag = cbor_head(6, 60000);
  for (const unsigned major : {2U, 3U, 4U, 5U}) {
    for (const std::uint64_t size : {std::uint64_t{1} << 31, std::uint64_t{1} << 40,
                                     ~std::uint64_t{0} / 2, ~std::uint64_t{0}}) {
      const Bytes huge = cbor_head(major, size);
      EXPECT_EQ(evidence_error(joined(tag, huge)), Code::corrupt);
      const Bytes claims = joined(joined(cbor_head(5, 2), joined(cbor_text("x"), huge)), Bytes(64));
      EXPECT_EQ(evidence_error(cbor_evidence(Bytes(4), claims)), Code::corrupt);
    }
  }
}

TEST(RaTls, IndefiniteLengthsAreRefused) {
  const Bytes claims =
      joined({std::byte{0xbf}},
             joined(joined(cbor_text("pubkey-hash"), key_hash_claim()), {std::byte{0xff}}));
  EXPECT_EQ(evidence_error(cbor_evidence(Bytes(4), claims)), Code::corrupt);
  for (const int head : {0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x1c, 0x3e, 0xfc})
    EXPECT_EQ(evidence_error(joined(cbor_head(6, 60000), {static_cast<std::byte>(head)})),
              Code::corrupt);
}

TEST(RaTls, EvidenceIsBounded) {
  Limits small;
  small.quote_bytes = 100;
  const auto read = read_ra_tls(certificate_with_evidence(Bytes(101)), small);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::sign
