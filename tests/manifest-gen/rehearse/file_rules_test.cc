#include "manifest-gen/rehearse/file_rules.h"

#include <gtest/gtest.h>

#include "base/toml.h"

namespace cloister::manifest {
namespace {

FileRules rules(std::string_view toml) {
  return FileRules(*parse_toml(toml, Limits(), "test"));
}

constexpr std::string_view kManifest = R"(
fs.root.uri = "file:/"
fs.mounts = [
  { type = "tmpfs", path = "/tmp" },
  { type = "tmpfs", path = "/dev/shm" },
  { type = "encrypted", path = "/var/lib/db", uri = "file:/var/lib/db", key_name = "_sgx_mrenclave" },
  { type = "chroot", path = "/data", uri = "file:/srv/data" },
]
sgx.trusted_files = [
  { uri = "file:/usr/bin/app", sha256 = "00" },
  { uri = "file:/usr/share/app/", sha256 = "00" },
  "file:/srv/data/known",
]
sgx.allowed_files = ["file:/var/log/app.log", "file:/run/app/", "file:/var/lib/data"]
)";

TEST(FileRules, DecideByTheLexicalPath) {
  const FileRules r = rules(kManifest);
  EXPECT_EQ(r.place("/usr/bin/app"), Place::trusted);
  EXPECT_EQ(r.place("/bin/app"), Place::ungranted);
  EXPECT_EQ(r.place("/usr/share/app/x/y"), Place::trusted);
  EXPECT_EQ(r.place("/usr/share/application"), Place::ungranted);
  EXPECT_EQ(r.place("/var/log/app.log"), Place::allowed);
  EXPECT_EQ(r.place("/run/app/pid"), Place::allowed);
  EXPECT_EQ(r.place("/var/lib/data/a/b"), Place::allowed) << "with or without a final slash";
  EXPECT_EQ(r.place("/var/lib/database"), Place::ungranted);
  EXPECT_EQ(r.place("/tmp/x"), Place::tmpfs);
  EXPECT_EQ(r.place("/var/lib/db/x"), Place::encrypted);
}

TEST(FileRules, FollowMountsToTheHostsPath) {
  const FileRules r = rules(kManifest);
  EXPECT_EQ(r.place("/data/known"), Place::trusted);
  EXPECT_EQ(r.place("/srv/data/known"), Place::trusted);
  EXPECT_EQ(r.place("/data/other"), Place::ungranted);
}

TEST(FileRules, KnowWhatGramineMakesOfPseudoFileSystems) {
  const FileRules r = rules(kManifest);
  EXPECT_EQ(r.place("/proc/meminfo"), Place::pseudo);
  EXPECT_EQ(r.place("/proc/self/task/12/status"), Place::pseudo);
  EXPECT_EQ(r.place("/proc/self"), Place::pseudo);
  EXPECT_EQ(r.place("/proc/sys/vm/overcommit_memory"), Place::nowhere);
  EXPECT_EQ(r.place("/proc/self/cgroup"), Place::nowhere);
  EXPECT_EQ(r.place("/dev/null"), Place::pseudo);
  EXPECT_EQ(r.place("/dev/kmsg"), Place::nowhere);
  EXPECT_EQ(r.place("/dev/shm/x"), Place::tmpfs);
  EXPECT_EQ(r.place("/sys/devices/system/cpu/cpu12/cache/index0/size"), Place::pseudo);
  EXPECT_EQ(r.place("/sys/fs/cgroup"), Place::nowhere);
  EXPECT_EQ(r.place("/process"), Place::ungranted);
}

TEST(FileRules, PermitLookingAnywhereAndOpeningWhatIsGranted) {
  const FileRules r = rules(kManifest);
  const auto permits = [&](std::string_view path, FileUse use,
                           ObservedType type = ObservedType::regular) {
    return r.permits(path, use, type);
  };
  EXPECT_TRUE(permits("/etc/shadow", FileUse::look));
  EXPECT_TRUE(permits("/etc", FileUse::list, ObservedType::directory));
  EXPECT_FALSE(permits("/etc/shadow", FileUse::read));
  EXPECT_FALSE(permits("/bin/sh", FileUse::execute));
  EXPECT_TRUE(permits("/etc/absent", FileUse::read, ObservedType::unknown));
  EXPECT_TRUE(permits("/usr/bin/app", FileUse::execute));
  EXPECT_FALSE(permits("/usr/bin/app", FileUse::write));
  EXPECT_FALSE(permits("/usr/bin/app", FileUse::create));
  EXPECT_TRUE(permits("/var/log/app.log", FileUse::write));
  EXPECT_TRUE(permits("/tmp/new", FileUse::create, ObservedType::unknown));
  EXPECT_FALSE(permits("/srv/new", FileUse::create, ObservedType::unknown));
  EXPECT_TRUE(permits("/srv/new", FileUse::create, ObservedType::directory));
  EXPECT_FALSE(permits("/proc/new", FileUse::create, ObservedType::directory));
}

TEST(FileRules, LetStandInsThrough) {
  FileRules r = rules(kManifest);
  EXPECT_FALSE(r.permits("/lib/libc.so.6", FileUse::read, ObservedType::regular));
  r.stand_in("libc.so.6");
  EXPECT_TRUE(r.permits("/lib/libc.so.6", FileUse::read, ObservedType::regular));
}

TEST(FileRules, LetEverythingThroughUnderThePermissivePolicy) {
  const FileRules r =
      rules("sgx.file_check_policy = \"allow_all_but_log\"\nfs.root.uri=\"file:/\"");
  EXPECT_TRUE(r.permits("/etc/shadow", FileUse::read, ObservedType::regular));
}

TEST(ImplementedByGramine, FollowsItsFeatureList) {
  EXPECT_EQ(implemented_by_gramine("read"), Implemented::fully);
  EXPECT_EQ(implemented_by_gramine("openat"), Implemented::partly);
  EXPECT_EQ(implemented_by_gramine("_sysctl"), Implemented::no);
  EXPECT_EQ(implemented_by_gramine("vmsplice"), Implemented::no);
  EXPECT_EQ(implemented_by_gramine("accept"), Implemented::fully);
}

}  // namespace
}  // namespace cloister::manifest
