// What a copy consists of: children of indexes, signatures, referrers, each once, and their blobs.
#include "oci/store/collect.h"

#include <nlohmann/json.hpp>

#include "oci/documents/attached.h"
#include "oci/source/open.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class Collect : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(scratch_ / "s");
    ASSERT_TRUE(opened.has_value());
    store_ = std::make_unique<Store>(std::move(*opened));
  }
  // A manifest of `subject`, or cosign's without one, with one blob of its own.
  Descriptor add_artifact(const std::string& note, const Descriptor* subject) {
    const Descriptor config = image_.add("application/vnd.oci.empty.v1+json", "{}");
    const Descriptor layer = image_.add("text/plain", note);
    std::string text =
        cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciManifest, R"(","config":)",
            dump_json(to_json(config)), R"(,"layers":[)", dump_json(to_json(layer)), "]");
    if (subject != nullptr)
      text +=
          cat(R"(,"artifactType":"text/x-)", note, R"(","subject":)", dump_json(to_json(*subject)));
    return image_.add(media_type::kOciManifest, text + "}");
  }
  static Descriptor named(Descriptor descriptor, const std::string& name) {
    descriptor.annotations["org.opencontainers.image.ref.name"] = name;
    return descriptor;
  }
  Result<CollectedImage> collect(const std::vector<Descriptor>& entries, bool attached = true) {
    write_test_layout(scratch_ / "l", image_, "");
    write_text(scratch_ / "l/index.json", make_index(entries));
    CL_TRY(const ImageRef ref, parse_image_ref(cat("oci:", (scratch_ / "l").native(), ":app")));
    CL_TRY(auto transport, open_layout(ref, context_.limits));
    return collect_image(ref, *transport, *store_, context_.fetch(), attached);
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
  TestContext context_;
  TestImage image_ = make_image();
};

TEST_F(Collect, TakesSignaturesReferrersAndTheirReferrers) {
  const Descriptor subject = image_.manifest.descriptor;
  const Descriptor signature = add_artifact("sig", nullptr), sbom = add_artifact("sbom", &subject);
  const Descriptor of_sbom = add_artifact("of-sbom", &sbom);
  const Descriptor stranger = add_artifact("other", &signature);
  const Descriptor unrelated = named(add_artifact("x", nullptr), "x");
  const auto all =
      collect({named(subject, "app"), named(signature, referrers_tag(subject.digest) + ".sig"),
               sbom, of_sbom, stranger, unrelated});
  ASSERT_TRUE(all.has_value()) << all.error().what();
  EXPECT_EQ(all->root.descriptor.digest, subject.digest);
  ASSERT_EQ(all->attached.size(), 4U);
  EXPECT_EQ(all->attached[0].tag, referrers_tag(subject.digest) + ".sig");
  EXPECT_EQ(all->attached[1].subject, subject.digest);
  for (const Descriptor& blob : all->blobs) EXPECT_TRUE(store_->has_blob(blob.digest, blob.size));
  EXPECT_EQ(all->blobs.size(), 4U + 5U);  // layers, config; four notes and their one config
  EXPECT_TRUE(collect({named(subject, "app"), sbom}, false)->attached.empty());
}

TEST_F(Collect, TakesReferrersFromAFallbackIndexToo) {
  const Descriptor subject = image_.manifest.descriptor, sbom = add_artifact("sbom", &subject);
  const Descriptor list = image_.add(media_type::kOciIndex, make_index({sbom}));
  const auto all =
      collect({named(subject, "app"), named(list, referrers_tag(subject.digest)), sbom});
  ASSERT_TRUE(all.has_value()) << all.error().what();
  ASSERT_EQ(all->attached.size(), 1U);  // once
  EXPECT_EQ(all->attached[0].manifest.descriptor.digest, sbom.digest);
}

TEST_F(Collect, TakesAllChildrenOfIndexesInOrder) {
  const Descriptor amd = image_.manifest.descriptor;
  const TestImage arm = make_image({.layers = {"arm"}, .architecture = "arm64"});
  for (const auto& [digest, text] : arm.blobs) image_.blobs[digest] = text;
  const Descriptor inner = image_.add(media_type::kOciIndex, make_index({amd}));
  const Descriptor top =
      image_.add(media_type::kOciIndex, make_index({inner, arm.manifest.descriptor, amd}));
  const Descriptor of_arm = add_artifact("of-arm", &arm.manifest.descriptor);
  const auto all = collect({named(top, "app"), of_arm});
  ASSERT_TRUE(all.has_value()) << all.error().what();
  ASSERT_EQ(all->children.size(), 3U);
  EXPECT_EQ(all->children[0].descriptor.digest, amd.digest);  // before the index that names it
  EXPECT_EQ(all->children[1].descriptor.digest, inner.digest);
  EXPECT_EQ(all->attached.size(), 1U);
}

TEST_F(Collect, SaysWhenAPartOfAnIndexIsMissing) {
  const TestImage other = make_image({.layers = {"elsewhere"}});
  const Descriptor top = image_.add(media_type::kOciIndex, make_index({other.manifest.descriptor}));
  const auto all = collect({named(top, "app")});
  ASSERT_EQ(code_of(all), Code::not_found);
  EXPECT_NE(all.error().hint().find("--platform"), std::string::npos);
}

TEST_F(Collect, RefusesForeignLayersAndDeepNests) {
  const TestImage foreign =
      make_image({.layer_type = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"});
  for (const auto& [digest, text] : foreign.blobs) image_.blobs[digest] = text;
  EXPECT_EQ(code_of(collect({named(foreign.manifest.descriptor, "app")})), Code::unsupported);
  Descriptor nest = image_.manifest.descriptor;
  for (int depth = 0; depth < 4; ++depth)
    nest = image_.add(media_type::kOciIndex, make_index({nest}));
  EXPECT_EQ(code_of(collect({named(nest, "app")})), Code::limit);
}

// Three levels of a thousand entries each would be a billion visits.
TEST_F(Collect, IsNotDrownedByABombOfManifests) {
  std::vector<Descriptor> level;
  for (int i = 0; i < 1020; ++i)
    level.push_back(image_.add(
        media_type::kOciIndex,
        make_index({image_.manifest.descriptor}) + std::string(static_cast<size_t>(i), ' ')));
  const Descriptor top = image_.add(media_type::kOciIndex, make_index(level));
  for (int i = 0; i < 20; ++i)
    level[static_cast<size_t>(i)] = image_.add(
        media_type::kOciIndex, make_index(level) + std::string(static_cast<size_t>(i), ' '));
  const Descriptor bomb = image_.add(media_type::kOciIndex, make_index(level));
  EXPECT_TRUE(collect({named(top, "app")}).has_value());
  EXPECT_EQ(code_of(collect({named(bomb, "app")})), Code::limit);
}

}  // namespace
}  // namespace cloister::oci
