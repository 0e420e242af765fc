// Quotes of a platform of our own: what is right passes, and each thing that can be wrong is named
// by the check that asks for it.
#include "sign/quote/verify_intel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

const TestQuote kEnclave{3, test_enclave()};
const TestQuote kDomain{4, test_domain()};
const TestQuote kDomain15{5, test_domain15()};

QuoteVerdict verdict_of(const IntelPki& pki, const TestQuote& quote, const QuoteRules& rules = {}) {
  return verify_intel_quote(pki.parsed(quote), pki.collateral(), pki.roots(), rules, pki.now(),
                            Limits());
}

const Check* find(const QuoteVerdict& verdict, std::string_view name) {
  const auto at = std::find_if(verdict.checks.begin(), verdict.checks.end(),
                               [&](const Check& check) { return check.name == name; });
  return at == verdict.checks.end() ? nullptr : &*at;
}

// The names of the checks that failed.
std::string failures(const QuoteVerdict& verdict) {
  std::vector<std::string> names;
  for (const Check& check : verdict.checks)
    if (!check.passed) names.push_back(check.name);
  return join(names, " ");
}

std::string found(const QuoteVerdict& verdict, std::string_view name) {
  const Check* check = find(verdict, name);
  return check == nullptr ? "(not asked)" : check->found;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(IntelQuote, GenuineOnesPass) {
  const IntelPki pki;
  for (const TestQuote& quote :
       {kEnclave, TestQuote{4, test_enclave()}, TestQuote{5, test_enclave()}, kDomain,
        TestQuote{5, test_domain()}, kDomain15}) {
    const QuoteVerdict verdict = verdict_of(pki, quote);
    EXPECT_TRUE(verdict.genuine()) << quote.version << ": " << failures(verdict);
    EXPECT_EQ(verdict.status, TcbStatus::up_to_date);
    EXPECT_EQ(verdict.tcb_evaluation, 17U);
    EXPECT_EQ(verdict.platform, "Intel, FMSPC 00a067110000");
    EXPECT_EQ(verdict.report_data, test_enclave().report_data);
    EXPECT_EQ(verdict.valid_until, pki.sgx_info.next_update);
    EXPECT_EQ(verdict.tee, quote.body.index() == 0 ? TeeKind::sgx : TeeKind::tdx);
  }
}

TEST(IntelQuote, EveryCheckHasItsPlace) {
  const IntelPki pki;
  QuoteRules rules;
  rules.min_tcb_evaluation = 17;
  rules.fmspcs = {"00a067110000"};
  rules.advisories.emplace();
  std::vector<std::string> names;
  for (const Check& check : verdict_of(pki, kEnclave, rules).checks) {
    EXPECT_TRUE(check.passed) << check.name << ": " << check.found;
    EXPECT_FALSE(check.found.empty()) << check.name;
    names.push_back(check.name);
  }
  EXPECT_EQ(join(names, " "),
            "quote-format quote-chain quote-collateral quote-revocation quote-dates quote-qe "
            "quote-qe-identity quote-signature quote-tcb quote-advisories quote-tcb-evaluation "
            "quote-platform quote-debug");
}

TEST(IntelQuote, ChainsComeInEveryOrderAndForm) {
  const IntelPki pki;
  for (const ChainOrder order :
       {ChainOrder::leaf_first, ChainOrder::root_in_the_middle, ChainOrder::root_first}) {
    TestQuote quote = kEnclave;
    quote.order = order;
    EXPECT_EQ(failures(verdict_of(pki, quote)), "");
  }
  for (const CertificationType type :
       {CertificationType::ppid_plain, CertificationType::ppid_rsa3072,
        CertificationType::pck_certificate}) {
    TestQuote quote = kEnclave;
    quote.certification = type;
    const auto with_chain = verify_intel_quote(pki.parsed(quote), pki.collateral(true), pki.roots(),
                                               {}, pki.now(), Limits());
    EXPECT_EQ(failures(with_chain), "") << static_cast<int>(type);
    EXPECT_EQ(failures(verdict_of(pki, quote)), "quote-chain") << static_cast<int>(type);
  }
}

TEST(IntelQuote, AnotherRootIsNotTrusted) {
  const IntelPki pki;
  const auto verdict = verify_intel_quote(pki.parsed(kEnclave), pki.collateral(), IntelRoots(), {},
                                          pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-chain");
  EXPECT_TRUE(contains(found(verdict, "quote-chain"), "not a genuine Intel CPU"));
  EXPECT_EQ(verdict.status, std::nullopt);
  EXPECT_EQ(find(verdict, "quote-tcb"), nullptr);
}

TEST(IntelQuote, ACertificateUnderAnotherCaIsNotTrusted) {
  IntelPki pki;
  const IntelRoots roots = pki.roots();
  const IntelCollateral collateral = pki.collateral();
  pki.ca_key = TestKey();  // says that it is the CA, and leads nowhere
  pki.root_key = TestKey();
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, roots, {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-chain");
}

TEST(IntelQuote, APckWithoutItsExtensionIsNone) {
  const IntelPki pki;
  EcdsaQuote quote = pki.parsed(kEnclave);
  const auto chain = pki.pck_chain(ChainOrder::leaf_first);
  const std::string leaf = pem_certificate(make_certificate(
      {"Test SGX PCK Certificate", "Test SGX PCK Platform CA", 9, pki.pck, false, {}}, pki.pck_key,
      pki.ca_key));
  quote.certification = to_bytes(cat(leaf, pem_certificate(chain[1]), pem_certificate(chain[2])));
  const auto verdict =
      verify_intel_quote(quote, pki.collateral(), pki.roots(), {}, pki.now(), Limits());
  EXPECT_TRUE(contains(found(verdict, "quote-chain"), "without its SGX extension"));
}

TEST(IntelQuote, WhatIsMissingIsNamed) {
  const IntelPki pki;
  const auto without = [&](auto remove) {
    IntelCollateral collateral = pki.collateral();
    remove(collateral);
    const auto verdict =
        verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
    EXPECT_EQ(failures(verdict), "quote-collateral");
    return found(verdict, "quote-collateral");
  };
  EXPECT_EQ(without([](IntelCollateral& c) { c = {}; }),
            "missing: the root's revocation list, the revocation list of Test SGX PCK Platform CA, "
            "TCB info, an identity of the quoting enclave");
  EXPECT_EQ(without([](IntelCollateral& c) { c.tcb_infos.clear(); }), "missing: TCB info");
  EXPECT_EQ(without([](IntelCollateral& c) { c.identities.clear(); }),
            "missing: an identity of the quoting enclave");
  EXPECT_EQ(
      without([](IntelCollateral& c) { c.revocation_lists.erase(c.revocation_lists.begin()); }),
      "missing: the root's revocation list");
  EXPECT_EQ(without([](IntelCollateral& c) { c.revocation_lists.pop_back(); }),
            "missing: the revocation list of Test SGX PCK Platform CA");
  EXPECT_TRUE(contains(without([](IntelCollateral& c) { c.certificates.clear(); }),
                       "the TCB signing certificate"));
  EXPECT_EQ(without([](IntelCollateral& c) { c.tcb_infos[0].body += ' '; }).substr(0, 27),
            "missing: TCB info for sgx o");
}

TEST(IntelQuote, WhatIsNotSignedIsNotRead) {
  const IntelPki pki;
  for (const std::size_t flipped : {std::size_t{0}, std::size_t{40}, std::size_t{400}}) {
    IntelCollateral collateral = pki.collateral();
    collateral.tcb_infos.resize(1);
    collateral.tcb_infos[0].body[flipped] ^= 1;
    const auto verdict =
        verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
    EXPECT_EQ(found(verdict, "quote-collateral"), "missing: TCB info signed by Intel");
  }
  IntelCollateral collateral = pki.collateral();
  collateral.identities.resize(1);
  collateral.identities[0].signature[63] ^= std::byte{1};
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(found(verdict, "quote-collateral"),
            "missing: an identity of the quoting enclave signed by Intel");
}

TEST(IntelQuote, ThePckCannotSignForIntel) {
  IntelPki pki;
  pki.tcb_key = pki.pck_key;  // and the certificate of the TCB signer is under the root no more
  IntelCollateral collateral = pki.collateral(true);
  const IntelPki real;
  std::erase_if(collateral.certificates,
                [](const Certificate& c) { return contains(c.common_name(), "TCB Signing"); });
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-collateral");
}

TEST(IntelQuote, RevocationIsSeenEverywhere) {
  const auto revoked = [](std::uint64_t by_root, std::uint64_t by_ca) {
    IntelPki pki;
    if (by_root != 0) pki.revoked_by_root = {77, by_root};
    if (by_ca != 0) pki.revoked_by_ca = {by_ca, 78};
    const QuoteVerdict verdict = verdict_of(pki, kEnclave);
    return failures(verdict) + (verdict.genuine() ? "" : ": " + found(verdict, "quote-revocation"));
  };
  EXPECT_EQ(revoked(0, 79), "");
  EXPECT_EQ(revoked(IntelPki::kPckSerial, 0), "");  // of another issuer
  EXPECT_EQ(revoked(0, IntelPki::kPckSerial),
            "quote-revocation: revoked by Intel: Test SGX PCK Certificate 04");
  EXPECT_EQ(revoked(IntelPki::kCaSerial, 0),
            "quote-revocation: revoked by Intel: Test SGX PCK Platform CA 02");
  EXPECT_EQ(revoked(IntelPki::kTcbSerial, 0),
            "quote-revocation: revoked by Intel: Test SGX TCB Signing 03");
}

TEST(IntelQuote, ARevocationListByAnybodyElseIsNone) {
  IntelPki pki;
  const IntelPki other;
  IntelCollateral collateral = pki.collateral();
  collateral.revocation_lists.clear();
  for (const Bytes& list : {other.root_crl(), other.pck_crl()})
    ASSERT_TRUE(must(add_collateral(collateral, list, Limits())));
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-collateral");
}

TEST(IntelQuote, TheNewestRevocationListCounts) {
  IntelPki pki;
  IntelCollateral collateral = pki.collateral();
  pki.revoked_by_ca = {IntelPki::kPckSerial};
  pki.pck_list.from += std::chrono::hours(24);
  ASSERT_TRUE(must(add_collateral(collateral, pki.pck_crl(), Limits())));
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-revocation");
}

// Each part in turn begins a second too late, and ends a second too early.
TEST(IntelQuote, EveryPartHasItsDates) {
  const std::vector<std::pair<std::string, TestValidity IntelPki::*>> parts = {
      {"Test SGX Root CA", &IntelPki::root},
      {"Test SGX PCK Platform CA", &IntelPki::ca},
      {"Test SGX PCK Certificate", &IntelPki::pck},
      {"Test SGX TCB Signing", &IntelPki::tcb_signer},
      {"the root's revocation list", &IntelPki::root_list},
      {"the revocation list of PCK", &IntelPki::pck_list},
  };
  const auto untimely = [](const IntelPki& pki, const std::string& part, std::string_view how) {
    const QuoteVerdict verdict = verdict_of(pki, kEnclave);
    EXPECT_EQ(failures(verdict), "quote-dates") << part;
    EXPECT_TRUE(contains(found(verdict, "quote-dates"), part)) << found(verdict, "quote-dates");
    EXPECT_TRUE(contains(found(verdict, "quote-dates"), how)) << found(verdict, "quote-dates");
  };
  const std::chrono::seconds second(1);
  for (const auto& part : parts) {
    IntelPki late, early, exact;
    (late.*part.second).from = late.now() + second;
    untimely(late, part.first, "is valid from 2025-07-01T00:00:01Z on");
    (early.*part.second).to = early.now() - second;
    untimely(early, part.first, "expired at 2025-06-30T23:59:59Z");
    exact.*part.second = {exact.now(), exact.now()};
    EXPECT_EQ(failures(verdict_of(exact, kEnclave)), "") << part.first;
  }
  IntelPki pki;
  pki.sgx_info.issue_date = pki.now() + second;
  untimely(pki, "the TCB info", "is valid from");
  pki = IntelPki();
  pki.sgx_info.next_update = pki.now() - second;
  untimely(pki, "the TCB info", "expired at");
  pki = IntelPki();
  pki.sgx_identity.issue_date = pki.now() + second;
  untimely(pki, "the identity of the quoting enclave", "is valid from");
  pki = IntelPki();
  pki.sgx_identity.next_update = pki.now() - second;
  untimely(pki, "the identity of the quoting enclave", "expired at");
}

TEST(IntelQuote, RolledBackCollateralFallsShort) {
  IntelPki pki;
  QuoteRules rules;
  rules.min_tcb_evaluation = 17;
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "");
  rules.min_tcb_evaluation = 18;
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "quote-tcb-evaluation");
  pki.sgx_info.evaluation = 18;  // the identity is still the old one
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "quote-tcb-evaluation");
  pki.sgx_identity.evaluation = 18;
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "");
}

