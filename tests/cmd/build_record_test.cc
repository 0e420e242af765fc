// A build is recorded whole: what decides it comes back, and no option is forgotten.
#include "cmd/build_record.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

BuildRecord everything() {
  BuildRecord r;
  r.plan.entrypoint = "/app";
  r.plan.args = {"--serve", "a b"};
  r.plan.env = {"A=1"};
  r.plan.passthrough = {"TZ"};
  r.plan.user = "app";
  r.plan.workdir = "/srv";
  r.plan.volumes = {"/data=tmpfs"};
  r.plan.trust = "package";
  r.plan.includes = {"/etc/app/**"};
  r.plan.excludes = {"/etc/app/x"};
  r.plan.accepted = {"CL900"};
  r.plan.enclave_size = "1G";
  r.plan.max_threads = 8;
  r.plan.edmm = r.plan.debug = r.plan.no_attestation = true;
  r.plan.marblerun = true;
  r.plan.ra_tls = "/ra-tls/cert.pem:/ra-tls/key.pem";
  r.plan.secret_prov = "kms.example:4433";
  r.plan.secret_prov_ca = "/etc/ssl/ca.pem";
  r.plan.isvprodid = 1;
  r.plan.isvsvn = 2;
  r.with_direct = true;
  r.labels = {"a=b=c"};
  r.created = Seconds(std::chrono::seconds(1700000000));
  r.platform = "linux/amd64";
  r.inputs = {{"base", "docker.io/library/redis:7", sha256("base"), false, ""},
              {"overlay", "", sha256("x = 1\n"), false, "x = 1\n"}};
  r.version = "0.1.0";
  return r;
}

TEST(BuildRecord, ComesBackWhole) {
  const BuildRecord record = everything();
  const std::string text = encode_build_record(record);
  const BuildRecord back = must(parse_build_record(text, Limits()));
  EXPECT_EQ(encode_build_record(back), text);
  EXPECT_EQ(back.plan.args, record.plan.args);
  EXPECT_EQ(back.plan.isvsvn, record.plan.isvsvn);
  EXPECT_EQ(back.created, record.created);
  EXPECT_EQ(back.labels, record.labels);
  ASSERT_NE(back.input("overlay"), nullptr);
  EXPECT_EQ(back.input("overlay")->content, "x = 1\n");
  EXPECT_EQ(back.input("runtime"), nullptr);
}

// An option that decides the manifest and is not recorded would make a rebuild another build.
TEST(BuildRecord, KnowsEveryOptionOfThePlan) {
  CLI::App app;
  PlanArguments arguments;
  add_plan_options(app, arguments);
  const Json parameters = must(parse_json(
      must(sign::parse_provenance(encode_build_record(everything()), Limits())).parameters,
      Limits(), "parameters"));
  const std::set<std::string> inputs = {"help", "runtime", "premain", "manifest"};  // by digest
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      EXPECT_TRUE(inputs.contains(name) || parameters.contains(name)) << "--" << name;
}

TEST(BuildRecord, RefusesWhatItWouldNotRepeat) {
  const std::string good = encode_build_record(everything());
  const auto refused = [&](std::string_view what, std::string_view with) {
    std::string text = good;
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
    EXPECT_FALSE(parse_build_record(text, Limits()).has_value()) << text;
  };
  refused("\"edmm\"", "\"not-known-yet\"");
  refused("\"edmm\":true", "\"edmm\":\"yes\"");
  refused("\"isvsvn\":2", "\"isvsvn\":-1");
  refused("\"isvsvn\":2", "\"isvsvn\":131072");
  refused("\"date\":", "\"datum\":");
  refused("2023-11-14T22:13:20Z", "today");
  refused("[\"TZ\"]", "\"TZ\"");
}

}  // namespace
}  // namespace cloister::cmd
