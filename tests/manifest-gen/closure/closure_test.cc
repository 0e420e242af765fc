#include "manifest-gen/closure/closure.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/manifest-gen/closure/closure_of.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::debian_tree;
using test::glibc_runtime;
using test::library;
using test::program;
using test::Tree;
using Paths = std::vector<std::string>;

Launch launch_of(std::string path, const measure::Rootfs& rootfs,
                 std::vector<std::string> args = {}) {
  Launch launch;
  launch.argv = {path};
  launch.argv.insert(launch.argv.end(), args.begin(), args.end());
  launch.program = path;
  launch.entrypoint = rootfs.real_path(path).value_or(path);
  launch.env = {{"PATH", "/usr/bin:/bin"}};
  launch.workdir = "/";
  return launch;
}

Closure closure_of(const Launch& launch, const measure::Rootfs& rootfs,
                   const measure::Runtime& runtime, std::vector<ClosureRoot> roots = {}) {
  auto closure = compute_closure(launch, rootfs, runtime, roots, Limits{});
  if (!closure) {
    ADD_FAILURE() << closure.error().what();
    return {};
  }
  return std::move(*closure);
}

const Member* member(const Closure& closure, std::string_view path) {
  for (const Member& m : closure.members)
    for (const std::string& p : m.paths)
      if (p == path) return &m;
  return nullptr;
}

