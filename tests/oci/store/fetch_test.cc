// Resolving and fetching against a transport in memory.
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class Fetch : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(scratch_ / "s");
    ASSERT_TRUE(opened.has_value());
    store_ = std::make_unique<Store>(std::move(*opened));
  }
  Result<Image> resolve(MemoryTransport& transport, std::string_view ref = "localhost:5000/app:1") {
    CL_TRY(const ImageRef parsed, parse_image_ref(ref));
    return resolve_image(parsed, transport, *store_, context_.fetch());
  }
  Code refused(const TestImage& image) {
    MemoryTransport transport(image);
    return code_of(resolve(transport));
  }
  // `image` behind the index `text` as the root.
  MemoryTransport behind(const std::string& text, const TestImage& image) {
    TestImage wrapped = image;
    wrapped.manifest = {wrapped.add(media_type::kOciIndex, text), text};
    return MemoryTransport(wrapped);
  }
  static Descriptor on(const TestImage& image, std::string os, std::string architecture) {
    Descriptor d = image.manifest.descriptor;
    d.platform = Platform{std::move(os), std::move(architecture), ""};
    return d;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
  TestContext context_;
};

TEST_F(Fetch, ResolvesAManifestIntoTheStore) {
  const TestImage test = make_image();
  MemoryTransport transport(test);
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value()) << image.error().what();
  EXPECT_EQ(image->name, "localhost:5000/app:1");
  EXPECT_EQ(image->manifest_text, test.manifest.text);
  EXPECT_EQ(image->manifest_descriptor.digest, test.manifest.descriptor.digest);
  EXPECT_EQ(image->manifest_descriptor.media_type, media_type::kOciManifest);
  EXPECT_EQ(image->manifest_descriptor.size, test.manifest.text.size());
  EXPECT_EQ(image->config.config.entrypoint, std::vector<std::string>{"/start"});
  EXPECT_FALSE(image->index_digest.has_value());
  EXPECT_TRUE(store_->has_blob(test.manifest.descriptor.digest, test.manifest.descriptor.size));
  EXPECT_TRUE(store_->has_blob(test.config.digest, test.config.size));
  EXPECT_FALSE(store_->has_blob(test.layers[0].digest, test.layers[0].size));
}

TEST_F(Fetch, ResolvesThroughAnIndex) {
  const TestImage test = make_image();
  const std::string index = make_index(
      {on(make_image({.architecture = "arm64"}), "linux", "arm64"), on(test, "linux", "amd64")});
  MemoryTransport transport = behind(index, test);
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value()) << image.error().what();
  EXPECT_EQ(image->manifest_descriptor.digest, test.manifest.descriptor.digest);
  EXPECT_EQ(image->index_digest, sha256(index));
  EXPECT_FALSE(image->manifest_descriptor.platform.has_value());
}

TEST_F(Fetch, FollowsNestedIndexesThreeDeepAndNoFurther) {
  TestImage test = make_image();
  std::string text = make_index({on(test, "linux", "amd64")});
  for (int depth = 1; depth <= 4; ++depth) {
    MemoryTransport transport = behind(text, test);
    const auto image = resolve(transport);
    if (depth <= 3) {
      ASSERT_TRUE(image.has_value()) << depth << image.error().what();
      EXPECT_EQ(image->index_digest, sha256(text));
    } else {
      EXPECT_EQ(code_of(image), Code::limit);
    }
    text = make_index({test.add(media_type::kOciIndex, text)});
  }
}

TEST_F(Fetch, LooksIntoNestedIndexesThatNameNoPlatform) {
  TestImage test = make_image();
  const TestImage arm = make_image({.layers = {"arm"}, .architecture = "arm64"});
  for (const auto& [digest, text] : arm.blobs) test.blobs[digest] = text;
  const Descriptor first = test.add(media_type::kOciIndex, make_index({on(arm, "linux", "arm64")}));
  const Descriptor second =
      test.add(media_type::kOciIndex, make_index({on(test, "linux", "amd64")}));
  const std::string text = make_index({on(arm, "linux", "arm64"), first, second});
  MemoryTransport transport = behind(text, test);
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value()) << image.error().what();
  EXPECT_EQ(image->manifest_descriptor.digest, test.manifest.descriptor.digest);
  EXPECT_EQ(image->index_digest, sha256(text));
}

