// musl's rules, one test each.
#include "tests/manifest-gen/closure/loader_cases/loader_case.h"

namespace cloister::manifest {
namespace {

using test::LoadableElf;

struct MuslLoader : testing::Test {
  LoaderCase c{kMuslLoader};
};

TEST_F(MuslLoader, SystemDirectoriesInOrder) {
  c.elf("/usr/lib/liba.so", {})
      .elf("/usr/local/lib/liba.so", {})
      .elf("/usr/local/lib/libb.so", {})
      .elf("/usr/lib/x86_64-linux-gnu/libc1.so", {})
      .program("/app/p", {.needed = {"liba.so", "libb.so", "libc1.so"}});
  c.expect(
      {{"liba.so", "/usr/lib/liba.so"}, {"libb.so", "/usr/local/lib/libb.so"}, {"libc1.so", ""}});
}

TEST_F(MuslLoader, PathFileReplacesTheDefaults) {
  c.file("/etc/ld-musl-x86_64.path", "/one:/two\n/three\n")
      .elf("/two/liba.so", {})
      .elf("/three/libb.so", {})
      .elf("/usr/lib/libc1.so", {})
      .program("/app/p", {.needed = {"liba.so", "libb.so", "libc1.so"}});
  c.expect({{"liba.so", "/two/liba.so"}, {"libb.so", "/three/libb.so"}, {"libc1.so", ""}});
}

TEST_F(MuslLoader, LibraryPathBeforeRpathAndNoSemicolons) {
  c.elf("/env/liba.so", {})
      .elf("/r/liba.so", {})
      .elf("/r/libb.so", {})
      .elf("/semi/libb.so", {})
      .env("LD_LIBRARY_PATH", "/env:/none;/semi")
      .program("/app/p", {.rpath = "/r", .needed = {"liba.so", "libb.so"}});
  c.expect({{"liba.so", "/env/liba.so"}, {"libb.so", "/r/libb.so"}});
}

TEST_F(MuslLoader, RunpathIsInheritedLikeRpath) {
  c.elf("/one/liba.so", {.runpath = "$ORIGIN/own", .needed = {"libb.so", "libc1.so"}})
      .elf("/one/own/libc1.so", {})
      .elf("/one/libb.so", {})
      .program("/app/p", {.runpath = "/one", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/one/liba.so"},
            {"libb.so", "/one/libb.so"},
            {"libc1.so", "/one/own/libc1.so"}});
}

TEST_F(MuslLoader, UnknownTokensVoidTheWholeList) {
  c.elf("/one/liba.so", {}).program("/app/p", {.rpath = "/one:/opt/$LIB", .needed = {"liba.so"}});
  c.expect({{"liba.so", ""}});
}

TEST_F(MuslLoader, EmptyElementsAreNothing) {
  c.workdir("/work")
      .elf("/work/liba.so", {})
      .elf("/one/liba.so", {})
      .program("/app/p", {.rpath = "::/one", .needed = {"liba.so"}});
  c.expect({{"liba.so", "/one/liba.so"}});
}

TEST_F(MuslLoader, ItsOwnNamesAreBuiltIn) {
  c.elf("/one/libm.so", {})
      .elf("/one/libc.musl-x86_64.so.1", {})
      .program("/app/p",
               {.rpath = "/one",
                .needed = {"libc.so", "libm.so", "libc.musl-x86_64.so.1", "libpthread.so.0"}});
  c.expect({});
}

TEST_F(MuslLoader, SonamesDoNotAnswer) {
  c.elf("/one/libx.so", {.soname = "liba.so.1"})
      .elf("/one/liba.so.1", {})
      .program("/app/p", {.rpath = "/one", .needed = {"libx.so", "liba.so.1"}});
  c.expect({{"libx.so", "/one/libx.so"}, {"liba.so.1", "/one/liba.so.1"}});
}

TEST_F(MuslLoader, PreloadsAreSearchedWithoutTheProgramsRpath) {
  c.elf("/one/libpre.so", {})
      .elf("/usr/lib/libpre2.so", {})
      .env("LD_PRELOAD", "libpre.so libpre2.so")
      .program("/app/p", {.rpath = "/one", .needed = {}});
  const Closure closure = c.model();
  std::set<std::string> files;
  for (const Member& member : closure.members) files.insert(member.real_path);
  EXPECT_TRUE(files.contains("/usr/lib/libpre2.so"));
  EXPECT_FALSE(files.contains("/one/libpre.so"));
}

TEST_F(MuslLoader, TheFirstFileEndsTheSearch) {
  c.file("/one/liba.so", "text")
      .elf("/two/liba.so", {})
      .program("/app/p", {.rpath = "/one:/two", .needed = {"liba.so"}});
  c.expect({{"liba.so", ""}});
}

}  // namespace
}  // namespace cloister::manifest
