// The store listed, pruned and verified.
#include "oci/store/housekeeping.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class Housekeeping : public ::testing::Test {
 protected:
  // In the store under `name`, last used at `time`, with a layer index.
  TestImage keep(const std::string& name, const std::vector<std::string>& layers, long time) {
    TestImage image = make_image({.layers = layers});
    auto store = Store::open(directory_);
    EXPECT_TRUE(store.has_value());
    for (const auto& [digest, text] : image.blobs)
      EXPECT_TRUE(store->put_bytes("x", as_bytes(text)).has_value());
    if (!name.empty()) {
      EXPECT_TRUE(store->tag(name, image.manifest.descriptor).has_value());
    }
    const timespec times[2] = {{time, 0}, {time, 0}};
    ::utimensat(AT_FDCWD, blob(image.manifest.descriptor).c_str(), times, 0);
    for (const Descriptor& layer : image.layers) {
      fs::create_directories(directory_ / "cloister/index");
      write_text(index_of(layer), "index");
    }
    return image;
  }
  fs::path blob(const Descriptor& d) const { return directory_ / "blobs/sha256" / d.digest.hex(); }
  fs::path index_of(const Descriptor& layer) const {
    return directory_ / "cloister/index" / (layer.digest.hex() + ".index");
  }
  StoreContents list() {
    auto contents = list_store(directory_, limits_);
    EXPECT_TRUE(contents.has_value());
    return std::move(*contents);
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const StoredImage& image : list().images) out.push_back(image.name);
    return out;
  }
  Result<PruneResult> prune(std::uint64_t keep, bool loose = false) {
    return prune_store(directory_, keep, loose, limits_);
  }
  Result<VerifyResult> verify(bool repair = false) {
    return verify_store(directory_, repair, context_.pool, context_.progress, {}, limits_);
  }
  static std::string large(char c) { return std::string(100000, c); }

  ScratchDirectory scratch_;
  TestContext context_;
  Limits limits_;
  fs::path directory_ = scratch_ / "s";
};

TEST_F(Housekeeping, ListsImagesWithWhatTheyStillNeed) {
  keep("new", {"shared", large('n')}, 2000);
  const TestImage old = keep("old", {"shared", large('o')}, 1000);
  keep("", {"loose layer"}, 3000);
  fs::remove(blob(old.layers[1]));
  const StoreContents contents = list();
  ASSERT_EQ(contents.images.size(), 2U);
  const StoredImage& first = contents.images[0];
  EXPECT_EQ(first.name, "old");  // the least recently used
  EXPECT_EQ(first.last_used, Seconds(std::chrono::seconds(1000)));
  EXPECT_EQ(first.missing_blobs, 1U);
  EXPECT_EQ(first.missing_bytes, 100000U);
  EXPECT_EQ(first.blobs, 3U);
  EXPECT_EQ(contents.images[1].missing_blobs, 0U);
  EXPECT_GT(contents.loose_bytes, 0U);
  EXPECT_LT(contents.loose_bytes, 2000U);
  EXPECT_EQ(contents.derived_bytes, 4 * 5U);
}

TEST_F(Housekeeping, PrunesTheLeastRecentlyUsedAndKeepsWhatOthersNeed) {
  const TestImage one = keep("one", {"shared", large('1')}, 1000);
  const TestImage two = keep("two", {"shared", large('2')}, 3000);
  const TestImage three = keep("three", {large('3')}, 2000);
  const auto pruned = prune(250000);
  ASSERT_TRUE(pruned.has_value()) << pruned.error().what();
  EXPECT_EQ(pruned->images, 1U);
  EXPECT_EQ(names(), (std::vector<std::string>{"three", "two"}));
  EXPECT_FALSE(fs::exists(blob(one.layers[1])));
  EXPECT_FALSE(fs::exists(index_of(one.layers[1])));
  EXPECT_TRUE(fs::exists(blob(one.layers[0])));  // shared with two
  EXPECT_TRUE(fs::exists(index_of(one.layers[0])));
  EXPECT_LE(pruned->left, 250000U);
  for (const TestImage* kept : {&two, &three})
    for (const auto& [digest, text] : kept->blobs)
      EXPECT_TRUE(fs::exists(blob(describe("", text))));
  ASSERT_TRUE(prune(0).has_value());
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(count_files(directory_ / "blobs/sha256"), 0U);
  EXPECT_EQ(count_files(directory_ / "cloister/index"), 0U);
}

