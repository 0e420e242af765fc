#include "oci/documents/layout_index.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::oci {
namespace {

Descriptor manifest(char id) {
  Descriptor d;
  d.media_type = media_type::kOciManifest;
  d.digest = *Digest::parse("sha256:" + std::string(64, id));
  d.size = 5;
  return d;
}

std::string tagged(std::string_view text, std::string_view name, char id) {
  auto out = with_ref_name(text, name, manifest(id), Limits());
  return out.has_value() ? *out : "error: " + out.error().what();
}

ImageIndex parsed(std::string_view text) {
  return *parse_image_index(text, Limits());
}

TEST(LayoutIndex, NamesReplaceAndOthersStay) {
  std::string text = tagged("", "one", 'a');
  text = tagged(text, "two", 'b');
  text = tagged(text, "one", 'c');
  const ImageIndex index = parsed(text);
  ASSERT_EQ(index.manifests.size(), 2U);
  EXPECT_EQ(find_ref_name(index, "one")->digest.hex()[0], 'c');
  EXPECT_EQ(find_ref_name(index, "two")->digest.hex()[0], 'b');
  EXPECT_EQ(find_ref_name(index, "three"), nullptr);
  EXPECT_EQ(list_ref_names(index), "'one', 'two'");
}

TEST(LayoutIndex, KeepsMembersItDoesNotKnow) {
  const std::string text = tagged(
      R"({"schemaVersion":2,"x-tool":{"z":1,"a":2},"manifests":[{"mediaType":"m","digest":"sha256:)" +
          std::string(64, 'd') + R"(","size":1,"x":[1]}]})",
      "one", 'a');
  EXPECT_NE(text.find("x-tool"), std::string::npos);
  EXPECT_NE(text.find("\"x\": ["), std::string::npos);
  EXPECT_LT(text.find("\"z\""), text.find("\"a\": 2"));
}

TEST(LayoutIndex, AddsAnUnnamedEntryOnce) {
  std::string text = tagged("", "", 'a');
  EXPECT_EQ(parsed(text).manifests.size(), 1U);
  text = tagged(text, "", 'a');
  EXPECT_EQ(parsed(text).manifests.size(), 1U);
  text = tagged(text, "", 'b');
  EXPECT_EQ(parsed(text).manifests.size(), 2U);
  EXPECT_EQ(list_ref_names(parsed(text)), "");
}

TEST(LayoutIndex, RefusesGarbage) {
  for (std::string_view text :
       {"{", "[]", "null", R"({"manifests":{}})", R"({"manifests":[1]})", R"({"config":{}})"}) {
    EXPECT_FALSE(with_ref_name(text, "n", manifest('a'), Limits()).has_value()) << text;
  }
}

TEST(LayoutIndex, BoundsItsEntries) {
  Limits limits;
  limits.index_manifests = 1;
  const std::string one = tagged("", "one", 'a');
  EXPECT_TRUE(with_ref_name(one, "one", manifest('b'), limits).has_value());
  auto full = with_ref_name(one, "two", manifest('b'), limits);
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code(), Code::limit);
}

TEST(LayoutIndex, ListsNoMoreThanAsked) {
  std::string text;
  for (char c : {'a', 'b', 'c'}) text = tagged(text, std::string(1, c), c);
  EXPECT_EQ(list_ref_names(parsed(text), 2), "'a', 'b' and 1 more");
}

}  // namespace
}  // namespace cloister::oci
