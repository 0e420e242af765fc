#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "base/text.h"
#include "oci/write/destinations.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

class Recorder final : public Progress {
 public:
  void start(std::string_view id, std::string_view, std::uint64_t) override {
    std::lock_guard lock(mutex);
    started.insert(std::string(id));
  }
  void advance(std::string_view, std::uint64_t bytes) override {
    std::lock_guard lock(mutex);
    moved += bytes;
  }
  void finish(std::string_view id, std::string_view outcome) override {
    std::lock_guard lock(mutex);
    outcomes[std::string(id)] = outcome;
  }
  std::mutex mutex;
  std::set<std::string> started;
  std::map<std::string, std::string> outcomes;
  std::uint64_t moved = 0;
};

// An image of a few blobs held in memory.
struct TestImage {
  std::map<std::string, std::string> contents;  // by digest
  ImageContent image;

  explicit TestImage(const std::vector<std::string>& blobs) {
    for (const std::string& content : blobs) {
      const Digest digest = sha256(content);
      contents[digest.str()] = content;
      image.blobs.push_back({"x", digest, content.size(), std::nullopt, {}});
    }
    image.manifest = {{std::string(media_type::kOciManifest),
                       sha256(manifest_text()),
                       manifest_text().size(),
                       std::nullopt,
                       {}},
                      manifest_text()};
    image.open = [this](const Descriptor& blob) -> Result<std::unique_ptr<Source>> {
      return std::unique_ptr<Source>(
          std::make_unique<MemorySource>(as_bytes(contents.at(blob.digest.str()))));
    };
  }
  std::string id(std::size_t i) const { return image.blobs[i].digest.hex().substr(0, 12); }
};

class Push : public testing::Test {
 protected:
  Status push(const TestImage& image, const std::string& reference = "v1",
              const std::string& mount_from = "", CancelToken cancel = {}) {
    auto client = client_of(registry_, "app", Access::push, {}, quick_options(), cancel);
    const WriteContext context{limits_, pool_, progress_, cancel};
    return push_image(image.image, *client, reference, mount_from, context);
  }
  // Where in the order of requests the last one of this kind came.
  int last(const std::string& method, const std::string& path) {
    const auto all = registry_.server().received();
    int at = -1;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].method == method && all[i].path.find(path) != std::string::npos)
        at = static_cast<int>(i);
    return at;
  }

  FakeRegistry registry_;
  Limits limits_;
  ThreadPool pool_{4};
  Recorder progress_;
};

TEST_F(Push, SendsBlobsThenTheManifest) {
  const TestImage image({"config", "layer one", "layer two", std::string(100'000, 'z')});
  const Status status = push(image);
  ASSERT_TRUE(status.has_value()) << status.error().what();
  for (const Descriptor& blob : image.image.blobs)
    EXPECT_TRUE(registry_.has_blob("app", blob.digest));
  EXPECT_EQ(registry_.manifest("app", "v1"), manifest_text());
  EXPECT_GT(last("PUT", "/manifests/"), last("PUT", "/uploads/"));
  EXPECT_EQ(progress_.outcomes[image.id(0)], "done");
  EXPECT_EQ(progress_.started.size(), 4U);
  EXPECT_EQ(progress_.moved, 100'000U + 6 + 9 + 9);
}

TEST_F(Push, SkipsWhatIsThereAndMountsWhatIsNear) {
  const TestImage image({"there", "near", "new"});
  (void)registry_.add_blob("app", "there");
  (void)registry_.add_blob("base/image", "near");
  ASSERT_TRUE(push(image, "v1", "base/image").has_value());
  EXPECT_EQ(progress_.outcomes[image.id(0)], "already there");
  EXPECT_EQ(progress_.outcomes[image.id(1)], "mounted");
  EXPECT_EQ(progress_.outcomes[image.id(2)], "done");
  EXPECT_EQ(registry_.count("PATCH", ""), 1);
}

TEST_F(Push, WithoutATagTheDigestIsTheName) {
  const TestImage image({"config"});
  ASSERT_TRUE(push(image, "").has_value());
  EXPECT_EQ(registry_.count("PUT", "/manifests/" + sha256(manifest_text()).str()), 1);
}

TEST_F(Push, NoManifestWhenABlobFails) {
  const TestImage image({"good", "bad"});
  registry_.inject({"POST", "/uploads/", -1,
                    [](const Received&, Reply) { return error_reply(403, "DENIED", "quota"); }});
  const Status status = push(image);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), Code::unauthorized);
  EXPECT_NE(status.error().trace().at(0).find("of 2"), std::string::npos);
  EXPECT_EQ(registry_.count("PUT", "/manifests/"), 0);
  EXPECT_EQ(progress_.outcomes[image.id(0)], "failed");
}

TEST_F(Push, NothingIsSentAfterAnInterrupt) {
  const std::atomic<bool> flag = true;
  const Status status = push(TestImage({"config"}), "v1", "", CancelToken(&flag));
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), Code::cancelled);
  EXPECT_EQ(registry_.count("PUT", ""), 0);
}

}  // namespace
}  // namespace cloister::oci