Tree debian() {
  Tree tree;
  tree.directory("/var/lib/dpkg")
      .link("/lib", "usr/lib")
      .link("/lib64", "usr/lib64")
      .link("/bin", "usr/bin")
      .directory("/usr/lib/x86_64-linux-gnu")
      .elf("/usr/lib/x86_64-linux-gnu/libc.so.6", library())
      .elf("/usr/lib/x86_64-linux-gnu/libm.so.6", library())
      .elf("/usr/lib/x86_64-linux-gnu/libz.so.1.2.13", library({"libc.so.6"}))
      .link("/usr/lib/x86_64-linux-gnu/libz.so.1", "libz.so.1.2.13")
      .elf("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", library())
      .link("/usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  return tree;
}

TEST(Closure, LibrariesReadTheEnvironmentFromAFile) {
  const auto closure_with = [](std::string_view more) {
    const auto root = debian_tree()
                          .elf("/usr/bin/app", program())
                          .file("/app/.env", "KEY=1\n")
                          .file(more)
                          .build();
    manifest::Launch launch;
    launch.argv = {"/usr/bin/app"};
    launch.program = launch.entrypoint = "/usr/bin/app";
    launch.workdir = "/app";
    auto closure = compute_closure(launch, root, test::glibc_runtime(), {}, Limits{});
    EXPECT_TRUE(closure);
    return std::move(*closure);
  };
  const Closure with = closure_with("/app/node_modules/dotenv/lib/main.js");
  EXPECT_TRUE(test::grants(with, "/app/.env"));
  EXPECT_TRUE(with.withheld.empty());
  const Closure without = closure_with("/app/node_modules/other/lib/main.js");
  EXPECT_FALSE(test::grants(without, "/app/.env"));
  EXPECT_EQ(without.withheld, std::vector<std::string>{"/app/.env"});
}

TEST(Closure, CredentialsThatComeWithTheContainer) {
  const auto root = debian_tree()
                        .elf("/usr/bin/app", program())
                        .file("/etc/app.conf",
                              "key = /run/secrets/a\nlog = /var/log/app.log\n"
                              "certificate = /etc/tls/a.crt\n")
                        .file("/etc/tls/a.crt", "x")
                        .build();
  manifest::Launch launch;
  launch.argv = {"/usr/bin/app", "-c", "/etc/app.conf", "--ca=/certs/ca.pem", "/certs/data.csv"};
  launch.program = launch.entrypoint = "/usr/bin/app";
  launch.env = {{"PASSWORD_FILE", "/run/secrets/password"}, {"HOME", "/absent"}};
  launch.workdir = "/";
  const auto closure = compute_closure(launch, root, test::glibc_runtime(), {}, Limits{});
  ASSERT_TRUE(closure);
  std::vector<std::string> absent;
  for (const AbsentFile& file : closure->absent) absent.push_back(cat(file.path, " ", file.named));
  EXPECT_EQ(absent,
            (std::vector<std::string>{"/run/secrets/a in /etc/app.conf",
                                      "/certs/ca.pem argument --ca=/certs/ca.pem",
                                      "/run/secrets/password environment variable PASSWORD_FILE"}));
}

TEST(Closure, GlibcComesFromTheRuntimeAndTheRestFromTheImage) {
  const auto root =
      debian().elf("/usr/bin/app", program({"libz.so.1", "libm.so.6", "libc.so.6"})).build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  EXPECT_TRUE(closure.unresolved.empty());
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/lib/x86_64-linux-gnu");
  EXPECT_TRUE(closure.uses_glibc_runtime);
  EXPECT_EQ(closure.members.front().real_path, "/usr/bin/app");
  for (const char* name : {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}) {
    const Member* m = member(closure, cat("/gramine/runtime/glibc/", name));
    ASSERT_NE(m, nullptr) << name;
    EXPECT_TRUE(m->from_runtime);
    EXPECT_EQ(m->runtime_name, name);
    EXPECT_EQ(member(closure, cat("/usr/lib/x86_64-linux-gnu/", name)), nullptr) << name;
  }
  EXPECT_EQ(member(closure, "/gramine/runtime/glibc/libdl.so.2"), nullptr);
}

TEST(Closure, LibrariesAreListedAsSpelledAndUnderTheirRealPath) {
  const auto root = debian().elf("/usr/bin/app", program({"libz.so.1"})).build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  const Member* m = member(closure, "/lib/x86_64-linux-gnu/libz.so.1");
  ASSERT_NE(m, nullptr);
  EXPECT_EQ(m->real_path, "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13");
  EXPECT_EQ(m->paths,
            (Paths{"/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13"}));
}

TEST(Closure, EntrypointIsGrantedUnderBothItsNames) {
  const auto root = debian().elf("/usr/bin/real", program({})).link("/usr/bin/app", "real").build();
  const auto closure = closure_of(launch_of("/bin/app", root), root, glibc_runtime());
  EXPECT_EQ(closure.members.front().paths, (Paths{"/bin/app", "/usr/bin/app", "/usr/bin/real"}));
}

TEST(Closure, MissingLibraryNamesEveryPlaceInOrder) {
  const auto root = debian()
                        .elf("/usr/bin/app", program({"libgone.so.1"}))
                        .file("/usr/lib/libgone.so.1", "text")
                        .build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
  const Unresolved& u = closure.unresolved.front();
  EXPECT_EQ(u.name, "libgone.so.1");
  EXPECT_EQ(u.needed_by, "/usr/bin/app");
  EXPECT_EQ(u.searched, (Paths{"the runtime's /gramine/runtime/glibc: not there",
                               "/lib/x86_64-linux-gnu/libgone.so.1: not there",
                               "/lib/libgone.so.1: not an ELF file (the loader gives up here)"}));
}

TEST(Closure, WrongMachineIsSkippedAsTheLoaderSkipsIt) {
  measure::elf::Facts arm = library();
  arm.machine = measure::elf::kMachineAarch64;
  const auto root = debian()
                        .elf("/usr/bin/app", program({"libx.so"}))
                        .elf("/usr/lib/x86_64-linux-gnu/libx.so", arm)
                        .elf("/usr/lib/libx.so", library())
                        .build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  EXPECT_NE(member(closure, "/usr/lib/libx.so"), nullptr);
  EXPECT_EQ(member(closure, "/usr/lib/x86_64-linux-gnu/libx.so"), nullptr);
}

TEST(Closure, RunpathWithOriginNeedsNoDirectory) {
  auto app = program({"libown.so"});
  app.runpath = "$ORIGIN/../lib";
  const auto root =
      debian().elf("/opt/app/bin/app", app).elf("/opt/app/lib/libown.so", library()).build();
  const auto closure = closure_of(launch_of("/opt/app/bin/app", root), root, glibc_runtime());
  EXPECT_NE(member(closure, "/opt/app/lib/libown.so"), nullptr);
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc");
}

TEST(Closure, OriginOfALinkedProgramIsThatOfItsRealPath) {
  auto app = program({"libown.so"});
  app.runpath = "${ORIGIN}/../lib";
  const auto root = debian()
                        .elf("/opt/app/bin/app", app)
                        .elf("/opt/app/lib/libown.so", library())
                        .link("/usr/bin/app", "/opt/app/bin/app")
                        .build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  EXPECT_TRUE(closure.unresolved.empty());
  EXPECT_NE(member(closure, "/opt/app/lib/libown.so"), nullptr);
}

TEST(Closure, RpathIsInheritedRunpathIsNot) {
  auto app = program({"liba.so"});
  app.rpath = "/opt/lib";
  Tree tree = debian();
  tree.elf("/opt/lib/liba.so", library({"libb.so"})).elf("/opt/lib/libb.so", library());
  {
    const auto root = Tree(tree).elf("/usr/bin/app", app).build();
    EXPECT_TRUE(
        closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime()).unresolved.empty());
  }
  app.runpath = std::move(app.rpath);
  app.rpath.reset();
  const auto root = Tree(tree).elf("/usr/bin/app", app).build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_EQ(closure.unresolved.front().name, "libb.so");
}

