// Archives as the kernel unpacks them. Peer: GNU cpio, where it is.
#include "manifest-gen/guest/cpio.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/guest/cpio_items.h"

namespace cloister::manifest {
namespace {

using test::cpio_item;
using test::CpioItem;
using test::read_cpio;
using test::write_cpio;

Code archive_refusal(std::string_view archive) {
  const auto items = read_cpio(archive);
  return items.has_value() ? Code::internal : items.error().code();
}

std::string output_of(const std::string& command, const std::string& input) {
  const std::string name = testing::TempDir() + cat("cloister-cpio-", getpid());
  EXPECT_TRUE(write_file_atomic(name, as_bytes(input)).has_value());
  std::string out;
  FILE* pipe = popen(cat("LC_ALL=C ", command, " < ", name, " 2>/dev/null").c_str(), "r");
  char buffer[4096];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  const int status = pclose(pipe);
  unlink(name.c_str());
  return status == 0 ? out : cat("status ", status);
}

// Documentation/driver-api/early-userspace/buffer-format.rst.
TEST(Cpio, IsNewc) {
  CpioItem one = cpio_item("a/b", S_IFREG | 0644, "hello");
  one.entry.uid = 10;
  one.entry.gid = 11;
  one.entry.mtime = 0x12345678;
  CpioItem device = cpio_item("tty", S_IFCHR | 0600);
  device.entry.device_major = 5;
  device.entry.device_minor = 1;
  const std::string number = "00000000";
  EXPECT_EQ(
      must(write_cpio({one, device})),
      cat("070701", "00000001", "000081A4", "0000000A", "0000000B", "00000001", "12345678",
          "00000005", number, number, number, number, "00000004", number,
          std::string_view("a/b\0\0\0", 6), std::string_view("hello\0\0\0", 8),  //
          "070701", "00000002", "00002180", number, number, "00000001", number, number, number,
          number, "00000005", "00000001", "00000004", number, std::string_view("tty\0\0\0", 6),  //
          "070701", number, number, number, number, "00000001", number, number, number, number,
          number, number, "0000000B", number, std::string_view("TRAILER!!!\0\0\0\0", 14)));
}

TEST(Cpio, ComesBack) {
  std::vector<CpioItem> items = {cpio_item(".", S_IFDIR | 0755),
                                 cpio_item("empty", S_IFREG | 0600),
                                 cpio_item("d", S_IFDIR | 01777),
                                 cpio_item("d/l", S_IFLNK | 0777, "../empty"),
                                 cpio_item(std::string(kMaxCpioName, 'n'), S_IFREG | 07777, "x"),
                                 cpio_item("a b\n\xff", S_IFREG, std::string(700'001, 'y'))};
  for (std::size_t size = 0; size < 9; ++size)
    items.push_back(cpio_item(std::string(size + 1, 'p'), S_IFREG, std::string(size, 'c')));
  items[2].entry.uid = 0xffffffff;
  items[2].entry.gid = 1;
  items[2].entry.mtime = 0xffffffff;
  const std::string archive = must(write_cpio(items));
  EXPECT_EQ(archive.size() % 4, 0U);
  const auto back = must(read_cpio(archive));
  ASSERT_EQ(back.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const CpioEntry &a = back[i].entry, &b = items[i].entry;
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.mode, b.mode);
    EXPECT_EQ(a.uid, b.uid);
    EXPECT_EQ(a.gid, b.gid);
    EXPECT_EQ(a.mtime, b.mtime);
    EXPECT_EQ(back[i].content, items[i].content);
  }
}

TEST(Cpio, WhatIsNotReadIsSkipped) {
  const std::string archive = must(write_cpio(
      {cpio_item("a", S_IFREG, std::string(300'001, 'a')), cpio_item("b", S_IFREG, "b")}));
  MemorySource source(as_bytes(archive));
  CpioReader reader(source, Limits());
  CpioEntry entry;
  EXPECT_TRUE(must(reader.next(entry)));
  EXPECT_FALSE(must(reader.content()).empty());
  EXPECT_TRUE(must(reader.next(entry)));
  EXPECT_EQ(entry.path, "b");
  EXPECT_EQ(as_text(must(reader.content())), "b");
  EXPECT_FALSE(must(reader.next(entry)));
}

TEST(Cpio, IsReadByGnuCpio) {
  if (output_of("cpio --version", "").find("GNU cpio") == std::string::npos)
    GTEST_SKIP() << "no GNU cpio";
  CpioItem file = cpio_item("d/file", S_IFREG | 0640, "hello");
  file.entry.mtime = 86400;
  const std::string archive = must(write_cpio(
      {cpio_item("d", S_IFDIR | 0755), file, cpio_item("d/link", S_IFLNK | 0777, "file")}));
  EXPECT_EQ(output_of("cpio -t --quiet", archive), "d\nd/file\nd/link\n");
  EXPECT_EQ(output_of("cpio -i --quiet --to-stdout d/file", archive), "hello");
  const std::string listed = output_of("TZ=UTC cpio -tvn --quiet", archive);
  EXPECT_NE(listed.find("-rw-r-----   1 0        0               5 Jan  2  1970 d/file"),
            std::string::npos)
      << listed;
  EXPECT_NE(listed.find("d/link -> file"), std::string::npos) << listed;
}

TEST(Cpio, ReadsGnuCpio) {
  if (output_of("cpio --version", "").find("GNU cpio") == std::string::npos)
    GTEST_SKIP() << "no GNU cpio";
  std::string folder = testing::TempDir() + "cloister-cpio-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  ASSERT_TRUE(
      write_file_atomic(cat(folder, "/file"), as_bytes(std::string_view("hello"))).has_value());
  std::filesystem::create_symlink("file", cat(folder, "/link"));
  const std::string archive =
      output_of(cat("cd ", folder, " && cpio -o -H newc --quiet"), "file\nlink\n");
  std::filesystem::remove_all(folder);
  const auto items = must(read_cpio(archive));
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].entry.path, "file");
  EXPECT_EQ(items[0].content, "hello");
  EXPECT_EQ(items[1].entry.mode & S_IFMT, static_cast<std::uint32_t>(S_IFLNK));
  EXPECT_EQ(items[1].content, "file");
}

TEST(Cpio, NamesThatTheKernelLeavesOutAreNotWritten) {
  const auto refused = write_cpio({cpio_item(std::string(kMaxCpioName + 1, 'n'), S_IFREG)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::unsupported);
}

TEST(Cpio, EveryTruncationIsRefused) {
  const std::string archive =
      must(write_cpio({cpio_item("d", S_IFDIR), cpio_item("file", S_IFREG, "hello"),
                       cpio_item("l", S_IFLNK, "d")}));
  // The last padding is not asked for: what follows the trailer may be anything that is zeros.
  const std::size_t whole = archive.find("TRAILER!!!") + 11;
  for (std::size_t size = 0; size < whole; ++size)
    EXPECT_EQ(archive_refusal(archive.substr(0, size)), Code::corrupt) << size;
}

TEST(Cpio, NothingButZerosFollowsTheTrailer) {
  const std::string archive = must(write_cpio({cpio_item("a", S_IFREG, "x")}));
  EXPECT_EQ(must(read_cpio(archive + std::string(600'000, '\0'))).size(), 1U);
  EXPECT_EQ(archive_refusal(archive + "x"), Code::corrupt);
  EXPECT_EQ(archive_refusal(archive + std::string(600'000, '\0') + "x"), Code::corrupt);
  EXPECT_EQ(archive_refusal(archive + archive), Code::corrupt);  // the kernel would unpack both
}

TEST(Cpio, NamesThatLeadElsewhereAreRefused) {
  for (const char* path : {"/a", "../a", "a/..", "a/../b", "a//b", "a/", "./a", "a/./b", "..", ""})
    EXPECT_EQ(archive_refusal(must(write_cpio({cpio_item(path, S_IFREG)}))), Code::corrupt) << path;
  EXPECT_EQ(archive_refusal(must(write_cpio({cpio_item(std::string("a\0b", 3), S_IFREG)}))),
            Code::corrupt);
}

// Overwrites one of the thirteen numbers of the first header.
std::string with_number(std::string archive, std::size_t index, std::string_view text) {
  return archive.replace(6 + 8 * index, 8, text);
}

TEST(Cpio, HostileHeadersAreRefused) {
  const std::string archive = must(write_cpio({cpio_item("abc", S_IFREG, "hello")}));
  ASSERT_EQ(must(read_cpio(archive)).size(), 1U);
  for (std::size_t index = 0; index < 13; ++index)
    for (const char* text :
         {"0000000G", " 0000001", "0x000001", "-0000001", "+0000001", "        "})
      EXPECT_EQ(archive_refusal(with_number(archive, index, text)), Code::corrupt) << index << text;
  for (const char* size : {"FFFFFFFF", "80000000", "00001000"})
    EXPECT_EQ(archive_refusal(with_number(archive, 6, size)), Code::corrupt) << size;
  for (const char* size : {"00000000", "FFFFFFFF", "00001001", "00000003", "00000005"})
    EXPECT_EQ(archive_refusal(with_number(archive, 11, size)), Code::corrupt) << size;
  EXPECT_EQ(archive_refusal(with_number(archive, 4, "00000002")),
            Code::unsupported);  // a hard link
  for (const char* magic : {"070702", "070707", "070700", "\xc7\x71xxxx"})
    EXPECT_EQ(archive_refusal(std::string(archive).replace(0, 6, magic)), Code::corrupt) << magic;
  EXPECT_EQ(archive_refusal(""), Code::corrupt);
}

TEST(Cpio, EntriesAreBounded) {
  const std::string archive = must(write_cpio({cpio_item("a", S_IFREG), cpio_item("b", S_IFREG)}));
  Limits limits;
  limits.layer_entries = 2;
  EXPECT_TRUE(read_cpio(archive, limits).has_value());
  limits.layer_entries = 1;
  EXPECT_EQ(read_cpio(archive, limits).error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::manifest