TEST(IntelQuote, OfTwoTcbInfosTheLaterEvaluationCounts) {
  IntelPki pki;
  IntelCollateral collateral = pki.collateral();
  pki.sgx_info.evaluation = 18;
  pki.sgx_info.levels[0].status = TcbStatus::out_of_date;
  ASSERT_TRUE(
      must(add_collateral(collateral, as_bytes(pki.tcb_info_reply(TeeKind::sgx)), Limits())));
  const auto verdict =
      verify_intel_quote(pki.parsed(kEnclave), collateral, pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-tcb");
  EXPECT_EQ(verdict.tcb_evaluation, 18U);
}

TEST(IntelQuote, TcbInfoOfAnotherPlatformIsNotUsed) {
  IntelPki pki;
  pki.sgx_info.fmspc[1] = std::byte{1};
  EXPECT_EQ(found(verdict_of(pki, kEnclave), "quote-collateral"),
            "missing: TCB info for sgx on FMSPC 00a067110000 (there is one for tdx on "
            "00a067110000, PCE 0000)");
  EXPECT_EQ(failures(verdict_of(pki, kEnclave)), "quote-collateral");
  pki = IntelPki();
  pki.sgx_info.pceid[1] = std::byte{1};
  EXPECT_EQ(failures(verdict_of(pki, kEnclave)), "quote-collateral");
  EXPECT_EQ(failures(verdict_of(pki, kDomain)), "");
  pki = IntelPki();
  pki.tdx_identity.id = EnclaveId::qe;
  EXPECT_EQ(failures(verdict_of(pki, kDomain)), "quote-collateral");
  pki.tdx_identity.id = EnclaveId::qve;
  EXPECT_EQ(failures(verdict_of(pki, kDomain)), "quote-collateral");
}

TEST(IntelQuote, AnotherQuotingEnclaveIsNotIntels) {
  const auto mismatch = [](auto change) {
    IntelPki pki;
    change(pki.sgx_identity);
    const QuoteVerdict verdict = verdict_of(pki, kEnclave);
    EXPECT_EQ(failures(verdict), "quote-qe-identity");
    EXPECT_EQ(find(verdict, "quote-tcb"), nullptr);
    return found(verdict, "quote-qe-identity");
  };
  EXPECT_TRUE(contains(mismatch([](QeIdentity& i) { i.mrsigner = sha256("x"); }), "MRSIGNER"));
  EXPECT_TRUE(contains(mismatch([](QeIdentity& i) { i.isvprodid = 7; }), "ISVPRODID 1"));
  EXPECT_TRUE(
      contains(mismatch([](QeIdentity& i) { i.misc_select[0] = std::byte{1}; }), "MISCSELECT"));
  EXPECT_TRUE(
      contains(mismatch([](QeIdentity& i) { i.attributes[0] = std::byte{0x31}; }), "ATTRIBUTES"));
  EXPECT_TRUE(contains(mismatch([](QeIdentity& i) {
                         i.levels.resize(1);
                         i.levels[0].isvsvn = 9;
                       }),
                       "older than every one"));
}

TEST(IntelQuote, AQuotingEnclaveInDebugModeIsWorthNothing) {
  IntelPki pki;
  pki.qe.flags |= 2;
  pki.sgx_identity.attributes_mask[0] &= std::byte{0xfd};  // even if the identity would allow it
  QuoteRules rules;
  rules.allow_debug = true;  // about what is attested, not about who attests it
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "quote-qe");
}