TEST(Closure, RunpathLibraryShadowedByAListedDirectoryGetsItsDirectoryListedFirst) {
  auto app = program({"libz.so.1", "libown.so"});
  app.runpath = "/opt/lib";
  const auto root = debian()
                        .elf("/usr/bin/app", app)
                        .elf("/opt/lib/libown.so", library(), "private")
                        .elf("/usr/lib/x86_64-linux-gnu/libown.so", library(), "system")
                        .build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/opt/lib:/lib/x86_64-linux-gnu");
  EXPECT_EQ(member(closure, "/usr/lib/x86_64-linux-gnu/libown.so"), nullptr);
}

TEST(Closure, OrderThatCannotBeKeptIsReported) {
  // app wants its own libx but the system's liby; its directory has another liby, the system's
  // another libx, and --include grants both.
  auto app = program({"libx.so", "liby.so"});
  app.runpath = "/opt/lib";
  auto y = library({"libz.so.1"});
  const auto root = debian()
                        .elf("/usr/bin/app", app)
                        .elf("/opt/lib/libx.so", library({"libn.so"}), "own x")
                        .elf("/opt/lib/liby.so", y, "own y")
                        .elf("/opt/lib/libn.so", library(), "own n")
                        .elf("/usr/lib/x86_64-linux-gnu/libn.so", library(), "system n")
                        .elf("/usr/lib/x86_64-linux-gnu/libx.so", library(), "system x")
                        .build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime(),
                                  {{"/opt/lib/libn.so", Why::include, "", false},
                                   {"/lib/x86_64-linux-gnu/libx.so", Why::include, "", false}});
  ASSERT_FALSE(closure.unresolved.empty());
  EXPECT_NE(closure.unresolved.front().searched.front().find("holds another"), std::string::npos);
}

TEST(Closure, ImageLibraryPathComesBeforeRunpathAndStays) {
  auto app = program({"libown.so"});
  app.runpath = "/opt/lib";
  const auto root = debian()
                        .elf("/usr/bin/app", app)
                        .elf("/opt/lib/libown.so", library(), "runpath")
                        .elf("/env/lib/libown.so", library(), "environment")
                        .build();
  Launch launch = launch_of("/usr/bin/app", root);
  launch.env.emplace_back("LD_LIBRARY_PATH", "/absent:/env/lib");
  const auto closure = closure_of(launch, root, glibc_runtime());
  EXPECT_NE(member(closure, "/env/lib/libown.so"), nullptr);
  EXPECT_EQ(member(closure, "/opt/lib/libown.so"), nullptr);
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/env/lib");
}

