// Quotes as bytes, and as the text that tools make of them.
#include "sign/quote/ecdsa_quote.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "sign/quote/encoding.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

TEST(EcdsaQuote, FieldsAreThoseWritten) {
  const IntelPki pki;
  SgxReport enclave = test_enclave();
  enclave.cpusvn[15] = std::byte{9};
  enclave.misc_select = 0x01020304;
  enclave.cet_attributes = 5;
  enclave.isv_ext_prod_id[0] = std::byte{6};
  enclave.config_id[63] = std::byte{7};
  enclave.isvprodid = 0x1234;
  enclave.config_svn = 3;
  enclave.isv_family_id[15] = std::byte{8};
  for (const TestQuote& what : {TestQuote{3, enclave}, {4, enclave}, {5, enclave}}) {
    const EcdsaQuote quote = pki.parsed(what);
    EXPECT_EQ(quote.version, what.version);
    EXPECT_EQ(quote.tee(), TeeKind::sgx);
    ASSERT_NE(quote.sgx(), nullptr);
    EXPECT_EQ(encode_sgx_report(*quote.sgx()), encode_sgx_report(enclave));
    EXPECT_EQ(quote.signed_bytes.size(), what.version == 5 ? 48U + 6 + 384 : 48U + 384);
    EXPECT_EQ(quote.attestation_key, pki.attestation_key.point());
    EXPECT_EQ(quote.auth_data, Bytes(32, std::byte{7}));
    EXPECT_EQ(quote.qe_report_bytes, encode_sgx_report(quote.qe_report));
    EXPECT_EQ(quote.certification_type, CertificationType::pck_chain);
    EXPECT_EQ(quote.report_data(), enclave.report_data);
    EXPECT_FALSE(quote.debug());
  }
  TdReport domain = test_domain15();
  domain.mrseam[47] = domain.mrconfigid[1] = domain.mrowner[2] = std::byte{9};
  domain.mrownerconfig[3] = domain.rtmr[3][0] = domain.version15->mrservicetd[5] = std::byte{8};
  domain.td_attributes = 1;
  const EcdsaQuote quote = pki.parsed({5, domain});
  ASSERT_NE(quote.td(), nullptr);
  EXPECT_EQ(quote.tee(), TeeKind::tdx);
  EXPECT_EQ(encode_td_report(*quote.td()), encode_td_report(domain));
  EXPECT_EQ(quote.signed_bytes.size(), 48U + 6 + 648);
  EXPECT_TRUE(quote.debug());
}

TEST(EcdsaQuote, BytesAfterItAreNoPartOfIt) {
  const IntelPki pki;
  Bytes bytes = pki.quote({4, test_domain()});
  const EcdsaQuote before = must(parse_ecdsa_quote(bytes));
  bytes.resize(bytes.size() + 3065);
  const EcdsaQuote after = must(parse_ecdsa_quote(bytes));
  EXPECT_EQ(after.certification, before.certification);
  EXPECT_EQ(after.signed_bytes, before.signed_bytes);
}

TEST(EcdsaQuote, EveryShorterOneIsCorrupt) {
  const IntelPki pki;
  for (const TestQuote& what : {TestQuote{3, test_enclave()}, TestQuote{5, test_domain15()}}) {
    const Bytes good = pki.quote(what);
    for (std::size_t size = 0; size < good.size(); ++size) {
      const auto cut = parse_ecdsa_quote(ByteView(good).first(size));
      ASSERT_FALSE(cut.has_value()) << size;
      ASSERT_EQ(cut.error().code(), Code::corrupt) << size;
    }
  }
}

