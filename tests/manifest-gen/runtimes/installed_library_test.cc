// Languages whose programs are not followed.
#include <gtest/gtest.h>

#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::Scene;
using test::Tree;

TEST(InstalledLibrary, IsGrantedWholeAndSaid) {
  const Scene scene(Tree()
                        .elf("/usr/bin/tclsh8.6", test::program())
                        .link("/usr/bin/tclsh", "tclsh8.6")
                        .file("/usr/share/tcltk/tcl8.6/init.tcl")
                        .file("/srv/a.tcl"));
  const Analysis found = scene.analyze("installed-library", {"/usr/bin/tclsh", "/srv/a.tcl"});
  EXPECT_TRUE(grants(found, "/usr/share/tcltk/**"));
  EXPECT_TRUE(grants(found, "/srv/a.tcl"));
  ASSERT_EQ(found.unknown.size(), 1U);
  EXPECT_NE(found.unknown.front().find("programs in Tcl are not looked into"), std::string::npos);
}

TEST(InstalledLibrary, NamesMayHaveVersions) {
  const Scene scene(Tree().elf("/usr/bin/guile-3.0", test::program()));
  EXPECT_TRUE(
      grants(scene.analyze("installed-library", {"/usr/bin/guile-3.0"}), "/usr/share/guile/**"));
  const AnalyzerScene other{scene.launch, scene.rootfs, scene.limits};
  for (const Analyzer& analyzer : analyzers()) {
    if (analyzer.name != "installed-library") continue;
    EXPECT_FALSE(analyzer.detect({"/usr/bin/guile-config", {"guile-config"}, true}, other));
  }
}

}  // namespace
}  // namespace cloister::manifest