TEST(IntelQuote, TheQuotingEnclaveVouchesForOneKey) {
  const IntelPki pki;
  EcdsaQuote quote = pki.parsed(kEnclave);
  const TestKey other;  // whoever signs anew, with a key of their own
  quote.attestation_key = other.point();
  quote.signature = other.sign(quote.signed_bytes);
  const auto verdict =
      verify_intel_quote(quote, pki.collateral(), pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-qe");
  EXPECT_TRUE(contains(found(verdict, "quote-qe"), "another key"));
}

TEST(IntelQuote, EveryByteOfTheBindingCounts) {
  IntelPki pki;
  EcdsaQuote quote = pki.parsed(kEnclave);
  quote.qe_report.report_data[63] = std::byte{1};
  quote.qe_report_bytes = encode_sgx_report(quote.qe_report);
  quote.qe_report_signature = pki.pck_key.sign(quote.qe_report_bytes);
  const auto verdict =
      verify_intel_quote(quote, pki.collateral(), pki.roots(), {}, pki.now(), Limits());
  EXPECT_EQ(failures(verdict), "quote-qe");
}

TEST(IntelQuote, EveryTcbStatusIsAcceptedOrNot) {
  const std::vector<TcbStatus> all = {TcbStatus::up_to_date,
                                      TcbStatus::sw_hardening_needed,
                                      TcbStatus::configuration_needed,
                                      TcbStatus::configuration_and_sw_hardening_needed,
                                      TcbStatus::td_relaunch_advised,
                                      TcbStatus::td_relaunch_advised_configuration_needed,
                                      TcbStatus::out_of_date,
                                      TcbStatus::out_of_date_configuration_needed,
                                      TcbStatus::revoked};
  for (const TcbStatus status : all) {
    IntelPki pki;
    pki.sgx_info.levels[0].status = status;
    pki.sgx_info.levels[0].advisories = {"INTEL-SA-00289", "INTEL-SA-00615"};
    QuoteRules rules;
    rules.statuses = {status};
    const QuoteVerdict verdict = verdict_of(pki, kEnclave, rules);
    EXPECT_EQ(failures(verdict), "") << tcb_status_name(status);
    EXPECT_EQ(verdict.status, status);
    EXPECT_EQ(join(verdict.advisories, " "), "INTEL-SA-00289 INTEL-SA-00615");
    EXPECT_TRUE(contains(found(verdict, "quote-tcb"), "INTEL-SA-00289, INTEL-SA-00615"));
    EXPECT_TRUE(contains(found(verdict, "quote-tcb"), tcb_status_name(status)));
    rules.statuses = {status == TcbStatus::revoked ? TcbStatus::out_of_date : TcbStatus::revoked};
    EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "quote-tcb") << tcb_status_name(status);
    const bool by_default =
        status == TcbStatus::up_to_date || status == TcbStatus::sw_hardening_needed;
    EXPECT_EQ(verdict_of(pki, kEnclave).genuine(), by_default) << tcb_status_name(status);
  }
}

