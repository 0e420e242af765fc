#include "oci/documents/cosign_layout.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "oci/documents/attached.h"
#include "oci/documents/layout_index.h"

namespace cloister::oci {
namespace {

Digest digest_of_char(char id) {
  return *Digest::parse("sha256:" + std::string(64, id));
}

Descriptor described(char id, std::string_view type = media_type::kOciManifest) {
  Descriptor d;
  d.media_type = type;
  d.digest = digest_of_char(id);
  d.size = 5;
  return d;
}

// What `cosign save` (2.5 and 3.0) writes; an entry is its digest's character and its kind.
std::string saved(const std::vector<std::pair<char, std::string>>& entries) {
  std::string text;
  for (const auto& [id, kind] : entries)
    text += cat(text.empty() ? "" : ",", R"({"mediaType":")", media_type::kOciManifest,
                R"(","size":5,"digest":"sha256:)", std::string(64, id),
                R"(","annotations":{"kind":"dev.cosignproject.cosign/)", kind, R"("}})");
  return cat(R"({"schemaVersion":2,"manifests":[)", text, "]}");
}

std::vector<std::string> tags_of(std::string_view text, char subject) {
  std::vector<std::string> out;
  for (const auto& found :
       cosign_attachments(*parse_image_index(text, Limits()), digest_of_char(subject)))
    out.push_back(cat(found.descriptor.digest.hex()[0], " ", found.tag));
  return out;
}

// Each entry's digest and kind, as cosign would look for them.
std::string kinds(std::string_view text) {
  std::string out;
  const auto index = parse_image_index(text, Limits());
  if (!index.has_value()) return index.error().what();
  for (const Descriptor& entry : index->manifests) {
    const auto it = entry.annotations.find("kind");
    if (it == entry.annotations.end()) continue;
    out += cat(out.empty() ? "" : " ", entry.digest.hex()[0], ":",
               it->second.substr(it->second.rfind('/') + 1));
  }
  return out;
}

using Names = std::vector<NamedManifest>;

std::string with(std::string_view text, const Names& names) {
  auto out = with_ref_names(text, names, Limits());
  return out.has_value() ? *out : "error: " + out.error().what();
}

TEST(CosignLayout, WhatCosignSavedBelongsToTheImageBefore) {
  const std::string text = saved({{'a', "image"}, {'b', "sigs"}, {'c', "atts"}});
  const std::string tag = "sha256-" + std::string(64, 'a');
  EXPECT_EQ(tags_of(text, 'a'),
            (std::vector<std::string>{cat("b ", tag, ".sig"), cat("c ", tag, ".att")}));
  EXPECT_TRUE(tags_of(text, 'b').empty());
  const std::string two =
      saved({{'a', "imageIndex"}, {'b', "sigs"}, {'c', "image"}, {'d', "sigs"}, {'e', "else"}});
  EXPECT_EQ(tags_of(two, 'a').size(), 1U);
  EXPECT_EQ(tags_of(two, 'c'),
            std::vector<std::string>{cat("d sha256-", std::string(64, 'c'), ".sig")});
}

TEST(CosignLayout, AnImageWithSignaturesIsMarked) {
  const std::string plain = with("", {{"x", described('a')}});
  EXPECT_EQ(kinds(plain), "");
  const std::string text = with(plain, {{cosign_tag(digest_of_char('a'), ".sig"), described('b')},
                                        {cosign_tag(digest_of_char('a'), ".sbom"), described('c')},
                                        {cosign_tag(digest_of_char('a'), ".att"), described('d')}});
  EXPECT_EQ(kinds(text), "a:image b:sigs d:atts");
  EXPECT_EQ(with(text, {}), text) << "marking again changes nothing";
  EXPECT_TRUE(tags_of(text, 'a').empty()) << "they have names: found once, by those";
  const std::string index = with("", {{cosign_tag(digest_of_char('a'), ".sig"), described('b')},
                                      {"x", described('a', media_type::kOciIndex)}});
  EXPECT_EQ(kinds(index), "b:sigs a:imageIndex");
}

TEST(CosignLayout, TheLastSignedImageIsTheOneThatCosignSees) {
  const std::string first =
      with("", {{cosign_tag(digest_of_char('a'), ".sig"), described('b')}, {"x", described('a')}});
  const std::string second = with(
      first, {{cosign_tag(digest_of_char('c'), ".att"), described('d')}, {"y", described('c')}});
  EXPECT_EQ(kinds(second), "d:atts c:image");
  EXPECT_EQ(kinds(with(second, {{"z", described('e')}})), "d:atts c:image");
}

TEST(CosignLayout, WhatOnlyTheMarksTellIsKept) {
  const std::string theirs = saved({{'a', "image"}, {'b', "sigs"}});
  const std::string both = with(
      theirs, {{cosign_tag(digest_of_char('c'), ".sig"), described('d')}, {"y", described('c')}});
  EXPECT_EQ(kinds(both), "a:image b:sigs");
  EXPECT_EQ(tags_of(both, 'a').size(), 1U);
}

TEST(CosignLayout, ShapesThatNobodyWritesAreSurvived) {
  EXPECT_FALSE(mark_for_cosign("[]", Limits()).has_value());
  EXPECT_FALSE(mark_for_cosign(R"({"schemaVersion":2,"manifests":[{"annotations":7}]})", Limits())
                   .has_value());
  // A signature of a signature is no image.
  const std::string tag = cosign_tag(digest_of_char('a'), ".sig");
  EXPECT_EQ(kinds(with("", {{tag, described('b')},
                            {cosign_tag(digest_of_char('b'), ".sig"), described('c')}})),
            "");
}

}  // namespace
}  // namespace cloister::oci
