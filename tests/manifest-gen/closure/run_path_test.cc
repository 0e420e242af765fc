#include "manifest-gen/closure/run_path.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/closure/library_search.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using Texts = std::vector<std::string>;

Texts places(LoaderKind kind, std::string_view text, std::string_view lib = "lib64") {
  Texts out;
  for (const RunPathPlace& place : run_path_places(kind, text, {"/app", lib}, "/work"))
    out.push_back(cat(place.directory, place.elsewhere ? "*" : ""));
  return out;
}

TEST(RunPath, TokensOfGlibc) {
  EXPECT_EQ(places(LoaderKind::glibc, "$ORIGIN/x:${ORIGIN}y:/$LIB:$ORIGIN.d"),
            (Texts{"/app/x", "/appy", "/lib64*", "/app.d"}));
  EXPECT_EQ(places(LoaderKind::glibc, "/$ORIGINAL:/$ORIGIN_:/${ORIGIN:/$:/$X"),
            (Texts{"/$ORIGINAL", "/$ORIGIN_", "/${ORIGIN", "/$", "/$X"}));
  EXPECT_EQ(places(LoaderKind::glibc, "/$PLATFORM"),
            (Texts{"/haswell*", "/xeon_phi*", "/x86_64*"}));
}

TEST(RunPath, UnknownLibIsEachInUse) {
  EXPECT_EQ(places(LoaderKind::glibc, "/$LIB", ""),
            (Texts{"/lib/x86_64-linux-gnu*", "/lib64*", "/lib*"}));
}

TEST(RunPath, EmptyElements) {
  EXPECT_EQ(places(LoaderKind::glibc, ""), Texts{});
  EXPECT_EQ(places(LoaderKind::glibc, "/a:"), (Texts{"/a", "/work"}));
  EXPECT_EQ(places(LoaderKind::glibc, ":/a//:sub:/a"), (Texts{"/work", "/a", "/work/sub"}));
  EXPECT_EQ(places(LoaderKind::musl, ":/a::\n/b"), (Texts{"/a", "/b"}));
}

TEST(RunPath, TokensOfMusl) {
  EXPECT_EQ(places(LoaderKind::musl, "$ORIGIN/x:${ORIGIN}y:$ORIGINz"),
            (Texts{"/app/x", "/appy", "/appz"}));
  EXPECT_EQ(places(LoaderKind::musl, "/a:$LIB"), Texts{});
}

TEST(RunPath, ValuesAreNotExpandedAgain) {
  EXPECT_EQ(expand_tokens("$ORIGIN/x", {"/$LIB", "lib64"}), "/$LIB/x");
  EXPECT_EQ(expand_tokens("libplain.so", {"/app", "lib64"}), "libplain.so");
}

TEST(RunPath, NoListIsEndless) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += cat("/", i, ":");
  EXPECT_EQ(run_path_places(LoaderKind::glibc, text, {"/", "lib"}, "/").size(), kMaxRunPathPlaces);
}

TEST(LibrarySearcher, GivesUpWhereAnImageMakesItLookEverywhere) {
  const auto root = test::Tree().elf("/b/liba.so", test::library()).build();
  SearchPlaces places;
  auto facts = test::library();
  facts.runpath = "/a:/b";
  const std::vector<Requester> chain{{&facts, "/"}};
  EXPECT_TRUE(LibrarySearcher(root, 2).find(places, "liba.so", chain, "").found);
  const LibrarySearch search = LibrarySearcher(root, 1).find(places, "liba.so", chain, "");
  EXPECT_FALSE(search.found);
  EXPECT_EQ(search.searched.back(), "the image makes loaders look in too many places: given up");
}

}  // namespace
}  // namespace cloister::manifest
