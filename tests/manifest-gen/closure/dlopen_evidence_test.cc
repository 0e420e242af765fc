#include "manifest-gen/closure/dlopen_evidence.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/manifest-gen/closure/closure_of.h"

namespace cloister::manifest {
namespace {

using measure::elf::DlopenNote;
using test::closure_of;
using test::debian_tree;
using test::grants;
using test::library;
using test::mentions;
using test::program;
using test::reason_of;
using test::with_imports;
using test::with_strings;

constexpr std::string_view kLib = "/usr/lib/x86_64-linux-gnu/";

TEST(DlopenEvidence, NameBesideAnImportOfDlopenIsGrantedWithWhatItNeeds) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app", with_strings(with_imports(program(), {"dlopen"}),
                                            {"libplain.so", "libplug.so.2", "libgone.so.1"}))
          .elf(cat(kLib, "libplug.so.2"), library({"libdeep.so.1"}))
          .elf(cat(kLib, "libdeep.so.1"), library())
          .elf(cat(kLib, "libplain.so"), library())
          .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(closure.unresolved.empty());
  EXPECT_TRUE(grants(closure, cat(kLib, "libdeep.so.1")));
  EXPECT_NE(reason_of(closure, cat(kLib, "libplug.so.2")).find("confidence high"),
            std::string::npos);
  EXPECT_NE(reason_of(closure, cat(kLib, "libplain.so")).find("confidence medium"),
            std::string::npos);
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/lib/x86_64-linux-gnu");
}

TEST(DlopenEvidence, NameInAnObjectThatOpensNothingIsOnlyReported) {
  const auto root = debian_tree()
                        .elf("/usr/bin/app", with_strings(program(), {"libplug.so.2"}))
                        .elf(cat(kLib, "libplug.so.2"), library())
                        .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_FALSE(grants(closure, cat(kLib, "libplug.so.2")));
  EXPECT_TRUE(mentions(closure.unknown, "libplug.so.2"));
}

TEST(DlopenEvidence, OpenedLibrariesOpenFurtherOnes) {
  const auto opener = [](std::string name) {
    return with_strings(with_imports(library(), {"dlopen"}), {std::move(name)});
  };
  const auto root = debian_tree()
                        .elf("/usr/bin/app", program({"liba.so.1"}))
                        .elf(cat(kLib, "liba.so.1"), opener("libb.so.1"))
                        .elf(cat(kLib, "libb.so.1"), opener("libc1.so.1"))
                        .elf(cat(kLib, "libc1.so.1"), opener("liba.so.1"))
                        .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, cat(kLib, "libc1.so.1")));
}

TEST(DlopenEvidence, CrowdOfNamesIsBelievedOnlyWithVersions) {
  std::vector<std::string> names;
  auto tree = debian_tree();
  for (int i = 100; i < 160; ++i) {
    names.push_back(cat("lib", i, ".so"));
    tree.elf(cat(kLib, names.back()), library());
  }
  names.emplace_back("libplug.so.2");
  const auto root =
      tree.elf("/usr/bin/app", with_strings(with_imports(program(), {"dlopen"}), names))
          .elf(cat(kLib, "libplug.so.2"), library())
          .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, cat(kLib, "libplug.so.2")));
  EXPECT_FALSE(grants(closure, cat(kLib, "lib100.so")));
}

TEST(DlopenEvidence, PartsOfTheImagesLibcAreNeverOpened) {
  const auto root = debian_tree()
                        .elf("/usr/bin/app", with_strings(with_imports(program(), {"dlopen"}),
                                                          {"libm.so.6", "libnss_compat.so.2"}))
                        .elf(cat(kLib, "libnss_compat.so.2"), library())
                        .elf(cat(kLib, "libm.so.6"), library())
                        .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_FALSE(grants(closure, cat(kLib, "libnss_compat.so.2")));
  EXPECT_TRUE(grants(closure, "/gramine/runtime/glibc/libm.so.6"));
}

TEST(DlopenEvidence, NotesCountByPriority) {
  auto app = program();
  using Priority = DlopenNote::Priority;
  app.dlopen_notes = {{{"libnew.so.2", "libold.so.1"}, "zip", "", Priority::recommended},
                      {{"libmust.so.1"}, "", "", Priority::required},
                      {{"libmay.so.1"}, "gui", "", Priority::suggested},
                      {{"libgone.so.1"}, "", "", Priority::required}};
  auto tree = debian_tree();
  for (const char* name : {"libold.so.1", "libmust.so.1", "libmay.so.1"})
    tree.elf(cat(kLib, name), library());
  const auto root = tree.elf("/usr/bin/app", app).build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_EQ(reason_of(closure, cat(kLib, "libold.so.1")),
            "dlopen-note: recommended for zip by its metadata");
  EXPECT_EQ(reason_of(closure, cat(kLib, "libmust.so.1")), "dlopen-note: required by its metadata");
  EXPECT_FALSE(grants(closure, cat(kLib, "libmay.so.1")));
  EXPECT_TRUE(mentions(closure.unknown, "libmay.so.1 for gui"));
  EXPECT_TRUE(closure.unresolved.empty());
  ASSERT_EQ(closure.unresolved_optional.size(), 1U);
  EXPECT_EQ(closure.unresolved_optional.front().name, "libgone.so.1");
  EXPECT_FALSE(closure.unresolved_optional.front().searched.empty());
}