TEST(IntelQuote, TheFirstLevelThatIsReachedCounts) {
  const auto status_at = [](std::uint8_t component, std::uint16_t pcesvn) {
    IntelPki pki;
    pki.platform.components[15] = component;
    pki.platform.pcesvn = pcesvn;
    return verdict_of(pki, kEnclave);
  };
  EXPECT_EQ(status_at(2, 11).status, TcbStatus::up_to_date);
  EXPECT_EQ(status_at(2, 10).status, TcbStatus::out_of_date);
  EXPECT_EQ(status_at(1, 11).status, TcbStatus::out_of_date);
  EXPECT_EQ(join(status_at(1, 11).advisories, " "), "INTEL-SA-00828");
  for (const QuoteVerdict& verdict : {status_at(0, 11), status_at(2, 9)}) {
    EXPECT_EQ(verdict.status, std::nullopt);
    EXPECT_EQ(failures(verdict), "quote-tcb");
    EXPECT_TRUE(contains(found(verdict, "quote-tcb"), "TCB not supported"));
  }
}

TEST(IntelQuote, TcbInfoOfVersion2IsRead) {
  IntelPki pki;
  pki.sgx_info.version = 2;
  EXPECT_EQ(failures(verdict_of(pki, kEnclave)), "");
  pki.platform.components[8] = 1;
  EXPECT_EQ(verdict_of(pki, kEnclave).status, TcbStatus::out_of_date);
}

