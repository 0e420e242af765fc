#include "manifest-gen/launch/launch.h"

#include <gtest/gtest.h>

#include "manifest-gen/launch/program_search.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::program;
using test::Tree;

Tree usual() {
  Tree tree;
  for (const char* path : {"/proc", "/sys", "/dev", "/tmp", "/data"}) tree.directory(path);
  tree.elf("/usr/bin/redis-check-rdb", program())
      .link("/usr/bin/redis-server", "redis-check-rdb")
      .file("/usr/bin/plain", "text")
      .directory("/usr/bin/dir")
      .link("/bin", "usr/bin")
      .file("/etc/passwd", "root:x:0:0::/root:\nredis:x:101:103::/var/lib/redis:\n")
      .file("/etc/group", "redis:x:103:\n");
  return tree;
}

oci::ExecutionConfig redis_config() {
  oci::ExecutionConfig config;
  config.entrypoint = {"redis-server"};
  config.cmd = {"/etc/redis.conf"};
  config.env = {"PATH=/usr/sbin:/usr/bin", "A=1", "A=2"};
  config.user = "redis";
  config.working_dir = "/data";
  return config;
}

const std::string* env(const Launch& launch, std::string_view name) {
  for (const auto& [key, value] : launch.env)
    if (key == name) return &value;
  return nullptr;
}

TEST(Launch, BareNameIsFoundInPathAndKeepsItsName) {
  const auto rootfs = usual().build();
  const auto launch = resolve_launch(redis_config(), rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->argv, (std::vector<std::string>{"redis-server", "/etc/redis.conf"}));
  EXPECT_EQ(launch->program, "/usr/bin/redis-server");
  EXPECT_EQ(launch->entrypoint, "/usr/bin/redis-check-rdb");
  EXPECT_EQ(launch->uid, 101u);
  EXPECT_EQ(launch->gid, 103u);
  EXPECT_EQ(launch->workdir, "/data");
  EXPECT_TRUE(launch->missing_directories.empty());
}

TEST(Launch, LastValueOfARepeatedVariableWinsAndHomeIsAdded) {
  const auto rootfs = usual().build();
  const auto launch = resolve_launch(redis_config(), rootfs, {});
  ASSERT_TRUE(launch);
  EXPECT_EQ(*env(*launch, "A"), "2");
  EXPECT_EQ(*env(*launch, "HOME"), "/var/lib/redis");
  EXPECT_EQ(launch->env.front().first, "PATH");
}

TEST(Launch, DockersPathIsAddedWhenThereIsNone) {
  const auto rootfs = usual().build();
  auto config = redis_config();
  config.env = {"NOEQUALS", "=noname"};
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_TRUE(launch);
  EXPECT_EQ(*env(*launch, "PATH"), kDefaultPath);
  EXPECT_EQ(launch->env.size(), 2u);
  EXPECT_EQ(env(*launch, "HOSTNAME"), nullptr);
}

TEST(Launch, OverridesReplaceEntrypointArgumentsAndEnvironment) {
  const auto rootfs = usual().build();
  LaunchOverrides overrides;
  overrides.entrypoint = "/bin/redis-server";
  overrides.env = {{"A", "3"}, {"B", "4"}};
  overrides.passthrough = {"HOME", "HOME"};
  overrides.user = "5:6";
  overrides.workdir = "/new/../work";
  const auto launch = resolve_launch(redis_config(), rootfs, overrides);
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->argv, std::vector<std::string>{"/bin/redis-server"});
  EXPECT_EQ(launch->program, "/bin/redis-server");
  EXPECT_EQ(launch->entrypoint, "/usr/bin/redis-check-rdb");
  EXPECT_EQ(*env(*launch, "A"), "3");
  EXPECT_EQ(*env(*launch, "B"), "4");
  EXPECT_EQ(env(*launch, "HOME"), nullptr);
  EXPECT_EQ(launch->passthrough, std::vector<std::string>{"HOME"});
  EXPECT_EQ(launch->uid, 5u);
  EXPECT_EQ(launch->workdir, "/work");
  EXPECT_EQ(launch->missing_directories, std::vector<std::string>{"/work"});
}

TEST(Launch, ArgumentsReplaceCmdOnly) {
  const auto rootfs = usual().build();
  LaunchOverrides overrides;
  overrides.args = {"--port", "1"};
  const auto launch = resolve_launch(redis_config(), rootfs, overrides);
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->argv, (std::vector<std::string>{"redis-server", "--port", "1"}));
}

