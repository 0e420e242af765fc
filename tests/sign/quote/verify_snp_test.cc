// What a verifier answers to SEV-SNP reports of the tests' own hierarchy: good ones, and one thing
// wrong at a time.
#include "sign/quote/verify_snp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/amd_pki.h"

namespace cloister::sign {
namespace {

const Seconds kSnpNow(std::chrono::seconds(1'750'000'000));
const Seconds kYearsLater(std::chrono::seconds(2'300'000'000));

Seconds snp_days_from_now(int days) {
  return kSnpNow + std::chrono::hours(24 * days);
}

const AmdPki& amd_pki_of(SnpProduct product) {
  static const AmdPki milan(SnpProduct::milan), genoa(SnpProduct::genoa), turin(SnpProduct::turin);
  return product == SnpProduct::milan ? milan : product == SnpProduct::genoa ? genoa : turin;
}

// A verification with everything right, of which a test changes what it is about.
struct SnpCase {
  SnpProduct product = SnpProduct::milan;
  AmdLeaf key;
  SnpReport report;
  SnpCollateral collateral;
  QuoteRules rules;
  Seconds at = kSnpNow;

  explicit SnpCase(SnpProduct of = SnpProduct::milan, SnpSigner signer = SnpSigner::vcek)
      : product(of) {
    key.signer = signer;
    key.tcb = {3, 1, 0, 0, 0, 0, 8, 0xd1};
    if (of == SnpProduct::turin) {
      key.tcb = {2, 3, 1, 8, 0, 0, 0, 0x51};
      key.chip.resize(8);
    }
    if (signer == SnpSigner::vlek) key.chip.clear();
    report = plain_report(of, key);
    collateral = amd_pki_of(of).collateral(key);
  }
  QuoteVerdict verify() const {
    const SnpReport read = must(parse_snp_report(encode_snp_report(report)));
    return verify_snp_report(read, collateral, amd_pki_of(product).roots(), rules, at, Limits());
  }
  SnpCase& with_leaf() {
    collateral = amd_pki_of(product).collateral(key);
    return *this;
  }
};

// "" when genuine, else the failed checks.
std::string failed_checks(const QuoteVerdict& verdict) {
  std::string out;
  for (const Check& check : verdict.checks) {
    if (check.passed) continue;
    out += cat(out.empty() ? "" : " ", check.name);
    EXPECT_FALSE(check.expected.empty()) << check.name;
    EXPECT_FALSE(check.found.empty()) << check.name;
  }
  EXPECT_EQ(verdict.genuine(), out.empty());
  return out;
}
const Check& snp_check(const QuoteVerdict& verdict, std::string_view name) {
  const auto at = std::find_if(verdict.checks.begin(), verdict.checks.end(),
                               [&](const Check& c) { return c.name == name; });
  EXPECT_NE(at, verdict.checks.end()) << name;
  return *at;
}

TEST(SnpVerifier, AGoodReportOfEveryProductAndKeyIsGenuine) {
  for (const SnpProduct product : {SnpProduct::milan, SnpProduct::genoa, SnpProduct::turin}) {
    for (const SnpSigner signer : {SnpSigner::vcek, SnpSigner::vlek}) {
      const SnpCase good(product, signer);
      const QuoteVerdict verdict = good.verify();
      EXPECT_EQ(failed_checks(verdict), "");
      EXPECT_EQ(verdict.checks.size(), 9U);
      EXPECT_EQ(verdict.tee, TeeKind::snp);
      EXPECT_EQ(verdict.platform, cat("AMD ", snp_product_name(product), ", ",
                                      signer == SnpSigner::vlek ? "VLEK" : "VCEK"));
      EXPECT_EQ(verdict.report_data, good.report.data);
      ASSERT_TRUE(verdict.valid_until);
      EXPECT_EQ(*verdict.valid_until, AmdValidity().to);
    }
  }
}

// The bits [from, to) of the signed part: how many changes of one are believed.
std::size_t believed_changes(const SnpCase& good, const Bytes& bytes, std::size_t from,
                             std::size_t to) {
  const SnpRoots roots = amd_pki_of(SnpProduct::milan).roots();
  std::size_t believed = 0;
  for (std::size_t bit = from; bit < to; ++bit) {
    Bytes changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto report = parse_snp_report(changed);
    if (report.has_value() &&
        verify_snp_report(*report, good.collateral, roots, {}, kSnpNow, Limits()).genuine())
      ++believed;
  }
  return believed;
}

TEST(SnpVerifier, EveryChangedBitOfTheSignedPartIsRejected) {
  const SnpCase good;
  ASSERT_TRUE(good.verify().genuine());
  const Bytes bytes = encode_snp_report(good.report);
  constexpr std::size_t kBits = std::size_t{0x2a0} * 8;
  auto half =
      std::async(std::launch::async, [&] { return believed_changes(good, bytes, 0, kBits / 2); });
  EXPECT_EQ(believed_changes(good, bytes, kBits / 2, kBits), 0U);
  EXPECT_EQ(half.get(), 0U);
}

TEST(SnpVerifier, EveryChangedByteOfTheSignatureIsRejected) {
  const SnpCase good;
  const Bytes bytes = encode_snp_report(good.report);
  const SnpRoots roots = amd_pki_of(SnpProduct::milan).roots();
  for (std::size_t at = 0x2a0; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= std::byte{0x80};
    const auto report = parse_snp_report(changed);
    if (!report.has_value()) continue;
    EXPECT_FALSE(
        verify_snp_report(*report, good.collateral, roots, {}, kSnpNow, Limits()).genuine());
  }
}

TEST(SnpVerifier, ARootThatIsNotPinnedIsNotTrusted) {
  const SnpCase good;
  const SnpReport report = must(parse_snp_report(encode_snp_report(good.report)));
  const QuoteVerdict verdict =
      verify_snp_report(report, good.collateral, SnpRoots::amd(), {}, kSnpNow, Limits());
  EXPECT_EQ(failed_checks(verdict), "quote-chain");
  EXPECT_NE(snp_check(verdict, "quote-chain").found.find("not a root that is trusted"),
            std::string::npos);
}

TEST(SnpVerifier, AnIncompleteChainIsSaid) {
  for (std::size_t missing = 0; missing < 4; ++missing) {
    SnpCase c;
    c.collateral.certificates.erase(c.collateral.certificates.begin() +
                                    static_cast<std::ptrdiff_t>(missing));
    EXPECT_EQ(failed_checks(c.verify()), missing == 2 ? "" : "quote-chain")
        << missing;  // 2: the ASVK
  }
}

TEST(SnpVerifier, CertificatesOfOthersDoNoHarm) {
  SnpCase c;
  AmdLeaf stranger = c.key;
  stranger.tcb[0] = 1;
  for (const SnpProduct product : {SnpProduct::milan, SnpProduct::turin}) {
    const SnpCollateral other = amd_pki_of(product).collateral(stranger);
    c.collateral.certificates.insert(c.collateral.certificates.end(), other.certificates.begin(),
                                     other.certificates.end());
  }
  EXPECT_EQ(failed_checks(c.verify()), "");
}

TEST(SnpVerifier, EveryCertificateMustBeValidAtTheTime) {
  SnpCase late;
  late.at = kYearsLater;
  EXPECT_EQ(failed_checks(late.verify()), "quote-dates");
  SnpCase early;
  early.at = Seconds(std::chrono::seconds(1'500'000'000));
  EXPECT_EQ(failed_checks(early.verify()), "quote-dates");
  SnpCase leaf;
  leaf.key.validity.to = snp_days_from_now(-1);
  const QuoteVerdict verdict = leaf.with_leaf().verify();
  EXPECT_EQ(failed_checks(verdict), "quote-dates");
  EXPECT_NE(snp_check(verdict, "quote-dates").found.find("'SEV-VCEK'"), std::string::npos);
  leaf.at = snp_days_from_now(-1);  // the last second counts
  EXPECT_EQ(failed_checks(leaf.verify()), "");
}

// AMD certifies keys anew, and directories keep what was fetched before.
TEST(SnpVerifier, AnExpiredCertificateBesideAValidOneDoesNoHarm) {
  const AmdValidity expired{snp_days_from_now(-100), snp_days_from_now(-1)};
  for (const SnpSigner signer : {SnpSigner::vcek, SnpSigner::vlek}) {
    SnpCase c(SnpProduct::milan, signer);
    AmdLeaf old_leaf = c.key;
    old_leaf.validity = expired;
    const SnpCollateral old = AmdPki(SnpProduct::milan, expired).collateral(old_leaf);
    c.collateral.certificates.insert(c.collateral.certificates.begin(), old.certificates.begin(),
                                     old.certificates.end());
    EXPECT_EQ(failed_checks(c.verify()), "");
    c.at = snp_days_from_now(-2);  // either will do
    EXPECT_EQ(failed_checks(c.verify()), "");
  }
}

SnpCase snp_case_with_list(const std::vector<Certificate>& revoked, AmdValidity validity) {
  SnpCase c;
  EXPECT_TRUE(
      must(c.collateral.add(amd_pki_of(c.product).revocation_list(revoked, validity), Limits())));
  return c;
}

TEST(SnpVerifier, RevocationListsAreAsked) {
  const AmdPki& pki = amd_pki_of(SnpProduct::milan);
  const AmdValidity current{snp_days_from_now(-10), snp_days_from_now(10)};
  const SnpCase clean = snp_case_with_list({pki.asvk()}, current);
  EXPECT_EQ(failed_checks(clean.verify()), "");
  EXPECT_EQ(clean.verify().valid_until, snp_days_from_now(10));
  EXPECT_EQ(failed_checks(snp_case_with_list({pki.ask()}, current).verify()), "quote-revocation");
  EXPECT_EQ(failed_checks(snp_case_with_list({pki.ark()}, current).verify()), "quote-revocation");
}

TEST(SnpVerifier, AListOfAnotherTimeProvesNothingButWhatItRevokes) {
  const AmdPki& pki = amd_pki_of(SnpProduct::milan);
  const AmdValidity old{snp_days_from_now(-100), snp_days_from_now(-50)};
  const AmdValidity future{snp_days_from_now(1), snp_days_from_now(50)};
  const AmdValidity current{snp_days_from_now(-10), snp_days_from_now(10)};
  EXPECT_EQ(failed_checks(snp_case_with_list({}, old).verify()), "quote-revocation");
  EXPECT_EQ(failed_checks(snp_case_with_list({}, future).verify()), "quote-revocation");
  SnpCase both = snp_case_with_list({}, old);
  EXPECT_TRUE(must(both.collateral.add(pki.revocation_list({}, current), Limits())));
  EXPECT_EQ(failed_checks(both.verify()), "");
  EXPECT_TRUE(must(both.collateral.add(pki.revocation_list({pki.ask()}, old), Limits())));
  EXPECT_EQ(failed_checks(both.verify()), "quote-revocation");
}

TEST(SnpVerifier, AListByAnotherRootIsNoList) {
  SnpCase c;
  const AmdValidity current{snp_days_from_now(-10), snp_days_from_now(10)};
  EXPECT_TRUE(
      must(c.collateral.add(amd_pki_of(SnpProduct::genoa).revocation_list({}, current), Limits())));
  c.rules.require_revocation = true;
  EXPECT_EQ(failed_checks(c.verify()), "quote-revocation");
  c.rules.require_revocation = false;
  const QuoteVerdict verdict = c.verify();
  EXPECT_EQ(failed_checks(verdict), "");
  EXPECT_TRUE(snp_check(verdict, "quote-revocation").found.starts_with("not looked up"));
}

TEST(SnpVerifier, TheReportMustBeByTheCertifiedChip) {
  SnpCase c;
  c.report.chip_id[63] ^= std::byte{1};
  EXPECT_EQ(failed_checks(c.verify()), "quote-platform");
  SnpCase turin(SnpProduct::turin);
  turin.report.chip_id[7] ^= std::byte{1};
  EXPECT_EQ(failed_checks(turin.verify()), "quote-platform");
  SnpCase size;
  size.key.chip.resize(8);
  EXPECT_EQ(failed_checks(size.with_leaf().verify()), "quote-platform");
}

TEST(SnpVerifier, AMaskedChipIsStillTheCertifiedOne) {
  SnpCase c;
  c.report.chip_id = {};
  const QuoteVerdict verdict = c.verify();
  EXPECT_EQ(failed_checks(verdict), "");
  EXPECT_NE(snp_check(verdict, "quote-platform").found.find("hides"), std::string::npos);
}

TEST(SnpVerifier, ProductsMustAgreeAndBeAccepted) {
  SnpCase named;
  named.key.product = "Genoa-B1";
  EXPECT_EQ(failed_checks(named.with_leaf().verify()), "quote-platform");
  named.key.product = "Milano";
  EXPECT_EQ(failed_checks(named.with_leaf().verify()), "quote-platform");
  SnpCase processor;
  processor.report.cpuid = SnpCpuid{0x19, 0x11, 1};
  EXPECT_EQ(failed_checks(processor.verify()), "quote-platform");
  processor.report.cpuid = SnpCpuid{0x1a, 0x02, 1};
  EXPECT_EQ(failed_checks(processor.verify()), "quote-platform");
  processor.report.version = 2;  // which has no such field
  EXPECT_EQ(failed_checks(processor.verify()), "");
  SnpCase rules;
  rules.rules.products = {"Genoa", "Turin"};
  EXPECT_EQ(failed_checks(rules.verify()), "quote-platform");
  rules.rules.products = {"Genoa", "Milan"};
  EXPECT_EQ(failed_checks(rules.verify()), "");
}

TEST(SnpVerifier, TheReportedLevelsAreThoseOfTheCertificate) {
  for (const SnpProduct product : {SnpProduct::milan, SnpProduct::genoa, SnpProduct::turin}) {
    for (std::size_t i = 0; i < 8; ++i) {
      SnpCase c(product);
      c.report.reported_tcb.at(i) ^= 1;
      EXPECT_EQ(failed_checks(c.verify()), "quote-tcb") << i;
    }
  }
}

TEST(SnpVerifier, TheMinimumIsAskedOfEveryLevel) {
  for (const SnpProduct product : {SnpProduct::milan, SnpProduct::turin}) {
    SnpCase c(product);
    c.rules.min_tcb = tcb_number(c.key.tcb);
    EXPECT_EQ(failed_checks(c.verify()), "");
    for (std::size_t i = 0; i < 8; ++i) {
      c.rules.min_tcb = tcb_number(c.key.tcb) + (std::uint64_t{1} << (8 * i));
      EXPECT_EQ(failed_checks(c.verify()), "quote-tcb") << i;
    }
    // A level far above makes up for none that is below.
    SnpTcb high = c.key.tcb;
    high[7] = 0;
    high[0] = static_cast<std::uint8_t>(high[0] + 1);
    c.rules.min_tcb = tcb_number(high);
    EXPECT_EQ(failed_checks(c.verify()), "quote-tcb");
  }
}

TEST(SnpVerifier, TheKindOfKeyIsTheOneTheReportNames) {
  SnpCase c;
  c.report.signer_bits = 1;
  EXPECT_EQ(failed_checks(c.verify()), "quote-chain");
  SnpCase v(SnpProduct::milan, SnpSigner::vlek);
  v.report.signer_bits = 0;
  EXPECT_EQ(failed_checks(v.verify()), "quote-chain");
  for (const std::uint32_t none : {2U, 5U, 7U}) {
    c.report.signer_bits = none;
    EXPECT_EQ(failed_checks(c.verify()), "quote-format");
  }
  SnpCase cloud(SnpProduct::milan, SnpSigner::vlek);
  cloud.key.cloud = "";
  EXPECT_EQ(failed_checks(cloud.with_leaf().verify()), "quote-platform");
}

TEST(SnpVerifier, DebuggingAndMigrationAreRefusedUnlessAllowed) {
  SnpCase debug;
  debug.report.policy.bits |= 1U << 19;
  EXPECT_EQ(failed_checks(debug.verify()), "quote-debug");
  debug.rules.allow_debug = true;
  EXPECT_EQ(failed_checks(debug.verify()), "");
  SnpCase moved;
  moved.report.policy.bits |= 1U << 18;
  EXPECT_EQ(failed_checks(moved.verify()), "");  // allowed, but there is no agent
  moved.report.report_id_ma.fill(std::byte{7});
  EXPECT_EQ(failed_checks(moved.verify()), "quote-migration");
  moved.rules.allow_migration = true;
  EXPECT_EQ(failed_checks(moved.verify()), "");
}

TEST(SnpVerifier, ReportsThatNoGuestAskedForAreRefused) {
  SnpCase c;
  c.report.vmpl = 4;
  EXPECT_EQ(failed_checks(c.verify()), "quote-format");
  c.report.vmpl = 0xffffffff;
  EXPECT_EQ(failed_checks(c.verify()), "quote-format");
  c.report.vmpl = 3;
  EXPECT_EQ(failed_checks(c.verify()), "");
  c.report.signature_algorithm = 2;
  EXPECT_EQ(failed_checks(c.verify()), "quote-format");
  c.report.signature_algorithm = 1;
  c.report.policy.bits &= ~(std::uint64_t{1} << 17);
  EXPECT_EQ(failed_checks(c.verify()), "quote-format");
}

TEST(SnpRoots, OneOfOnesOwnIsNamedAsAmds) {
  const AmdPki& pki = amd_pki_of(SnpProduct::turin);
  const SnpRoot root = must(SnpRoots::of(pki.ark()));
  EXPECT_EQ(root.product, SnpProduct::turin);
  EXPECT_EQ(root.spki, sha256(pki.ark().spki()));
  EXPECT_FALSE(SnpRoots::of(pki.ask()).has_value());
  EXPECT_EQ(SnpRoots::amd().roots.size(), 3U);
}

}  // namespace
}  // namespace cloister::sign
