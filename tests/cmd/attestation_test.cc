// What is asked of quotes from the command line, and verdicts on one quote after another.
#include "cmd/attestation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/oci/fixtures.h"
#include "tests/sign/quote/pccs_stand_in.h"

namespace cloister::cmd {
namespace {

using sign::IntelPki;
using sign::TestQuote;

class Attestation : public testing::Test {
 protected:
  Attestation() : directory_(scratch_.path()) {
    write("root.pem", sign::pem_certificate(pki_.tcb_chain()[1]));
    write("none", "");
    environment_.variables = {{"XDG_CACHE_HOME", (directory_ / "cache").native()},
                              {"XDG_STATE_HOME", (directory_ / "state").native()},
                              {"HOME", directory_.native()},
                              {"CONTAINERS_REGISTRIES_CONF", (directory_ / "none").native()}};
    CommonOptions quiet;
    quiet.quiet = true;
    session_ = must(Session::create(quiet, environment_));
    options_.collateral.root = (directory_ / "root.pem").native();
  }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  sign::ExpectedReportData expected(const std::string& text) {
    options_.report_data = text;
    return must(expected_report_data(options_));
  }
  Code refused(const std::string& text) {
    options_.report_data = text;
    const auto read = expected_report_data(options_);
    return read.has_value() ? Code::internal : read.error().code();
  }

  const IntelPki pki_;
  const oci::ScratchDirectory scratch_;
  const fs::path directory_;
  Environment environment_;
  std::unique_ptr<Session> session_;
  AttestationOptions options_;
};

sign::Quote quote_of(const IntelPki& pki) {
  return pki.parsed({3, sign::test_enclave()});
}

TEST_F(Attestation, ReportDataAreHexAFileOrANonce) {
  sign::ReportData two{};
  two[0] = std::byte{0xab};
  two[1] = std::byte{0xcd};
  EXPECT_TRUE(expected("").empty());
  EXPECT_EQ(expected("abCD"), sign::ExpectedReportData{two});
  write("data", "\xab\xcd");
  EXPECT_EQ(expected((directory_ / "data").native()), sign::ExpectedReportData{two});
  EXPECT_EQ(expected("nonce:abcd"), sign::report_data_of_nonce("abcd"));
  EXPECT_EQ(expected("nonce:nonce:"), sign::report_data_of_nonce("nonce:"));

  EXPECT_EQ(refused(std::string(130, 'a')), Code::usage);
  EXPECT_EQ(refused("abc"), Code::usage);
  EXPECT_EQ(refused("nonce:"), Code::usage);
  write("large", std::string(65, 'x'));
  EXPECT_EQ(refused((directory_ / "large").native()), Code::usage);
  write("empty", "");
  EXPECT_EQ(refused((directory_ / "empty").native()), Code::usage);
}

TEST_F(Attestation, TheCommandLineStandsInPlaceOfThePolicy) {
  sign::QuoteRules policy;
  policy.statuses = {sign::TcbStatus::out_of_date};
  policy.min_tcb_evaluation = 3;
  EXPECT_EQ(must(quote_rules(options_, policy)).statuses, policy.statuses);
  EXPECT_EQ(must(quote_rules(options_, policy)).min_tcb_evaluation, 3U);
  options_.statuses = {"UpToDate", "ConfigurationNeeded"};
  options_.min_tcb_evaluation = 5;
  const auto rules = must(quote_rules(options_, policy));
  EXPECT_EQ(rules.statuses, (std::vector<sign::TcbStatus>{sign::TcbStatus::up_to_date,
                                                          sign::TcbStatus::configuration_needed}));
  EXPECT_EQ(rules.min_tcb_evaluation, 5U);
  for (const char* name : {"Revoked", "uptodate", "", "UpToDate "}) {
    options_.statuses = {name};
    EXPECT_EQ(quote_rules(options_, policy).error().code(), Code::usage) << name;
  }
}

// Whoever comes first must not decide what the others are judged by.
TEST_F(Attestation, PlatformsBehindOneAddressAreEachAskedFor) {
  IntelPki second = pki_;
  second.platform.fmspc[0] = std::byte{0x55};
  second.sgx_info.fmspc = second.platform.fmspc;
  const auto one = sign::pccs_stand_in(pki_), two = sign::pccs_stand_in(second);
  const HttpServer server([&](const Received& request) {
    return request.query.find("fmspc=55") == std::string::npos ? one(request) : two(request);
  });
  options_.collateral.pccs = server.url("");
  QuoteVerifier verifier(*session_, options_, {});
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
  const auto asked = server.received().size();
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
  EXPECT_EQ(server.received().size(), asked);  // what is at hand is used
  EXPECT_TRUE(must(verifier.verify(quote_of(second), pki_.now())).genuine());
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
}

TEST_F(Attestation, CollateralIsRenewedWhenItHasRunOut) {
  IntelPki later = pki_;
  const auto shift = std::chrono::hours(24 * 365);
  for (sign::TestValidity* one : {&later.root_list, &later.pck_list}) {
    one->from += shift;
    one->to += shift;
  }
  later.sgx_info.issue_date += shift;
  later.sgx_info.next_update += shift;
  later.sgx_identity.issue_date += shift;
  later.sgx_identity.next_update += shift;
  std::atomic<bool> renewed = false;
  const auto now = sign::pccs_stand_in(pki_), then = sign::pccs_stand_in(later);
  const HttpServer server(
      [&](const Received& request) { return renewed ? then(request) : now(request); });
  options_.collateral.pccs = server.url("");
  QuoteVerifier verifier(*session_, options_, {});
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
  EXPECT_FALSE(must(verifier.verify(quote_of(pki_), pki_.now() + shift)).genuine());
  renewed = true;
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now() + shift)).genuine());
}

// A file that changes while a proxy runs changes nothing.
TEST_F(Attestation, TheRootIsTheOneOfTheStart) {
  const HttpServer server(sign::pccs_stand_in(pki_));
  options_.collateral.pccs = server.url("");
  QuoteVerifier verifier(*session_, options_, {});
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
  write("root.pem", sign::pem_certificate(IntelPki().tcb_chain()[1]));
  EXPECT_TRUE(must(verifier.verify(quote_of(pki_), pki_.now())).genuine());
}

}  // namespace
}  // namespace cloister::cmd
