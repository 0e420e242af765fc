// A genuine quote is of this enclave, and for this session, or it is worth nothing.
#include "sign/quote/quote_checks.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/amd_pki.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

ReportData data_of(std::string_view text) {
  ReportData out{};
  std::ranges::copy(as_bytes(text), out.begin());
  return out;
}

TEST(ReportData, IsPaddedWithZeros) {
  EXPECT_EQ(must(padded_report_data(as_bytes("ab"))), data_of("ab"));
  const Bytes full(64, std::byte{7});
  EXPECT_TRUE(std::ranges::equal(must(padded_report_data(full)), full));
  EXPECT_EQ(padded_report_data({}).error().code(), Code::invalid);
  EXPECT_EQ(padded_report_data(Bytes(65)).error().code(), Code::invalid);
}

// SHA-256 and SHA-512 of "abc" are those of FIPS 180-2, appendices B and C.
TEST(ReportData, ANonceMayStandAsItIsOrHashed) {
  const auto hashed = [](std::string_view digits) {
    return must(padded_report_data(*unhex(digits)));
  };
  const ReportData sha256_of =
      hashed("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const ReportData sha512_of = hashed(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(report_data_of_nonce("abc"),
            (ExpectedReportData{data_of("abc"), sha256_of, sha512_of}));
  // One that has no room is hashed only.
  EXPECT_EQ(report_data_of_nonce(std::string(65, 'x')).size(), 2U);
  EXPECT_EQ(report_data_of_nonce(std::string(64, 'x')).size(), 3U);
}

TEST(Session, IsTheExpectedOne) {
  const ExpectedReportData expected = report_data_of_nonce("mine");
  for (const ReportData& one : expected) {
    const Check check = check_session({one}, expected, false);
    EXPECT_TRUE(check.passed);
    EXPECT_TRUE(check.found.starts_with("made for this session")) << check.found;
  }
  for (const ReportData& other : {data_of("mine "), data_of("min"), data_of(""), data_of("Mine")}) {
    for (const bool allow_unbound : {false, true}) {
      const Check check = check_session({other}, expected, allow_unbound);
      EXPECT_FALSE(check.passed);
      EXPECT_TRUE(check.found.starts_with("made for another session")) << check.found;
      EXPECT_NE(check.expected.find(hex(as_bytes("mine"))), std::string::npos) << check.expected;
    }
  }
}

TEST(Session, WithoutAnExpectationIsNone) {
  const Check check = check_session({data_of("any")}, {}, false);
  EXPECT_FALSE(check.passed);
  EXPECT_TRUE(check.found.starts_with("not bound to a session")) << check.found;
  EXPECT_NE(check.expected.find("--allow-unbound"), std::string::npos);
  const Check allowed = check_session({data_of("any")}, {}, true);
  EXPECT_TRUE(allowed.passed);
  EXPECT_TRUE(allowed.found.starts_with("not bound to a session")) << allowed.found;
}

TEST(Session, AnyOfWhatTheQuoteHoldsWillDo) {
  const ExpectedReportData expected = {data_of("mine")};
  EXPECT_TRUE(check_session({data_of("other"), data_of("mine")}, expected, false).passed);
  const Check none = check_session({}, expected, true);
  EXPECT_FALSE(none.passed);
  EXPECT_EQ(none.found, "made for no session");
  EXPECT_FALSE(check_session({}, {}, false).passed);
}

// A signed enclave, and what a quote says of it when it runs.
Sigstruct signed_enclave() {
  Sigstruct out;
  out.mrenclave = sha256("enclave");
  out.modulus[0] = std::byte{1};
  out.isvprodid = 7;
  out.isvsvn = 3;
  out.flags = 0x4;
  out.flags_mask = ~std::uint64_t{0};
  out.xfrm = 0x3;
  out.xfrm_mask = 0xff;
  out.misc_select = 0;
  out.misc_mask = 0xffffffff;
  return out;
}

SgxReport running() {
  const Sigstruct s = signed_enclave();
  SgxReport out;
  out.mrenclave = s.mrenclave;
  out.mrsigner = s.mrsigner();
  out.isvprodid = s.isvprodid;
  out.isvsvn = s.isvsvn;
  out.flags = s.flags | 1;  // EINIT sets it
  out.xfrm = s.xfrm;
  return out;
}

Quote quoted(const SgxReport& report) {
  EcdsaQuote out;
  out.body = report;
  return out;
}

// The checks that fail, in their order.
std::string failing(const SgxReport& report, const Sigstruct& s = signed_enclave()) {
  std::string out;
  for (const Check& check : check_quoted_enclave(quoted(report), s)) {
    EXPECT_EQ(check.passed, check.expected.empty()) << check.name;
    if (!check.passed) out += cat(out.empty() ? "" : " ", check.name);
  }
  return out;
}

