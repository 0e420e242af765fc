#include "oci/registry/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "oci/registry/credential_helper.h"
#include "tests/base/must.h"

namespace cloister::oci {
namespace {

// A directory of its own per test; first in PATH, for helpers.
class CredentialFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "cloister-cred-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    old_path_ = getenv("PATH");
    setenv("PATH", cat(name, ":", old_path_).c_str(), 1);
  }
  void TearDown() override {
    setenv("PATH", old_path_.c_str(), 1);
    fs::remove_all(directory_);
  }
  std::string write(const std::string& name, const std::string& text) const {
    const fs::path path = directory_ / name;
    must(write_file_atomic(path, as_bytes(text)));
    return path;
  }
  void write_helper(const std::string& name, const std::string& script) const {
    const std::string path = write("docker-credential-" + name, "#!/bin/sh\n" + script);
    ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  }
  static void must(Status status) { ASSERT_TRUE(status.has_value()) << status.error().what(); }

  static RegistryRef ref(const std::string& registry, const std::string& repository = "ns/app") {
    return {registry, repository, "latest", std::nullopt};
  }
  Credentials find(const std::string& json, const RegistryRef& ref) const {
    return cloister::must(find_credentials({write("auth.json", json), {}}, ref, Limits{}));
  }
  Error failure(const std::string& json, const RegistryRef& ref) const {
    auto result = find_credentials({write("auth.json", json), {}}, ref, Limits{});
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Error::internal("no failure") : std::move(result).error();
  }

  fs::path directory_;
  std::string old_path_;
};

std::string auth_entry(const std::string& user_password) {
  return cat(R"({"auth":")", base64(as_bytes(user_password)), R"("})");
}

TEST_F(CredentialFiles, PathsFollowTheEnvironment) {
  const auto paths = credential_paths({{"HOME", "/h"}}, "", 1000);
  EXPECT_EQ(
      paths.default_files,
      (std::vector<std::string>{"/run/containers/1000/auth.json", "/h/.config/containers/auth.json",
                                "/h/.docker/config.json", "/h/.dockercfg"}));
  EXPECT_EQ(paths.new_file, "/h/.docker/config.json");
  std::map<std::string, std::string> env = {{"HOME", "/h"},
                                            {"DOCKER_CONFIG", "/d"},
                                            {"XDG_RUNTIME_DIR", "/x"},
                                            {"XDG_CONFIG_HOME", "/c"}};
  const auto all = credential_paths(env, "/a", 0);
  EXPECT_EQ(all.authfile, "/a");
  EXPECT_EQ(all.default_files,
            (std::vector<std::string>{"/d/config.json", "/x/containers/auth.json",
                                      "/c/containers/auth.json", "/h/.docker/config.json",
                                      "/h/.dockercfg"}));
  EXPECT_EQ(all.new_file, "/d/config.json");
  env["REGISTRY_AUTH_FILE"] = "/r";
  const auto alone = credential_paths(env, "", 0);
  EXPECT_EQ(alone.default_files, std::vector<std::string>{"/r"});
  EXPECT_EQ(alone.new_file, "/r");
  EXPECT_EQ(credential_paths({}, "", 0).default_files,
            std::vector<std::string>{"/run/containers/0/auth.json"});
}

TEST_F(CredentialFiles, SplitsAuthAtTheFirstColon) {
  const auto got =
      find(cat(R"({"auths":{"r.io":)", auth_entry("user:pass:word"), "}}"), ref("r.io"));
  EXPECT_EQ(got.username, "user");
  EXPECT_EQ(got.password, "pass:word");
  const std::string padded("user:secret\0\0", 13);
  EXPECT_EQ(find(cat(R"({"auths":{"r.io":)", auth_entry(padded), "}}"), ref("r.io")).password,
            "secret");
}

TEST_F(CredentialFiles, TheMostSpecificKeyWins) {
  const std::string json =
      cat(R"({"auths":{"r.io":)", auth_entry("host:x"), R"(,"r.io/ns":)", auth_entry("namespace:x"),
          R"(,"r.io/ns/app":)", auth_entry("repository:x"), "}}");
  EXPECT_EQ(find(json, ref("r.io", "ns/app")).username, "repository");
  EXPECT_EQ(find(json, ref("r.io", "ns/other")).username, "namespace");
  EXPECT_EQ(find(json, ref("r.io", "nsx/app")).username, "host");
  EXPECT_TRUE(find(json, ref("r.io:5000")).empty());
  EXPECT_TRUE(find(json, ref("xr.io")).empty());
}