TEST(Closure, PreloadsAreHonouredAndMissingOnesAreNotFatal) {
  const auto root = debian()
                        .elf("/usr/bin/app", program())
                        .elf("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", library({"libm.so.6"}))
                        .file("/etc/ld.so.preload", "/opt/gone.so\n")
                        .build();
  Launch launch = launch_of("/usr/bin/app", root);
  launch.env.emplace_back("LD_PRELOAD", "libjemalloc.so.2");
  const auto closure = closure_of(launch, root, glibc_runtime());
  EXPECT_NE(member(closure, "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"), nullptr);
  EXPECT_NE(member(closure, "/gramine/runtime/glibc/libm.so.6"), nullptr);
  EXPECT_NE(member(closure, "/etc/ld.so.preload"), nullptr);
  EXPECT_TRUE(closure.unresolved.empty());
  ASSERT_EQ(closure.unresolved_optional.size(), 1u);
  EXPECT_EQ(closure.unresolved_optional.front().name, "/opt/gone.so");
}

TEST(Closure, VersionThatTheRuntimeLacksIsUnresolved) {
  auto app = program();
  app.version_needs = {
      {"libc.so.6", {{"GLIBC_2.2.5", false}, {"GLIBC_2.41", false}, {"GLIBC_2.99", true}}}};
  const auto root = debian().elf("/usr/bin/app", app).build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_EQ(closure.unresolved.front().name, "GLIBC_2.41 of libc.so.6");
  EXPECT_EQ(closure.unresolved.front().needed_by, "/usr/bin/app");
  EXPECT_EQ(closure.unresolved.front().searched,
            Paths{"/gramine/runtime/glibc/libc.so.6: offers GLIBC_2.40 at most"});
}

TEST(Closure, RuntimeWithoutGlibcIsSaid) {
  const auto root = debian().elf("/usr/bin/app", program({})).build();
  measure::Runtime runtime = glibc_runtime();
  runtime.glibc.clear();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, runtime);
  ASSERT_FALSE(closure.unresolved.empty());
  EXPECT_EQ(closure.unresolved.front().name, "ld-linux-x86-64.so.2");
}

TEST(Closure, StaticProgramNeedsOnlyItself) {
  auto facts = library();
  facts.type = measure::elf::kTypeExec;
  const auto root = Tree().elf("/hello", facts).build();
  const auto closure = closure_of(launch_of("/hello", root), root, glibc_runtime());
  EXPECT_TRUE(closure.is_static);
  EXPECT_EQ(closure.members.size(), 1u);
  EXPECT_EQ(closure.library_path, "");
  EXPECT_FALSE(closure.uses_glibc_runtime);
}

TEST(Closure, ImageWithoutPackagesOwnsItsConfiguration) {
  const auto root = Tree()
                        .elf("/hello", library())
                        .file("/etc/app.conf")
                        .file("/etc/hosts")
                        .file("/etc/shadow")
                        .build();
  const auto closure = closure_of(launch_of("/hello", root), root, glibc_runtime());
  EXPECT_NE(member(closure, "/etc/app.conf"), nullptr);
  EXPECT_EQ(member(closure, "/etc/hosts"), nullptr);
  EXPECT_EQ(member(closure, "/etc/shadow"), nullptr);
  EXPECT_EQ(closure.withheld, Paths{"/etc/shadow"});
}

TEST(Closure, MuslUsesTheImagesOwnLoader) {
  auto app = library({"libgreet.so", "libc.musl-x86_64.so.1"});
  app.interpreter = "/lib/ld-musl-x86_64.so.1";
  app.runpath = "$ORIGIN/../lib";
  const auto root = Tree()
                        .elf("/lib/ld-musl-x86_64.so.1", library())
                        .link("/lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1")
                        .elf("/app/bin/hello", app)
                        .elf("/app/lib/libgreet.so", library({"libc.so"}))
                        .file("/etc/ld-musl-x86_64.path", "/lib\n")
                        .build();
  const auto closure = closure_of(launch_of("/app/bin/hello", root), root, glibc_runtime());
  EXPECT_TRUE(closure.unresolved.empty());
  EXPECT_TRUE(closure.uses_musl);
  EXPECT_FALSE(closure.uses_glibc_runtime);
  EXPECT_EQ(closure.library_path, "/lib");
  EXPECT_NE(member(closure, "/lib/ld-musl-x86_64.so.1"), nullptr);
  EXPECT_NE(member(closure, "/app/lib/libgreet.so"), nullptr);
  EXPECT_NE(member(closure, "/etc/ld-musl-x86_64.path"), nullptr);
}

