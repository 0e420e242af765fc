// What login and logout leave in the files of other programs.
#include "oci/registry/auth_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "oci/registry/login.h"
#include "tests/base/must.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

class AuthFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "cloister-auth-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    paths_.new_file = path("docker/config.json");
    paths_.default_files = {path("run/auth.json"), path("docker/config.json")};
    const char* old = getenv("PATH");
    old_path_ = old == nullptr ? "" : old;
    setenv("PATH", cat(name, ":", old_path_).c_str(), 1);
    paths_.environment = {{"PATH", cat(name, ":", old_path_)}, {"KEPT", path("kept")}};
  }
  void TearDown() override {
    setenv("PATH", old_path_.c_str(), 1);
    fs::remove_all(directory_);
  }

  std::string path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, const std::string& text, unsigned mode = 0644) const {
    must_be(make_directories(fs::path(path(name)).parent_path()));
    must_be(write_file_atomic(path(name), as_bytes(text), mode));
  }
  std::string read(const std::string& name) const {
    return must(read_text_file(path(name), 1 << 20));
  }
  static void must_be(Status status) { ASSERT_TRUE(status.has_value()) << status.error().what(); }
  static unsigned mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  // Keeps what it is told, and forgets it.
  void write_helper() const {
    write("docker-credential-box",
          "#!/bin/sh\ncat >\"$KEPT.$1\"\n[ \"$1\" != erase ] || rm -f \"$KEPT.store\"\n", 0755);
  }
  Credentials found(const std::string& registry) const {
    return must(find_credentials(paths_, {registry, "ns/app", "latest", std::nullopt}, Limits{}));
  }

  fs::path directory_;
  CredentialPaths paths_;
  std::string old_path_;
};

TEST_F(AuthFile, AFirstLoginMakesAPrivateFileThatIsFoundAgain) {
  EXPECT_EQ(must(save_credentials(paths_, "r.io", user_credentials(), Limits{})),
            quote(path("docker/config.json")));
  EXPECT_EQ(mode_of(path("docker/config.json")), 0600U);
  EXPECT_EQ(mode_of(path("docker")), 0700U);
  EXPECT_EQ(found("r.io").username, "user");
  EXPECT_EQ(found("r.io").password, "pass:word");
  EXPECT_TRUE(found("q.io").empty());
}

TEST_F(AuthFile, TheFirstFileThatExistsIsWritten) {
  write("run/auth.json", "");
  EXPECT_EQ(must(save_credentials(paths_, "r.io", user_credentials(), Limits{})),
            quote(path("run/auth.json")));
  EXPECT_EQ(mode_of(path("run/auth.json")), 0600U);
  paths_.authfile = path("named.json");
  EXPECT_EQ(must(save_credentials(paths_, "r.io", user_credentials(), Limits{})),
            quote(path("named.json")));
}

TEST_F(AuthFile, WhatIsNotOursStaysAsItIs) {
  write(
      "docker/config.json",
      R"({"zeta":1,"auths":{"https://r.io/v1/":{"auth":"b2xkOng="},"r.io/ns":{"auth":"bnM6eA=="},)"
      R"("b.io":{"auth":"YjpiMg==","email":"x"}},"proxies":{"default":{"httpProxy":"p"}},"alpha":[1]})");
  (void)must(save_credentials(paths_, "r.io", user_credentials(), Limits{}));
  const std::string text = read("docker/config.json");
  EXPECT_LT(text.find("zeta"), text.find("auths"));
  EXPECT_LT(text.find("proxies"), text.find("alpha"));
  EXPECT_EQ(text.find("https://r.io/v1/"), std::string::npos) << "the old key would win or confuse";
  EXPECT_NE(text.find(R"("email")"), std::string::npos);
  EXPECT_EQ(found("b.io").username, "b");
  const RegistryRef other{"r.io", "other", "latest", std::nullopt};
  EXPECT_EQ(must(find_credentials(paths_, other, Limits{})).username, "user");
  EXPECT_EQ(found("r.io").username, "ns") << "a more specific entry is another one's";
}

TEST_F(AuthFile, DockersHubHasTheKeyThatDockerKnows) {
  (void)must(save_credentials(paths_, "docker.io", user_credentials(), Limits{}));
  EXPECT_NE(read("docker/config.json").find("https://index.docker.io/v1/"), std::string::npos);
  EXPECT_EQ(found("docker.io").username, "user");
}

TEST_F(AuthFile, ALinkStaysALink) {
  write("real.json", "{}");
  must_be(make_directories(directory_ / "docker"));
  fs::create_symlink(path("real.json"), path("docker/config.json"));
  (void)must(save_credentials(paths_, "r.io", user_credentials(), Limits{}));
  EXPECT_TRUE(fs::is_symlink(path("docker/config.json")));
  EXPECT_NE(read("real.json").find("r.io"), std::string::npos);
}

