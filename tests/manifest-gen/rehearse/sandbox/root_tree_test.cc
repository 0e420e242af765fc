// The tree is made in a directory of this machine: what an image names must stay below it.
#include "manifest-gen/rehearse/sandbox/root_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.h"
#include "base/toml.h"
#include "tests/measure/index/index_tar.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::manifest {
namespace {

using testing::merge_tars;
using testing::TarBuilder;

class RootTree : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cloister-root-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    root_ = Fd(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string text(const char* path) const {
    std::ifstream in(directory_ / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path directory_;
  Fd root_;
};

TEST_F(RootTree, HasNamesKindsModesAndSizes) {
  const auto rootfs = merge_tars({TarBuilder()
                                      .file("etc/conf", "content")
                                      .symlink("etc/link", "/etc/conf")
                                      .symlink("out", "../../../../../../../../etc")
                                      .hardlink("etc/hard", "etc/conf")
                                      .str()});
  ASSERT_TRUE(rootfs.has_value());
  ASSERT_TRUE(make_names(root_.get(), *rootfs, {"/srv/made"}, CancelToken()).has_value());
  struct stat conf {
  }, hard{};
  ASSERT_EQ(::stat((directory_ / "etc/conf").c_str(), &conf), 0);
  ASSERT_EQ(::stat((directory_ / "etc/hard").c_str(), &hard), 0);
  EXPECT_EQ(conf.st_size, 7);
  EXPECT_EQ(conf.st_ino, hard.st_ino);
  EXPECT_EQ(conf.st_mtime, 0);
  EXPECT_EQ(text("etc/conf"), std::string(7, '\0')) << "no content was asked for";
  EXPECT_EQ(fs::read_symlink(directory_ / "etc/link"), "/etc/conf");
  EXPECT_TRUE(fs::is_directory(directory_ / "srv/made"));
}

TEST_F(RootTree, HasTheContentThatWasAskedFor) {
  const std::string large(3 << 20, 'x');  // more than the content pack takes
  const auto rootfs =
      merge_tars({TarBuilder().file("a", large).file("b", "small").file("c", "other").str()});
  ASSERT_TRUE(rootfs.has_value());
  ASSERT_TRUE(make_names(root_.get(), *rootfs, {}, CancelToken()).has_value());
  const auto filled =
      fill_files(root_.get(), *rootfs, {rootfs->find("/a"), rootfs->find("/b")}, CancelToken());
  ASSERT_TRUE(filled.has_value()) << filled.error().what();
  EXPECT_EQ(text("a"), large);
  EXPECT_EQ(text("b"), "small");
  EXPECT_EQ(text("c"), std::string(5, '\0'));
}

// An archive may replace a file that a hard link of it still leads to.
TEST_F(RootTree, TellsContentsOfOneNameApart) {
  const std::string before(3 << 20, 'x'), after(3 << 20, 'y');
  const auto rootfs =
      merge_tars({TarBuilder().file("a", before).hardlink("b", "a").file("a", after).str()});
  ASSERT_TRUE(rootfs.has_value());
  ASSERT_TRUE(make_names(root_.get(), *rootfs, {}, CancelToken()).has_value());
  const auto filled = fill_files(root_.get(), *rootfs, all_files(*rootfs), CancelToken());
  ASSERT_TRUE(filled.has_value()) << filled.error().what();
  EXPECT_EQ(text("a"), after);
  EXPECT_EQ(text("b"), before);
}

TEST_F(RootTree, RefusesADirectoryWhereTheImageHasAFile) {
  const auto rootfs = merge_tars({TarBuilder().file("srv", "file").symlink("opt", "/etc").str()});
  ASSERT_TRUE(rootfs.has_value());
  EXPECT_EQ(make_names(root_.get(), *rootfs, {"/srv"}, CancelToken()).error().code(),
            Code::invalid);
}

TEST(GrantedFiles, AreWhatTheRulesListAndWhatStandsIn) {
  const auto rootfs = merge_tars({TarBuilder()
                                      .file("usr/bin/app", "1")
                                      .file("usr/share/app/x", "2")
                                      .file("usr/lib/libc-2.36.so", "3")
                                      .symlink("usr/lib/libc.so.6", "libc-2.36.so")
                                      .symlink("bin", "usr/bin")
                                      .file("etc/secret", "4")
                                      .str()});
  ASSERT_TRUE(rootfs.has_value());
  FileRules rules(
      *parse_toml("fs.root.uri = \"file:/\"\nsgx.trusted_files = [\"file:/bin/app\", "
                  "\"file:/usr/share/app/\", \"file:/absent\"]",
                  Limits(), "test"));
  rules.stand_in("libc.so.6");
  const auto files = granted_files(rules, *rootfs);
  EXPECT_EQ(files.size(), 3U);
  EXPECT_TRUE(files.contains(rootfs->find("/usr/bin/app")));
  EXPECT_TRUE(files.contains(rootfs->find("/usr/share/app/x")));
  EXPECT_TRUE(files.contains(rootfs->find("/usr/lib/libc-2.36.so")));
  EXPECT_EQ(bytes_of(files), 3U);
  EXPECT_EQ(all_files(*rootfs).size(), 4U);
}

}  // namespace
}  // namespace cloister::manifest
