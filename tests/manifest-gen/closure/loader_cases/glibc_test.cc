// glibc's rules, one test each.
#include "tests/manifest-gen/closure/loader_cases/loader_case.h"

namespace cloister::manifest {
namespace {

using test::LoadableElf;

struct GlibcLoader : testing::Test {
  LoaderCase c{kGlibcLoader};
};

// The last place where an unresolved library was looked for.
std::string last_place(const Closure& closure, std::string_view name) {
  for (const Unresolved& item : closure.unresolved)
    if (item.name == name) return item.searched.back();
  return {};
}

constexpr const char* kDefault = "/usr/lib/x86_64-linux-gnu/";
std::string in_default(const char* name) {
  return cat(kDefault, name);
}

TEST_F(GlibcLoader, DefaultDirectoriesInOrder) {
  c.elf("/usr/lib/x86_64-linux-gnu/liba.so", {})
      .elf("/usr/lib/liba.so", {})
      .elf("/usr/lib/libb.so", {})
      .elf("/usr/lib64/libc64.so", {})
      .program("/app/p", {.needed = {"liba.so", "libb.so", "libc64.so"}});
  c.expect(
      {{"liba.so", in_default("liba.so")}, {"libb.so", "/usr/lib/libb.so"}, {"libc64.so", ""}});
}

TEST_F(GlibcLoader, RpathIsInheritedAlongTheChain) {
  c.elf("/one/liba.so", {.rpath = "/two", .needed = {"libb.so"}})
      .elf("/two/libb.so", {.needed = {"libc1.so", "libc2.so"}})
      .elf("/one/libc1.so", {})
      .elf("/two/libc2.so", {})
      .elf("/one/libc2.so", {})
      .program("/app/p", {.rpath = "/one", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/one/liba.so"},
            {"libb.so", "/two/libb.so"},
            {"libc1.so", "/one/libc1.so"},
            {"libc2.so", "/two/libc2.so"}});
}

TEST_F(GlibcLoader, RunpathServesItsOwnNeedsOnly) {
  c.elf("/one/liba.so", {.needed = {"libb.so"}})
      .elf("/one/libb.so", {})
      .program("/app/p", {.runpath = "/one", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/one/liba.so"}, {"libb.so", ""}});
}

TEST_F(GlibcLoader, RunpathHidesTheRpathOfTheSameObject) {
  c.elf("/one/liba.so", {})
      .elf("/two/liba.so", {.needed = {"libb.so"}})
      .elf("/one/libb.so", {})
      .program("/app/p", {.rpath = "/one", .runpath = "/two", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/two/liba.so"}, {"libb.so", ""}});
}

TEST_F(GlibcLoader, RunpathOfARequesterStopsInheritedRpaths) {
  c.elf("/one/liba.so", {.runpath = "/two", .needed = {"libb.so"}})
      .elf("/one/libb.so", {})
      .program("/app/p", {.rpath = "/one", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/one/liba.so"}, {"libb.so", ""}});
}

TEST_F(GlibcLoader, RpathBeforeLibraryPathBeforeRunpath) {
  c.elf("/env/liba.so", {})
      .elf("/env/libb.so", {})
      .elf("/r/liba.so", {.runpath = "/r", .needed = {"libb.so"}})
      .elf("/r/libb.so", {})
      .env("LD_LIBRARY_PATH", "/env")
      .program("/app/p", {.rpath = "/r", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/r/liba.so"}, {"libb.so", "/env/libb.so"}});
}

TEST_F(GlibcLoader, OriginIsTheDirectoryOfTheObjectThatSaysIt) {
  c.elf("/app/lib/liba.so", {.runpath = "${ORIGIN}/deep", .needed = {"libb.so"}})
      .elf("/app/lib/deep/libb.so", {})
      .program("/app/bin/p", {.runpath = "$ORIGIN/../lib", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/app/lib/liba.so"}, {"libb.so", "/app/lib/deep/libb.so"}});
}

TEST_F(GlibcLoader, OriginOfAProgramIsThatOfItsRealPath) {
  c.elf("/app/bin/liba.so", {})
      .program("/app/bin/p", {.runpath = "$ORIGIN", .needed = {"liba.so"}})
      .link("/usr/bin/p", "/app/bin/p")
      .run_as("/usr/bin/p");
  c.expect({{"liba.so", "/app/bin/liba.so"}});
}

TEST_F(GlibcLoader, TokensEndWhereANameEnds) {
  c.elf("/app/x/liba.so", {})
      .elf("/app_x/liba.so", {})
      .program("/app/p",
               {.runpath = "$ORIGIN_x:$ORIGINx:${ORIGIN:$ORIGIN/x", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/app/x/liba.so"}});
}

TEST_F(GlibcLoader, LibIsTheDistributions) {
  c.elf("/opt/lib/x86_64-linux-gnu/liba.so", {})
      .elf("/opt/lib/liba.so", {})
      .elf("/opt/lib/libb.so", {})
      .program("/app/p", {.runpath = "/opt/$LIB", .needed = {"liba.so", "libb.so"}});
  c.expect({{"liba.so", "/opt/lib/x86_64-linux-gnu/liba.so"}, {"libb.so", ""}});
}

TEST_F(GlibcLoader, EmptyElementsAreTheWorkingDirectoryEmptyListsAreNone) {
  c.workdir("/work")
      .elf("/work/liba.so", {})
      .elf("/opt/libc1.so", {})
      .elf("/opt/liba.so", {.soname = "other"})
      .program("/app/p", {.runpath = "/none::/opt", .needed = {"liba.so", "libc1.so"}});
  c.expect({{"liba.so", "/work/liba.so"}, {"libc1.so", "/opt/libc1.so"}});
}

TEST_F(GlibcLoader, LibraryPathHasSemicolonsAndTokens) {
  c.elf("/one/liba.so", {})
      .elf("/app/lib/libb.so", {})
      .env("LD_LIBRARY_PATH", "/none;/one:$ORIGIN/lib")
      .program("/app/p", {.needed = {"liba.so", "libb.so"}});
  c.expect({{"liba.so", "/one/liba.so"}, {"libb.so", "/app/lib/libb.so"}});
}

TEST_F(GlibcLoader, RunpathDoesNotGoBelowLinksLexically) {
  c.elf("/real/lib/liba.so", {})
      .link("/app/sub", "/real/sub")
      .file("/real/sub/x", "")
      .program("/app/p", {.runpath = "$ORIGIN/sub/../lib", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/real/lib/liba.so"}});
}

TEST_F(GlibcLoader, OtherClassesAndMachinesArePassedOver) {
  c.elf("/one/liba.so", {.elf_class = 1})
      .elf("/one/libb.so", {.machine = 183})
      .elf("/two/liba.so", {})
      .elf("/two/libb.so", {})
      .program("/app/p", {.runpath = "/one:/two", .needed = {"liba.so", "libb.so"}});
  c.expect({{"liba.so", "/two/liba.so"}, {"libb.so", "/two/libb.so"}});
}

TEST_F(GlibcLoader, AFileThatIsNoObjectEndsTheSearch) {
  c.file("/one/liba.so", "INPUT(libother.so)")
      .elf("/two/liba.so", {})
      .program("/app/p", {.runpath = "/one:/two", .needed = {"liba.so"}});
  const Closure closure = c.model();
  ASSERT_EQ(chosen(closure), (Choices{{"liba.so", ""}}));
  EXPECT_EQ(last_place(closure, "liba.so"),
            "/one/liba.so: not an ELF file (the loader gives up here)");
}

TEST_F(GlibcLoader, SonameOfALoadedObjectAnswers) {
  c.elf("/one/libx.so", {.soname = "liba.so.1"})
      .elf("/two/liba.so.1", {})
      .program("/app/p", {.rpath = "/one:/two", .needed = {"libx.so", "liba.so.1"}});
  const Closure closure = c.model();
  EXPECT_TRUE(paths_of(closure, "/two/liba.so.1").empty());
  c.expect({{"libx.so", "/one/libx.so"}});
}

TEST_F(GlibcLoader, SameFileUnderAnotherNameIsTheSameObject) {
  c.elf("/one/liba.so", {.rpath = "/two", .needed = {"libq.so"}})
      .elf("/two/libq.so", {})
      .link("/one/libb.so", "liba.so")
      .program("/app/p", {.rpath = "/one", .needed = {"liba.so", "libb.so"}});
  const Closure closure = c.model();
  // Under Gramine it is opened under both names.
  EXPECT_EQ(paths_of(closure, "/one/liba.so"),
            (std::vector<std::string>{"/one/liba.so", "/one/libb.so"}));
  c.expect({{"liba.so", "/one/liba.so"}, {"libq.so", "/two/libq.so"}});
}

TEST_F(GlibcLoader, NamesWithASlashAreNotSearched) {
  c.elf("/opt/liba.so", {})
      .elf("/app/sub/libb.so", {})
      .elf("/work/rel/libc1.so", {})
      .workdir("/work")
      .program("/app/p", {.rpath = "/opt",
                          .needed = {"/opt/liba.so", "$ORIGIN/sub/libb.so", "rel/libc1.so"}});
  const Closure closure = c.model();
  EXPECT_EQ(chosen(closure), (Choices{{"/opt/liba.so", "/opt/liba.so"},
                                      {"$ORIGIN/sub/libb.so", "/app/sub/libb.so"},
                                      {"rel/libc1.so", "/work/rel/libc1.so"}}));
}

TEST_F(GlibcLoader, NoDefaultDirectoriesWithNodeflib) {
  c.elf(in_default("liba.so"), {})
      .elf("/conf/libb.so", {})
      .file("/etc/ld.so.conf", "/conf\n")
      .program("/app/p", {.needed = {"liba.so", "libb.so"}, .flags_1 = 0x800});
  if (!c.ldconfig()) GTEST_SKIP() << "ldconfig cannot be run here";
  c.expect({{"liba.so", ""}, {"libb.so", "/conf/libb.so"}});
}

TEST_F(GlibcLoader, CacheDecidesBeforeTheDefaultDirectories) {
  c.elf("/conf/liba.so.1", {.soname = "liba.so.1"})
      .elf(in_default("liba.so.1"), {.soname = "liba.so.1"})
      .file("/etc/ld.so.conf", "include conf.d/*.conf\n")
      .file("/etc/conf.d/x.conf", "# first\n/conf\n")
      .program("/app/p", {.needed = {"liba.so.1"}});
  if (!c.ldconfig()) GTEST_SKIP() << "ldconfig cannot be run here";
  c.expect({{"liba.so.1", "/conf/liba.so.1"}});
}

TEST_F(GlibcLoader, StaleCacheEntriesAndWhatTheCacheLacks) {
  c.elf("/conf/liba.so.1", {.soname = "liba.so.1"})
      .file("/etc/ld.so.conf", "/conf\n")
      .program("/app/p", {.needed = {"liba.so.1", "libnew.so"}});
  if (!c.ldconfig()) GTEST_SKIP() << "ldconfig cannot be run here";
  c.remove("/conf/liba.so.1")
      .elf(in_default("liba.so.1"), {.soname = "liba.so.1"})
      .elf("/conf/libnew.so", {});
  c.expect({{"liba.so.1", in_default("liba.so.1")}, {"libnew.so", ""}});
  EXPECT_EQ(last_place(c.model(), "libnew.so"),
            "/conf/libnew.so: not in /etc/ld.so.cache (ldconfig was not run after it came)");
}

TEST_F(GlibcLoader, ConfiguredDirectoriesServeWhereThereIsNoCache) {
  c.elf("/conf/liba.so", {})
      .elf("/conf/libb.so", {})
      .elf(in_default("libb.so"), {})
      .file("/etc/ld.so.conf", "/conf\n")
      .program("/app/p", {.needed = {"liba.so", "libb.so"}});
  // The real loader finds liba.so only after ldconfig.
  EXPECT_EQ(chosen(c.model()),
            (Choices{{"liba.so", "/conf/liba.so"}, {"libb.so", in_default("libb.so")}}));
}

// Which one is taken depends on the processor: all are granted, and what they need.
TEST_F(GlibcLoader, HwcapsVariantsAreAllGranted) {
  for (const char* level : {"x86-64-v2", "x86-64-v3", "x86-64-v4", "haswell"})
    c.elf(cat("/opt/glibc-hwcaps/", level, "/liba.so"), {.needed = {cat("lib", level, ".so")}})
        .elf(cat("/opt/lib", level, ".so"), {});
  c.elf("/opt/liba.so", {}).program("/app/p", {.rpath = "/opt", .needed = {"liba.so"}});
  const Closure closure = c.model();
  EXPECT_EQ(chosen(closure), (Choices{{"liba.so", "/opt/liba.so"},
                                      {"libx86-64-v2.so", "/opt/libx86-64-v2.so"},
                                      {"libx86-64-v3.so", "/opt/libx86-64-v3.so"},
                                      {"libx86-64-v4.so", "/opt/libx86-64-v4.so"}}));
  std::size_t variants = 0;
  for (const Member& member : closure.members)
    variants += member.real_path.find("glibc-hwcaps/x86-64-v") != std::string::npos;
  EXPECT_EQ(variants, 3u);
}

TEST_F(GlibcLoader, HwcapsVariantsInTheCache) {
  c.elf("/conf/glibc-hwcaps/x86-64-v3/liba.so.1", {.soname = "liba.so.1"})
      .elf("/conf/liba.so.1", {.soname = "liba.so.1"})
      .file("/etc/ld.so.conf", "/conf\n")
      .program("/app/p", {.needed = {"liba.so.1"}});
  if (!c.ldconfig()) GTEST_SKIP() << "ldconfig cannot be run here";
  const Closure closure = c.model();
  EXPECT_EQ(chosen(closure), (Choices{{"liba.so.1", "/conf/liba.so.1"}}));
  bool variant = false;
  for (const Member& member : closure.members)
    variant = variant || member.real_path == "/conf/glibc-hwcaps/x86-64-v3/liba.so.1";
  EXPECT_TRUE(variant);
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/conf");
}

TEST_F(GlibcLoader, FiltersMustBeThereAuxiliariesNeedNot) {
  c.elf("/opt/libf.so", {})
      .elf("/opt/libx.so", {})
      .elf("/opt/liba.so", {.filters = {"libf.so"}, .auxiliaries = {"libx.so", "libgone.so"}})
      .program("/app/p", {.rpath = "/opt", .needed = {"liba.so"}});
  const Closure closure = c.model();
  EXPECT_EQ(chosen(closure), (Choices{{"liba.so", "/opt/liba.so"},
                                      {"libf.so", "/opt/libf.so"},
                                      {"libx.so", "/opt/libx.so"}}));
}

TEST_F(GlibcLoader, PreloadsByVariableAndFile) {
  c.elf("/opt/libone.so", {.needed = {"libdeep.so"}})
      .elf("/opt/libtwo.so", {})
      .elf("/opt/libfile.so", {})
      .elf("/opt/libdeep.so", {})
      .file("/etc/ld.so.preload", "# /opt/libno.so\n/opt/libfile.so # libno2.so\n")
      .env("LD_PRELOAD", "libone.so:/opt/libtwo.so /none.so")
      .program("/app/p", {.rpath = "/opt"});
  const Closure closure = c.model();
  std::set<std::string> preloads;
  for (const Edge& edge : closure.edges)
    if (edge.why == Why::preload) preloads.insert(closure.members[edge.to].real_path);
  EXPECT_EQ(preloads,
            (std::set<std::string>{"/opt/libone.so", "/opt/libtwo.so", "/opt/libfile.so"}));
  EXPECT_EQ(chosen(closure), (Choices{{"libdeep.so", "/opt/libdeep.so"}}));
  ASSERT_EQ(closure.unresolved_optional.size(), 1u);
  EXPECT_EQ(closure.unresolved_optional.front().name, "/none.so");
}

TEST_F(GlibcLoader, AuditorsHaveTheirOwnNameSpace) {
  c.elf("/opt/libaudit.so", {.rpath = "/private", .needed = {"liba.so"}})
      .elf("/opt/libdep.so", {})
      .elf("/private/liba.so", {})
      .elf("/opt/liba.so", {})
      .env("LD_AUDIT", "/opt/libenv.so")
      .elf("/opt/libenv.so", {})
      .program("/app/p", {.rpath = "/opt",
                          .audit = "libaudit.so:libgone.so",
                          .depaudit = "libdep.so",
                          .needed = {"liba.so"}});
  const Closure closure = c.model();
  std::set<std::string> files;
  for (const Member& member : closure.members) files.insert(member.real_path);
  for (const char* path :
       {"/opt/libaudit.so", "/opt/libdep.so", "/opt/libenv.so", "/private/liba.so", "/opt/liba.so"})
    EXPECT_TRUE(files.contains(path)) << path;
  ASSERT_EQ(closure.unresolved_optional.size(), 1u);
  EXPECT_EQ(closure.unresolved_optional.front().name, "libgone.so");
}

TEST_F(GlibcLoader, LoopsEnd) {
  c.elf("/opt/liba.so", {.needed = {"libb.so"}})
      .elf("/opt/libb.so", {.needed = {"liba.so", "libb.so"}})
      .program("/app/p", {.rpath = "/opt", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/opt/liba.so"}, {"libb.so", "/opt/libb.so"}});
}

}  // namespace
}  // namespace cloister::manifest