TEST(IntelQuote, TheQuotingEnclaveDragsThePlatformDown) {
  const auto with_qe = [](std::uint16_t isvsvn, TcbStatus platform) {
    IntelPki pki;
    pki.qe.isvsvn = isvsvn;
    pki.sgx_info.levels[0].status = platform;
    return verdict_of(pki, kEnclave);
  };
  EXPECT_EQ(with_qe(6, TcbStatus::up_to_date).status, TcbStatus::out_of_date);
  EXPECT_EQ(join(with_qe(6, TcbStatus::up_to_date).advisories, " "), "INTEL-SA-00615");
  EXPECT_EQ(with_qe(6, TcbStatus::sw_hardening_needed).status, TcbStatus::out_of_date);
  EXPECT_EQ(with_qe(6, TcbStatus::configuration_needed).status,
            TcbStatus::out_of_date_configuration_needed);
  EXPECT_EQ(with_qe(6, TcbStatus::configuration_and_sw_hardening_needed).status,
            TcbStatus::out_of_date_configuration_needed);
  EXPECT_EQ(with_qe(6, TcbStatus::out_of_date).status, TcbStatus::out_of_date);
  EXPECT_EQ(with_qe(6, TcbStatus::revoked).status, TcbStatus::revoked);
  EXPECT_EQ(with_qe(5, TcbStatus::up_to_date).status, TcbStatus::revoked);
  EXPECT_EQ(with_qe(8, TcbStatus::up_to_date).status, TcbStatus::up_to_date);
}