TEST(Closure, MuslOfTheRuntimeIsPreferred) {
  auto app = library();
  app.interpreter = "/lib/ld-musl-x86_64.so.1";
  const auto root = Tree().elf("/lib/ld-musl-x86_64.so.1", library()).elf("/app", app).build();
  measure::Runtime runtime = glibc_runtime();
  runtime.musl["ld-musl-x86_64.so.1"] = {0, "/x", sha256("musl"), 1};
  const auto closure = closure_of(launch_of("/app", root), root, runtime);
  EXPECT_EQ(closure.library_path, "/gramine/runtime/musl");
  EXPECT_NE(member(closure, "/gramine/runtime/musl/ld-musl-x86_64.so.1"), nullptr);
  EXPECT_EQ(member(closure, "/lib/ld-musl-x86_64.so.1"), nullptr);
}

TEST(Closure, ScriptBringsInterpreterCommandsAndWhatItsArgumentsStart) {
  const auto root =
      debian()
          .script("/usr/bin/start.sh", "#!/bin/sh -e\nmkdir -p /x\necho hi\nexec \"$@\"\n")
          .elf("/usr/bin/dash", program())
          .link("/usr/bin/sh", "dash")
          .elf("/usr/bin/mkdir", program())
          .elf("/usr/bin/echo", program())
          .elf("/usr/bin/server", program({"libz.so.1"}))
          .file("/etc/server.conf", "x")
          .build();
  const auto closure = closure_of(
      launch_of("/usr/bin/start.sh", root, {"server", "/etc/server.conf"}), root, glibc_runtime());
  EXPECT_EQ(closure.members.front().real_path, "/usr/bin/start.sh");
  EXPECT_EQ(member(closure, "/bin/sh")->paths, (Paths{"/bin/sh", "/usr/bin/dash", "/usr/bin/sh"}));
  for (const char* path :
       {"/usr/bin/mkdir", "/usr/bin/server", "/etc/server.conf", "/lib/x86_64-linux-gnu/libz.so.1"})
    EXPECT_NE(member(closure, path), nullptr) << path;
  EXPECT_EQ(member(closure, "/usr/bin/echo"), nullptr);  // a builtin
  EXPECT_FALSE(closure.is_static);
}

