#include "manifest-gen/closure/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::glibc_runtime;
using test::library;
using test::program;
using test::Tree;

class Explain : public testing::Test {
 protected:
  void SetUp() override {
    measure::elf::Facts plugin = library();
    plugin.soname = "libplug.so.1";
    measure::elf::Facts opener = program({"libplug.so.1"});
    measure::elf::Facts app = program({"libb.so", "liba.so"});
    app.strings = {"libnamed.so"};
    Tree tree;
    tree.link("/lib64", "usr/lib64")
        .elf("/usr/lib64/ld-linux-x86-64.so.2", library())
        .elf("/usr/bin/app", app)
        .elf("/usr/bin/opener", opener)
        .elf("/usr/lib/liba.so", library({"libb.so"}))
        .elf("/usr/lib/libb.so", library({"liba.so"}))
        .elf("/usr/lib/libplug.so.1.0", plugin)
        .link("/usr/lib/libplug.so.1", "libplug.so.1.0")
        .elf("/usr/lib/libnamed.so", library())
        .elf("/usr/lib/libm.so.6", library())
        .file("/usr/share/app/data", "d")
        .file("/etc/app.key", "k")
        .file("/var/lib/dpkg/status", "Package: app\nStatus: install ok installed\nVersion: 1\n")
        .file("/var/lib/dpkg/info/app.list", "/usr/bin/app\n/usr/share/doc/app/README\n")
        .file("/usr/share/doc/app/README", "r")
        .file("/etc/ld.so.conf", "/usr/lib\n/usr/lib64\n");
    root_ = std::make_unique<measure::Rootfs>(tree.build());
    packages_ = PackageIndex::read(*root_, Limits{});
    Launch launch;
    launch.argv = {"/usr/bin/app"};
    launch.program = launch.entrypoint = "/usr/bin/app";
    launch.workdir = "/";
    auto closure =
        compute_closure(launch, *root_, glibc_runtime(), {}, Limits{}, {.packages = &packages_});
    ASSERT_TRUE(closure) << closure.error().what();
    closure_ = std::move(*closure);
  }
  Explanation why(std::string_view path) {
    auto out = explain(closure_, *root_, packages_, path);
    if (!out) {
      ADD_FAILURE() << out.error().what();
      return {};
    }
    return std::move(*out);
  }
  std::unique_ptr<measure::Rootfs> root_;
  PackageIndex packages_;
  Closure closure_;
};

TEST_F(Explain, TheShortestChainComesFirstAndLoopsEnd) {
  const Explanation e = why("/usr/lib/liba.so");
  EXPECT_TRUE(e.granted);
  ASSERT_GE(e.chains.size(), 2U);
  EXPECT_EQ(e.chains[0].size(), 2U) << "launch, app, liba";
  EXPECT_EQ(e.chains[1].size(), 3U) << "by way of libb";
  EXPECT_EQ(closure_.edges[e.chains[0][0]].from, kLaunch);
  EXPECT_EQ(closure_.members[closure_.edges[e.chains[0].back()].to].real_path, "/usr/lib/liba.so");
  EXPECT_FALSE(e.more_chains);
}

TEST_F(Explain, ABareNameIsTheGrantedFile) {
  EXPECT_EQ(why("libb.so").real_path, "/usr/lib/libb.so");
  const Explanation libc = why("ld-linux-x86-64.so.2");
  EXPECT_TRUE(libc.from_runtime);
}

TEST_F(Explain, OutsideItNamesWhoWouldNeedIt) {
  const Explanation e = why("/usr/lib/libplug.so.1.0");
  EXPECT_FALSE(e.granted);
  ASSERT_EQ(e.needers.size(), 1U);
  EXPECT_EQ(e.needers[0].path, "/usr/bin/opener");
  EXPECT_EQ(e.needers[0].how, "NEEDED libplug.so.1") << "known by its soname";
  EXPECT_FALSE(e.needers[0].granted);
  EXPECT_NE(std::find(e.nearest.begin(), e.nearest.end(), "/usr/lib/liba.so"), e.nearest.end());
  EXPECT_NE(std::find(e.options.begin(), e.options.end(), "--include /usr/lib/libplug.so.1.0"),
            e.options.end());
}

TEST_F(Explain, AStringThatNamesItIsEvidence) {
  Closure without = closure_;
  // Whatever the closure made of the string, the text says who names the file.
  std::erase_if(without.edges, [&](const Edge& e) {
    return without.members[e.to].real_path == "/usr/lib/libnamed.so";
  });
  for (Member& m : without.members)
    if (m.real_path == "/usr/lib/libnamed.so") m.real_path = "/elsewhere", m.paths = {"/elsewhere"};
  const auto e = explain(without, *root_, packages_, "/usr/lib/libnamed.so");
  ASSERT_TRUE(e);
  ASSERT_FALSE(e->needers.empty());
  EXPECT_EQ(e->needers[0].path, "/usr/bin/app");
  EXPECT_TRUE(e->needers[0].granted);
}

TEST_F(Explain, OutsideItNamesItsPackageAndWhatDecided) {
  const Explanation readme = why("/usr/share/doc/app/README");
  EXPECT_EQ(readme.package, "app 1");
  EXPECT_EQ(readme.nearest, std::vector<std::string>{"/usr/bin/app"});
  EXPECT_NE(std::find(readme.options.begin(), readme.options.end(), "--trust package"),
            readme.options.end());
  const Explanation key = why("/etc/app.key");
  ASSERT_FALSE(key.notes.empty());
  EXPECT_NE(key.notes[0].find("secret"), std::string::npos);
  EXPECT_EQ(key.options, std::vector<std::string>{"--include /etc/app.key"});
  const Explanation libm = why("/usr/lib/libm.so.6");
  EXPECT_FALSE(libm.granted);
}

TEST_F(Explain, DirectoriesAndAbsentPathsAreErrors) {
  const auto directory = explain(closure_, *root_, packages_, "/usr/lib");
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code(), Code::invalid);
  EXPECT_FALSE(directory.error().details().empty());
  const auto absent = explain(closure_, *root_, packages_, "/opt/liba.so");
  ASSERT_FALSE(absent);
  ASSERT_FALSE(absent.error().details().empty());
  EXPECT_NE(absent.error().details()[0].find("/usr/lib/liba.so"), std::string::npos);
  EXPECT_FALSE(explain(closure_, *root_, packages_, "no/such"));
  EXPECT_FALSE(explain(closure_, *root_, packages_, ""));
}

TEST(ExplainChains, ADenseGraphIsCutOff) {
  Closure closure;
  constexpr std::size_t kMembers = 24;
  for (std::size_t i = 0; i < kMembers; ++i) {
    Member member;
    member.real_path = cat("/m", i);
    member.paths = {member.real_path};
    closure.members.push_back(std::move(member));
    if (i == 0) closure.edges.push_back({kLaunch, 0, Why::entrypoint, ""});
    for (std::size_t j = 0; j < kMembers; ++j)
      if (i != j) closure.edges.push_back({i, j, Why::needed, ""});
  }
  const auto root = Tree().build();
  const auto e = explain(closure, root, PackageIndex(), "/m23");
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->more_chains);
  EXPECT_EQ(e->chains.size(), 64U);
  EXPECT_EQ(e->chains[0].size(), 2U);
}

}  // namespace
}  // namespace cloister::manifest
