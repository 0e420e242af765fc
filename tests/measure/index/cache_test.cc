#include "measure/index/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/measure/index/sample_index.h"

namespace cloister::measure {
namespace {

using testing::sample_index;

class LayerIndexCache : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cloister-cache-XXXXXX").native();
    root_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(root_, error);
  }

  IndexCache open(const std::string& state = "state", const std::string& store = "store") {
    auto cache = IndexCache::open(root_ / "index", root_ / state, root_ / store);
    EXPECT_TRUE(cache.has_value()) << cache.error().what();
    return std::move(*cache);
  }
  fs::path file_of(const Digest& layer) const { return root_ / "index" / (layer.hex() + ".index"); }
  static void replace(const fs::path& path, ByteView bytes) {
    std::ofstream(path, std::ios::binary) << as_text(bytes);
  }
  Bytes bytes_of(const fs::path& path) const { return *read_file(path, 1 << 20); }
  std::vector<fs::path> secrets() const {
    std::vector<fs::path> out;
    for (const auto& item : fs::directory_iterator(root_ / "state"))
      if (item.path().filename().native().starts_with("index-secret-")) out.push_back(item.path());
    return out;
  }

  fs::path root_;
};

TEST_F(LayerIndexCache, GivesBackWhatWasSaved) {
  const LayerIndex index = sample_index();
  EXPECT_FALSE(open().load(index.blob, {}).has_value());
  ASSERT_TRUE(open().save(index).has_value());
  const auto back = open().load(index.blob, {});
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(back->entries == index.entries);
  EXPECT_FALSE(open().load(sha256("another layer"), {}).has_value());
}

TEST_F(LayerIndexCache, RefusesEveryFlippedBit) {
  const LayerIndex index = sample_index();
  const IndexCache cache = open();
  ASSERT_TRUE(cache.save(index).has_value());
  const Bytes good = bytes_of(file_of(index.blob));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= static_cast<std::byte>(1U << i % 8);
    replace(file_of(index.blob), bad);
    EXPECT_FALSE(cache.load(index.blob, {}).has_value()) << i;
  }
  replace(file_of(index.blob), good);
  EXPECT_TRUE(cache.load(index.blob, {}).has_value());
}

TEST_F(LayerIndexCache, RefusesTruncation) {
  const LayerIndex index = sample_index();
  const IndexCache cache = open();
  ASSERT_TRUE(cache.save(index).has_value());
  const Bytes good = bytes_of(file_of(index.blob));
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{36},
                                 std::size_t{68}, good.size() - 1}) {
    replace(file_of(index.blob), ByteView(good).first(size));
    EXPECT_FALSE(cache.load(index.blob, {}).has_value()) << size;
  }
}

// Authentic, but of another layer: renamed over the one that is asked for.
TEST_F(LayerIndexCache, RefusesTheIndexOfAnotherLayer) {
  LayerIndex index = sample_index(), other = sample_index();
  other.blob = sha256("other blob");
  const IndexCache cache = open();
  ASSERT_TRUE(cache.save(index).has_value() && cache.save(other).has_value());
  fs::rename(file_of(other.blob), file_of(index.blob));
  EXPECT_FALSE(cache.load(index.blob, {}).has_value());
}

// A store copied to another machine brings its index files, not its secret.
TEST_F(LayerIndexCache, RefusesAForeignSecret) {
  const LayerIndex index = sample_index();
  ASSERT_TRUE(open("state").save(index).has_value());
  EXPECT_FALSE(open("other-state").load(index.blob, {}).has_value());
  EXPECT_FALSE(open("state", "other-store").load(index.blob, {}).has_value());
  EXPECT_TRUE(open("state").load(index.blob, {}).has_value());
}

TEST_F(LayerIndexCache, KeepsItsSecretPrivate) {
  open();
  ASSERT_EQ(secrets().size(), 1U);
  struct stat info {};
  ASSERT_EQ(::stat(secrets()[0].c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(info.st_size, 32);
  ASSERT_EQ(::stat((root_ / "state").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0700U);
}

TEST_F(LayerIndexCache, ReplacesASecretThatOthersCanRead) {
  const LayerIndex index = sample_index();
  ASSERT_TRUE(open().save(index).has_value());
  const Bytes before = bytes_of(secrets().at(0));
  ASSERT_EQ(::chmod(secrets().at(0).c_str(), 0644), 0);
  EXPECT_FALSE(open().load(index.blob, {}).has_value());
  EXPECT_NE(bytes_of(secrets().at(0)), before);
  ASSERT_TRUE(write_file_atomic(secrets().at(0), as_bytes("short"), 0600).has_value());
  ASSERT_TRUE(open().save(index).has_value());
  EXPECT_TRUE(open().load(index.blob, {}).has_value());
}

TEST_F(LayerIndexCache, NamesTheSecretAfterTheRealStore) {
  fs::create_directories(root_ / "store");
  fs::create_directory_symlink(root_ / "store", root_ / "alias");
  const LayerIndex index = sample_index();
  ASSERT_TRUE(open("state", "store").save(index).has_value());
  EXPECT_TRUE(open("state", "alias").load(index.blob, {}).has_value());
}

TEST_F(LayerIndexCache, AgreesOnOneSecretWhenOpenedAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([this, i] {
      LayerIndex index = sample_index();
      index.blob = sha256(std::to_string(i));
      EXPECT_TRUE(open().save(index).has_value());
    });
  for (std::thread& t : threads) t.join();
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(open().load(sha256(std::to_string(i)), {}).has_value()) << i;
}

TEST_F(LayerIndexCache, TellsWhenItCannotSave) {
  const IndexCache cache = open();
  ASSERT_TRUE(write_file_atomic(root_ / "index", as_bytes("a file in the way")).has_value());
  EXPECT_EQ(cache.save(sample_index()).error().code(), Code::io);
}

}  // namespace
}  // namespace cloister::measure