TEST(QuotedEnclave, IsTheSignedOne) {
  EXPECT_EQ(failing(running()), "");
  EXPECT_EQ(check_quoted_enclave(quoted(running()), signed_enclave()).size(), 6U);
}

TEST(QuotedEnclave, EachPartOfItsIdentityCounts) {
  SgxReport r = running();
  r.mrenclave.bytes[31] ^= std::byte{1};
  EXPECT_EQ(failing(r), "quote-image quote-mrenclave");
  r = running();
  r.mrsigner.bytes[0] ^= std::byte{1};
  EXPECT_EQ(failing(r), "quote-image quote-mrsigner");
  r = running();
  r.isvprodid = 8;
  EXPECT_EQ(failing(r), "quote-image quote-isvprodid");
  r = running();
  r.isvsvn = 2;
  EXPECT_EQ(failing(r), "quote-image quote-isvsvn");
  r.isvsvn = 4;  // the same enclave, signed anew
  EXPECT_EQ(failing(r), "");
  EXPECT_EQ(failing(SgxReport()),
            "quote-image quote-mrenclave quote-mrsigner quote-isvprodid quote-isvsvn "
            "quote-attributes");
}

TEST(QuotedEnclave, AttributesCountUnderTheMasks) {
  SgxReport r = running();
  r.flags &= ~std::uint64_t{1};  // that it is initialised says nothing about what was signed
  EXPECT_EQ(failing(r), "");
  r = running();
  r.flags |= 2;
  EXPECT_EQ(failing(r), "quote-attributes");
  r = running();
  r.flags |= std::uint64_t{1} << 63;
  EXPECT_EQ(failing(r), "quote-attributes");
  r = running();
  r.misc_select = 1;
  EXPECT_EQ(failing(r), "quote-attributes");
  r = running();
  r.xfrm |= 0x80;
  EXPECT_EQ(failing(r), "quote-attributes");
  r.xfrm = 0x3 | 0x100;  // not under the mask
  EXPECT_EQ(failing(r), "");

  Sigstruct s = signed_enclave();
  s.flags_mask &= ~std::uint64_t{2};
  r = running();
  r.flags |= 2;
  EXPECT_EQ(failing(r, s), "");  // as EINIT would: that it is a debug enclave is for quote-debug
  s.xfrm = 0xe7;                 // more than the mask lets count
  s.xfrm_mask = 0x3;
  EXPECT_EQ(failing(running(), s), "");
}

TEST(QuotedEnclave, OtherTeesAreNone) {
  const auto only = [](const Quote& quote) {
    const auto checks = check_quoted_enclave(quote, signed_enclave());
    EXPECT_EQ(checks.size(), 1U);
    EXPECT_FALSE(checks.at(0).passed);
    EXPECT_EQ(checks.at(0).name, "quote-image");
    return checks.at(0).found;
  };
  EcdsaQuote td;
  td.body = test_domain();
  EXPECT_EQ(only(td), "the quote is of a TDX trust domain");
  EXPECT_EQ(only(SnpReport()), "the quote is of a SEV-SNP guest");
  EXPECT_EQ(only(NitroDocument()), "the quote is of an enclave of AWS Nitro");
}

TEST(AnyQuote, IsToldApartByItsBytes) {
  const IntelPki pki;
  const auto sgx = must(parse_quote(pki.quote({3, test_enclave()}), Limits()));
  EXPECT_EQ(tee_of(sgx), TeeKind::sgx);
  EXPECT_EQ(*report_data_of(sgx), test_enclave().report_data);
  for (const TestQuote& one : {TestQuote{4, test_domain()}, TestQuote{5, test_domain15()}}) {
    const auto tdx = must(parse_quote(pki.quote(one), Limits()));
    EXPECT_EQ(tee_of(tdx), TeeKind::tdx);
    EXPECT_EQ(*report_data_of(tdx), test_domain().report_data);
  }
  SnpReport report = plain_report(SnpProduct::milan, AmdLeaf());
  report.data.fill(std::byte{0x5a});
  const Bytes bytes = encode_snp_report(report);
  const auto snp = must(parse_quote(bytes, Limits()));
  EXPECT_EQ(tee_of(snp), TeeKind::snp);
  EXPECT_EQ(*report_data_of(snp), report.data);
  EXPECT_EQ(tee_of(must(parse_quote(as_bytes(hex(bytes)), Limits()))), TeeKind::snp);
}

TEST(AnyQuote, OtherBytesAreErrors) {
  for (const std::string& bad : {std::string(), std::string("\3\0", 2), std::string("hello"),
                                 std::string(2000, '\0'), std::string(2000, '\xff')})
    EXPECT_FALSE(parse_quote(as_bytes(bad), Limits()).has_value()) << bad.size();
  Limits small;
  small.quote_bytes = 100;
  EXPECT_EQ(parse_quote(IntelPki().quote({3, test_enclave()}), small).error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::sign
