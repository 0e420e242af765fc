// A report of a real processor, and AMD's own certificates, where they lie beside the project.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "sign/quote/verify_snp.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

const Seconds kSummer2025(std::chrono::seconds(1'750'000'000));

fs::path snp_vectors() {
  return source_dir() / "../shared/vectors/quotes/snp";
}
SnpCollateral snp_files(std::initializer_list<const char*> files) {
  SnpCollateral out;
  for (const char* file : files) {
    const Bytes bytes = must(read_file(snp_vectors() / file, Limits().collateral_bytes));
    EXPECT_TRUE(must(out.add(bytes, Limits()))) << file;
  }
  return out;
}
SnpReport milan_report() {
  const auto text = must(read_text_file(snp_vectors() / "virtee-sev/report_milan.hex", 1 << 20));
  return must(parse_snp_report(*unhex(trim(text))));
}
std::string first_failed_check(const QuoteVerdict& verdict) {
  for (const Check& check : verdict.checks)
    if (!check.passed) return check.name;
  return "";
}

class SnpVectors : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(snp_vectors())) GTEST_SKIP() << "no vectors at " << snp_vectors();
  }
};

TEST_F(SnpVectors, TheMilanReportIsGenuine) {
  const auto with = snp_files({"virtee-sev/vcek_milan.der", "virtee-sev/cert_chain_milan"});
  const QuoteVerdict verdict =
      verify_snp_report(milan_report(), with, SnpRoots::amd(), {}, kSummer2025, Limits());
  EXPECT_EQ(first_failed_check(verdict), "");
  EXPECT_TRUE(verdict.genuine());
  EXPECT_EQ(verdict.platform, "AMD Milan, VCEK");
  EXPECT_EQ(format_rfc3339(*verdict.valid_until), "2030-04-03T19:23:43Z");
}

TEST_F(SnpVectors, TheMilanReportIsOfItsTime) {
  const auto with = snp_files({"virtee-sev/vcek_milan.der", "amd-roots/ask_ark_milan.pem"});
  const auto at = [&](const char* time) {
    return first_failed_check(verify_snp_report(milan_report(), with, SnpRoots::amd(), {},
                                                must(parse_rfc3339(time)), Limits()));
  };
  EXPECT_EQ(at("2023-04-03T19:23:42Z"), "quote-dates");
  EXPECT_EQ(at("2023-04-03T19:23:43Z"), "");
  EXPECT_EQ(at("2030-04-03T19:23:43Z"), "");
  EXPECT_EQ(at("2030-04-03T19:23:44Z"), "quote-dates");
}

TEST_F(SnpVectors, TurinsKeyDidNotSignMilansReport) {
  const auto with = snp_files({"virtee-sev/vcek_turin.der", "virtee-sev/cert_chain_turin"});
  const QuoteVerdict verdict =
      verify_snp_report(milan_report(), with, SnpRoots::amd(), {}, kSummer2025, Limits());
  EXPECT_EQ(verdict.checks.at(1).name, "quote-chain");
  EXPECT_TRUE(verdict.checks.at(1).passed) << verdict.checks.at(1).found;
  EXPECT_EQ(first_failed_check(verdict), "quote-signature");
}

TEST_F(SnpVectors, EveryRootIsPinnedAndSignsItsIntermediates) {
  int chains = 0;
  for (const char* file :
       {"amd-roots/ask_ark_milan.pem", "amd-roots/ask_ark_milan_vlek.pem",
        "amd-roots/ask_ark_genoa.pem", "amd-roots/ask_ark_genoa_vlek.pem",
        "amd-roots/ask_ark_turin_vcek.pem", "amd-roots/ask_ark_turin_vlek.pem"}) {
    const auto with = snp_files({file});
    ASSERT_EQ(with.certificates.size(), 2U) << file;
    const Certificate& intermediate = with.certificates[0];
    const Certificate& root = with.certificates[1];
    EXPECT_TRUE(intermediate.is_signed_by(root) && root.is_signed_by(root)) << file;
    const SnpRoot own = must(SnpRoots::of(root));
    bool pinned = false;
    for (const SnpRoot& pin : SnpRoots::amd().roots)
      pinned = pinned || (pin.spki == own.spki && pin.product == own.product);
    EXPECT_TRUE(pinned) << file;
    ++chains;
  }
  EXPECT_EQ(chains, 6);
}

}  // namespace
}  // namespace cloister::sign