struct ModuleCase {
  std::uint8_t svn, version, microcode;
  std::optional<TcbStatus> status;
};

TEST(IntelQuote, TheTdxModuleIsOneThatIntelLists) {
  const std::vector<ModuleCase> cases = {
      {4, 1, 2, TcbStatus::up_to_date},  {9, 3, 2, TcbStatus::up_to_date},
      {3, 1, 2, TcbStatus::out_of_date}, {2, 1, 2, TcbStatus::out_of_date},
      {1, 1, 2, std::nullopt},           {5, 2, 2, std::nullopt},
      {5, 0, 2, TcbStatus::up_to_date},  {4, 0, 2, TcbStatus::out_of_date},
      {4, 1, 1, TcbStatus::out_of_date},
  };
  for (const ModuleCase& one : cases) {
    const IntelPki pki;
    TdReport domain = test_domain();
    domain.tee_tcb_svn = {std::byte{one.svn}, std::byte{one.version}, std::byte{one.microcode}};
    const QuoteVerdict verdict = verdict_of(pki, {4, domain});
    EXPECT_EQ(verdict.status, one.status)
        << int{one.svn} << " " << int{one.version} << " " << found(verdict, "quote-tcb");
    EXPECT_EQ(verdict.genuine(), one.status == TcbStatus::up_to_date);
  }
}

TEST(IntelQuote, AnotherTdxModuleIsNotIntels) {
  const IntelPki pki;
  TdReport domain = test_domain();
  domain.mrsignerseam[0] = std::byte{1};
  EXPECT_TRUE(contains(found(verdict_of(pki, {4, domain}), "quote-tcb"), "not signed by Intel"));
  domain = test_domain();
  domain.seam_attributes = 1ULL << 63;
  const QuoteVerdict verdict = verdict_of(pki, {4, domain});
  EXPECT_EQ(failures(verdict), "quote-tcb");
  EXPECT_TRUE(contains(found(verdict, "quote-tcb"), "0x8000000000000000"));
}

TEST(IntelQuote, ARevokedModuleRevokesAll) {
  IntelPki pki;
  pki.tdx_info.modules[1].levels[0].status = TcbStatus::revoked;
  EXPECT_EQ(verdict_of(pki, kDomain).status, TcbStatus::revoked);
}

// tee_tcb_svn is of the start, tee_tcb_svn2 of now.
TEST(IntelQuote, ADomainUnderAnOlderModuleIsToBeStartedAnew) {
  const auto status_of = [](ByteArray<16> start, ByteArray<16> now, TcbStatus platform) {
    IntelPki pki;
    pki.tdx_info.levels[0].status = platform;
    TdReport domain = test_domain15();
    domain.tee_tcb_svn = start;
    domain.version15->tee_tcb_svn2 = now;
    return verdict_of(pki, {5, domain}).status;
  };
  const ByteArray<16> old_module{std::byte{3}, std::byte{1}, std::byte{2}};
  const ByteArray<16> new_module{std::byte{4}, std::byte{1}, std::byte{2}};
  const ByteArray<16> third_module{std::byte{4}, std::byte{3}, std::byte{2}};
  const ByteArray<16> no_such_module{std::byte{4}, std::byte{2}, std::byte{2}};
  const ByteArray<16> unnumbered{std::byte{5}, std::byte{0}, std::byte{2}};
  const ByteArray<16> old_microcode{std::byte{4}, std::byte{1}, std::byte{1}};
  const auto ok = TcbStatus::up_to_date;
  EXPECT_EQ(status_of(old_module, old_module, ok), TcbStatus::out_of_date);
  EXPECT_EQ(status_of(old_module, new_module, ok), TcbStatus::td_relaunch_advised);
  EXPECT_EQ(status_of(old_module, third_module, ok), TcbStatus::td_relaunch_advised);
  EXPECT_EQ(status_of(old_module, unnumbered, ok), TcbStatus::td_relaunch_advised);
  EXPECT_EQ(status_of(old_module, no_such_module, ok), std::nullopt);
  EXPECT_EQ(status_of(old_module, old_microcode, ok), TcbStatus::out_of_date);
  EXPECT_EQ(status_of(old_module, new_module, TcbStatus::configuration_needed),
            TcbStatus::td_relaunch_advised_configuration_needed);
  EXPECT_EQ(status_of(old_module, new_module, TcbStatus::out_of_date), TcbStatus::out_of_date);
  EXPECT_EQ(status_of(new_module, old_module, ok), TcbStatus::up_to_date);
}