TEST_F(AuthFile, AHelperGetsTheSecretAndTheFileDoesNot) {
  write_helper();
  for (const char* json : {R"({"credsStore":"box"})", R"({"credHelpers":{"r.io":"box"}})"}) {
    write("docker/config.json", json);
    EXPECT_EQ(must(save_credentials(paths_, "r.io", user_credentials(), Limits{})),
              "docker-credential-box");
    EXPECT_EQ(read("kept.store"), R"({"Secret":"pass:word","ServerURL":"r.io","Username":"user"})");
    const std::string text = read("docker/config.json");
    EXPECT_NE(text.find(R"("r.io": {})"), std::string::npos) << text;
    EXPECT_EQ(text.find("pass"), std::string::npos);
    EXPECT_EQ(must(remove_credentials(paths_, "r.io", Limits{})).size(), 1U);
    EXPECT_EQ(read("kept.erase"), "r.io");
    EXPECT_FALSE(fs::exists(path("kept.store")));
  }
}

TEST_F(AuthFile, AHelperThatFailsLeavesTheFile) {
  write("docker-credential-bad", "#!/bin/sh\nexit 1\n", 0755);
  const std::string before = R"({"credsStore":"bad","auths":{"r.io":{"auth":"b2xkOng="}}})";
  write("docker/config.json", before);
  const auto saved = save_credentials(paths_, "r.io", user_credentials(), Limits{});
  ASSERT_FALSE(saved.has_value());
  EXPECT_NE(saved.error().what().find("failed to store"), std::string::npos);
  EXPECT_EQ(read("docker/config.json"), before);
}

TEST_F(AuthFile, LogoutForgetsEverywhere) {
  write("run/auth.json", R"({"auths":{"r.io":{"auth":"YTpi"},"b.io":{"auth":"YTpi"}}})");
  write("docker/config.json", R"({"auths":{"http://r.io/v2/":{"auth":"YTpi"}}})");
  EXPECT_EQ(must(remove_credentials(paths_, "r.io", Limits{})).size(), 2U);
  EXPECT_TRUE(found("r.io").empty());
  EXPECT_EQ(found("b.io").username, "a");
  EXPECT_TRUE(must(remove_credentials(paths_, "r.io", Limits{})).empty());
}

TEST_F(AuthFile, AFileOfSomethingElseIsNotOverwritten) {
  for (const char* text : {"[]", "{", R"({"auths":[]})", R"({"credHelpers":1})"}) {
    write("docker/config.json", text);
    EXPECT_FALSE(save_credentials(paths_, "r.io", user_credentials(), Limits{}).has_value())
        << text;
    EXPECT_EQ(read("docker/config.json"), text);
  }
}

// A matrix of CI jobs on one machine logs in at one time.
TEST_F(AuthFile, OfLoginsAtOneTimeNoneIsLost) {
  constexpr int kLogins = 20;
  std::vector<std::thread> logins;
  for (int i = 0; i < kLogins; ++i)
    logins.emplace_back([this, i] {
      const auto kept = save_credentials(paths_, cat("r", i, ".io"), user_credentials(), Limits{});
      EXPECT_TRUE(kept.has_value()) << kept.error().what();
    });
  for (std::thread& login : logins) login.join();
  for (int i = 0; i < kLogins; ++i) EXPECT_EQ(found(cat("r", i, ".io")).username, "user") << i;
}

TEST_F(AuthFile, UserNamesThatCannotBeKeptAreRefused) {
  Credentials credentials = user_credentials();
  for (const char* name : {"", "a:b"}) {
    credentials.username = name;
    EXPECT_EQ(save_credentials(paths_, "r.io", credentials, Limits{}).error().code(), Code::usage);
  }
}

// ---- asking the registry

Result<LoginAnswer> log_in(const FakeRegistry& registry, const Credentials& credentials) {
  return check_login(registry.name(), credentials, quick_options(), Limits{}, {});
}

TEST(Login, IsCheckedWithTheRegistry) {
  for (const auto auth : {FakeRegistry::Auth::basic, FakeRegistry::Auth::bearer}) {
    FakeRegistry registry;
    registry.auth = auth;
    EXPECT_EQ(must(log_in(registry, user_credentials())), LoginAnswer::accepted);
    Credentials wrong = user_credentials();
    wrong.password = "wrong";
    const auto refused = log_in(registry, wrong);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::unauthorized);
    EXPECT_NE(refused.error().hint().find("check user name and password"), std::string::npos);
  }
}

TEST(Login, AsksATokenServerForNoScope) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  (void)must(log_in(registry, user_credentials()));
  EXPECT_EQ(query_value(registry.requests("GET", "/token").at(0).query, "scope"), "");
}

TEST(Login, ARegistryThatDoesNotAskProvesNothing) {
  FakeRegistry registry;
  EXPECT_EQ(must(log_in(registry, user_credentials())), LoginAnswer::not_asked);
}

TEST(Login, AWebServerIsNoRegistry) {
  FakeRegistry registry;
  registry.inject({"GET", "/v2/", -1, [](const Received&, Reply reply) {
                     reply.headers = {{"Content-Type", "text/html"}};
                     reply.body = "<html>hello</html>";
                     return reply;
                   }});
  EXPECT_EQ(log_in(registry, user_credentials()).error().code(), Code::corrupt);
}

}  // namespace
}  // namespace cloister::oci
