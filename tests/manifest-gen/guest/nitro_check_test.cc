// Ramdisks as they are written, and ones that hold something else than the document says.
#include "manifest-gen/guest/nitro_check.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/guest/cpio_tree.h"
#include "manifest-gen/guest/nitro_layout.h"
#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

using Type = GuestEntry::Type;

class NitroCheckTest : public testing::Test {
 protected:
  NitroCheckTest() {
    document.plan.program = "/bin/program";
    document.plan.argv = {"program", "--port", "1"};
    document.plan.env = {{"PATH", "/bin"}};
    document.plan.uid = 7;
    document.plan = nitro_plan(document.plan).plan;
    document.kernel = "6.6";
    document.tree[""] = {};
    document.tree["bin"] = {};
    document.tree["bin/program"] = file("a program", 0755);
    document.tree["lib"].type = Type::symlink;
    document.tree["lib"].mode = 0777;
    document.tree["lib"].link_target = "usr/lib";
    layout = must(nitro_layout(
        document.plan, document.tree,
        {as_bytes(std::string_view("init")), as_bytes(std::string_view("nsm"))}, spool));
  }

  GuestEntry file(std::string_view content, std::uint32_t mode = 0644) {
    GuestEntry out;
    out.type = Type::file;
    out.mode = mode;
    out.size = content.size();
    out.sha256 = sha256(content);
    out.offset = must(spool.append(as_bytes(content)));
    return out;
  }
  Bytes archive(const GuestTree& tree) {
    Bytes out;
    CpioWriter writer([&](ByteView piece) -> Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    });
    EXPECT_TRUE(
        write_cpio_tree(tree, "", spool, Seconds(std::chrono::seconds(5)), writer).has_value());
    EXPECT_TRUE(writer.finish().has_value());
    return out;
  }
  Result<CheckedEnclave> check() {
    const Bytes boot = archive(layout.boot), root = archive(layout.root),
                start = archive(layout.start);
    MemorySource first(boot), second(root), third(start);
    return check_enclave({&first, &second, &third}, encode_guest_document(document), {});
  }
  std::string problem() {
    const auto checked = check();
    return checked.has_value() ? "none" : checked.error().what();
  }

  FileSpool spool = must(FileSpool::create());
  GuestDocument document;
  NitroLayout layout;
};

std::string unlike(std::string_view path) {
  return cat("the ramdisks are not what the guest document says: '/", path, "'");
}

TEST_F(NitroCheckTest, WhatWasWrittenIsWhatTheDocumentSays) {
  const CheckedEnclave checked = must(check());
  EXPECT_EQ(checked.init, sha256(std::string_view("init")));
  EXPECT_EQ(checked.nsm, sha256(std::string_view("nsm")));
  EXPECT_EQ(encode_guest_document(checked.document), encode_guest_document(document));
}

TEST_F(NitroCheckTest, TheModuleMayBeMissing) {
  layout.boot.erase("nsm.ko");
  EXPECT_FALSE(must(check()).nsm.has_value());
  layout.boot.erase("init");
  EXPECT_EQ(problem(), "the first ramdisk has no first process");
}

TEST_F(NitroCheckTest, NothingElseIsInTheFirst) {
  layout.boot["sbin"] = {};
  EXPECT_EQ(problem(), unlike("sbin"));
  layout.boot.erase("sbin");
  layout.boot["init"].mode = 04755;
  EXPECT_EQ(problem(), unlike("init"));
}

TEST_F(NitroCheckTest, TheRootIsTheDocuments) {
  const GuestTree listed = layout.root;
  layout.root["rootfs/bin/program"] = file("A program", 0755);
  EXPECT_EQ(problem(), unlike("rootfs/bin/program"));
  layout.root = listed;
  layout.root["rootfs/bin/program"].uid = 1;
  EXPECT_EQ(problem(), unlike("rootfs/bin/program"));
  layout.root = listed;
  layout.root["rootfs/bin/sh"] = file("more", 0755);
  EXPECT_EQ(problem(), unlike("rootfs/bin/sh"));
  layout.root = listed;
  layout.root.erase("rootfs/lib");
  EXPECT_EQ(problem(), unlike("rootfs/lib"));
  layout.root = listed;
  layout.root["rootfs/lib"].link_target = "usr/lib64";
  EXPECT_EQ(problem(), unlike("rootfs/lib"));
  layout.root = listed;
  layout.root["init"] = file("another init", 0755);
  EXPECT_EQ(problem(), unlike("init"));
}

