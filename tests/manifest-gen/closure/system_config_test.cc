// Configuration that makes libraries load others: nsswitch.conf, openssl.cnf, pam.d.
#include <gtest/gtest.h>

#include "manifest-gen/closure/nsswitch.h"
#include "manifest-gen/closure/openssl_config.h"
#include "manifest-gen/closure/pam_services.h"

namespace cloister::manifest {
namespace {

using Names = std::vector<std::string>;

TEST(Nsswitch, ServicesWithoutActions) {
  const auto databases = parse_nsswitch(
      "# comment\npasswd:\tfiles systemd # x\r\n"
      "hosts: files mdns4_minimal [NOTFOUND=return] dns [ !UNAVAIL = return ] myhostname\n");
  EXPECT_EQ(databases.at("passwd"), (Names{"files", "systemd"}));
  EXPECT_EQ(databases.at("hosts"), (Names{"files", "mdns4_minimal", "dns", "myhostname"}));
}

TEST(Nsswitch, NamesThatAreNoNamesAreLeftOut) {
  const auto databases =
      parse_nsswitch("passwd: ../../x /y files [\na b: files\n: files\nnothing\ngroup:");
  EXPECT_EQ(databases.at("passwd"), Names{"files"});
  EXPECT_TRUE(databases.at("group").empty());
  EXPECT_EQ(databases.size(), 2U);
}

TEST(OpensslConfig, ActivatedProvidersAndEngines) {
  const OpensslModules modules = parse_openssl_config(
      "openssl_conf = init # comment\n"
      ".include /etc/ssl/fips.cnf\n.include = \"/etc/ssl/other.cnf\"\n"
      "[init]\nproviders=prov\nengines = eng\n"
      "[ prov ]\ndefault = d\nlegacy = l\nsleeping = s\nown = o\n"
      "[d]\nactivate = 1\n[l]\nactivate=yes\n[s]\nactivate = 0\n"
      "[o]\nactivate = 1\nmodule = /opt/own.so\n"
      "[eng]\npkcs11 = p\nplain = q\n"
      "[p]\ndynamic_path = /usr/lib/engines-3/pkcs11.so\n[q]\nengine_id = gost\n");
  EXPECT_EQ(modules.providers, (Names{"legacy", "/opt/own.so"}));
  EXPECT_EQ(modules.engines, (Names{"/usr/lib/engines-3/pkcs11.so", "gost"}));
  EXPECT_EQ(modules.includes, (Names{"/etc/ssl/fips.cnf", "/etc/ssl/other.cnf"}));
}

TEST(OpensslConfig, SectionsThatNothingNamesAreNotUsed) {
  const OpensslModules modules =
      parse_openssl_config("[prov]\nlegacy = l\n[l]\nactivate = 1\n[unclosed\n=\n");
  EXPECT_TRUE(modules.providers.empty());
  EXPECT_TRUE(modules.engines.empty());
}

TEST(PamService, ModulesAndIncludes) {
  const PamService service = parse_pam_service(
      "# PAM\n@include common-auth\n"
      "auth [success=1 default=ignore]\tpam_unix.so nullok\n"
      "-session optional pam_systemd.so\n"
      "session include base\naccount substack extra\n"
      "account required /opt/pam_own.so\n");
  EXPECT_EQ(service.modules, (Names{"pam_unix.so", "pam_systemd.so", "/opt/pam_own.so"}));
  EXPECT_EQ(service.includes, (Names{"common-auth", "base", "extra"}));
}

TEST(PamService, NamesThatLeadElsewhereAreLeftOut) {
  const PamService service = parse_pam_service(
      "@include ../../etc/shadow\nauth include a/b\nauth required x/y.so\nauth\nauth required\n");
  EXPECT_TRUE(service.modules.empty());
  EXPECT_TRUE(service.includes.empty());
}

}  // namespace
}  // namespace cloister::manifest
