#include "measure/rootfs/rootfs.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/measure/index/index_tar.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::measure {
namespace {

using testing::layer_of;
using testing::merge_tars;
using testing::TarBuilder;
using Paths = std::vector<std::string>;

class RootfsLookup : public ::testing::Test {
 protected:
  const Rootfs rootfs_ = *merge_tars({TarBuilder()
                                          .file("usr/lib/x/l.so.1.2", "library")
                                          .symlink("usr/lib/x/l.so.1", "l.so.1.2")
                                          .symlink("lib", "usr/lib")
                                          .symlink("abs", "/usr/lib/x")
                                          .symlink("up", "../../../../usr")
                                          .symlink("self", "self")
                                          .symlink("a", "b")
                                          .symlink("b", "a")
                                          .symlink("slash", "usr/")
                                          .symlink("badslash", "file/")
                                          .symlink("usr/back", "../lib/../lib/x")
                                          .file("file", "f")
                                          .str()});
  std::string real(std::string_view path) const {
    return rootfs_.real_path(path).value_or("(absent)");
  }
};

TEST_F(RootfsLookup, FollowsLinksInsideTheRoot) {
  EXPECT_EQ(real("/lib/x/l.so.1"), "/usr/lib/x/l.so.1.2");
  EXPECT_EQ(real("/abs/l.so.1"), "/usr/lib/x/l.so.1.2");
  EXPECT_EQ(real("/up/lib"), "/usr/lib");
  // From /usr, ../lib is /lib, which is /usr/lib; its parent is /usr again.
  EXPECT_EQ(real("/usr/back/l.so.1"), "/usr/lib/x/l.so.1.2");
}

TEST_F(RootfsLookup, TakesDotsAndSlashesAsTheKernelDoes) {
  EXPECT_EQ(real("/"), "/");
  EXPECT_EQ(real(""), "/");
  EXPECT_EQ(real("/.."), "/");
  EXPECT_EQ(real("//usr/./lib//x/.."), "/usr/lib");
  EXPECT_EQ(real("/lib/.."), "/usr");  // of the directory, not of the name
  EXPECT_EQ(real("usr"), "/usr");
  EXPECT_EQ(real("/usr/"), "/usr");
  EXPECT_EQ(real("/slash/lib"), "/usr/lib");
  EXPECT_EQ(real("/file/"), "(absent)");
  EXPECT_EQ(real("/file/."), "(absent)");
  EXPECT_EQ(real("/file/.."), "(absent)");
  EXPECT_EQ(real("/badslash"), "(absent)");
  EXPECT_EQ(real("/nothing"), "(absent)");
  EXPECT_EQ(real("/nothing/.."), "(absent)");
}

TEST_F(RootfsLookup, LeavesTheLastLinkWhenAsked) {
  ASSERT_NE(rootfs_.find("/lib", false), nullptr);
  EXPECT_TRUE(rootfs_.find("/lib", false)->is_symlink());
  EXPECT_TRUE(rootfs_.find("/lib/", false)->is_directory());
  EXPECT_TRUE(rootfs_.find("/self", false)->is_symlink());
  EXPECT_EQ(rootfs_.find("/lib/x/l.so.1", false)->path(), "/usr/lib/x/l.so.1");
}

TEST_F(RootfsLookup, EndsInLoops) {
  EXPECT_EQ(rootfs_.find("/self"), nullptr);
  EXPECT_EQ(rootfs_.find("/a/x"), nullptr);
  EXPECT_TRUE(rootfs_.resolution_aliases("/a").empty());
}

TEST(Rootfs, CountsTheLinksItFollows) {
  TarBuilder tar;
  tar.file("l0", "end");
  for (int i = 1; i <= 41; ++i) tar.symlink(cat("l", i), cat("l", i - 1));
  const auto rootfs = merge_tars({tar.str()});
  EXPECT_NE(rootfs->find("/l40"), nullptr);
  EXPECT_EQ(rootfs->find("/l41"), nullptr);
}

// 40 links of 2000 components each, and a path of ten thousand: a lookup must stay bounded.
TEST(Rootfs, EndsInAbsurdPaths) {
  std::string zigzag;
  while (zigzag.size() < 3900) zigzag += "d/../";
  TarBuilder tar;
  tar.dir("d").file("l0");
  for (int i = 1; i <= 40; ++i)
    tar.gnu_long('K', zigzag + cat("l", i - 1)).symlink(cat("l", i), "x");
  const auto rootfs = merge_tars({tar.str()});
  ASSERT_TRUE(rootfs.has_value()) << rootfs.error().what();
  EXPECT_NE(rootfs->find("/l20"), nullptr);
  EXPECT_EQ(rootfs->find(std::string(1 << 20, '.')), nullptr);
  (void)rootfs->find("/l40");
}

TEST_F(RootfsLookup, ListsTheAliasesOfAPath) {
  EXPECT_EQ(rootfs_.resolution_aliases("/lib/x/l.so.1"),
            (Paths{"/lib/x/l.so.1", "/usr/lib/x/l.so.1", "/usr/lib/x/l.so.1.2"}));
  EXPECT_EQ(rootfs_.resolution_aliases("/abs/./l.so.1"),
            (Paths{"/abs/l.so.1", "/usr/lib/x/l.so.1", "/usr/lib/x/l.so.1.2"}));
  EXPECT_EQ(rootfs_.resolution_aliases("/file"), Paths{"/file"});
  EXPECT_EQ(rootfs_.resolution_aliases("/lib/../lib/x/l.so.1.2"),
            (Paths{"/lib/x/l.so.1.2", "/usr/lib/x/l.so.1.2"}));
  EXPECT_TRUE(rootfs_.resolution_aliases("/lib/absent").empty());
}

TEST(Rootfs, ReadsFromThePackOrTheLayerAgain) {
  const std::string large(300'000, 'L');
  const auto rootfs = merge_tars({TarBuilder()
                                      .file("data", "first")
                                      .file("./data", "other")
                                      .file("large", large)
                                      .file("etc/passwd", "root")
                                      .str()});
  EXPECT_EQ(as_text(*rootfs->read(*rootfs->find("/data"), 100)), "other");
  EXPECT_EQ(as_text(*rootfs->read(*rootfs->find("/large"), large.size())), large);
  EXPECT_EQ(as_text(*rootfs->read(*rootfs->find("/etc/passwd"), 100)), "root");
  EXPECT_EQ(rootfs->read(*rootfs->find("/large"), large.size() - 1).error().code(), Code::limit);
  EXPECT_EQ(rootfs->read(*rootfs->find("/etc/passwd"), 3).error().code(), Code::limit);
  EXPECT_EQ(rootfs->read(*rootfs->find("/etc"), 100).error().code(), Code::internal);
}

TEST(Rootfs, ReadsHardLinksFromTheLayerThatHasTheContent) {
  const auto rootfs = merge_tars(
      {TarBuilder().file("data", "lower").str(), TarBuilder().hardlink("link", "data").str()});
  EXPECT_EQ(as_text(*rootfs->read(*rootfs->find("/link"), 100)), "lower");
}

struct OtherContent final : LayerContent {
  Result<Bytes> read(const Entry&, std::uint64_t) const override { return to_bytes("forged"); }
};

TEST(Rootfs, RefusesContentThatIsNotWhatWasIndexed) {
  IndexedLayer layer = layer_of(TarBuilder().file("data", "as indexed").str());
  layer.content = std::make_shared<OtherContent>();
  const auto rootfs = Rootfs::merge({layer}, {});
  EXPECT_EQ(rootfs->read(*rootfs->find("/data"), 100).error().code(), Code::corrupt);
  layer.content = nullptr;
  EXPECT_FALSE(Rootfs::merge({layer}, {})->read(*rootfs->find("/data"), 100).has_value());
}

TEST(Rootfs, RefusesABlobThatChanged) {
  const IndexedLayer indexed = layer_of(TarBuilder().file("data", "as indexed").str());
  const IndexedLayer changed = layer_of(TarBuilder().file("data", "as changed").str());
  const auto rootfs = Rootfs::merge({IndexedLayer{indexed.index, changed.content}}, {});
  EXPECT_EQ(rootfs->read(*rootfs->find("/data"), 100).error().code(), Code::corrupt);
}

TEST(Rootfs, HasElfFactsOfHardLinksToo) {
  std::string elf(64, '\0');
  elf.replace(0, 7, "\177ELF\2\1\1");
  elf[16] = 2;
  elf[18] = 62;
  elf[20] = 1;
  elf[52] = 64;
  elf[54] = 56;
  const auto rootfs =
      merge_tars({TarBuilder().file("t", "x").file("prog", elf).str(),
                  TarBuilder().hardlink("again", "prog").symlink("s", "prog").str()});
  ASSERT_NE(rootfs->elf_facts(*rootfs->find("/again")), nullptr);
  EXPECT_EQ(rootfs->elf_facts(*rootfs->find("/again"))->type, elf::kTypeExec);
  EXPECT_EQ(rootfs->elf_facts(*rootfs->find("/t")), nullptr);
  EXPECT_EQ(rootfs->elf_facts(*rootfs->find("/s", false)), nullptr);
  EXPECT_EQ(rootfs->elf_facts(rootfs->root()), nullptr);
}

TEST(Rootfs, WalksParentsFirstInByteOrder) {
  const auto rootfs = merge_tars(
      {TarBuilder().file("b").file("a-").file("a/z").file("a/\xff").file("B").file("c/d/e").str()});
  Paths seen;
  rootfs->walk([&](const Node& node) { seen.push_back(node.path()); });
  EXPECT_EQ(seen, (Paths{"/", "/B", "/a", "/a/z", "/a/\xff", "/a-", "/b", "/c", "/c/d", "/c/d/e"}));
}

TEST(NormalizePath, IsLexical) {
  EXPECT_EQ(normalize_path("/a/./b//../c"), "/a/c");
  EXPECT_EQ(normalize_path("/"), "/");
  EXPECT_EQ(normalize_path(""), "/");
  EXPECT_EQ(normalize_path("a/b/"), "/a/b");
  EXPECT_EQ(normalize_path("/../.."), "/");
  EXPECT_EQ(normalize_path("/a/.."), "/");
  EXPECT_EQ(normalize_path("/...//..a"), "/.../..a");
}

}  // namespace
}  // namespace cloister::measure
