// What we write for MarbleRun is what its Coordinator takes; and what the rules find wrong.
#include "cmd/report/marblerun.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/cmd/marblerun_rules.h"

namespace cloister::cmd {
namespace {

Json parsed_json(const std::string& text) {
  return must(parse_json(text, Limits(), "what we wrote"));
}

Marble plain_marble(const std::string& name) {
  Marble out;
  out.name = name;
  out.sigstruct.mrenclave = sha256(name);
  out.sigstruct.isvprodid = 13;
  out.sigstruct.isvsvn = 2;
  out.launch.argv = {"redis-server", "--port", "0"};
  out.launch.env = {{"HOME", "/data"}, {"GREETING", "{{ not a template }}"}};
  return out;
}

TEST(Marblerun, ManifestsOfBothFormsAreAccepted) {
  Marble first = plain_marble("redis"), second = plain_marble("web");
  first.launch.keys = {"disk", "other-disk"};
  second.launch.env.clear();
  for (const MarbleIdentity identity : {MarbleIdentity::unique, MarbleIdentity::signer}) {
    const Json json = parsed_json(marblerun_manifest_json({first, second}, identity));
    EXPECT_EQ(marblerun_problems(json), std::vector<std::string>());
    const Json& package = json["Packages"]["redis"];
    EXPECT_EQ(package, parsed_json(marblerun_package_json(first.sigstruct, identity)));
    EXPECT_EQ(package.contains("UniqueID"), identity == MarbleIdentity::unique);
    EXPECT_EQ(package.contains("SecurityVersion"), identity == MarbleIdentity::signer);
    EXPECT_EQ(json["Marbles"]["redis"]["Parameters"]["Argv"],
              Json({"redis-server", "--port", "0"}));
    EXPECT_EQ(json["Marbles"]["redis"]["Parameters"]["Files"]["/dev/attestation/keys/other-disk"],
              "{{ raw .Secrets.redis_other_disk }}");
    EXPECT_EQ(json["Marbles"]["redis"]["Parameters"]["Env"]["GREETING"]["NoTemplates"], true);
  }
}

TEST(Marblerun, PackagesCarryWhatIsInTheSigstruct) {
  Marble marble = plain_marble("redis");
  marble.sigstruct.flags = 2;  // DEBUG
  const Json unique = parsed_json(marblerun_package_json(marble.sigstruct, MarbleIdentity::unique));
  EXPECT_EQ(unique, (Json{{"Debug", true}, {"UniqueID", sha256("redis").hex()}}));
  const Json signer = parsed_json(marblerun_package_json(marble.sigstruct, MarbleIdentity::signer));
  EXPECT_EQ(signer, (Json{{"Debug", true},
                          {"SignerID", marble.sigstruct.mrsigner().hex()},
                          {"ProductID", 13},
                          {"SecurityVersion", 2}}));
}

TEST(Marblerun, UpdatesRaiseVersionsOfSigners) {
  Marble marble = plain_marble("redis");
  const Json signer = parsed_json(marblerun_manifest_json({marble}, MarbleIdentity::signer));
  const Json unique = parsed_json(marblerun_manifest_json({marble}, MarbleIdentity::unique));
  EXPECT_FALSE(
      marblerun_update_problems(signer, parsed_json(marblerun_update_json({marble}))).empty());
  marble.sigstruct.isvsvn = 3;
  const Json update = parsed_json(marblerun_update_json({marble}));
  EXPECT_EQ(marblerun_update_problems(signer, update), std::vector<std::string>());
  EXPECT_FALSE(marblerun_update_problems(unique, update).empty());
  EXPECT_FALSE(
      marblerun_update_problems(signer, parsed_json(marblerun_update_json({plain_marble("x")})))
          .empty());
}

TEST(Marblerun, AnAdministratorMayRaiseEveryVersion) {
  const std::string pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  Json json = parsed_json(
      marblerun_manifest_json({plain_marble("a"), plain_marble("b")}, MarbleIdentity::signer, pem));
  EXPECT_EQ(marblerun_problems(json), std::vector<std::string>());
  EXPECT_EQ(json["Users"]["admin"]["Certificate"], pem);
  EXPECT_EQ(json["Roles"]["update-packages"]["ResourceNames"], Json({"a", "b"}));
  json["Users"]["admin"]["Roles"] = {"others"};
  json["Roles"]["update-packages"]["Actions"] = {"ReadSecret"};
  EXPECT_EQ(marblerun_problems(json).size(), 2U);
}

TEST(Marblerun, SecretsHaveNamesOfTheirOwnThatTemplatesCanSay) {
  Marble first = plain_marble("a-b"), second = plain_marble("a_b"), third = plain_marble("9");
  for (Marble* marble : {&first, &second, &third}) marble->launch.keys = {"k", "k.", "{{"};
  const Json json =
      parsed_json(marblerun_manifest_json({first, second, third}, MarbleIdentity::unique));
  EXPECT_EQ(json["Secrets"].size(), 9U);
  EXPECT_EQ(marblerun_problems(json), std::vector<std::string>());
  EXPECT_TRUE(json["Secrets"].contains("_9_k"));
  for (const auto& [name, value] : json["Secrets"].items())
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string::npos);
}

TEST(Marblerun, TheRulesSeeWhatTheCoordinatorRefuses) {
  const Json good =
      parsed_json(marblerun_manifest_json({plain_marble("a")}, MarbleIdentity::unique));
  ASSERT_TRUE(marblerun_problems(good).empty());
  const auto broken = [&](const char* pointer, const Json& value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    return marblerun_problems(json).size();
  };
  EXPECT_EQ(broken("/Policies", Json::object()), 1U);
  EXPECT_EQ(broken("/Marbles", Json::object()), 1U);
  EXPECT_EQ(broken("/Packages", Json::object()), 2U);  // and the Marble's package is gone
  EXPECT_EQ(broken("/Packages/a/SignerID", std::string(64, 'a')), 1U);
  EXPECT_EQ(broken("/Packages/a", Json{{"SignerID", std::string(64, 'a')}, {"ProductID", 1U}}), 1U);
  EXPECT_EQ(broken("/Packages/a/UniqueID", "abcd"), 1U);
  EXPECT_EQ(broken("/Marbles/a/Package", "b"), 1U);
  EXPECT_EQ(broken("/Marbles/a/Parameters/Argv", Json::array()), 1U);
  EXPECT_EQ(broken("/Marbles/a/Parameters/Env/X", "{{ string .Secrets.none }}"), 1U);
  EXPECT_EQ(
      broken("/Marbles/a/Parameters/Files", Json{{"/dev/attestation/keys/k", "0123456789abcdef"}}),
      1U);
  EXPECT_EQ(broken("/Secrets", Json{{"s", {{"Type", "symmetric-key"}, {"Size", 127}}}}), 1U);
}

TEST(Marblerun, NamesComeFromImages) {
  EXPECT_EQ(marble_name("acme/redis"), "redis");
  EXPECT_EQ(marble_name("redis"), "redis");
  EXPECT_EQ(marble_name("./out/app.tar"), "app-tar");
  EXPECT_EQ(marble_name("/srv/layouts/web/"), "web");
  EXPECT_EQ(marble_name("/"), "marble");
}

}  // namespace
}  // namespace cloister::cmd