TEST(DlopenEvidence, FilesNamedInTheCodeAreGrantedWithCare) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app",
               with_strings(program(), {"/etc/app.conf", "/etc/app.d", "/etc/hosts", "/etc/app.key",
                                        "/usr/bin/tool", "/usr/bin/run.sh", "/var/log/app.log",
                                        "/etc/first:/etc/second", "/etc/gone"}))
          .file("/etc/app.conf", "c")
          .file("/etc/app.d/x.conf", "x")
          .file("/etc/hosts", "h")
          .file("/etc/app.key", "k")
          .file("/etc/second", "s")
          .elf("/usr/bin/tool", program())
          .script("/usr/bin/run.sh", "#!/bin/sh\n")
          .file("/var/log/app.log", "l")
          .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_EQ(reason_of(closure, "/etc/app.conf"), "config: its name is in the code");
  EXPECT_TRUE(grants(closure, "/etc/second"));
  for (const char* path : {"/etc/app.d/x.conf", "/etc/hosts", "/etc/app.key", "/usr/bin/tool",
                           "/usr/bin/run.sh", "/var/log/app.log"})
    EXPECT_FALSE(grants(closure, path)) << path;
}

TEST(DlopenEvidence, ProgramsAreGrantedToWhoStartsPrograms) {
  const auto app = with_strings(with_imports(program(), {"execve"}), {"/usr/bin/tool"});
  auto tree = debian_tree();
  tree.elf("/usr/bin/tool", program({"libtool.so.1"}))
      .elf(cat(kLib, "libtool.so.1"), library())
      .elf("/usr/bin/app", app)
      .elf("/usr/bin/python3.11", app);
  const auto root = tree.build();
  EXPECT_TRUE(grants(closure_of(root, "/usr/bin/app"), cat(kLib, "libtool.so.1")));
  // What an interpreter can start, a script may never ask for.
  EXPECT_FALSE(grants(closure_of(root, "/usr/bin/python3.11"), "/usr/bin/tool"));
}

TEST(DlopenEvidence, PluginDirectoryOfALibraryIsGrantedAndThatOfAProgramReported) {
  const auto opener = [](measure::elf::Facts facts) {
    return with_strings(with_imports(std::move(facts), {"dlopen"}), {"/usr/lib/plugins"});
  };
  auto tree = debian_tree();
  tree.elf("/usr/lib/plugins/one.so", library())
      .file("/usr/lib/plugins/README", "r")
      .elf("/usr/bin/direct", opener(program()))
      .elf("/usr/bin/through", program({"liba.so.1"}))
      .elf(cat(kLib, "liba.so.1"), opener(library()));
  const auto root = tree.build();
  const auto direct = closure_of(root, "/usr/bin/direct");
  EXPECT_FALSE(grants(direct, "/usr/lib/plugins/one.so"));
  EXPECT_TRUE(mentions(direct.unknown, "/usr/lib/plugins"));
  const auto through = closure_of(root, "/usr/bin/through");
  EXPECT_TRUE(grants(through, "/usr/lib/plugins/one.so"));
  EXPECT_FALSE(grants(through, "/usr/lib/plugins/README"));
}

TEST(DlopenEvidence, PluginsThatNameEachOtherEnd) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app", program({"liba.so.1"}))
          .elf(cat(kLib, "liba.so.1"),
               with_strings(with_imports(library(), {"dlopen"}), {"/usr/lib/p"}))
          .elf("/usr/lib/p/one.so", with_strings(with_imports(library({"libc.so.6"}), {"dlopen"}),
                                                 {"/usr/lib/p", "/usr/lib/q/two.so"}))
          .elf("/usr/lib/q/two.so", with_strings(with_imports(library({"libc.so.6"}), {"dlopen"}),
                                                 {"/usr/lib/p/one.so"}))
          .build();
  EXPECT_TRUE(grants(closure_of(root, "/usr/bin/app"), "/usr/lib/q/two.so"));
}

TEST(DlopenEvidence, StaticProgramsNameTheirFilesToo) {
  auto app = with_strings(library(), {"/etc/passwd", "libnss_own.so.2"});
  app.type = measure::elf::kTypeExec;
  const auto root = debian_tree()
                        .elf("/app", app)
                        .file("/etc/passwd", "p")
                        .elf(cat(kLib, "libnss_own.so.2"), library())
                        .build();
  const auto closure = closure_of(root, "/app");
  EXPECT_TRUE(closure.is_static);
  EXPECT_TRUE(grants(closure, "/etc/passwd"));
  EXPECT_FALSE(grants(closure, cat(kLib, "libnss_own.so.2")));
  EXPECT_TRUE(closure.unknown.empty());
}

}  // namespace
}  // namespace cloister::manifest