TEST_F(CredentialFiles, OldKeysAreUrls) {
  const std::string json = cat(R"({"auths":{"https://index.docker.io/v1/":)", auth_entry("hub:x"),
                               R"(,"http://old.io/v2/":)", auth_entry("old:x"), R"(,"slash.io/":)",
                               auth_entry("slash:x"), "}}");
  EXPECT_EQ(find(json, ref("docker.io", "library/redis")).username, "hub");
  EXPECT_EQ(find(json, ref("old.io")).username, "old");
  EXPECT_EQ(find(json, ref("slash.io")).username, "slash");
}

TEST_F(CredentialFiles, KnowsTokensAndSeparateFields) {
  const std::string json =
      R"({"auths":{"i.io":{"auth":"","identitytoken":"idt"},"r.io":{"registrytoken":"rt"},)"
      R"("u.io":{"username":"u","password":"p"},"e.io":{}}})";
  EXPECT_EQ(find(json, ref("i.io")).identity_token, "idt");
  EXPECT_EQ(find(json, ref("r.io")).registry_token, "rt");
  EXPECT_EQ(find(json, ref("u.io")).password, "p");
  EXPECT_TRUE(find(json, ref("e.io")).empty());
}

TEST_F(CredentialFiles, FilesAreTriedInTurn) {
  const std::string first = write("first.json", R"({"auths":{"other.io":{}}})");
  const std::string second =
      write("second.json", cat(R"({"auths":{"r.io":)", auth_entry("second:x"), "}}"));
  const std::string third =
      write("third.json", cat(R"({"auths":{"r.io":)", auth_entry("third:x"), "}}"));
  const CredentialPaths paths{"", {directory_ / "missing.json", first, second, third}};
  EXPECT_EQ(cloister::must(find_credentials(paths, ref("r.io"), Limits{})).username, "second");
  EXPECT_TRUE(cloister::must(find_credentials(paths, ref("q.io"), Limits{})).empty());
}

TEST_F(CredentialFiles, AnExplicitFileIsSearchedAlone) {
  const std::string other =
      write("other.json", cat(R"({"auths":{"r.io":)", auth_entry("other:x"), "}}"));
  const CredentialPaths missing{directory_ / "missing.json", {other}};
  EXPECT_EQ(find_credentials(missing, ref("r.io"), Limits{}).error().code(), Code::io);
  const CredentialPaths empty{write("empty.json", "{}"), {other}};
  EXPECT_TRUE(cloister::must(find_credentials(empty, ref("r.io"), Limits{})).empty());
}

TEST_F(CredentialFiles, DockercfgHasNoAuthsAround) {
  const std::string file = write(".dockercfg", cat(R"({"r.io":)", auth_entry("old:x"), "}"));
  EXPECT_EQ(cloister::must(find_credentials({"", {file}}, ref("r.io"), Limits{})).username, "old");
}

TEST_F(CredentialFiles, MalformedFilesAreErrorsThatNameThem) {
  for (const char* json :
       {"{", "[]", R"({"auths":[]})", R"({"auths":{"r.io":"x"}})",
        R"({"auths":{"r.io":{"auth":1}}})", R"({"auths":{"r.io":{"auth":"!!"}}})",
        R"({"auths":{"r.io":{"auth":"dXNlcg=="}}})", R"({"auths":{"r.io":{"auth":"OnB3"}}})",
        R"({"credHelpers":{"r.io":1}})", R"({"credsStore":1})"}) {
    const Error error = failure(json, ref("r.io"));
    EXPECT_EQ(error.code(), Code::corrupt) << json;
    const std::string told = error.what() + (error.trace().empty() ? "" : error.trace()[0]);
    EXPECT_NE(told.find("auth.json"), std::string::npos) << told;
  }
  EXPECT_EQ(failure(std::string(2 << 20, ' '), ref("r.io")).code(), Code::limit);
  EXPECT_TRUE(find("", ref("r.io")).empty());  // Docker leaves empty files behind
}

