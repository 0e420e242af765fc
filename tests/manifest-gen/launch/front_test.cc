#include "manifest-gen/launch/front.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cloister::manifest {
namespace {

Launch redis() {
  Launch out;
  out.argv = {"redis-server", "-h", "/etc/redis.conf"};
  out.program = "/usr/bin/redis-server";
  out.entrypoint = "/usr/bin/redis-check-rdb";
  out.workdir = "/data";
  out.env = {{"PATH", "/usr/bin"}};
  return out;
}

measure::Runtime runtime_with(const std::string& name) {
  measure::Runtime out;
  out.attestation.emplace(name, measure::RuntimeFile{0, "/bin/" + name, sha256(name), 7});
  return out;
}

std::string value(const Launch& launch, std::string_view name) {
  for (const auto& [key, text] : launch.env)
    if (key == name) return text;
  return "(none)";
}

TEST(RaTlsFront, KeepsTheProgramsOptionsFromTheWrapper) {
  const auto front =
      ra_tls_front(redis(), runtime_with("gramine-ratls"), {"/run/tls/a.crt", "/run/tls/a.key"});
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(front->argv,
            (std::vector<std::string>{"gramine-ratls", "/run/tls/a.crt", "/run/tls/a.key", "--",
                                      "redis-server", "-h", "/etc/redis.conf"}));
  EXPECT_EQ(front->directories, std::vector<std::string>{"/run/tls"});
  EXPECT_EQ(front->file.sha256, sha256("gramine-ratls"));
}

TEST(RaTlsFront, NeedsARuntimeThatHasIt) {
  const auto front = ra_tls_front(redis(), {}, {"/a/b", "/a/c"});
  ASSERT_FALSE(front.has_value());
  EXPECT_EQ(front.error().code(), Code::unresolved);
  EXPECT_NE(front.error().hint().find("--runtime"), std::string::npos);
}

TEST(PremainFront, StartsTheProgramByItsOwnNameAndNotByTheFileBehindIt) {
  Launch launch = redis();
  const auto front = premain_front(launch, runtime_with("premain-libos"));
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(front->argv,
            (std::vector<std::string>{"/usr/bin/redis-server", "-h", "/etc/redis.conf"}));
  EXPECT_EQ(front->host_files, std::vector<std::string>{"/data/uuid"});
  EXPECT_EQ(front->min_enclave_size, 1ULL << 30);
  EXPECT_EQ(front->min_threads, 16);
  EXPECT_EQ(launch.passthrough,
            (std::vector<std::string>{"EDG_MARBLE_TYPE", "EDG_MARBLE_COORDINATOR_ADDR",
                                      "EDG_MARBLE_DNS_NAMES", "EDG_MARBLE_UUID_FILE"}));
}

TEST(PremainFront, AVariableThatIsSetIsNotTheHosts) {
  Launch launch = redis();
  launch.env.emplace_back("EDG_MARBLE_TYPE", "cache");
  launch.passthrough = {"EDG_MARBLE_DNS_NAMES"};
  launch.workdir = "/";
  const auto front = premain_front(launch, runtime_with("premain-libos"));
  ASSERT_TRUE(front.has_value());
  EXPECT_EQ(front->host_files, std::vector<std::string>{"/uuid"});
  EXPECT_EQ(std::count(launch.passthrough.begin(), launch.passthrough.end(), "EDG_MARBLE_TYPE"), 0);
  EXPECT_EQ(
      std::count(launch.passthrough.begin(), launch.passthrough.end(), "EDG_MARBLE_DNS_NAMES"), 1);
  EXPECT_EQ(premain_front(launch, {}).error().code(), Code::unresolved);
}

TEST(SecretProvisioning, IsPreloadedBeforeWhatTheImagePreloads) {
  Launch launch = redis();
  launch.env.emplace_back("LD_PRELOAD", "libjemalloc.so.2");
  const auto runtime = runtime_with("libsecret_prov_attest.so");
  ASSERT_TRUE(add_secret_provisioning(launch, runtime, "kms:4433", "/ca.pem").has_value());
  EXPECT_EQ(value(launch, "LD_PRELOAD"), "libsecret_prov_attest.so:libjemalloc.so.2");
  EXPECT_EQ(value(launch, "SECRET_PROVISION_CONSTRUCTOR"), "1");
  EXPECT_EQ(value(launch, "SECRET_PROVISION_SERVERS"), "kms:4433");
  EXPECT_EQ(value(launch, "SECRET_PROVISION_CA_CHAIN_PATH"), "/ca.pem");
  Launch other = redis();
  EXPECT_EQ(add_secret_provisioning(other, {}, "kms:4433", "/ca.pem").error().code(),
            Code::unresolved);
  EXPECT_EQ(value(other, "LD_PRELOAD"), "(none)");
}

}  // namespace
}  // namespace cloister::manifest
