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
          .file("/etc/app.d/y.key", "y")
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
  EXPECT_TRUE(grants(closure, "/etc/app.d/x.conf"));
  EXPECT_TRUE(grants(closure, "/etc/app.key")) << "the program's own, by its exact name";
  EXPECT_EQ(closure.withheld, std::vector<std::string>{"/etc/app.d/y.key"});
  for (const char* path : {"/etc/hosts", "/usr/bin/tool", "/usr/bin/run.sh", "/var/log/app.log"})
    EXPECT_FALSE(grants(closure, path)) << path;
}

TEST(DlopenEvidence, AKeyThatALibraryNamesIsSomebodys) {
  const auto root = debian_tree()
                        .elf("/usr/bin/app", program({"libx.so.1"}))
                        .elf("/usr/lib/x86_64-linux-gnu/libx.so.1",
                             with_strings(library(), {"/etc/x.key", "/etc/x.d", "/etc/x.conf"}))
                        .file("/etc/x.key", "k")
                        .file("/etc/x.conf", "c")
                        .file("/etc/x.d/a", "a")
                        .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/etc/x.conf"));
  EXPECT_FALSE(grants(closure, "/etc/x.key"));
  EXPECT_FALSE(grants(closure, "/etc/x.d/a"));
}

TEST(DlopenEvidence, DirectoriesOfSharedDataComeWithTheLibraryThatNamesThem) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app", with_strings(program({"libproj.so.1"}),
                                            {"/usr/share/app", "/usr/share/words/5/data"}))
          .elf("/usr/lib/x86_64-linux-gnu/libproj.so.1",
               with_strings(library(), {"/usr/share/proj", "/usr/share/fonts", "/var/lib/proj/made",
                                        "/var/lib/state"}))
          .file("/usr/share/proj/proj.db", "p")
          .file("/usr/share/fonts/a.ttf", "f")
          .file("/usr/share/app/own", "o")
          .file("/usr/share/words/5/data/eng", "e")
          .file("/var/lib/proj/made/list", "l")
          .file("/var/lib/state/x", "s")
          .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  for (const char* path : {"/usr/share/proj/proj.db", "/usr/share/words/5/data/eng",
                           "/var/lib/proj/made/list", "/usr/share/app/own"})
    EXPECT_TRUE(grants(closure, path)) << path;
  for (const char* path : {"/usr/share/fonts/a.ttf", "/var/lib/state/x"})
    EXPECT_FALSE(grants(closure, path)) << path;
}

TEST(DlopenEvidence, LibltdlReadsTheArchiveBesideAModule) {
  const auto root =
      debian_tree()
          .elf("/usr/bin/app", with_strings(program({"libltdl.so.7"}), {"/etc/app/app.conf"}))
          .elf("/usr/lib/x86_64-linux-gnu/libltdl.so.7", library())
          .file("/etc/app/app.conf", "module /usr/lib/app/back.so\n")
          .elf("/usr/lib/app/back.so", library())
          .file("/usr/lib/app/back.la", "dlname")
          .file("/usr/lib/app/other.la", "dlname")
          .build();
  const auto closure = closure_of(root, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/usr/lib/app/back.so"));
  EXPECT_TRUE(grants(closure, "/usr/lib/app/back.la"));
  EXPECT_FALSE(grants(closure, "/usr/lib/app/other.la"));
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

TEST(EmbeddedPython, APluginBringsTheStandardLibraryAndALinkedOneANote) {
  const auto tree = [] {
    return debian_tree()
        .elf("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", library())
        .file("/usr/lib/python3.11/json/__init__.py", "p")
        .file("/usr/lib/python3.11/os.py", "p")
        .file("/usr/lib/python3.11/test/test_os.py", "p");
  };
  const auto plugin =
      tree()
          .elf("/usr/bin/app",
               with_imports(with_strings(program(), {"/usr/lib/app/py.so"}), {"dlopen"}))
          .elf("/usr/lib/app/py.so", library({"libpython3.11.so.1.0"}))
          .build();
  const auto closure = closure_of(plugin, "/usr/bin/app");
  EXPECT_TRUE(grants(closure, "/usr/lib/python3.11/json/__init__.py"));
  EXPECT_TRUE(grants(closure, "/usr/lib/python3.11/os.py"));
  EXPECT_FALSE(grants(closure, "/usr/lib/python3.11/test/test_os.py"));
  EXPECT_TRUE(mentions(closure.unknown, "other modules must be named"));
  const auto linked = tree().elf("/usr/bin/app", program({"libpython3.11.so.1.0"})).build();
  const auto without = closure_of(linked, "/usr/bin/app");
  EXPECT_FALSE(grants(without, "/usr/lib/python3.11/os.py"));
  EXPECT_TRUE(mentions(without.unknown, "standard library is not granted"));
}

TEST(LoginSessions, ShellsOfThoseWhoMayLogInAndWhatTheyRead) {
  const auto image = [](std::vector<std::string> imports) {
    return debian_tree()
        .elf("/usr/sbin/sshd", with_imports(with_strings(program(), {"/bin/sh"}), imports))
        .elf("/usr/bin/bash", program())
        .elf("/usr/sbin/nologin", program())
        .file("/etc/passwd",
              "op:x:7:7:op:/srv/op:/bin/bash\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\nbad\n")
        .file("/etc/shadow", "root:*\n")
        .file("/srv/op/.bashrc", "b")
        .file("/srv/op/.ssh/authorized_keys", "k")
        .file("/srv/op/notes", "n")
        .file("/var/www/.bashrc", "b")
        .build();
  };
  const auto opens = image({"execve", "pam_open_session"});
  const auto closure = closure_of(opens, "/usr/sbin/sshd");
  for (const char* path :
       {"/bin/bash", "/srv/op/.bashrc", "/srv/op/.ssh/authorized_keys", "/etc/shadow"})
    EXPECT_TRUE(grants(closure, path)) << path;
  for (const char* path : {"/usr/sbin/nologin", "/srv/op/notes", "/var/www/.bashrc"})
    EXPECT_FALSE(grants(closure, path)) << path;
  EXPECT_TRUE(mentions(closure.unknown, "shells of users who log in"));
  const auto other = image({"execve", "getspnam"});
  EXPECT_FALSE(grants(closure_of(other, "/usr/sbin/sshd"), "/etc/shadow"));
}

}  // namespace
}  // namespace cloister::manifest
