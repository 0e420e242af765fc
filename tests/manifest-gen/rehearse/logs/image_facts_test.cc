#include "manifest-gen/rehearse/logs/image_facts.h"

#include <gtest/gtest.h>

#include "manifest-gen/rehearse/logs/call_tracker.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

ObservedRun natively_run() {
  ObservedRun run;
  run.paths["/bin/start"].of(FileUse::execute).done = 2;
  run.paths["/bin/none"].of(FileUse::execute).absent = 1;
  run.paths["/lib/libc.so.6"].of(FileUse::read).done = 1;
  run.paths["/etc/ld.so.cache"].of(FileUse::read).done = 1;
  run.paths["/etc"].of(FileUse::read).done = 1;
  run.paths["/gone"].of(FileUse::read).done = 1;
  run.notes = {"a", std::string(kKernelOpensInterpreters)};
  return run;
}

measure::Rootfs image() {
  return test::Tree()
      .script("/bin/start", "#!/usr/bin/sh -e\n")
      .elf("/usr/bin/dash", test::program())
      .link("/usr/bin/sh", "dash")
      .elf("/lib64/ld-linux-x86-64.so.2", test::library())
      .elf("/usr/lib/libc.so.6", test::library())
      .link("/lib", "usr/lib")
      .file("/etc/ld.so.cache")
      .build();
}

TEST(ImageFacts, TypesAndLinksAreTheImages) {
  ObservedRun run = natively_run();
  run.paths["/lib/libc.so.6"].real = "/as/the/log/says";
  add_image_facts(run, image(), {});
  EXPECT_EQ(run.paths.at("/etc").type, ObservedType::directory);
  EXPECT_EQ(run.paths.at("/bin/start").type, ObservedType::regular);
  EXPECT_EQ(run.paths.at("/lib/libc.so.6").real, "/as/the/log/says");
  EXPECT_EQ(run.paths.at("/usr/bin/sh").real, "/usr/bin/dash");
  EXPECT_EQ(run.paths.at("/gone").type, ObservedType::unknown);
  EXPECT_EQ(run.paths.at("/gone").real, "");
  EXPECT_TRUE(run.stand_ins.empty());
}

TEST(ImageFacts, WhatTheKernelOpensIsAdded) {
  ObservedRun run = natively_run();
  add_image_facts(run, image(), {});
  EXPECT_EQ(run.paths.at("/usr/bin/sh").of(FileUse::execute).done, 2U);
  EXPECT_EQ(run.paths.at("/usr/bin/sh").programs, std::set<std::string>{"/bin/start"});
  EXPECT_EQ(run.paths.at("/lib64/ld-linux-x86-64.so.2").of(FileUse::execute).done, 2U);
  EXPECT_EQ(run.notes, std::vector<std::string>{"a"});
}

TEST(ImageFacts, TheCLibraryStandsForTheRuntimes) {
  ObservedRun run = natively_run();
  add_image_facts(run, image(), test::glibc_runtime().glibc);
  EXPECT_EQ(run.stand_ins, (std::set<std::string>{"/etc/ld.so.cache", "/lib/libc.so.6",
                                                  "/lib64/ld-linux-x86-64.so.2"}));
}

TEST(ImageFacts, InterpretersThatNameEachOtherEnd) {
  ObservedRun run;
  run.paths["/a"].of(FileUse::execute).done = 1;
  add_image_facts(run, test::Tree().script("/a", "#!/b\n").script("/b", "#!/a\n").build(), {});
  EXPECT_EQ(run.paths.size(), 2U);
}

}  // namespace
}  // namespace cloister::manifest
