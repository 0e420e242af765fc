// What of an image comes along into a guest.
#include "manifest-gen/guest/guest_root.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/guest/guest_document.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;
using Type = GuestEntry::Type;

struct Collected {
  GuestRoot root;
  FileSpool spool = must(FileSpool::create());

  std::string content(const std::string& path) const {
    const GuestEntry& entry = root.tree.at(path);
    std::string out(entry.size, '?');
    if (entry.size > 0) {
      EXPECT_TRUE(spool.read(entry.offset, std::as_writable_bytes(std::span(out))).has_value());
    }
    return out;
  }
  // "d 755 0:0 /usr", "f 644 0:0 /etc/x", "l /bin -> usr/bin".
  std::vector<std::string> list() const {
    std::vector<std::string> out;
    for (const auto& [path, entry] : root.tree) {
      if (entry.type == Type::symlink) {
        out.push_back(cat("l /", path, " -> ", entry.link_target));
        continue;
      }
      char mode[8];
      std::snprintf(mode, sizeof mode, "%o", entry.mode);
      out.push_back(cat(entry.type == Type::file ? "f " : "d ", mode, " ", entry.uid, ":",
                        entry.gid, " /", path));
    }
    return out;
  }
};

struct RootInput {
  Tree tree;
  GuestPlan plan;
  Closure closure;
  Limits limits;

  RootInput() { plan.workdir = "/"; }
  void grant(const std::string& path) {
    Member member;
    member.real_path = path;
    member.paths = {path};
    closure.members.push_back(std::move(member));
  }
  Result<Collected> collect() {
    const measure::Rootfs rootfs = tree.build();
    Collected out;
    CL_TRY(out.root, collect_guest_root(plan, closure, rootfs, limits));
    CL_CHECK(fill_guest_root(out.root.tree, rootfs, out.spool));
    return out;
  }
  Code refusal() {
    const auto made = collect();
    return made.has_value() ? Code::internal : made.error().code();
  }
};

using Texts = std::vector<std::string>;

// What every guest has.
const Texts kMachine = {"d 755 0:0 /",          "d 755 0:0 /dev",
                        "d 755 0:0 /etc",       "f 644 0:0 /etc/hostname",
                        "f 644 0:0 /etc/hosts", "f 644 0:0 /etc/resolv.conf",
                        "d 755 0:0 /proc",      "d 755 0:0 /sys",
                        "d 1777 0:0 /tmp"};

Texts with_machine(Texts more) {
  more.insert(more.end(), kMachine.begin(), kMachine.end());
  // By path, as the tree has them.
  std::sort(more.begin(), more.end(), [](const std::string& a, const std::string& b) {
    const auto path = [](const std::string& line) {
      const std::size_t at = line.find('/');
      return line.substr(at, line.find(" -> ") - at);
    };
    return path(a) < path(b);
  });
  return more;
}

TEST(GuestRoot, OfAnEmptyImageIsTheMachines) {
  const Collected made = must(RootInput().collect());
  EXPECT_EQ(made.list(), kMachine);
  EXPECT_EQ(made.root.files, 3U);
  EXPECT_EQ(made.root.bytes, 0U);
  EXPECT_EQ(made.root.tree.at("etc/hosts").sha256, sha256(std::string_view()));
}

TEST(GuestRoot, HoldsWhatIsGrantedAndTheWayToIt) {
  RootInput input;
  input.tree.directory("/usr/lib/empty")
      .link("/bin", "usr/bin")
      .link("/dangling", "/nowhere")
      .file("/usr/bin/app", "program", 04755)
      .file("/usr/bin/other", "not granted", 0755)
      .file("/etc/shadow", "secret", 0600);
  input.tree.file("/usr/lib/lib.so", "library", 0644).last().uid = 7;
  input.tree.last().gid = 8;
  input.grant("/usr/bin/app");
  input.grant("/usr/lib/lib.so");
  const Collected made = must(input.collect());
  EXPECT_EQ(made.list(),
            with_machine({"l /bin -> usr/bin", "l /dangling -> /nowhere", "d 755 0:0 /usr",
                          "d 755 0:0 /usr/bin", "f 4755 0:0 /usr/bin/app", "d 755 0:0 /usr/lib",
                          "d 755 0:0 /usr/lib/empty", "f 644 7:8 /usr/lib/lib.so"}));
  EXPECT_EQ(made.content("usr/bin/app"), "program");
  EXPECT_EQ(made.content("usr/lib/lib.so"), "library");
  EXPECT_EQ(made.root.tree.at("usr/bin/app").sha256, sha256("program"));
  EXPECT_EQ(made.root.files, 5U);
  EXPECT_EQ(made.root.bytes, 14U);
  EXPECT_TRUE(made.root.reasons.contains("/usr/bin/app"));
  EXPECT_TRUE(made.root.reasons.contains("/etc/hosts"));
}

// The kernel's own places begin empty, whatever the image has there.
TEST(GuestRoot, NothingOfTheKernelsPlacesComesAlong) {
  RootInput input;
  input.tree.file("/proc/x", "x").directory("/sys/fs").link("/dev/log", "/run/log");
  input.tree.file("/dev/null", "not the null you know");
  input.tree.link("/procedures", "/proc");
  input.grant("/proc/x");
  input.grant("/dev/null");
  EXPECT_EQ(must(input.collect()).list(), with_machine({"l /procedures -> /proc"}));
  RootInput links;
  links.tree.link("/proc", "/etc").link("/sys", "/etc").link("/dev", "/etc");
  EXPECT_EQ(must(links.collect()).list(), kMachine);
}

