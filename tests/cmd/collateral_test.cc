// Collateral from files, directories and a PCCS, up to a quote that is genuine by it.
#include "cmd/collateral.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/text.h"
#include "cmd/pccs.h"
#include "tests/base/must.h"
#include "tests/oci/fixtures.h"
#include "tests/sign/quote/pccs_stand_in.h"

namespace cloister::cmd {
namespace {

using sign::IntelPki;
using sign::TestQuote;

class CollateralFiles : public testing::Test {
 protected:
  CollateralFiles() : directory_(scratch_.path()) {
    fs::create_directories(directory_ / "all");
    write("all/tcb_chain.pem",
          sign::pem_certificate(pki_.tcb_chain()[0]) + sign::pem_certificate(pki_.tcb_chain()[1]));
    write("all/root.crl", as_text(pki_.root_crl()));
    write("all/pck.crl", hex(pki_.pck_crl()));
    write("all/tcb", pki_.tcb_info_reply(sign::TeeKind::sgx));
    write("all/identity", pki_.identity_reply(sign::TeeKind::sgx));
    write("root.pem", sign::pem_certificate(pki_.tcb_chain()[1]));
    environment_.variables = {{"XDG_CACHE_HOME", (directory_ / "cache").native()},
                              {"XDG_STATE_HOME", (directory_ / "state").native()},
                              {"HOME", directory_.native()},
                              {"CONTAINERS_REGISTRIES_CONF", (directory_ / "none").native()}};
    write("none", "");
  }

