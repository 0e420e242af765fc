// The whole disk, and other programs' opinion of it: erofs-utils and veritysetup, where they are.
#include "manifest-gen/guest/disk.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/manifest-gen/guest/erofs_reader.h"
#include "tests/manifest-gen/guest/guest_maker.h"
#include "tests/oci/fixtures.h"

namespace cloister::test {
namespace {

using manifest::kDiskBlock;
using oci::have_program;

class Disk : public testing::Test {
 protected:
  Disk() {
    guest_.directory("etc");
    guest_.file("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    guest_.file("etc/large", varied(3000000));
    guest_.file("etc/exact", varied(8192));
    guest_.file("etc/empty", "");
    guest_.file("sudo", varied(70000, 2), 04755);
    guest_.file("of-somebody", varied(4050, 3), 0640).uid = 100000;
    guest_.tree["again"] = guest_.tree["etc/large"];
    guest_.directory("many", 01777);
    for (int i = 0; i < 1000; ++i) guest_.file(cat("many/", i), cat("content of ", i));
    guest_.file(std::string(255, 'n'), "long name");
    guest_.file("odd \xff\x01 name", "odd");
    guest_.link("bin", "usr/bin");
    guest_.link("far", std::string(4095, 'f'));
    std::tie(disk_, bytes_) = guest_.disk(salt_);
    image_ = at("image");
    std::ofstream(image_, std::ios::binary) << as_text(bytes_);
  }

  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }
  static int run(const std::string& command) { return std::system(command.c_str()); }
  std::string output_of(const std::string& command) const {
    EXPECT_EQ(run(cat(command, " >", at("output"), " 2>&1")), 0) << command;
    return must(read_text_file(at("output"), 1 << 20));
  }

  oci::ScratchDirectory scratch_;
  GuestMaker guest_;
  Bytes salt_ = Bytes(32, std::byte{0x5a});
  manifest::GuestDisk disk_;
  Bytes bytes_;
  std::string image_;
};

TEST_F(Disk, IsAFileSystemThenItsHashTree) {
  EXPECT_EQ(bytes_.size(), disk_.blocks * kDiskBlock);
  EXPECT_EQ(disk_.hash_start, disk_.data_blocks + 1);
  EXPECT_EQ(disk_.salt, salt_);
  const auto image = ByteView(bytes_).first(disk_.data_blocks * kDiskBlock);
  EXPECT_TRUE(std::equal(image.begin(), image.end(), guest_.image().begin()));
  // The root hash is that of the topmost block of the tree.
  Sha256 hasher;
  hasher.update(salt_);
  hasher.update(ByteView(bytes_).subspan(disk_.hash_start * kDiskBlock, kDiskBlock));
  EXPECT_EQ(hasher.finish(), disk_.root);
}

TEST_F(Disk, HasTheSameBytesEachTime) {
  EXPECT_EQ(guest_.disk(salt_).second, bytes_);
  EXPECT_EQ(guest_.disk(salt_).first.root, disk_.root);
  EXPECT_NE(guest_.disk().first.root, disk_.root);
}

TEST_F(Disk, SatisfiesFsck) {
  if (!have_program("fsck.erofs")) GTEST_SKIP() << "erofs-utils is not installed";
  const std::string check = cat("fsck.erofs -d3 ", image_);  // its status says little
  EXPECT_NE(output_of(check).find("No errors found"), std::string::npos);
  output_of(cat("fsck.erofs --extract=", at("out"), " --no-preserve ", image_));
  std::size_t files = 0;
  for (const auto& [path, entry] : guest_.tree) {
    if (entry.type == manifest::GuestEntry::Type::symlink) {
      EXPECT_EQ(fs::read_symlink(at("out/" + path)).string(), entry.link_target);
    }
    if (entry.type != manifest::GuestEntry::Type::file) continue;
    const Bytes content = must(read_file(at("out/" + path), 1 << 24));
    EXPECT_EQ(sha256(content), entry.sha256) << printable(path);
    ++files;
  }
  EXPECT_GT(files, 1000u);

  // And it is not satisfied with everything.
  bytes_[1024 + 20] ^= std::byte{1};
  std::ofstream(image_, std::ios::binary) << as_text(bytes_);
  EXPECT_EQ(output_of(check).find("No errors found"), std::string::npos);
}

TEST_F(Disk, IsWhatDumpSays) {
  if (!have_program("dump.erofs")) GTEST_SKIP() << "erofs-utils is not installed";
  const std::string super = output_of(cat("dump.erofs -s ", image_));
  for (const std::string& fact :
       {cat("blocks:                            ", disk_.data_blocks, "\n"),
        cat("inode count:                       ", guest_.tree.size() + 1, "\n"),
        std::string("features:                          sb_csum mtime")})
    EXPECT_NE(super.find(fact), std::string::npos) << fact << super;
  const std::string other = output_of(cat("dump.erofs --path=/of-somebody ", image_));
  EXPECT_NE(other.find("Uid: 100000   Gid: 0  Access: 0640"), std::string::npos) << other;
}

TEST_F(Disk, IsWhatVeritysetupVerifies) {
  if (!have_program("veritysetup")) GTEST_SKIP() << "cryptsetup-bin is not installed";
  const std::string offset = cat(" --hash-offset=", disk_.data_blocks * kDiskBlock, " ");
  const std::string verify =
      cat("veritysetup verify ", image_, " ", image_, " ", disk_.root.hex(), offset);
  EXPECT_EQ(run(verify), 0);

  // The tree with its superblock is the one that it would have written.
  const std::string uuid =
      cat(hex(ByteView(bytes_).subspan(disk_.data_blocks * kDiskBlock + 16, 16)));
  const std::string dashed = cat(uuid.substr(0, 8), "-", uuid.substr(8, 4), "-", uuid.substr(12, 4),
                                 "-", uuid.substr(16, 4), "-", uuid.substr(20));
  std::ofstream(at("data"), std::ios::binary)
      << as_text(ByteView(bytes_).first(disk_.data_blocks * kDiskBlock));
  std::ofstream(at("tree"), std::ios::binary) << "";
  const std::string said = output_of(cat("veritysetup format --salt=", hex(salt_),
                                         " --uuid=", dashed, " ", at("data"), " ", at("tree")));
  EXPECT_NE(said.find(disk_.root.hex()), std::string::npos) << said;
  const Bytes tree = must(read_file(at("tree"), 1 << 24));
  const auto ours = ByteView(bytes_).subspan(disk_.data_blocks * kDiskBlock);
  EXPECT_TRUE(std::equal(tree.begin(), tree.end(), ours.begin(), ours.end()));

  // And it is not satisfied with everything.
  bytes_[5 * kDiskBlock + 17] ^= std::byte{1};
  std::ofstream(image_, std::ios::binary) << as_text(bytes_);
  EXPECT_NE(run(verify + " 2>/dev/null"), 0);
}

}  // namespace
}  // namespace cloister::test
