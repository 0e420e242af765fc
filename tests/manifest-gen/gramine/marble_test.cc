// What a Gramine manifest starts, read for MarbleRun.
#include "manifest-gen/gramine/marble.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

Result<MarbleLaunch> launch_in(std::string_view toml) {
  return marble_launch({must(parse_toml(toml, Limits(), "a manifest"))});
}
using Variables = std::vector<std::pair<std::string, std::string>>;

TEST(MarbleLaunch, IsWhatTheManifestStarts) {
  const MarbleLaunch out = must(launch_in(R"(
libos.entrypoint = "/usr/bin/redis-server"
loader.argv = ["redis-server", "--save", ""]
loader.env.LD_LIBRARY_PATH = "/gramine/runtime/glibc"
loader.env.HOME = "/data"
loader.env.MODE = { value = "fast" }
loader.env.PASSWORD = { passthrough = true }
sgx.remote_attestation = "dcap"
)"));
  EXPECT_EQ(out.argv, (std::vector<std::string>{"redis-server", "--save", ""}));
  EXPECT_EQ(out.env, (Variables{{"HOME", "/data"}, {"MODE", "fast"}}));
  EXPECT_EQ(out.host_env, std::vector<std::string>{"PASSWORD"});
  EXPECT_TRUE(out.keys.empty());
  EXPECT_TRUE(out.attested);
  EXPECT_FALSE(out.premain);
  EXPECT_FALSE(out.host_argv);
}

TEST(MarbleLaunch, KnowsPremainAndItsOwnVariables) {
  const MarbleLaunch out = must(launch_in(R"(
libos.entrypoint = "/gramine/premain-libos"
loader.argv = ["/usr/bin/app"]
loader.env.EDG_MARBLE_TYPE = { passthrough = true }
loader.env.EDG_MARBLE_COORDINATOR_ADDR = { passthrough = true }
)"));
  EXPECT_TRUE(out.premain);
  EXPECT_TRUE(out.host_env.empty());
  EXPECT_FALSE(out.attested);
}

TEST(MarbleLaunch, ArgumentsAreNeverEmpty) {
  EXPECT_EQ(must(launch_in("libos.entrypoint = \"/app\"\n")).argv,
            std::vector<std::string>{"/app"});
  EXPECT_EQ(must(launch_in("libos.entrypoint = \"/app\"\nloader.argv = []\n")).argv,
            std::vector<std::string>{"/app"});
  const MarbleLaunch host =
      must(launch_in("libos.entrypoint = \"/app\"\nloader.insecure__use_cmdline_argv = true\n"));
  EXPECT_TRUE(host.host_argv);
  const auto none = launch_in("loader.argv = [\"x\"]\n");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::invalid);
}

TEST(MarbleLaunch, KeysAreThoseThatSomebodyMustGive) {
  const MarbleLaunch out = must(launch_in(R"(
libos.entrypoint = "/app"
fs.mounts = [
  { type = "tmpfs", path = "/tmp" },
  { type = "encrypted", path = "/a", uri = "file:/a", key_name = "disk" },
  { type = "encrypted", path = "/b", uri = "file:/b", key_name = "disk" },
  { type = "encrypted", path = "/c", uri = "file:/c", key_name = "_sgx_mrenclave" },
  { type = "encrypted", path = "/d", uri = "file:/d", key_name = "_sgx_mrsigner" },
  { type = "encrypted", path = "/e", uri = "file:/e" },
]
)"));
  EXPECT_EQ(out.keys, (std::vector<std::string>{"disk", "default"}));
}

}  // namespace
}  // namespace cloister::manifest