TEST(Closure, WhatTheCommandLineStartsMustBeComplete) {
  const auto root =
      debian()
          .script("/usr/bin/start.sh", "#!/bin/sh\nset -- server \"$@\"\nhelper\nexec \"$@\"\n")
          .elf("/usr/bin/sh", program())
          .elf("/usr/bin/server", program({"libgone.so"}))
          .elf("/usr/bin/helper", program({"libaway.so"}))
          .build();
  const auto closure =
      closure_of(launch_of("/usr/bin/start.sh", root, {"server"}), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_EQ(closure.unresolved.front().name, "libgone.so");
  ASSERT_EQ(closure.unresolved_optional.size(), 1u);
  EXPECT_EQ(closure.unresolved_optional.front().name, "libaway.so");
}

TEST(Closure, EnvFindsItsProgramInPath) {
  const auto root = debian()
                        .script("/app/run", "#!/usr/bin/env -S tool --x\n")
                        .elf("/usr/bin/env", program())
                        .elf("/usr/bin/tool", program())
                        .build();
  const auto closure = closure_of(launch_of("/app/run", root), root, glibc_runtime());
  EXPECT_NE(member(closure, "/usr/bin/env"), nullptr);
  EXPECT_NE(member(closure, "/usr/bin/tool"), nullptr);
}

TEST(Closure, MissingInterpreterAndEndlessShebangs) {
  {
    const auto root = debian().script("/a", "#!/opt/gone\n").build();
    const auto closure = closure_of(launch_of("/a", root), root, glibc_runtime());
    ASSERT_EQ(closure.unresolved.size(), 1u);
    EXPECT_EQ(closure.unresolved.front().name, "/opt/gone");
  }
  Tree tree = debian();
  for (int i = 0; i < 8; ++i) tree.script(cat("/s", i), cat("#!/s", i + 1, "\n"));
  const auto root = tree.build();
  const auto closure = closure_of(launch_of("/s0", root), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_NE(closure.unresolved.front().searched.front().find("too many"), std::string::npos);
}

TEST(Closure, EntrypointThatIsNoProgram) {
  const auto root = debian().file("/usr/bin/x", "hello", 0755).build();
  const auto closure = closure_of(launch_of("/usr/bin/x", root), root, glibc_runtime());
  ASSERT_EQ(closure.unresolved.size(), 1u);
}

TEST(Closure, ShellFormOfACommandIsRead) {
  const auto root = debian()
                        .elf("/usr/bin/sh", program())
                        .elf("/usr/bin/server", program({"libz.so.1"}))
                        .file("/etc/server.conf", "x")
                        .build();
  const auto closure = closure_of(
      launch_of("/bin/sh", root, {"-c", "exec server /etc/server.conf"}), root, glibc_runtime());
  EXPECT_NE(member(closure, "/usr/bin/server"), nullptr);
  EXPECT_NE(member(closure, "/etc/server.conf"), nullptr);
}

TEST(Closure, WrapperStartsItsArguments) {
  const auto root = debian()
                        .elf("/usr/bin/tini", program())
                        .script("/run.sh", "#!/usr/bin/sh\n")
                        .elf("/usr/bin/sh", program())
                        .build();
  const auto closure =
      closure_of(launch_of("/usr/bin/tini", root, {"--", "/run.sh"}), root, glibc_runtime());
  EXPECT_NE(member(closure, "/run.sh"), nullptr);
  EXPECT_NE(member(closure, "/usr/bin/sh"), nullptr);
}

TEST(Closure, ArgumentsThatNameFiles) {
  const auto root = debian()
                        .elf("/usr/bin/app", program())
                        .file("/srv/app/main.py", "x")
                        .file("/etc/a.conf", "a")
                        .file("/etc/b.conf", "b")
                        .file("/etc/env.conf", "c")
                        .build();
  Launch launch = launch_of("/usr/bin/app", root,
                            {"main.py", "--config=/etc/a.conf", "-c/etc/b.conf", "--", "/etc"});
  launch.workdir = "/srv/app";
  launch.env.emplace_back("APP_CONFIG", "/etc/env.conf");
  const auto closure = closure_of(launch, root, glibc_runtime());
  for (const char* path : {"/srv/app/main.py", "/etc/a.conf", "/etc/b.conf", "/etc/env.conf"})
    EXPECT_NE(member(closure, path), nullptr) << path;
}

TEST(Closure, RootsExpandAndElfOnesBringTheirClosure) {
  const auto root = debian()
                        .elf("/usr/bin/app", program())
                        .elf("/plugins/a.so", library({"libz.so.1"}))
                        .elf("/plugins/b.so", library({"libgone.so"}))
                        .file("/plugins/cert.key", "secret")
                        .file("/plugins/x.pyc", "code")
                        .file("/plugins/\xff.txt", "name")
                        .build();
  const std::vector<ClosureRoot> roots = {{"/plugins/**", Why::package_data, "plug-ins", true},
                                          {"/absent/**", Why::package_data, "", true},
                                          {"/gone", Why::include, "--include /gone", false}};
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime(), roots);
  EXPECT_NE(member(closure, "/plugins/a.so"), nullptr);
  EXPECT_NE(member(closure, "/lib/x86_64-linux-gnu/libz.so.1"), nullptr);
  EXPECT_EQ(member(closure, "/plugins/cert.key"), nullptr);
  EXPECT_EQ(member(closure, "/plugins/x.pyc"), nullptr);
  EXPECT_EQ(closure.withheld, (Paths{"/plugins/cert.key", "/plugins/\xff.txt"}));
  ASSERT_EQ(closure.unresolved_optional.size(), 1u);
  EXPECT_EQ(closure.unresolved_optional.front().name, "libgone.so");
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_EQ(closure.unresolved.front().name, "/gone");
}

TEST(Closure, WhatTheUserIncludesIsGrantedAsItIs) {
  const auto root = debian()
                        .elf("/usr/bin/app", program())
                        .file("/keys/tls.key", "k")
                        .elf("/opt/tool", program({"libgone.so"}))
                        .build();
  const auto closure =
      closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime(),
                 {{"/keys", Why::include, "", false}, {"/opt/*", Why::include, "", false}});
  EXPECT_NE(member(closure, "/keys/tls.key"), nullptr);
  ASSERT_EQ(closure.unresolved.size(), 1u);
  EXPECT_EQ(closure.unresolved.front().name, "libgone.so");
}

