// Real quotes, where they lie beside the project: the outcome and the time that their README
// states.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "sign/quote/encoding.h"
#include "sign/quote/verify_intel.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

class IntelVectors : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_)) GTEST_SKIP() << "no shared vectors";
  }

  EcdsaQuote quote(const std::string& file) const {
    const Bytes bytes = must(read_file(data_ / file, 1 << 20));
    return must(parse_ecdsa_quote(must(decode_evidence(bytes, limits_))));
  }
  IntelCollateral collateral(const std::vector<std::string>& files) const {
    IntelCollateral out;
    for (const std::string& file : files)
      EXPECT_TRUE(must(add_collateral(out, must(read_file(data_ / file, 1 << 20)), limits_)))
          << file;
    return out;
  }
  QuoteVerdict verdict(const std::string& quote_file, const std::vector<std::string>& files,
                       std::string_view at, const QuoteRules& rules = {},
                       const IntelRoots& roots = {}) const {
    return verify_intel_quote(quote(quote_file), collateral(files), roots, rules,
                              must(parse_rfc3339(at)), limits_);
  }
  static std::string failures(const QuoteVerdict& verdict) {
    std::vector<std::string> names;
    for (const Check& check : verdict.checks)
      if (!check.passed) names.push_back(cat(check.name, ": ", check.found));
    return join(names, "\n");
  }

  const fs::path data_ = source_dir() / "../shared/vectors/quotes";
  const Limits limits_{};
  static constexpr const char* kSgx = "sgx/phala-dcap-qvl/sgx_quote";
  static constexpr const char* kSgxCollateral = "sgx/phala-dcap-qvl/sgx_quote_collateral.json";
  static constexpr const char* kTdx = "tdx/phala-dcap-qvl/tdx_quote";
  static constexpr const char* kTdxCollateral = "tdx/phala-dcap-qvl/tdx_quote_collateral.json";
};

TEST_F(IntelVectors, SgxQuoteNeedsHardening) {
  QuoteRules rules;
  rules.statuses = {TcbStatus::configuration_and_sw_hardening_needed};
  const QuoteVerdict good = verdict(kSgx, {kSgxCollateral}, "2025-07-01T00:00:00Z", rules);
  EXPECT_EQ(failures(good), "");
  EXPECT_EQ(good.status, TcbStatus::configuration_and_sw_hardening_needed);
  EXPECT_EQ(join(good.advisories, " "), "INTEL-SA-00289 INTEL-SA-00615");
  EXPECT_EQ(good.tcb_evaluation, 17U);
  EXPECT_EQ(good.platform, "Intel, FMSPC 00a067110000");
  EXPECT_EQ(format_rfc3339(*good.valid_until), "2025-07-19T10:01:18Z");
  // Not accepted unless it is asked for.
  EXPECT_TRUE(failures(verdict(kSgx, {kSgxCollateral}, "2025-07-01T00:00:00Z"))
                  .starts_with("quote-tcb: genuine Intel CPU"));
}

TEST_F(IntelVectors, SgxQuoteIsGenuineInItsWindowAlone) {
  QuoteRules rules;
  rules.statuses = {TcbStatus::configuration_and_sw_hardening_needed};
  const auto at = [&](std::string_view time) {
    return verdict(kSgx, {kSgxCollateral}, time, rules).genuine();
  };
  EXPECT_TRUE(at("2025-06-19T10:56:11Z"));
  EXPECT_FALSE(at("2025-06-19T10:56:10Z"));
  EXPECT_TRUE(at("2025-07-19T10:01:18Z"));
  EXPECT_FALSE(at("2025-07-19T10:01:19Z"));
}

TEST_F(IntelVectors, TdxQuoteIsUpToDate) {
  const QuoteVerdict good = verdict(kTdx, {kTdxCollateral}, "2025-07-01T00:00:00Z");
  EXPECT_EQ(failures(good), "");
  EXPECT_EQ(good.status, TcbStatus::up_to_date);
  EXPECT_TRUE(good.advisories.empty());
  EXPECT_EQ(good.tee, TeeKind::tdx);
  EXPECT_FALSE(verdict(kTdx, {kTdxCollateral}, "2025-06-19T10:32:00Z").genuine());
  EXPECT_FALSE(verdict(kTdx, {kTdxCollateral}, "2025-07-19T10:17:00Z").genuine());
}

TEST_F(IntelVectors, Tdx15QuoteIsOnNoLevel) {
  const QuoteVerdict bad =
      verdict("tdx/phala-dcap-qvl/tdx_quote_outdated",
              {"tdx/phala-dcap-qvl/tdx_quote_outdated_collateral.json"}, "2026-03-01T00:00:00Z");
  EXPECT_EQ(failures(bad),
            "quote-tcb: the firmware is older than every level that Intel lists (TCB not "
            "supported)");
  EXPECT_EQ(bad.status, std::nullopt);
}

