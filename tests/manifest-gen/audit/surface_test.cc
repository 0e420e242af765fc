#include "manifest-gen/audit/surface.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "measure/elf/noted_imports.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

TomlTable trusting(std::string_view files) {
  auto table = parse_toml(cat("sgx.trusted_files = [", files, "]"), Limits{}, "manifest");
  EXPECT_TRUE(table) << files;
  return *table;
}

measure::elf::Facts with_imports(std::vector<std::string> imports) {
  measure::elf::Facts facts = test::program();
  facts.imports = std::move(imports);
  return facts;
}

TEST(Surface, AFileUnderSeveralNamesCountsOnce) {
  const measure::Rootfs rootfs = test::Tree()
                                     .elf("/usr/bin/app", with_imports({"execve", "socket"}))
                                     .link("/bin", "usr/bin")
                                     .script("/usr/bin/run", "#!/bin/sh\n")
                                     .file("/etc/app.conf", "a=1\n")
                                     .file("/etc/other", "")
                                     .build();
  const std::map<std::string, std::string> reasons = {{"file:/bin/app", "what runs"},
                                                      {"file:/usr/bin/app", "what runs"}};
  const TomlTable manifest = trusting(
      "'file:/bin/app', 'file:/usr/bin/app', 'file:/usr/bin/run', 'file:/etc/app.conf', "
      "'file:/gramine/runtime/glibc/libc.so.6'");
  const Surface surface =
      surface_of({.manifest = manifest, .rootfs = &rootfs, .reasons = &reasons});
  ASSERT_EQ(surface.files.size(), 4U);
  EXPECT_EQ(surface.files[0].path, "/etc/app.conf");
  EXPECT_EQ(surface.files[0].kind, GrantedFile::Kind::data);
  EXPECT_EQ(surface.files[1].kind, GrantedFile::Kind::runtime);
  EXPECT_EQ(surface.files[2].path, "/usr/bin/app");
  EXPECT_EQ(surface.files[2].aliases, std::vector<std::string>{"/bin/app"});
  EXPECT_EQ(surface.files[2].reasons, std::vector<std::string>{"what runs"});
  EXPECT_EQ(surface.files[3].kind, GrantedFile::Kind::script);
  EXPECT_EQ(surface.image_files, 4U);
  EXPECT_EQ(surface.elf, 1U);
  EXPECT_EQ(surface.scripts, 1U);
  EXPECT_EQ(surface.bytes, 4096U + 10U + 4U);
  ASSERT_EQ(surface.capabilities.size(), 2U);
  EXPECT_EQ(surface.capabilities[0].name, "network");
  EXPECT_EQ(surface.capabilities[1].name, "execute");
  EXPECT_EQ(surface.capabilities[1].functions, std::vector<std::string>{"execve"});
  ASSERT_EQ(surface.packages.size(), 2U);
  EXPECT_EQ(surface.packages[0].name, "");  // no package
  EXPECT_EQ(surface.packages[0].files, 3U);
  EXPECT_EQ(surface.packages[1].name, kRuntimeShare);
}

TEST(Surface, AManifestAloneGivesPaths) {
  const TomlTable manifest = trusting("{ uri = 'file:/a', sha256 = 'ff' }, 'file:b'");
  const Surface surface = surface_of({.manifest = manifest});
  ASSERT_EQ(surface.files.size(), 2U);
  EXPECT_EQ(surface.files[0].path, "/a");
  EXPECT_EQ(surface.files[0].sha256, "ff");
  EXPECT_FALSE(surface.files[0].size);
  EXPECT_TRUE(surface.packages.empty());
  EXPECT_TRUE(surface.capabilities.empty());
}

// An import that is not noted is never found.
TEST(Surface, EveryFunctionAskedAboutIsNoted) {
  for (const std::string_view name :
       {"socket", "bind",    "listen", "accept4", "getaddrinfo", "execve",      "execv",
        "execvp", "execvpe", "execl",  "execlp",  "fexecve",     "posix_spawn", "posix_spawnp",
        "system", "popen",   "fork",   "vfork",   "_Fork",       "dlopen",      "dlmopen"})
    EXPECT_TRUE(measure::elf::is_noted_import(name)) << name;
}

}  // namespace
}  // namespace cloister::manifest
