// All that a cold run does with layers at one time: pulled in parallel from a registry that breaks
// connections, hashed, written, inflated, indexed while they come, and cached. What comes out must
// be what indexing each layer alone gives. This is the thread sanitizer's favourite.
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "measure/index/cache.h"
#include "measure/index/layer_index.h"
#include "tests/base/gzip.h"
#include "tests/oci/archive/tar_builder.h"
#include "tests/oci/fixtures.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::measure {
namespace {

std::string layer_tar(unsigned seed, std::size_t file_size, unsigned files) {
  testing::TarBuilder tar;
  for (unsigned i = 0; i < files; ++i) {
    std::string content(file_size, '\0');
    for (char& c : content) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    tar.file(cat("etc/file-", seed, "-", i), content);
  }
  return tar.str();
}

TEST(PullAndIndex, LayersAreIndexedWhileTheyComeAsWhenTheyHaveCome) {
  std::vector<std::string> tars;
  for (unsigned i = 0; i < 6; ++i) tars.push_back(layer_tar(i, i % 2 == 0 ? 700'000 : 1000, 3));
  // Each blob breaks once: one that never gets on is given up.
  std::mutex mutex;
  std::set<std::string> cut;
  oci::FakeRegistry registry;
  registry.auth = oci::FakeRegistry::Auth::bearer;
  oci::Image image;
  image.name = "app";
  std::vector<Digest> diff_ids;
  for (const std::string& tar : tars) {
    oci::Descriptor layer = registry.add_blob("app", gzip_text(tar, 1));
    layer.media_type = oci::media_type::kOciLayerGzip;
    image.manifest.layers.push_back(layer);
    diff_ids.push_back(sha256(tar));
  }
  registry.inject({"GET", "/blobs/", 100, [&](const Received& request, Reply reply) {
                     const std::lock_guard lock(mutex);
                     if (reply.status == 200 && cut.insert(request.path).second)
                       reply.cut_after = reply.body.size() / 2;
                     return reply;
                   }});
  const oci::ScratchDirectory scratch;
  oci::Store store = must(oci::Store::open(scratch / "store"));
  const IndexCache cache = must(IndexCache::open(must(store.derived_directory("index")),
                                                 scratch / "state", store.directory()));
  const auto client = oci::client_of(registry, "app", oci::Access::pull, oci::user_credentials());
  const auto transport = oci::make_registry_transport(client, oci::ref_to(registry, "app"));
  oci::TestContext context;
  const Limits limits;
  const Status done = oci::fetch_layers(
      image, *transport, store, context.fetch(),
      [&](std::size_t i, oci::ArrivingBlob& blob) -> Status {
        CL_TRY(const auto source, blob.open());
        CL_TRY(LayerIndex made,
               index_layer(*source, Compression::gzip, diff_ids[i], limits, CancelToken()));
        CL_TRY(const bool same, blob.settled());
        EXPECT_TRUE(same);
        made.blob = image.manifest.layers[i].digest;
        return cache.save(made);
      });
  ASSERT_TRUE(done.has_value()) << done.error().what();
  for (std::size_t i = 0; i < tars.size(); ++i) {
    MemorySource tar(as_bytes(tars[i]));
    LayerIndex alone = must(index_layer(tar, Compression::none, diff_ids[i], limits, {}));
    alone.blob = image.manifest.layers[i].digest;
    const auto cached = cache.load(alone.blob, limits);
    ASSERT_TRUE(cached.has_value()) << i;
    EXPECT_EQ(encode_layer_index(*cached), encode_layer_index(alone)) << i;
  }
}

}  // namespace
}  // namespace cloister::measure
