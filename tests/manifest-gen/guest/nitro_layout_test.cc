#include "manifest-gen/guest/nitro_layout.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

using Type = GuestEntry::Type;

GuestPlan redis() {
  GuestPlan plan;
  plan.argv = {"redis-server", "--save", "", "/etc/my redis.conf"};
  plan.program = "/usr/bin/redis-server";
  plan.env = {{"PATH", "/usr/bin:/bin"}, {"EMPTY", ""}, {"QUOTED", "it's = \"this\""}};
  plan.workdir = "/";
  return plan;
}

class NitroLayoutTest : public testing::Test {
 protected:
  FileSpool spool = must(FileSpool::create());
  const Bytes init = to_bytes("an init"), nsm = to_bytes("a module");

  GuestEntry file(std::string_view content, std::uint32_t mode = 0644) {
    GuestEntry out;
    out.type = Type::file;
    out.mode = mode;
    out.size = content.size();
    out.sha256 = sha256(content);
    out.offset = must(spool.append(as_bytes(content)));
    return out;
  }
  Result<NitroLayout> layout(const GuestPlan& plan, GuestTree root = {}) {
    return nitro_layout(nitro_plan(plan).plan, std::move(root), {init, nsm}, spool);
  }
  std::string content(const GuestEntry& entry) const {
    Bytes out(entry.size);
    EXPECT_EQ(entry.type, Type::file);
    EXPECT_TRUE(spool.read(entry.offset, out).has_value());
    EXPECT_EQ(sha256(out), entry.sha256);
    return std::string(as_text(out));
  }
  static std::string names(const GuestTree& tree) {
    std::string out;
    for (const auto& [path, entry] : tree) out += path + "\n";
    return out;
  }
};

TEST_F(NitroLayoutTest, TheFirstRamdiskBoots) {
  const NitroLayout made = must(layout(redis()));
  EXPECT_EQ(names(made.boot), "dev\ninit\nnsm.ko\n");
  EXPECT_EQ(made.boot.at("dev").type, Type::directory);
  EXPECT_EQ(made.boot.at("dev").mode, 0755U);
  EXPECT_EQ(content(made.boot.at("init")), "an init");
  EXPECT_EQ(made.boot.at("init").mode, 0755U);
  EXPECT_EQ(content(made.boot.at("nsm.ko")), "a module");
  const NitroLayout built_in = must(nitro_layout(redis(), {}, {init, {}}, spool));
  EXPECT_EQ(names(built_in.boot), "dev\ninit\n");
}

TEST_F(NitroLayoutTest, TheLastRamdiskSaysWhatIsStarted) {
  const NitroLayout made = must(layout(redis()));
  EXPECT_EQ(names(made.start), "cmd\nenv\n");
  EXPECT_EQ(content(made.start.at("cmd")), "/usr/bin/redis-server\n--save\n\n/etc/my redis.conf\n");
  EXPECT_EQ(content(made.start.at("env")), "PATH=/usr/bin:/bin\nEMPTY=\nQUOTED=it's = \"this\"\n");
  EXPECT_EQ(made.start.at("cmd").mode, 0644U);
}

TEST_F(NitroLayoutTest, TheRootIsBelowRootfsWithMountPoints) {
  GuestTree root;
  root[""].mode = 0555;
  root["tmp"].mode = 01777;
  root["usr"] = {};
  root["usr/bin"] = {};
  root["usr/bin/redis-server"] = file("a program", 0755);
  root["run"].type = Type::symlink;
  root["run"].link_target = "/usr/run";
  const GuestEntry program = root["usr/bin/redis-server"];
  const NitroLayout made = must(layout(redis(), root));
  EXPECT_EQ(names(made.root),
            "rootfs\nrootfs/dev\nrootfs/proc\nrootfs/run\nrootfs/sys\nrootfs/tmp\nrootfs/usr\n"
            "rootfs/usr/bin\nrootfs/usr/bin/redis-server\nrootfs/var\n");
  EXPECT_EQ(made.root.at("rootfs").mode, 0555U);
  EXPECT_EQ(made.root.at("rootfs/tmp").mode, 01777U);
  EXPECT_EQ(made.root.at("rootfs/proc").mode, 0755U);
  EXPECT_EQ(made.root.at("rootfs/run").link_target, "/usr/run");
  EXPECT_EQ(made.root.at("rootfs/usr/bin/redis-server"), program);
}