TEST_F(Fetch, IsNotDrownedByABombOfIndexes) {
  TestImage test = make_image({.architecture = "arm64"});
  std::vector<Descriptor> level = {on(test, "linux", "arm64")};
  for (int depth = 0; depth < 2; ++depth) {
    std::vector<Descriptor> next;
    for (std::size_t i = 0; i < 100; ++i)
      next.push_back(test.add(media_type::kOciIndex, make_index(level) + std::string(i, ' ')));
    level = next;
  }
  MemoryTransport transport = behind(make_index(level), test);
  EXPECT_EQ(code_of(resolve(transport)), Code::limit);
  EXPECT_LT(transport.requests, 100);
}

TEST_F(Fetch, SaysWhichPlatformsThereAre) {
  const TestImage arm = make_image({.architecture = "arm64"});
  MemoryTransport transport = behind(make_index({on(arm, "linux", "arm64")}), arm);
  const auto image = resolve(transport);
  ASSERT_EQ(code_of(image), Code::not_found);
  EXPECT_EQ(image.error().details()[0], "there are: linux/arm64");
}

TEST_F(Fetch, RefusesASingleImageOfAnotherPlatform) {
  MemoryTransport transport(make_image({.architecture = "arm64"}));
  const auto image = resolve(transport);
  ASSERT_EQ(code_of(image), Code::not_found);
  EXPECT_EQ(image.error().what(), "the image is linux/arm64, not linux/amd64");
  EXPECT_NE(image.error().hint().find("--platform linux/arm64"), std::string::npos);
  EXPECT_NE(trace_of(image.error()).find("resolving 'localhost:5000/app:1'"), std::string::npos);
}

TEST_F(Fetch, RefusesAnIndexEntryThatLiesAboutItsPlatform) {
  const TestImage arm = make_image({.architecture = "arm64"});
  MemoryTransport transport = behind(make_index({on(arm, "linux", "amd64")}), arm);
  EXPECT_EQ(code_of(resolve(transport)), Code::not_found);
}

TEST_F(Fetch, TakesAConfigurationThatNamesNoPlatform) {
  MemoryTransport transport(make_image({.os = "", .architecture = ""}));
  EXPECT_TRUE(resolve(transport).has_value());
}

TEST_F(Fetch, RefusesDiffIdsThatDoNotFitTheLayers) {
  MemoryTransport transport(make_image({.missing_diff_ids = 1}));
  const auto image = resolve(transport);
  ASSERT_EQ(code_of(image), Code::corrupt);
  EXPECT_EQ(image.error().details()[0], "got 2 diff_ids for 3 layers");
}

TEST_F(Fetch, RefusesLayersItCannotRead) {
  for (std::string_view type :
       {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "text/plain", ""})
    EXPECT_EQ(refused(make_image({.layer_type = std::string(type)})), Code::unsupported) << type;
}

TEST_F(Fetch, RefusesAnArtifactThatIsNoImage) {
  EXPECT_EQ(refused(make_image({.config_type = "application/vnd.cncf.helm.config.v1+json"})),
            Code::unsupported);
}

TEST_F(Fetch, RefusesDocumentsThatDoNotMatchTheirDigest) {
  TestImage test = make_image();
  test.blobs[test.config.digest] = "{\"rootfs\":{\"diff_ids\":[]}}";
  EXPECT_EQ(refused(test), Code::corrupt);

  const TestImage good = make_image({.layers = {"good"}});
  MemoryTransport swapped = behind(make_index({on(good, "linux", "amd64")}), good);
  swapped.blobs[good.manifest.descriptor.digest] = make_image({.layers = {"evil"}}).manifest.text;
  EXPECT_EQ(code_of(resolve(swapped)), Code::corrupt);

  MemoryTransport lying(good);
  lying.root_manifest.text += " ";
  EXPECT_EQ(code_of(resolve(lying)), Code::corrupt);
  MemoryTransport other(good);
  EXPECT_EQ(code_of(resolve(other, "localhost:5000/app@sha256:" + std::string(64, '0'))),
            Code::corrupt);
}

TEST_F(Fetch, BoundsDocumentsBeforeAskingForThem) {
  TestImage test = make_image();
  Descriptor huge = on(test, "linux", "amd64");
  huge.size = context_.limits.manifest_bytes + 1;
  MemoryTransport transport = behind(make_index({huge}), test);
  EXPECT_EQ(code_of(resolve(transport)), Code::limit);
  EXPECT_EQ(transport.requests, 1);
  context_.limits.config_bytes = test.config.size - 1;
  EXPECT_EQ(refused(test), Code::limit);
  context_.limits = Limits();
  context_.limits.blob_bytes = test.layers[0].size - 1;
  EXPECT_EQ(refused(test), Code::limit);
  context_.limits = Limits();
  context_.limits.manifest_bytes = test.manifest.text.size() - 1;
  EXPECT_EQ(refused(test), Code::limit);
}