  void write(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::string path(const std::string& name) const { return (directory_ / name).native(); }

  std::unique_ptr<Session> session(bool offline = false) const {
    CommonOptions options;
    options.offline = offline;
    options.quiet = true;
    return must(Session::create(options, environment_));
  }
  Result<sign::IntelCollateral> load(const CollateralOptions& options, bool offline = false,
                                     const TestQuote& quote = {3, sign::test_enclave()}) const {
    const auto run = session(offline);
    return load_intel_collateral(*run, options, pki_.parsed(quote));
  }
  bool genuine(const CollateralOptions& options, bool offline = false,
               const TestQuote& quote = {3, sign::test_enclave()}) const {
    const auto roots = must(load_intel_roots({{}, "", path("root.pem")}, Limits()));
    return sign::verify_intel_quote(pki_.parsed(quote), must(load(options, offline, quote)), roots,
                                    {}, pki_.now(), Limits())
        .genuine();
  }

  const IntelPki pki_;
  const oci::ScratchDirectory scratch_;
  const fs::path directory_;
  Environment environment_;
};

TEST_F(CollateralFiles, OfADirectoryOrOneByOne) {
  EXPECT_TRUE(genuine({{path("all")}, "", ""}));
  EXPECT_TRUE(genuine({{path("all/tcb_chain.pem"), path("all/root.crl"), path("all/pck.crl"),
                        path("all/tcb"), path("all/identity")},
                       "",
                       ""},
                      /*offline=*/true));
  EXPECT_FALSE(genuine({{}, "", ""}));
}

TEST_F(CollateralFiles, OfADirectoryOthersArePassedOver) {
  write("all/README", "what this is\n");
  write("all/quote", as_text(pki_.quote({3, sign::test_enclave()})));
  write("all/large", std::string(Limits().collateral_bytes + 1, 'x'));
  fs::create_directory(directory_ / "all" / "more");
  EXPECT_TRUE(genuine({{path("all")}, "", ""}));
  EXPECT_EQ(load({{path("all/README")}, "", ""}).error().code(), Code::invalid);
  EXPECT_EQ(load({{path("all/large")}, "", ""}).error().code(), Code::limit);
  EXPECT_EQ(load({{path("absent")}, "", ""}).error().code(), Code::io);
}

TEST_F(CollateralFiles, ThatAreDamagedOrTooManyAreErrors) {
  write("all/tcb", pki_.tcb_info_reply(sign::TeeKind::sgx).substr(0, 200));
  const auto damaged = load({{path("all")}, "", ""});
  EXPECT_EQ(damaged.error().code(), Code::corrupt);
  EXPECT_FALSE(damaged.error().hint().empty());
  for (std::size_t i = 0; i <= Limits().collateral_files; ++i) write(cat("all/", i), "x");
  EXPECT_EQ(load({{path("all")}, "", ""}).error().code(), Code::limit);
}

TEST_F(CollateralFiles, TheRootThatIsGivenIsTrusted) {
  EXPECT_TRUE(must(load_intel_roots({}, Limits())).are_intels());
  const auto roots = must(load_intel_roots({{}, "", path("root.pem")}, Limits()));
  EXPECT_EQ(roots.spki, pki_.roots().spki);
  write("leaf.pem", sign::pem_certificate(pki_.tcb_chain()[0]));
  EXPECT_EQ(load_roots({{}, "", path("leaf.pem")}, Limits()).error().code(), Code::invalid);
  EXPECT_EQ(load_roots({{}, "", path("all/root.crl")}, Limits()).error().code(), Code::invalid);
}

TEST_F(CollateralFiles, ComeFromAPccs) {
  const HttpServer server(sign::pccs_stand_in(pki_));
  for (const char* tail : {"", "/", "/sgx/certification/v4/", "/sgx/certification/v3"}) {
    EXPECT_TRUE(genuine({{}, server.url(tail), ""})) << tail;
    EXPECT_TRUE(genuine({{}, server.url(tail), ""}, false, {4, sign::test_domain()})) << tail;
  }
  std::vector<std::string> asked;
  for (const Received& one : server.received()) asked.push_back(one.path + "?" + one.query);
  asked.resize(4);
  EXPECT_EQ(
      join(asked, " "),
      "/sgx/certification/v4/pckcrl?ca=platform&encoding=der /sgx/certification/v4/rootcacrl? "
      "/sgx/certification/v4/tcb?fmspc=00a067110000 /sgx/certification/v4/qe/identity?");
}

TEST_F(CollateralFiles, NoneIsAskedForOffline) {
  const HttpServer server(sign::pccs_stand_in(pki_));
  EXPECT_EQ(load({{}, server.url(""), ""}, /*offline=*/true).error().code(), Code::conflict);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CollateralFiles, APccsMayHaveNoListOfTheRoot) {
  const auto all = sign::pccs_stand_in(pki_);
  const HttpServer server([&](const Received& request) {
    Reply none;
    none.status = 404;
    return request.path.ends_with("/rootcacrl") ? none : all(request);
  });
  EXPECT_FALSE(genuine({{}, server.url(""), ""}));
  EXPECT_TRUE(genuine({{path("all/root.crl")}, server.url(""), ""}));
}

TEST_F(CollateralFiles, APccsThatAnswersOtherwiseIsNamed) {
  const auto error = [&](int status, const std::string& body) {
    const HttpServer server([&](const Received&) {
      Reply reply;
      reply.status = status;
      reply.body = body;
      return reply;
    });
    return load({{}, server.url(""), ""}).error().code();
  };
  EXPECT_EQ(error(404, ""), Code::not_found);
  EXPECT_EQ(error(461, ""), Code::not_found);
  EXPECT_EQ(error(401, ""), Code::unauthorized);
  EXPECT_EQ(error(503, ""), Code::unavailable);
  EXPECT_EQ(error(200, "<html></html>"), Code::corrupt);
  EXPECT_EQ(error(200, std::string(Limits().collateral_bytes + 1, 'x')), Code::limit);
  EXPECT_EQ(load({{}, "localhost:8081", ""}).error().code(), Code::usage);
  EXPECT_EQ(load({{}, "https://localhost:8081/?x", ""}).error().code(), Code::usage);
}

TEST_F(CollateralFiles, AQuoteWithoutCertificatesNeedsThemFromAFile) {
  const HttpServer server(sign::pccs_stand_in(pki_));
  const TestQuote quote{3, sign::test_enclave(), sign::CertificationType::ppid_plain};
  EXPECT_EQ(load({{}, server.url(""), ""}, false, quote).error().code(), Code::invalid);
  std::string chain;
  for (const Bytes& one : pki_.pck_chain(sign::ChainOrder::leaf_first))
    chain += sign::pem_certificate(one);
  write("pck.pem", chain);
  EXPECT_TRUE(genuine({{path("pck.pem")}, server.url(""), ""}, false, quote));
}

}  // namespace
}  // namespace cloister::cmd