TEST(Launch, PathWithSlashIsRelativeToTheWorkingDirectory) {
  const auto rootfs = usual().script("/data/run.sh", "#!/bin/sh\n").build();
  auto config = redis_config();
  config.entrypoint = {"./run.sh"};
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->program, "/data/run.sh");
}

TEST(Launch, EmptyPathEntryMeansTheWorkingDirectory) {
  const auto rootfs = usual().script("/data/run.sh", "#!/bin/sh\n").build();
  auto config = redis_config();
  config.env = {"PATH=/nowhere:"};
  config.entrypoint = {"run.sh"};
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->program, "/data/run.sh");
}

TEST(Launch, DotDotBehindALinkIsResolvedNotErased) {
  const auto rootfs = usual().link("/lnk", "/usr/bin").elf("/usr/tool", program()).build();
  auto config = redis_config();
  config.entrypoint = {"/lnk/../tool"};
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->program, "/usr/tool");
}

TEST(Launch, NoEntrypointIsUnresolved) {
  const auto rootfs = usual().build();
  const auto launch = resolve_launch({}, rootfs, {});
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code(), Code::unresolved);
  EXPECT_NE(launch.error().hint().find("--entrypoint"), std::string::npos);
}

TEST(Launch, MissingEntrypointListsPlacesAndTheNearestName) {
  const auto rootfs = usual().build();
  auto config = redis_config();
  config.entrypoint = {"redis-servr"};
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_FALSE(launch);
  EXPECT_EQ(launch.error().code(), Code::unresolved);
  EXPECT_EQ(launch.error().details(),
            (std::vector<std::string>{"searched /usr/sbin/redis-servr: not there",
                                      "searched /usr/bin/redis-servr: not there"}));
  EXPECT_EQ(launch.error().hint(), "did you mean '/usr/bin/redis-server'?");
}

TEST(Launch, OnlyExecutableRegularFilesCount) {
  const auto rootfs = usual().build();
  auto config = redis_config();
  config.entrypoint = {"plain"};
  EXPECT_EQ(resolve_launch(config, rootfs, {}).error().details().back(),
            "searched /usr/bin/plain: not executable");
  config.entrypoint = {"/usr/bin/dir"};
  EXPECT_EQ(resolve_launch(config, rootfs, {}).error().details().back(),
            "searched /usr/bin/dir: a directory");
}

TEST(Launch, MissingDirectoriesOfAScratchImage) {
  const auto rootfs = Tree().elf("/hello", program({})).build();
  oci::ExecutionConfig config;
  config.entrypoint = {"/hello"};
  config.working_dir = "work";
  const auto launch = resolve_launch(config, rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  EXPECT_EQ(launch->workdir, "/work");
  EXPECT_EQ(launch->missing_directories,
            (std::vector<std::string>{"/work", "/proc", "/sys", "/dev", "/tmp"}));
  EXPECT_EQ(*env(*launch, "HOME"), "/");
}

TEST(Launch, WorkingDirectoryThatIsAFileIsRefused) {
  const auto rootfs = usual().build();
  auto config = redis_config();
  config.working_dir = "/usr/bin/plain";
  EXPECT_EQ(resolve_launch(config, rootfs, {}).error().code(), Code::unresolved);
}

TEST(Launch, ValuesThatTomlCannotHoldAreRefused) {
  const auto rootfs = usual().build();
  auto config = redis_config();
  config.cmd = {"\xff"};
  EXPECT_EQ(resolve_launch(config, rootfs, {}).error().code(), Code::unsupported);
  config = redis_config();
  config.env.push_back(std::string("X=a\0b", 5));
  EXPECT_EQ(resolve_launch(config, rootfs, {}).error().code(), Code::unsupported);
  config = redis_config();
  config.env.push_back(
      "X=gr\xc3\xbc\xc3\x9f"
      "e");
  EXPECT_TRUE(resolve_launch(config, rootfs, {}));
}

TEST(Launch, NamesOfVariablesAreChecked) {
  const auto rootfs = usual().build();
  LaunchOverrides overrides;
  overrides.passthrough = {"A=B"};
  EXPECT_EQ(resolve_launch(redis_config(), rootfs, overrides).error().code(), Code::invalid);
  overrides.passthrough = {};
  overrides.env = {{"", "x"}};
  EXPECT_EQ(resolve_launch(redis_config(), rootfs, overrides).error().code(), Code::invalid);
}

}  // namespace
}  // namespace cloister::manifest
