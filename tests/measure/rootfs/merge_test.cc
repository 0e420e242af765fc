#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/measure/index/index_tar.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::measure {
namespace {

using testing::layer_of;
using testing::merge_tars;
using testing::TarBuilder;

Rootfs must_merge(const std::vector<std::string>& tars) {
  auto rootfs = merge_tars(tars);
  if (!rootfs.has_value()) {
    ADD_FAILURE() << rootfs.error().what();
    return std::move(*merge_tars({}));
  }
  return std::move(*rootfs);
}

// All paths but the root, directories with a slash.
std::vector<std::string> paths(const Rootfs& rootfs) {
  std::vector<std::string> out;
  rootfs.walk([&](const Node& node) {
    if (node.parent != nullptr) out.push_back(node.path() + (node.is_directory() ? "/" : ""));
  });
  return out;
}
using Paths = std::vector<std::string>;

std::string text(const Rootfs& rootfs, std::string_view path) {
  const Node* node = rootfs.find(path);
  if (node == nullptr) return "(absent)";
  const auto bytes = rootfs.read(*node, 1 << 20);
  return bytes.has_value() ? std::string(as_text(*bytes)) : bytes.error().what();
}

std::optional<Code> failure(const std::vector<std::string>& tars, const Limits& limits = {}) {
  const auto rootfs = merge_tars(tars, limits);
  if (rootfs.has_value()) return std::nullopt;
  return rootfs.error().code();
}

TEST(Merge, OfNothingIsAnEmptyRoot) {
  const Rootfs rootfs = must_merge({});
  EXPECT_TRUE(rootfs.root().is_directory());
  EXPECT_EQ(rootfs.root().entry->mode, 0755U);
  EXPECT_EQ(rootfs.file_count(), 0U);
  EXPECT_EQ(rootfs.root().path(), "/");
}

TEST(Merge, PutsUpperOverLower) {
  const Rootfs rootfs =
      must_merge({TarBuilder().dir("d", 0700).file("d/a", "1").file("d/b", "1").str(),
                  TarBuilder().dir("d", 0750).file("d/b", "2").file("c", "2").str()});
  EXPECT_EQ(paths(rootfs), (Paths{"/c", "/d/", "/d/a", "/d/b"}));
  EXPECT_EQ(rootfs.file_count(), 4U);
  EXPECT_EQ(rootfs.find("/d")->entry->mode, 0750U);
  EXPECT_EQ(text(rootfs, "/d/a"), "1");
  EXPECT_EQ(text(rootfs, "/d/b"), "2");
  EXPECT_EQ(rootfs.find("/d/a")->layer, 0U);
  EXPECT_EQ(rootfs.find("/d/b")->layer, 1U);
}

TEST(Merge, LetsTheLastDuplicateOfALayerWin) {
  const Rootfs rootfs = must_merge({TarBuilder().file("a", "1").file("a", "22").str()});
  EXPECT_EQ(text(rootfs, "/a"), "22");
  EXPECT_EQ(rootfs.file_count(), 1U);
}

TEST(Merge, ImpliesMissingDirectories) {
  const Rootfs rootfs = must_merge({TarBuilder().file("p/q/f").dir("p", 0700).str()});
  EXPECT_EQ(rootfs.find("/p")->entry->mode, 0700U);
  EXPECT_EQ(rootfs.find("/p/q")->entry->mode, 0755U);
  EXPECT_EQ(rootfs.find("/p/q")->entry->uid, 0U);
}

const std::string& lower() {
  static const std::string tar = TarBuilder()
                                     .dir("d")
                                     .file("d/old", "old")
                                     .dir("d/sub", 0700)
                                     .file("d/sub/old", "old")
                                     .file("f", "f")
                                     .hardlink("g", "f")
                                     .str();
  return tar;
}

TEST(Merge, HidesWhatAWhiteoutNames) {
  const Rootfs rootfs = must_merge({lower(), TarBuilder().file("d/.wh.sub").file(".wh.f").str()});
  EXPECT_EQ(paths(rootfs), (Paths{"/d/", "/d/old", "/g"}));
  EXPECT_EQ(text(rootfs, "/g"), "f");  // the other name of a removed file
}

TEST(Merge, HidesOnlyLowerLayersWhereverTheOpaqueMarkStands) {
  const Paths want{"/d/", "/d/new", "/d/sub/", "/d/sub/new", "/f", "/g"};
  const auto mark = [](TarBuilder& t) { t.file("d/.wh..wh..opq"); };
  for (int place = 0; place < 4; ++place) {
    TarBuilder top;
    if (place == 0) mark(top);
    top.dir("d");
    if (place == 1) mark(top);
    top.file("d/new");
    if (place == 2) mark(top);
    top.file("d/sub/new");
    if (place == 3) mark(top);
    const Rootfs rootfs = must_merge({lower(), top.str()});
    EXPECT_EQ(paths(rootfs), want) << place;
    EXPECT_EQ(rootfs.find("/d/sub")->entry->mode, 0755U) << place;  // the lower one is hidden
  }
}

TEST(Merge, HidesOnlyLowerLayersWhereverAWhiteoutStands) {
  for (const bool first : {true, false}) {
    TarBuilder top;
    if (first) top.file("d/.wh.sub").file(".wh.f");
    top.file("d/sub/new").file("f", "mine");
    if (!first) top.file("d/.wh.sub").file(".wh.f");
    const Rootfs rootfs = must_merge({lower(), top.str()});
    EXPECT_EQ(paths(rootfs), (Paths{"/d/", "/d/old", "/d/sub/", "/d/sub/new", "/f", "/g"}))
        << first;
    EXPECT_EQ(text(rootfs, "/f"), "mine");
    EXPECT_EQ(rootfs.find("/d/sub")->entry->mode, 0755U);
  }
}

TEST(Merge, HidesTheLayersBelowAgainInEachLayer) {
  const std::string top = TarBuilder().file("d/.wh..wh..opq").file("d/top").str();
  const std::string middle = TarBuilder().file("d/.wh..wh..opq").file("d/middle").str();
  EXPECT_EQ(paths(must_merge({lower(), middle, top})), (Paths{"/d/", "/d/top", "/f", "/g"}));
}

TEST(Merge, IgnoresWhiteoutsOfNothing) {
  EXPECT_EQ(failure({lower(), TarBuilder().file(".wh.x").file("x/y/.wh.z").file("f/.wh.z").str()}),
            std::nullopt);
  EXPECT_EQ(must_merge({TarBuilder().file("x/.wh..wh..opq").str()}).file_count(), 0U);
}

TEST(Merge, RefusesMalformedWhiteouts) {
  for (const char* name : {".wh.", "d/.wh.", ".wh..", ".wh...", "d/.wh.x/y"})
    EXPECT_EQ(failure({lower(), TarBuilder().file(name).str()}), Code::corrupt) << name;
}

TEST(Merge, IgnoresTheMetadataOfAufs) {
  const Rootfs rootfs = must_merge({lower(), TarBuilder()
                                                 .file(".wh..wh.aufs")
                                                 .dir(".wh..wh.plnk")
                                                 .file(".wh..wh.plnk/12.34", "x")
                                                 .dir(".wh..wh.orph")
                                                 .str()});
  EXPECT_EQ(paths(rootfs), paths(must_merge({lower()})));
}

TEST(Merge, ChangesTypes) {
  const Rootfs rootfs = must_merge(
      {lower(), TarBuilder().file("d", "file").dir("f").file("f/x").symlink("g", "f/x").str()});
  EXPECT_EQ(paths(rootfs), (Paths{"/d", "/f/", "/f/x", "/g"}));
  EXPECT_EQ(text(rootfs, "/d"), "file");
}

TEST(Merge, FollowsLinksBelowWhichNamesLie) {
  const std::string bottom = TarBuilder()
                                 .dir("usr/lib")
                                 .file("usr/lib/old")
                                 .symlink("lib", "usr/lib")
                                 .symlink("out", "../../..//usr")
                                 .symlink("dangling", "new/place")
                                 .str();
  const Rootfs rootfs = must_merge(
      {bottom,
       TarBuilder().file("lib/a").file("lib/.wh.old").file("out/b").file("dangling/c").str()});
  EXPECT_EQ(paths(rootfs), (Paths{"/dangling", "/lib", "/new/", "/new/place/", "/new/place/c",
                                  "/out", "/usr/", "/usr/b", "/usr/lib/", "/usr/lib/a"}));
}

// The directory that was found for the entry before must not be used once it is gone.
TEST(Merge, LooksADirectoryUpAgainAfterItWasReplaced) {
  const Rootfs rootfs = must_merge({TarBuilder()
                                        .dir("other")
                                        .file("d/one")
                                        .symlink("d", "other")
                                        .file("d/two")
                                        .file("d/sub/x")
                                        .file("other/.wh.nothing")
                                        .str()});
  EXPECT_EQ(paths(rootfs), (Paths{"/d", "/other/", "/other/sub/", "/other/sub/x", "/other/two"}));
}

TEST(Merge, RefusesNamesBelowFilesAndLoops) {
  EXPECT_EQ(failure({lower(), TarBuilder().file("f/x").str()}), Code::corrupt);
  EXPECT_EQ(failure({TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x").str()}),
            Code::corrupt);
}

TEST(Merge, SharesTheEntryOfHardLinks) {
  const Rootfs rootfs = must_merge(
      {lower(), TarBuilder().hardlink("d/h", "f").hardlink("d/i", "d/h").file(".wh.f").str()});
  EXPECT_EQ(text(rootfs, "/d/i"), "f");
  const Node* node = rootfs.find("/d/h");
  EXPECT_TRUE(node->was_hardlink);
  EXPECT_TRUE(node->is_regular());
  EXPECT_EQ(node->layer, 1U);
  EXPECT_EQ(node->content_layer, 0U);
  EXPECT_EQ(node->entry, rootfs.find("/g")->entry);
  EXPECT_EQ(rootfs.find("/f"), nullptr);
}

TEST(Merge, LinksToTheLinkItself) {
  const Rootfs rootfs = must_merge({TarBuilder().symlink("s", "nowhere").hardlink("h", "s").str()});
  EXPECT_EQ(rootfs.find("/h"), nullptr);
  ASSERT_NE(rootfs.find("/h", false), nullptr);
  EXPECT_EQ(rootfs.find("/h", false)->entry->link_target, "nowhere");
}

TEST(Merge, RefusesHardLinksWithoutTarget) {
  EXPECT_EQ(failure({TarBuilder().hardlink("h", "nothing").str()}), Code::corrupt);
  EXPECT_EQ(failure({TarBuilder().hardlink("h", "late").file("late").str()}), Code::corrupt);
  EXPECT_EQ(failure({TarBuilder().dir("d").hardlink("h", "d").str()}), Code::corrupt);
  EXPECT_EQ(failure({TarBuilder().file("h").hardlink("h", "h").str()}), Code::corrupt);
  EXPECT_EQ(failure({lower(), TarBuilder().file(".wh.f").hardlink("h", "f").str()}), Code::corrupt);
}

TEST(Merge, NamesLayerAndPathOfWhatIsWrong) {
  const auto rootfs = merge_tars({lower(), TarBuilder().hardlink("d/h\x1b", "nothing").str()});
  ASSERT_FALSE(rootfs.has_value());
  ASSERT_EQ(rootfs.error().trace().size(), 1U);
  EXPECT_EQ(rootfs.error().trace()[0], "applying '/d/h\\x1b' of layer 2 of 2");
}

// Links lengthen paths: no single name is deep, the tree would be.
TEST(Merge, LimitsTheDepthThatLinksCanReach) {
  std::string deep = "d";
  while (deep.size() < 120) deep += "/d";
  TarBuilder tar;
  tar.dir(deep).symlink("l1", deep);
  EXPECT_EQ(failure({tar.file("l1/" + deep.substr(0, 90) + "/x").str()}), std::nullopt);
  Limits limits;
  limits.path_depth = 70;
  EXPECT_EQ(failure({tar.str()}, limits), Code::limit);
}

TEST(Merge, LimitsTheNamesThatItMakes) {
  Limits limits;
  limits.layer_entries = 10;
  TarBuilder tar;
  for (char c = 'a'; c < 'f'; ++c) tar.file(std::string(1, c) + "/1/2/3/4");
  EXPECT_EQ(failure({tar.str()}, limits), Code::limit);
}

// Each whiteout alone is cheap; together they must be, too.
TEST(Merge, IsNotSlowedByAPileOfWhiteouts) {
  TarBuilder bottom, top;
  for (int i = 0; i < 3000; ++i) bottom.file(cat("d/", i));
  for (int i = 0; i < 3000; ++i) top.file(cat("d/n", i)).file("d/.wh..wh..opq").file(".wh.d");
  EXPECT_EQ(must_merge({bottom.str(), top.str()}).file_count(), 3001U);
}

}  // namespace
}  // namespace cloister::measure
