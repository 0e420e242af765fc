// What shell scripts bring into a closure.
#include <gtest/gtest.h>

#include "manifest-gen/closure/closure.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::program;
using test::Tree;

Closure closure_of(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  Launch launch;
  launch.program = argv.front();
  launch.argv = std::move(argv);
  launch.entrypoint = rootfs.real_path(launch.program).value_or(launch.program);
  launch.env = {{"PATH", "/usr/bin:/bin"}, {"CONF", "/etc/app.conf"}};
  launch.workdir = "/";
  auto closure = compute_closure(launch, rootfs, test::glibc_runtime(), {}, Limits{});
  if (!closure) {
    ADD_FAILURE() << closure.error().what();
    return {};
  }
  return std::move(*closure);
}

bool has(const Closure& closure, std::string_view path) {
  for (const Member& member : closure.members)
    for (const std::string& name : member.paths)
      if (name == path) return true;
  return false;
}

Tree base() {
  Tree tree;
  tree.directory("/var/lib/dpkg")
      .elf("/usr/bin/dash", program({}))
      .link("/bin/sh", "/usr/bin/dash")
      .elf("/usr/bin/tini", program({}))
      .elf("/usr/bin/gosu", program({}))
      .elf("/usr/bin/server", program({}))
      .elf("/usr/bin/helper", program({}));
  return tree;
}

TEST(ClosureScripts, WrappersScriptsAndVariablesAreFollowed) {
  const auto root =
      base()
          .script("/entry.sh", "#!/bin/sh\n. /lib.sh\nexec gosu nobody \"$BIN\" -c \"$CONF\"\n")
          .file("/lib.sh", "BIN=server\n[ -f /etc/more ] && helper </etc/more\n")
          .file("/etc/app.conf", "")
          .file("/etc/more", "")
          .file("/etc/other", "")
          .build();
  const auto closure = closure_of(root, {"/usr/bin/tini", "--", "/entry.sh"});
  for (const char* path : {"/entry.sh", "/bin/sh", "/lib.sh", "/usr/bin/gosu", "/usr/bin/server",
                           "/usr/bin/helper", "/etc/app.conf", "/etc/more"})
    EXPECT_TRUE(has(closure, path)) << path;
  EXPECT_FALSE(has(closure, "/etc/other"));
  EXPECT_TRUE(closure.unknown.empty());
}

TEST(ClosureScripts, LibrariesAlsoByTheLibraryPathThatAScriptSets) {
  const auto root =
      base()
          .script("/entry.sh",
                  "#!/bin/sh\nHOME_OF=/opt/app\n"
                  "export LD_LIBRARY_PATH=\"${HOME_OF}/lib:${LD_LIBRARY_PATH}\"\nexec tool\n")
          .elf("/usr/bin/tool", program({"liba.so.1"}))
          .elf("/usr/lib/x86_64-linux-gnu/liba.so.1", test::library())
          .link("/opt/app/lib/liba.so.1", "/usr/lib/x86_64-linux-gnu/liba.so.1")
          .elf("/opt/app/lib/libb.so.1", test::library())
          .build();
  const auto closure = closure_of(root, {"/entry.sh"});
  EXPECT_TRUE(has(closure, "/usr/lib/x86_64-linux-gnu/liba.so.1"));
  EXPECT_TRUE(has(closure, "/opt/app/lib/liba.so.1"));
  EXPECT_FALSE(has(closure, "/opt/app/lib/libb.so.1"));
}

// Rscript starts R's front end, a shell script, and tells it what to run.
TEST(ClosureScripts, FrontEndsOfLanguagesAreAskedAbout) {
  const auto root =
      base()
          .elf("/usr/bin/Rscript", program({}))
          .script("/usr/lib/R/bin/R", "#!/bin/sh\nexec /usr/lib/R/bin/exec/R \"$@\"\n")
          .elf("/usr/lib/R/bin/exec/R", program({}))
          .file("/usr/lib/R/library/base/DESCRIPTION", "Package: base\n")
          .file("/usr/lib/R/library/tools/DESCRIPTION", "Package: tools\n")
          .file("/usr/lib/R/library/tools/R/tools.rdb")
          .file("/srv/a.R", "library(tools)\n")
          .build();
  const auto closure = closure_of(root, {"/usr/bin/Rscript", "/srv/a.R"});
  for (const char* path : {"/usr/lib/R/bin/R", "/usr/lib/R/bin/exec/R", "/srv/a.R",
                           "/usr/lib/R/library/tools/R/tools.rdb"})
    EXPECT_TRUE(has(closure, path)) << path;
  EXPECT_TRUE(closure.unknown.empty());
}