TEST_F(CredentialFiles, ErrorsDoNotShowSecrets) {
  const Error error = failure(R"({"auths":{"r.io":{"auth":"c2VjcmV0LXdvcmQ="}}})", ref("r.io"));
  EXPECT_EQ(error.what().find("secret-word"), std::string::npos);
  EXPECT_EQ(error.what().find("c2Vj"), std::string::npos);
}

TEST_F(CredentialFiles, HelpersComeBeforeAuthsAndStoresAfter) {
  write_helper("helped", R"(read s; echo "{\"Username\":\"h\",\"Secret\":\"for $s\"}")");
  write_helper("store", R"(read s; echo "{\"Username\":\"s\",\"Secret\":\"for $s\"}")");
  const std::string json =
      cat(R"({"credsStore":"store","credHelpers":{"h.io":"helped"},"auths":{"h.io":)",
          auth_entry("auths:x"), R"(,"a.io":)", auth_entry("auths:x"), R"(,"e.io":{}}})");
  EXPECT_EQ(find(json, ref("h.io")).password, "for h.io");
  EXPECT_EQ(find(json, ref("a.io")).username, "auths");
  EXPECT_EQ(find(json, ref("e.io")).password, "for e.io");
  EXPECT_EQ(find(json, ref("docker.io")).password, "for https://index.docker.io/v1/");
}

TEST_F(CredentialFiles, HelpersMayGiveIdentityTokensOrNothing) {
  write_helper("token", R"(echo '{"Username":"<token>","Secret":"refresh-me"}')");
  write_helper("none", "echo 'credentials not found in native keychain'; exit 1");
  const auto token = cloister::must(run_credential_helper("token", "r.io", "f", {}, Limits{}));
  EXPECT_EQ(token.identity_token, "refresh-me");
  EXPECT_TRUE(token.username.empty());
  EXPECT_TRUE(cloister::must(run_credential_helper("none", "r.io", "f", {}, Limits{})).empty());
}

TEST_F(CredentialFiles, HelpersSeeTheEnvironmentThatIsHandedOnAndNoMore) {
  write_helper("env", R"(echo "{\"Username\":\"u\",\"Secret\":\"[$GIVEN][$KEPT]\"}")");
  ASSERT_EQ(setenv("KEPT", "ours", 1), 0);
  const auto got =
      cloister::must(run_credential_helper("env", "r.io", "f", {{"GIVEN", "a b"}}, Limits{}));
  EXPECT_EQ(got.password, "[a b][]");
  unsetenv("KEPT");
}

TEST_F(CredentialFiles, HelpersThatMisbehaveAreErrors) {
  write_helper("fails", "echo my-secret; exit 3");
  write_helper("garbage", "echo not json");
  write_helper("chatty", "yes");
  write_helper("stuck", "exec sleep 30");
  write_helper("killed", "kill -9 $$");
  const auto run = [](const std::string& name) {
    auto result =
        run_credential_helper(name, "r.io", "f.json", {}, Limits{}, std::chrono::seconds(1));
    EXPECT_FALSE(result.has_value()) << name;
    return result.has_value() ? Error::internal("no failure") : std::move(result).error();
  };
  const Error fails = run("fails");
  EXPECT_EQ(fails.code(), Code::io);
  EXPECT_NE(fails.what().find("docker-credential-fails"), std::string::npos);
  EXPECT_EQ(fails.what().find("my-secret"), std::string::npos);
  EXPECT_EQ(run("garbage").code(), Code::corrupt);
  EXPECT_EQ(run("chatty").code(), Code::limit);
  EXPECT_EQ(run("stuck").code(), Code::unavailable);
  EXPECT_EQ(run("killed").code(), Code::io);
  const Error missing = run("not-installed");
  EXPECT_EQ(missing.code(), Code::io);
  EXPECT_NE(missing.what().find("docker-credential-not-installed"), std::string::npos);
}

TEST_F(CredentialFiles, HelperNamesCannotLeaveThePath) {
  for (const char* name : {"", "../evil", "a/b", "a b", "a;b", "$(x)", "a\nb"})
    EXPECT_EQ(run_credential_helper(name, "r.io", "f", {}, Limits{}).error().code(), Code::invalid)
        << name;
}

}  // namespace
}  // namespace cloister::oci