TEST(GuestRoot, HardLinksShareTheirContent) {
  RootInput input;
  input.tree.file("/a", "shared").hard_link("/b", "/a").file("/c", "shared");
  input.grant("/a");
  input.grant("/b");
  const Collected made = must(input.collect());
  EXPECT_EQ(made.root.tree.at("a").offset, made.root.tree.at("b").offset);
  EXPECT_EQ(made.content("b"), "shared");
  EXPECT_EQ(made.spool.size(), 6U);
  EXPECT_FALSE(made.root.tree.contains("c"));
}

TEST(GuestRoot, SaysWhichCapabilitiesAreLost) {
  RootInput input;
  input.tree.file("/ping", "x", 0755).last().xattrs = {{"user.note", "x"},
                                                       {"security.capability", "\1"}};
  input.tree.file("/plain", "x").last().xattrs = {{"user.note", "x"}};
  input.tree.file("/unused", "x").last().xattrs = {{"security.capability", "\1"}};
  input.grant("/ping");
  input.grant("/plain");
  EXPECT_EQ(must(input.collect()).root.without_capabilities, Texts{"/ping"});
}

TEST(GuestRoot, PlacesBeginWithWhatTheImageHasThere) {
  RootInput input;
  input.tree.file("/data/a", "1").file("/data/sub/b", "22").file("/database", "3");
  input.tree.link("/data/link", "a");
  input.plan.writable = {{"/data", 0755, 0, 0, ""}, {"/new/deep", 0700, 5, 6, ""}};
  const Collected made = must(input.collect());
  EXPECT_EQ(made.list(), with_machine({"d 755 0:0 /data", "f 644 0:0 /data/a", "l /data/link -> a",
                                       "d 755 0:0 /data/sub", "f 644 0:0 /data/sub/b",
                                       "d 755 0:0 /new", "d 700 5:6 /new/deep"}));
  EXPECT_EQ(made.content("data/sub/b"), "22");
}

TEST(GuestRoot, FilesOfTheMachineAreEmpty) {
  RootInput input;
  input.tree.file("/etc/hosts", "1.2.3.4 evil", 0600).last().uid = 9;
  input.tree.link("/etc/resolv.conf", "/run/resolv.conf").directory("/etc/hostname");
  input.grant("/etc/hosts");
  const Collected made = must(input.collect());
  EXPECT_EQ(made.content("etc/hosts"), "");
  EXPECT_EQ(made.root.tree.at("etc/hosts").mode, 0644U);
  EXPECT_EQ(made.root.tree.at("etc/hosts").uid, 0U);
  EXPECT_EQ(made.root.tree.at("etc/resolv.conf").type, Type::symlink);
  EXPECT_EQ(made.root.tree.at("etc/hostname").type, Type::directory);
  EXPECT_EQ(made.root.files, 1U);
  EXPECT_EQ(made.root.bytes, 0U);
  EXPECT_EQ(made.spool.size(), 0U);
}

TEST(GuestRoot, AMissingWorkingDirectoryIsMade) {
  RootInput input;
  input.plan.workdir = "/srv/app";
  EXPECT_EQ(must(input.collect()).list(), with_machine({"d 755 0:0 /srv", "d 755 0:0 /srv/app"}));
  input.tree.directory("/real").link("/srv/app", "/real");
  EXPECT_EQ(must(input.collect()).root.tree.at("srv/app").type, Type::symlink);
}

// An image may keep its temporary files elsewhere.
TEST(GuestRoot, ALinkToATemporaryDirectoryStays) {
  RootInput input;
  input.tree.directory("/var/tmp").link("/tmp", "var/tmp");
  EXPECT_EQ(must(input.collect()).root.tree.at("tmp").type, Type::symlink);
  RootInput dangling;
  dangling.tree.link("/tmp", "/gone");
  EXPECT_EQ(dangling.refusal(), Code::conflict);
}

TEST(GuestRoot, WhatIsInTheWayIsNamed) {
  RootInput input;
  input.tree.file("/srv", "a file");
  input.plan.writable = {{"/srv/app", 0755, 0, 0, ""}};
  EXPECT_EQ(input.refusal(), Code::internal);  // the file is not granted, so it is not there
  input.grant("/srv");
  EXPECT_EQ(input.refusal(), Code::conflict);
}

TEST(GuestRoot, IsBounded) {
  RootInput input;
  input.tree.file("/a", "12345").file("/data/b", "67890");
  input.grant("/a");
  input.plan.writable = {{"/data", 0755, 0, 0, ""}};
  input.limits.guest_root_bytes = 10;
  EXPECT_TRUE(input.collect().has_value());
  input.limits.guest_root_bytes = 9;
  EXPECT_EQ(input.refusal(), Code::limit);
}

TEST(GuestRoot, WhatIsGrantedIsInTheImage) {
  RootInput input;
  input.grant("/gone");
  EXPECT_EQ(input.refusal(), Code::internal);
}

// Whatever an image holds, what is made of it can be described.
TEST(GuestRoot, CanBeDescribed) {
  RootInput input;
  input.tree.file("/a b\n\\", "x").link("/l\x01", "t \n").directory("/bad\xff").file("/tmp/x", "");
  input.grant("/a b\n\\");
  GuestDocument document;
  document.plan.program = "/a b\n\\";
  document.plan.argv = {"a"};
  document.tree = must(input.collect()).root.tree;
  for (auto& [path, entry] : document.tree) entry.offset = 0;
  const auto read = parse_guest_document(encode_guest_document(document), Limits());
  ASSERT_TRUE(read.has_value()) << read.error().what();
  EXPECT_EQ(read->tree, document.tree);
}

}  // namespace
}  // namespace cloister::manifest