TEST(ClosureScripts, DirectoriesOfScriptsAreRun) {
  const auto root =
      base()
          .script("/entry.sh",
                  "#!/bin/sh\nfind /docker-entrypoint.d/ -type f | while read -r f; do\n"
                  "  case \"$f\" in *.sh) \"$f\";; esac\ndone\nexec \"$@\"\n")
          .script("/docker-entrypoint.d/10.sh", "#!/bin/sh\nhelper\n")
          .file("/docker-entrypoint.d/20.envsh", ". /extra\n")
          .file("/extra", "")
          .build();
  const auto closure = closure_of(root, {"/entry.sh", "server"});
  for (const char* path : {"/docker-entrypoint.d/10.sh", "/docker-entrypoint.d/20.envsh", "/extra",
                           "/usr/bin/helper", "/usr/bin/server"})
    EXPECT_TRUE(has(closure, path)) << path;
  ASSERT_EQ(closure.unknown.size(), 1u) << "\"$f\"";
}

TEST(ClosureScripts, BusyboxRunsItsApplets) {
  const auto root = Tree()
                        .directory("/lib/apk/db")
                        .elf("/bin/busybox", program({}))
                        .link("/bin/ash", "busybox")
                        .link("/bin/nc", "/bin/busybox")
                        .elf("/usr/bin/server", program({}))
                        .file("/run.sh", "nc -l\nserver\n")
                        .build();
  const auto closure = closure_of(root, {"/bin/busybox", "ash", "/run.sh"});
  for (const char* path : {"/bin/busybox", "/bin/nc", "/run.sh", "/usr/bin/server"})
    EXPECT_TRUE(has(closure, path)) << path;
}

TEST(ClosureScripts, ScriptsThatRunThemselvesEnd) {
  const auto root = base().script("/entry.sh", "#!/bin/sh\nexec \"$0\" x \"$@\"\n").build();
  EXPECT_TRUE(has(closure_of(root, {"/entry.sh"}), "/entry.sh"));
}

TEST(ClosureScripts, FindRunsPrograms) {
  const auto root = base()
                        .elf("/usr/bin/find", program({}))
                        .script("/entry.sh", "#!/bin/sh\nfind . -user x -exec helper '{}' +\n")
                        .build();
  EXPECT_TRUE(has(closure_of(root, {"/entry.sh"}), "/usr/bin/helper"));
}

TEST(ClosureScripts, WordsOfCommandsAreFilesOfTheWorkdirAndDirectoriesOfData) {
  const auto root = base()
                        .script("/entry.sh",
                                "#!/bin/sh\nserver page.svg --config=app.yml plain\n"
                                "helper /usr/share/zones | server\nchown x chown.txt\n")
                        .elf("/usr/bin/chown", program({}))
                        .file("/page.svg", "x")
                        .file("/app.yml", "x")
                        .file("/plain", "x")
                        .file("/chown.txt", "x")
                        .file("/usr/share/zones/Africa/Cairo", "z")
                        .link("/usr/share/zones/posix/Africa", "../Africa")
                        .link("/usr/share/zones/out", "/etc")
                        .file("/etc/secretive", "x")
                        .build();
  const Closure closure = closure_of(root, {"/entry.sh"});
  for (const char* path : {"/page.svg", "/app.yml", "/usr/share/zones/Africa/Cairo",
                           "/usr/share/zones/posix/Africa/Cairo"})
    EXPECT_TRUE(has(closure, path)) << path;
  for (const char* path : {"/plain", "/chown.txt", "/usr/share/zones/out/secretive"})
    EXPECT_FALSE(has(closure, path)) << path;
}

TEST(ClosureScripts, ArgumentsHoldFilesBehindKeys) {
  const auto root =
      base().file("/srv/a.srt", "x").file("/srv/b.ttf", "x").file("/srv/c", "x").build();
  const Closure closure = closure_of(
      root, {"/usr/bin/server", "subtitles=/srv/a.srt", "text=hi:fontfile=/srv/b.ttf", "/x/srv/c"});
  EXPECT_TRUE(has(closure, "/srv/a.srt"));
  EXPECT_TRUE(has(closure, "/srv/b.ttf"));
  EXPECT_FALSE(has(closure, "/srv/c"));
}

}  // namespace
}  // namespace cloister::manifest