TEST(Closure, IncludedLibraryOfASystemDirectoryCanBeOpenedByName) {
  const auto root = debian()
                        .elf("/usr/bin/app", program())
                        .elf("/usr/lib/x86_64-linux-gnu/libplugin.so", library({"libc.so.6"}))
                        .build();
  const auto closure =
      closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime(),
                 {{"/lib/x86_64-linux-gnu/libplugin.so", Why::include, "", false}});
  EXPECT_EQ(closure.library_path, "/gramine/runtime/glibc:/lib/x86_64-linux-gnu");
}

TEST(Closure, FilesThatLibrariesOpenOnTheirOwn) {
  auto app = program({"libcrypto.so.3"});
  app.imports = {"getpwnam", "localtime", "setlocale"};
  const auto root = debian()
                        .elf("/usr/bin/app", app)
                        .elf("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", library())
                        .elf("/usr/lib/x86_64-linux-gnu/libgcc_s.so.1", library())
                        .link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
                        .file("/usr/share/zoneinfo/Etc/UTC", "tz")
                        .file("/etc/passwd", "p")
                        .file("/etc/ssl/openssl.cnf", "o")
                        .link("/usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")
                        .file("/usr/lib/locale/C.utf8/LC_CTYPE", "l")
                        .file("/etc/unrelated", "u")
                        .build();
  Launch launch = launch_of("/usr/bin/app", root);
  launch.env.emplace_back("LANG", "C.UTF-8");
  const auto closure = closure_of(launch, root, glibc_runtime());
  for (const char* path :
       {"/etc/localtime", "/usr/share/zoneinfo/Etc/UTC", "/etc/passwd", "/usr/lib/ssl/openssl.cnf",
        "/etc/ssl/openssl.cnf", "/usr/lib/locale/C.utf8/LC_CTYPE",
        "/lib/x86_64-linux-gnu/libgcc_s.so.1"})
    EXPECT_NE(member(closure, path), nullptr) << path;
  EXPECT_EQ(member(closure, "/etc/unrelated"), nullptr);
}

TEST(Closure, EveryMemberHasAReason) {
  const auto root =
      debian().elf("/usr/bin/app", program({"libz.so.1"})).file("/etc/passwd", "p").build();
  const auto closure = closure_of(launch_of("/usr/bin/app", root), root, glibc_runtime());
  for (std::size_t i = 0; i < closure.members.size(); ++i)
    EXPECT_TRUE(std::any_of(closure.edges.begin(), closure.edges.end(), [&](const Edge& edge) {
      return edge.to == i;
    })) << closure.members[i].real_path;
}

TEST(Closure, ReasonsHaveNames) {
  EXPECT_EQ(why_name(Why::script_command), "script-command");
  EXPECT_EQ(why_name(Why::package_data), "package-data");
}

}  // namespace
}  // namespace cloister::manifest