TEST(IntelQuote, DebugIsRefusedUnlessAllowed) {
  const IntelPki pki;
  SgxReport enclave = test_enclave();
  enclave.flags |= 2;
  TdReport domain = test_domain15(), profiled = test_domain();
  domain.td_attributes = 1;
  profiled.td_attributes = 1U << 5;
  QuoteRules rules;
  rules.allow_debug = true;
  for (const TestQuote& quote :
       {TestQuote{3, enclave}, TestQuote{5, domain}, TestQuote{4, profiled}}) {
    EXPECT_EQ(failures(verdict_of(pki, quote)), "quote-debug");
    EXPECT_EQ(failures(verdict_of(pki, quote, rules)), "");
  }
  TdReport ordinary = test_domain();
  ordinary.td_attributes = 1ULL << 28;  // SEPT_VE_DISABLE
  EXPECT_EQ(failures(verdict_of(pki, {4, ordinary})), "");
}

TEST(IntelQuote, AdvisoriesAndPlatformsAreThoseAccepted) {
  IntelPki pki;
  pki.sgx_info.levels[0].status = TcbStatus::sw_hardening_needed;
  pki.sgx_info.levels[0].advisories = {"INTEL-SA-00289", "INTEL-SA-00615"};
  QuoteRules rules;
  rules.advisories = {{"INTEL-SA-00615"}};
  const QuoteVerdict verdict = verdict_of(pki, kEnclave, rules);
  EXPECT_EQ(failures(verdict), "quote-advisories");
  EXPECT_EQ(found(verdict, "quote-advisories"), "not accepted: INTEL-SA-00289");
  rules.advisories->emplace_back("INTEL-SA-00289");
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "");
  rules.fmspcs = {"000000000000", "00a067110000"};
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "");
  rules.fmspcs.pop_back();
  EXPECT_EQ(failures(verdict_of(pki, kEnclave, rules)), "quote-platform");
}

// Of all that is signed or signs: header, body, signature, key, the quoting enclave's report and
// its signature, and what it binds. The links to the certificate are the same for all, and asked
// once.
TEST(IntelQuote, NoBitCanBeFlipped) {
  const IntelPki pki;
  for (const TestQuote& what : {kEnclave, kDomain15}) {
    const Bytes good = pki.quote(what);
    const EcdsaQuote quote = must(parse_ecdsa_quote(good));
    const auto certificates = must(quote_certificates(quote, Limits()));
    const Certificate pck = *find_pck(quote, certificates);
    const std::size_t size_at = quote.signed_bytes.size();
    const std::size_t end =
        good.size() - quote.certification.size() - 6;  // certification type and size
    std::size_t flips = 0, passes = 0;
    Bytes flipped = good;
    for (std::size_t at = 0; at < end; ++at) {
      if (at >= size_at && at < size_at + 4) continue;  // a size that nothing signs
      for (unsigned bit = 0; bit < 8; ++bit, ++flips) {
        flipped[at] ^= std::byte{1} << bit;
        const auto parsed = parse_ecdsa_quote(flipped);
        if (parsed.has_value() && check_quoting_enclave(*parsed, pck).passed &&
            check_quote_signature(*parsed).passed)
          ++passes;
        flipped[at] = good[at];
      }
    }
    EXPECT_EQ(passes, 0U);
    EXPECT_GT(flips, 8000U);
  }
}

}  // namespace
}  // namespace cloister::sign