TEST(EcdsaQuote, WhatIsNotKnownIsNamed) {
  const IntelPki pki;
  const auto refused = [&](const TestQuote& what, std::size_t at, std::uint8_t value) {
    Bytes bytes = pki.quote(what);
    bytes[at] = std::byte{value};
    const auto parsed = parse_ecdsa_quote(bytes);
    if (parsed.has_value()) return std::string("accepted");
    return cat(parsed.error().code() == Code::unsupported ? "unsupported: " : "corrupt: ",
               parsed.error().what());
  };
  const TestQuote v3{3, test_enclave()}, v4{4, test_domain()}, v5{5, test_domain15()};
  EXPECT_EQ(refused(v3, 0, 2), "unsupported: a quote of version 2");
  EXPECT_EQ(refused(v3, 0, 6), "unsupported: a quote of version 6");
  EXPECT_EQ(refused(v3, 1, 1), "unsupported: a quote of version 259");
  EXPECT_EQ(refused(v3, 2, 3), "unsupported: a quote with an attestation key of type 3");
  EXPECT_EQ(refused(v3, 4, 0x81), "corrupt: a quote of version 3 for a TEE other than SGX");
  EXPECT_EQ(refused(v4, 4, 0x82), "unsupported: a quote for a TEE of type 0x82");
  EXPECT_EQ(refused(v3, 12, 0),
            "unsupported: a quote of the unknown quoting enclave vendor "
            "009a7233f79c4ca9940a0db3957f0607");
  EXPECT_EQ(refused(v5, 48, 4), "unsupported: a quote with a body of type 4");
  EXPECT_EQ(refused(v5, 48, 2), "corrupt: a quote whose body of type 2 has another size");
  EXPECT_EQ(refused(v5, 4, 0), "corrupt: a quote whose header and body are of different TEEs");
  EXPECT_EQ(refused(v4, 48 + 584 + 4 + 128, 5),
            "unsupported: a quote with certification data of type 5 outside");
  EXPECT_EQ(refused(v3, 48 + 384 + 4 + 128 + 384 + 64 + 2 + 32, 7),
            "unsupported: a quote with certification data of type 7");
}

TEST(Evidence, IsReadFromEveryForm) {
  const IntelPki pki;
  const Limits limits;
  const Bytes quote = pki.quote({4, test_domain()});
  const std::string digits = hex(quote), letters = base64(quote);
  std::string url_safe = letters, lines;
  for (char& c : url_safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
  for (std::size_t at = 0; at < letters.size(); at += 64) lines += letters.substr(at, 64) + "\r\n";
  std::string upper = digits;
  for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  for (const std::string& text : {digits, upper, "0x" + digits, " " + digits + "\n", letters,
                                  url_safe, lines, letters.substr(0, letters.find('='))}) {
    EXPECT_EQ(must(decode_evidence(as_bytes(text), limits)), quote);
  }
  EXPECT_EQ(must(decode_evidence(quote, limits)), quote);
}

// Twelve characters that are hex digits and letters of base64: what begins as a quote does counts.
TEST(Evidence, OfTwoReadingsTheOneOfAQuoteCounts) {
  const Limits limits;
  const auto read = [&](std::string_view text) {
    return hex(must(decode_evidence(as_bytes(text), limits)));
  };
  EXPECT_EQ(read("BAACAAAA"), "040002000000");
  EXPECT_EQ(read("04000200"), "04000200");
  EXPECT_EQ(read("abcdabcd"), "abcdabcd");
}

TEST(Evidence, OtherTextIsNone) {
  Limits limits;
  EXPECT_EQ(decode_evidence(as_bytes("a quote!"), limits).error().code(), Code::corrupt);
  EXPECT_EQ(decode_evidence({}, limits).error().code(), Code::corrupt);
  EXPECT_EQ(decode_evidence(as_bytes(" \n"), limits).error().code(), Code::corrupt);
  limits.quote_bytes = 8;
  EXPECT_EQ(decode_evidence(as_bytes("040002000000"), limits)->size(), 6U);
  EXPECT_EQ(decode_evidence(as_bytes("040002000000000000"), limits).error().code(), Code::limit);
  EXPECT_EQ(decode_evidence(Bytes(100), limits).error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::sign