TEST_F(NitroCheckTest, TheCommandIsTheDocuments) {
  layout.start["cmd"] = file("/bin/program\n--port\n2\n");
  EXPECT_EQ(problem(), unlike("cmd"));
  layout.start["cmd"] = file("/bin/program\n--port\n1\n");
  EXPECT_EQ(problem(), "none");
  layout.start.erase("env");
  EXPECT_EQ(problem(), unlike("env"));
}

TEST_F(NitroCheckTest, TheDocumentPromisesNothingMore) {
  document.plan.uid = 7;
  EXPECT_EQ(problem(), "the guest document says what AWS's first process does not do");
  document.plan.uid = 0;
  document.plan.argv.front() = "program";
  EXPECT_EQ(problem(), "the guest document says what AWS's first process does not do");
  document.plan.argv.front() = "/bin/program";
  document.modules = {"a.ko"};
  EXPECT_EQ(problem(), "the guest document says what AWS's first process does not do");
}

class CpioTreeTest : public NitroCheckTest {
 protected:
  // Entries in this order, each with this content.
  static std::string read(const std::vector<std::pair<CpioEntry, std::string>>& entries) {
    Bytes bytes;
    CpioWriter writer([&](ByteView piece) -> Status {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return {};
    });
    for (auto [entry, content] : entries) {
      entry.size = static_cast<std::uint32_t>(content.size());
      EXPECT_TRUE(writer.begin(entry).has_value());
      EXPECT_TRUE(writer.content(as_bytes(content)).has_value());
    }
    EXPECT_TRUE(writer.finish().has_value());
    MemorySource source(bytes);
    const auto tree = read_cpio_tree(source, {});
    return tree.has_value() ? "read" : tree.error().what();
  }
};

TEST_F(CpioTreeTest, IsReadAsItWasWritten) {
  const Bytes bytes = archive(layout.root);
  MemorySource source(bytes);
  GuestTree want = layout.root;
  for (auto& [path, entry] : want) entry.offset = 0;
  EXPECT_EQ(must(read_cpio_tree(source, {})), want);
  EXPECT_EQ(bytes.size() % 4, 0U) << "another archive may follow";
}

TEST_F(CpioTreeTest, BelowAPrefixTheRootIsThatDirectory) {
  Bytes bytes;
  CpioWriter writer([&](ByteView piece) -> Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  });
  EXPECT_TRUE(write_cpio_tree(document.tree, "a/b", spool, {}, writer).has_value());
  EXPECT_TRUE(writer.finish().has_value());
  MemorySource source(bytes);
  std::string names;
  for (const auto& [path, entry] : must(read_cpio_tree(source, {}))) names += path + "\n";
  EXPECT_EQ(names, "a/b\na/b/bin\na/b/bin/program\na/b/lib\n");
}

TEST_F(CpioTreeTest, RefusesWhatWeDoNotWrite) {
  CpioEntry a, b, device;
  a.path = "a";
  a.mode = b.mode = 0100644;
  b.path = "b";
  device.path = "null";
  device.mode = 020666;
  EXPECT_EQ(read({{a, "x"}, {b, "y"}}), "read");
  EXPECT_EQ(read({{b, "x"}, {a, "y"}}), "'a' in an initramfs stands out of order");
  EXPECT_EQ(read({{a, "x"}, {a, "y"}}), "'a' in an initramfs stands out of order");
  EXPECT_EQ(read({{device, ""}}),
            "'null' in an initramfs is neither a file, a directory nor a link");
  a.mode = 040755;
  EXPECT_EQ(read({{a, "x"}}), "the directory 'a' has content");
  a.mode = 0120777;
  EXPECT_EQ(read({{a, std::string(4096, 'x')}}), "the link 'a' in an initramfs is too long");
}

}  // namespace
}  // namespace cloister::manifest