TEST_F(Fetch, AsksNobodyForADigestItHolds) {
  const TestImage test = make_image();
  MemoryTransport first(test), second(test);
  ASSERT_TRUE(resolve(first).has_value());
  const auto image = resolve(second, "localhost:5000/app@" + test.manifest.descriptor.digest.str());
  ASSERT_TRUE(image.has_value()) << image.error().what();
  EXPECT_EQ(second.requests, 0);
  EXPECT_EQ(image->manifest_descriptor.media_type, media_type::kOciManifest);
}

TEST_F(Fetch, MendsAStoreThatWasDamaged) {
  const TestImage test = make_image();
  MemoryTransport transport(test);
  ASSERT_TRUE(resolve(transport).has_value());
  write_text(store_->blob_path(test.config.digest), std::string(test.config.size, ' '));
  EXPECT_TRUE(resolve(transport).has_value());
}

TEST_F(Fetch, FetchesEachLayerOnce) {
  const TestImage test = make_image({.layers = {"same", "other", "same"}});
  MemoryTransport transport(test);
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value());
  transport.requests = 0;
  std::mutex mutex;
  std::vector<int> seen(3);
  ASSERT_TRUE(fetch_layers(*image, transport, *store_, context_.fetch(),
                           [&](std::size_t i, ArrivingBlob& blob) -> Status {
                             EXPECT_TRUE(*blob.settled());
                             std::lock_guard lock(mutex);
                             EXPECT_TRUE(
                                 store_->has_blob(test.layers[i].digest, test.layers[i].size));
                             ++seen[i];
                             return {};
                           })
                  .has_value());
  EXPECT_EQ(seen, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(transport.requests, 2);
  const std::string id = test.layers[0].digest.hex().substr(0, 12);
  EXPECT_EQ(context_.progress.actions[id], "pulling");
  EXPECT_EQ(context_.progress.outcomes[id], "done");
  EXPECT_EQ(context_.progress.transferred[id], test.layers[0].size);

  ASSERT_TRUE(fetch_layers(*image, transport, *store_, context_.fetch()).has_value());
  EXPECT_EQ(transport.requests, 2);
  EXPECT_EQ(context_.progress.outcomes[id], "already there");
}

TEST_F(Fetch, NamesTheLayerThatIsWrong) {
  const TestImage test = make_image();
  for (std::string_view wrong : {"layer twO", "layer tw", "layer two and more"}) {
    MemoryTransport transport(test);
    const auto image = resolve(transport);
    ASSERT_TRUE(image.has_value());
    transport.blobs[test.layers[1].digest] = wrong;
    const auto status = fetch_layers(*image, transport, *store_, context_.fetch());
    ASSERT_EQ(code_of(status), Code::corrupt) << wrong;
    EXPECT_NE(trace_of(status.error()).find("fetching layer 2 of 3 of 'localhost:5000/app:1'"),
              std::string::npos);
    EXPECT_FALSE(store_->has_blob(test.layers[1].digest, test.layers[1].size));
    EXPECT_EQ(context_.progress.outcomes[test.layers[1].digest.hex().substr(0, 12)], "failed");
  }
  EXPECT_EQ(count_files(scratch_ / "s/cloister/tmp"), 0U);
}

TEST_F(Fetch, PassesOnWhatTheAnalysisSays) {
  const TestImage test = make_image();
  MemoryTransport transport(test);
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value());
  const auto status = fetch_layers(
      *image, transport, *store_, context_.fetch(),
      [](std::size_t, ArrivingBlob&) -> Status { return Error::unsupported("odd tar"); });
  ASSERT_EQ(code_of(status), Code::unsupported);
  EXPECT_EQ(trace_of(status.error()), "");  // fetching is not what failed
}

TEST_F(Fetch, StopsWhenCancelled) {
  MemoryTransport transport(make_image());
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value());
  context_.cancelled = true;
  EXPECT_EQ(code_of(fetch_layers(*image, transport, *store_, context_.fetch())), Code::cancelled);
  EXPECT_EQ(code_of(resolve(transport)), Code::cancelled);
}

TEST_F(Fetch, TakesAnImageWithoutLayers) {
  MemoryTransport transport(make_image({.layers = {}}));
  const auto image = resolve(transport);
  ASSERT_TRUE(image.has_value());
  EXPECT_TRUE(fetch_layers(*image, transport, *store_, context_.fetch()).has_value());
}

}  // namespace
}  // namespace cloister::oci
