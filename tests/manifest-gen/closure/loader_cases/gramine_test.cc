// What is different under Gramine: LD_LIBRARY_PATH is generated and searched before RUNPATH, only
// what is granted can be opened, and only under the granted paths.
#include <algorithm>

#include "tests/manifest-gen/closure/loader_cases/loader_case.h"

namespace cloister::manifest {
namespace {

using test::LoadableElf;
using Paths = std::vector<std::string>;

struct GramineLoader : testing::Test {
  LoaderCase c{kGlibcLoader};
};

TEST_F(GramineLoader, LibrariesAreGrantedAsSpelledAndUnderTheirRealPathOnly) {
  c.elf("/usr/lib/x86_64-linux-gnu/liba.so.1.2", {})
      .link("/usr/lib/x86_64-linux-gnu/liba.so.1", "liba.so.1.2")
      .program("/app/p", {.needed = {"liba.so.1"}});
  const Closure closure = c.model();
  EXPECT_EQ(paths_of(closure, "/usr/lib/x86_64-linux-gnu/liba.so.1.2"),
            (Paths{"/lib/x86_64-linux-gnu/liba.so.1", "/usr/lib/x86_64-linux-gnu/liba.so.1.2"}));
  c.expect({{"liba.so.1", "/usr/lib/x86_64-linux-gnu/liba.so.1.2"}});
}

// The image's own LD_LIBRARY_PATH spells the directory in another way than the RUNPATH, and comes
// first.
TEST_F(GramineLoader, RunpathIntoAListedDirectoryIsGrantedUnderBothNames) {
  c.elf("/usr/lib/x86_64-linux-gnu/liba.so", {.needed = {"libb.so"}})
      .elf("/usr/lib/x86_64-linux-gnu/libb.so", {})
      .program("/app/p",
               {.runpath = "/usr/lib/x86_64-linux-gnu", .needed = {"libb.so", "liba.so"}});
  c.env("LD_LIBRARY_PATH", "/lib/x86_64-linux-gnu/");
  const Closure closure = c.model();
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/lib/x86_64-linux-gnu");
  EXPECT_EQ(paths_of(closure, "/usr/lib/x86_64-linux-gnu/libb.so"),
            (Paths{"/lib/x86_64-linux-gnu/libb.so", "/usr/lib/x86_64-linux-gnu/libb.so"}));
  c.expect({{"liba.so", "/usr/lib/x86_64-linux-gnu/liba.so"},
            {"libb.so", "/usr/lib/x86_64-linux-gnu/libb.so"}});
}

TEST_F(GramineLoader, RunpathChoiceSurvivesAListedDirectoryWithAnotherFile) {
  c.elf("/usr/lib/x86_64-linux-gnu/liba.so", {})
      .elf("/usr/lib/x86_64-linux-gnu/libb.so", {})
      .elf("/own/libb.so", {})
      .program("/app/p", {.runpath = "/own", .needed = {"liba.so", "libb.so"}});
  EXPECT_EQ(c.model().library_path, "/gramine/runtime/glibc:/own:/lib/x86_64-linux-gnu");
  c.expect({{"liba.so", "/usr/lib/x86_64-linux-gnu/liba.so"}, {"libb.so", "/own/libb.so"}});
}

// A variant for newer processors in a listed directory would win over the chosen file.
TEST_F(GramineLoader, HwcapsInAListedDirectoryCountToo) {
  c.elf("/usr/lib/x86_64-linux-gnu/liba.so", {})
      .elf("/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/libb.so", {})
      .elf("/own/libb.so", {})
      .program("/app/p", {.runpath = "/own", .needed = {"liba.so", "libb.so"}});
  EXPECT_EQ(c.model().library_path, "/gramine/runtime/glibc:/own:/lib/x86_64-linux-gnu");
  c.expect({{"liba.so", "/usr/lib/x86_64-linux-gnu/liba.so"}, {"libb.so", "/own/libb.so"}});
}

// The library found in another spelling of its directory would have another $ORIGIN.
TEST_F(GramineLoader, OriginOfALibraryIsKept) {
  c.elf("/opt/v1/lib/libb.so", {.runpath = "$ORIGIN/private", .needed = {"libq.so"}})
      .elf("/opt/v1/lib/private/libq.so", {})
      .elf("/opt/v1/lib/liba.so", {})
      .link("/opt/current", "v1")
      .elf("/app/libmid.so", {.runpath = "/opt/v1/lib", .needed = {"libb.so"}})
      .file("/etc/ld.so.conf", "/opt/current/lib\n")
      .program("/app/p", {.runpath = "/app", .needed = {"libmid.so", "liba.so"}});
  if (!c.ldconfig()) GTEST_SKIP() << "ldconfig cannot be run here";
  c.expect({{"libmid.so", "/app/libmid.so"},
            {"liba.so", "/opt/v1/lib/liba.so"},
            {"libb.so", "/opt/v1/lib/libb.so"},
            {"libq.so", "/opt/v1/lib/private/libq.so"}});
}

TEST_F(GramineLoader, OnlyNeededDirectoriesAreListed) {
  c.elf("/usr/lib/liba.so", {})
      .elf("/app/lib/libb.so", {})
      .program("/app/p", {.runpath = "$ORIGIN/lib", .needed = {"liba.so", "libb.so"}});
  EXPECT_EQ(c.model().library_path, "/gramine/runtime/glibc:/lib");
  c.expect({{"liba.so", "/usr/lib/liba.so"}, {"libb.so", "/app/lib/libb.so"}});
}

}  // namespace
}  // namespace cloister::manifest