TEST_F(NitroLayoutTest, AnEmptyRootHasMountPointsOnly) {
  EXPECT_EQ(names(must(layout(redis())).root),
            "rootfs\nrootfs/dev\nrootfs/proc\nrootfs/run\nrootfs/sys\nrootfs/tmp\nrootfs/var\n");
}

TEST_F(NitroLayoutTest, AFileIsNoMountPoint) {
  GuestTree root;
  root["proc"] = file("");
  const auto made = layout(redis(), root);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), Code::unsupported);
  EXPECT_EQ(made.error().what(), "the image has a file '/proc'");
}

TEST_F(NitroLayoutTest, ALineFeedWouldBeAnotherArgument) {
  GuestPlan plan = redis();
  plan.argv.push_back("a\n--evil");
  EXPECT_EQ(layout(plan).error().code(), Code::unsupported);
  plan = redis();
  plan.env.emplace_back("A", "b\nLD_PRELOAD=/evil.so");
  const auto made = layout(plan);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().what(),
            "the variable 'A=b\\x0aLD_PRELOAD=/evil.so' has a line feed in it");
}

TEST(NitroPlanTest, SaysWhatTheFirstProcessDoesNotDo) {
  GuestPlan plan = redis();
  EXPECT_FALSE(nitro_plan(plan).ignores_user || nitro_plan(plan).ignores_workdir);
  plan.groups = {7};
  EXPECT_TRUE(nitro_plan(plan).ignores_user);
  plan = redis();
  plan.uid = 999;
  plan.workdir = "/data";
  EXPECT_TRUE(nitro_plan(plan).ignores_user && nitro_plan(plan).ignores_workdir);
}

TEST(NitroPlanTest, IsWhatThatProcessDoes) {
  GuestPlan plan = redis();
  plan.uid = plan.gid = 999;
  plan.groups = {7};
  plan.workdir = "/data";
  plan.hostname = "redis";
  plan.ports = {"6379/tcp"};
  plan.writable = {{"/data", 0700, 999, 999, ""}};
  const GuestPlan made = nitro_plan(plan).plan;
  EXPECT_EQ(made.argv, (std::vector<std::string>{"/usr/bin/redis-server", "--save", "",
                                                 "/etc/my redis.conf"}));
  EXPECT_EQ(made.program, "/usr/bin/redis-server");
  EXPECT_EQ(made.env, plan.env);
  EXPECT_EQ(made.ports, plan.ports);
  EXPECT_EQ(made.uid + made.gid + made.groups.size(), 0U);
  EXPECT_EQ(made.workdir, "/");
  EXPECT_EQ(made.hostname, "");
  EXPECT_FALSE(made.network);
  ASSERT_EQ(made.writable.size(), 1U);
  EXPECT_EQ(made.writable[0].path, "/");
}

TEST(NitroPlanTest, ASecondTimeChangesNothing) {
  GuestPlan plan = redis();
  plan.argv.clear();
  plan.uid = 5;
  const GuestPlan once = nitro_plan(plan).plan, twice = nitro_plan(once).plan;
  EXPECT_EQ(once.argv, std::vector<std::string>{"/usr/bin/redis-server"});
  EXPECT_EQ(twice.argv, once.argv);
  EXPECT_EQ(twice.writable[0].path, once.writable[0].path);
  EXPECT_FALSE(nitro_plan(once).ignores_user);
}

}  // namespace
}  // namespace cloister::manifest