TEST_F(Housekeeping, PrunesNothingBelowTheLimit) {
  keep("one", {large('1')}, 1000);
  const TestImage loose = keep("", {large('2')}, 1000);
  ASSERT_TRUE(prune(1 << 20).has_value());
  EXPECT_TRUE(fs::exists(blob(loose.layers[0])));
  const auto pruned = prune(1 << 20, /*loose=*/true);
  ASSERT_TRUE(pruned.has_value());
  EXPECT_EQ(pruned->images, 0U);
  EXPECT_FALSE(fs::exists(blob(loose.layers[0])));
  EXPECT_EQ(names(), std::vector<std::string>{"one"});
}

TEST_F(Housekeeping, TouchesNothingThatIsInUse) {
  keep("one", {large('1')}, 1000);
  {
    const auto other = Store::open(directory_);
    const auto pruned = prune(0, true);
    ASSERT_TRUE(pruned.has_value());
    EXPECT_TRUE(pruned->busy);
    EXPECT_EQ(names(), std::vector<std::string>{"one"});
  }
  EXPECT_FALSE(prune(0, true)->busy);
}

TEST_F(Housekeeping, KeepsTheChildrenOfIndexes) {
  const TestImage image = make_image();
  {
    auto store = Store::open(directory_);
    for (const auto& [digest, text] : image.blobs)
      ASSERT_TRUE(store->put_bytes("x", as_bytes(text)).has_value());
    const auto index =
        store->put_bytes(media_type::kOciIndex, as_bytes(make_index({image.manifest.descriptor})));
    ASSERT_TRUE(store->tag("multi", *index).has_value());
  }
  ASSERT_TRUE(prune(1 << 20, true).has_value());
  for (const Descriptor& layer : image.layers) EXPECT_TRUE(fs::exists(blob(layer)));
}

TEST_F(Housekeeping, FindsAndRemovesDamage) {
  const TestImage image = keep("one", {large('1'), large('2')}, 1000);
  EXPECT_TRUE(verify()->damaged.empty());
  EXPECT_EQ(verify()->blobs, 4U);
  std::string same_size = large('1');
  same_size[5000] = 'x';
  write_text(blob(image.layers[0]), same_size);
  write_text(directory_ / "blobs/sha256/readme", "not ours");
  const auto found = verify();
  ASSERT_EQ(found->damaged.size(), 2U);
  EXPECT_EQ(found->damaged[1].file, "readme");
  EXPECT_TRUE(fs::exists(blob(image.layers[0])));
  EXPECT_EQ(verify(/*repair=*/true)->damaged.size(), 2U);
  EXPECT_FALSE(fs::exists(blob(image.layers[0])));
  EXPECT_TRUE(verify()->damaged.empty());
  EXPECT_EQ(list().images[0].missing_blobs, 1U);
}

TEST_F(Housekeeping, NeedsAStore) {
  EXPECT_EQ(code_of(list_store(directory_, limits_)), Code::not_found);
  EXPECT_TRUE(prune(0).has_value());  // nothing there is nothing to remove
  EXPECT_FALSE(fs::exists(directory_));
}

TEST_F(Housekeeping, NamesNeverFillTheIndex) {
  auto store = Store::open(directory_);
  const auto manifest = store->put_bytes(media_type::kOciManifest, as_bytes("{}"));
  const std::size_t most = limits_.index_manifests;
  // Written here: named one by one, each would read and write all before it.
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < most; ++i)
    entries.push_back(cat(R"({"mediaType":")", manifest->media_type, R"(","digest":")",
                          manifest->digest.str(), R"(","size":)", manifest->size,
                          R"(,"annotations":{"org.opencontainers.image.ref.name":"n)", i,
                          R"("}})"));
  std::ofstream(directory_ / "index.json")
      << R"({"schemaVersion":2,"manifests":[)" << join(entries, ",") << "]}";
  ASSERT_TRUE(store->tag("one more", *manifest).has_value());
  EXPECT_FALSE((*store->find("n0")).has_value());
  EXPECT_TRUE((*store->find("n1")).has_value());
  EXPECT_TRUE((*store->find("one more")).has_value());
}

}  // namespace
}  // namespace cloister::oci