TEST_F(IntelVectors, CollateralOfAnotherQuoteIsOfNoUse) {
  EXPECT_TRUE(failures(verdict(kTdx, {kSgxCollateral}, "2025-07-01T00:00:00Z"))
                  .starts_with("quote-collateral: missing: "));
}

TEST_F(IntelVectors, TextQuotesLeadToIntelsRoot) {
  for (const char* file :
       {"tdx/phala-dcap-qvl/tdx-quote.hex", "tdx/phala-dcap-qvl/quote-from-tappd.hex"}) {
    const QuoteVerdict out = verdict(file, {}, "2025-07-01T00:00:00Z");
    EXPECT_TRUE(failures(out).starts_with("quote-collateral: missing: ")) << file;
    EXPECT_EQ(failures(out).find('\n'), std::string::npos) << failures(out);
  }
}

TEST_F(IntelVectors, ChainsWithTheRootInTheMiddleAreRead) {
  const std::string folder = "sgx/fortanix-dcap-ql/";
  const QuoteVerdict good =
      verdict(folder + "quote_pck_cert_chain.bin", {}, "2020-06-01T00:00:00Z");
  std::vector<std::string> failed;
  for (const Check& check : good.checks)
    if (!check.passed) failed.push_back(check.name);
  EXPECT_EQ(join(failed, " "), "quote-collateral quote-debug");
  const QuoteVerdict bad =
      verdict(folder + "quote_pck_cert_chain_corrupted.bin", {}, "2020-06-01T00:00:00Z");
  failed.clear();
  for (const Check& check : bad.checks)
    if (!check.passed) failed.push_back(check.name);
  EXPECT_EQ(join(failed, " "), "quote-collateral quote-signature quote-debug");
}

TEST_F(IntelVectors, ASyntheticRootIsTrustedWhenItIsGiven) {
  const std::string folder = "sgx/intel-qvl-synthetic/";
  std::vector<std::string> files;
  for (const char* file : {"pckCert.pem", "pckSignChain.pem", "tcbSignChain.pem",
                           "trustedRootCaCert.pem", "rootCaCrl.der", "intermediateCaCrl.der",
                           "tcbInfo.json", "qeIdentity.json", "qveIdentity.json"})
    files.push_back(folder + file);
  const std::string pem = must(read_text_file(data_ / (folder + "trustedRootCaCert.pem"), 1 << 20));
  const IntelRoots given({sha256(must(Certificate::parse_pem(pem, limits_)).front().spki())});
  const std::string quote = folder + "quote.dat", at = "2020-01-01T00:00:00Z";
  const QuoteVerdict good = verdict(quote, files, at, {}, given);
  EXPECT_EQ(failures(good), "");
  EXPECT_EQ(good.status, TcbStatus::up_to_date);
  EXPECT_EQ(good.tcb_evaluation, 3U);
  EXPECT_TRUE(failures(verdict(quote, files, at)).starts_with("quote-chain: signed under another"));
  EXPECT_FALSE(verdict(quote, files, "2019-09-05T07:47:06Z", {}, given).genuine());
  EXPECT_TRUE(verdict(quote, files, "2026-08-28T11:36:00Z", {}, given).genuine());
  EXPECT_FALSE(verdict(quote, files, "2026-08-28T11:37:00Z", {}, given).genuine());
}

// The recipes of the README: one bit each.
TEST_F(IntelVectors, OneBitIsEnough) {
  const Bytes good = must(read_file(data_ / kSgx, 1 << 20));
  const auto what_fails = [&](std::size_t at) -> std::string {
    Bytes bytes = good;
    bytes[at] ^= std::byte{1};
    const auto quote = parse_ecdsa_quote(bytes);
    if (!quote.has_value()) return quote.error().what();
    QuoteRules rules;
    rules.statuses = {TcbStatus::configuration_and_sw_hardening_needed};
    const QuoteVerdict out =
        verify_intel_quote(*quote, collateral({kSgxCollateral}), {}, rules,
                           must(parse_rfc3339("2025-07-01T00:00:00Z")), limits_);
    std::vector<std::string> names;
    for (const Check& check : out.checks)
      if (!check.passed) names.push_back(check.name);
    return join(names, " ");
  };
  EXPECT_EQ(what_fails(0), "a quote of version 2");
  for (const std::size_t at : {48, 96, 112, 368}) EXPECT_EQ(what_fails(at), "quote-signature");
  EXPECT_FALSE(what_fails(432).empty());
  EXPECT_EQ(what_fails(500), "quote-qe quote-signature");
  EXPECT_EQ(what_fails(564), "quote-qe");
  EXPECT_EQ(what_fails(884), "quote-qe");
  EXPECT_EQ(what_fails(1014), "quote-qe");
}

}  // namespace
}  // namespace cloister::sign
