#include "manifest-gen/gramine/writable_places.h"

#include <gtest/gtest.h>

#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

std::vector<std::string> places(const measure::Rootfs& rootfs, const Launch& launch) {
  Closure closure;
  Member member;
  member.real_path = "/app";
  closure.members.push_back(std::move(member));
  std::vector<std::string> out;
  for (const WritablePlace& place : writable_places(launch, closure, rootfs))
    out.push_back(place.path);
  return out;
}

TEST(WritablePlaces, WhatTheProgramNamesAndMayLose) {
  auto facts = test::program();
  facts.strings = {"/run/app/app.pid", "/var/cache/app",   "/var/cache/full",
                   "/var/lib/app",     "/var/log/app.log", "/var/log/linked/x.log",
                   "/var/log/%s/y",    "/var/spool/gone"};
  const auto root = Tree()
                        .elf("/app", facts)
                        .directory("/run/app")
                        .directory("/var/cache/app/below")
                        .file("/var/cache/full/data", "x")
                        .directory("/var/lib/app")
                        .link("/var/log/linked/x.log", "/dev/stdout")
                        .build();
  EXPECT_EQ(places(root, {}), (std::vector<std::string>{"/run/app", "/var/cache/app"}));
}

TEST(WritablePlaces, TheWorkingDirectoryThatTheImageLacks) {
  const auto root = Tree().elf("/app", test::program()).directory("/there").build();
  Launch launch;
  launch.workdir = "/data";
  launch.missing_directories = {"/data", "/proc"};
  EXPECT_EQ(places(root, launch), std::vector<std::string>{"/data"});
  launch.workdir = "/there";
  EXPECT_TRUE(places(root, launch).empty());
}

// Tomcat's logs: the program goes by the link.
TEST(WritablePlaces, LinksToThemAreAsWritable) {
  auto facts = test::program();
  facts.strings = {"/var/log/app"};
  const auto root = Tree()
                        .elf("/app", facts)
                        .directory("/var/log/app")
                        .link("/var/lib/app/logs", "../../log/app")
                        .link("/var/lib/app/conf", "/etc")
                        .build();
  EXPECT_EQ(places(root, {}), (std::vector<std::string>{"/var/lib/app/logs", "/var/log/app"}));
}

}  // namespace
}  // namespace cloister::manifest
