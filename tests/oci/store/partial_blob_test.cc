// A transfer that was cut short, and the run after it.
#include "oci/store/partial_blob.h"

#include <gtest/gtest.h>

#include "tests/base/must.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 1;
  for (char& c : out) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return out;
}

// Remembers where it was asked to begin, and may stop early with an error.
struct Origin {
  std::string content;
  std::vector<std::uint64_t> offsets;
  std::optional<std::size_t> stop_after;

  struct Cut final : Source {
    Cut(std::string text, std::optional<std::size_t> stop) : text_(std::move(text)), stop_(stop) {}
    Result<std::size_t> read(std::span<std::byte> out) override {
      if (stop_ && at_ >= *stop_) return Error::unavailable("cut");
      const std::size_t end = stop_ ? std::min(*stop_, text_.size()) : text_.size();
      const std::size_t n = std::min({out.size(), end - at_, std::size_t{50'000}});
      std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
      at_ += n;
      return n;
    }
    const std::string text_;
    const std::optional<std::size_t> stop_;
    std::size_t at_ = 0;
  };

  PartialBlob::OpenAt open_at() {
    return [this](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
      offsets.push_back(offset);
      return std::unique_ptr<Source>(std::make_unique<Cut>(content.substr(offset), stop_after));
    };
  }
};

class Partial : public ::testing::Test {
 protected:
  Status complete(Origin& origin, const Descriptor& descriptor, CancelToken cancel = {}) {
    CL_TRY(auto partial, PartialBlob::open(scratch_ / "", descriptor.digest));
    if (!partial) return Error::conflict("somebody has it");
    reported_ = 0;
    return partial->complete(
        descriptor, origin.open_at(), target_, [&](std::size_t n) { reported_ += n; }, cancel);
  }
  fs::path file(const Descriptor& descriptor) const { return scratch_ / descriptor.digest.hex(); }
  void put(const Descriptor& descriptor, const std::string& text) const {
    ASSERT_TRUE(write_file_atomic(file(descriptor), as_bytes(text)).has_value());
  }

  ScratchDirectory scratch_;
  fs::path target_ = scratch_ / "blob";
  std::uint64_t reported_ = 0;
  Origin origin_{noise(300'000), {}, {}};
  Descriptor blob_ = describe("x", origin_.content);
};

TEST_F(Partial, IsContinuedByTheNextRun) {
  origin_.stop_after = 120'000;
  EXPECT_EQ(complete(origin_, blob_).error().code(), Code::unavailable);
  EXPECT_EQ(fs::file_size(file(blob_)), 120'000U);
  EXPECT_FALSE(fs::exists(target_));
  origin_.stop_after.reset();
  const Status done = complete(origin_, blob_);
  ASSERT_TRUE(done.has_value()) << done.error().what();
  EXPECT_EQ(origin_.offsets, (std::vector<std::uint64_t>{0, 120'000}));
  EXPECT_EQ(sha256(must(read_file(target_, 1 << 20))), blob_.digest);
  EXPECT_FALSE(fs::exists(file(blob_)));
  EXPECT_EQ(reported_, blob_.size);
}

TEST_F(Partial, AWholeOneNeedsNoTransfer) {
  put(blob_, origin_.content);
  ASSERT_TRUE(complete(origin_, blob_).has_value());
  EXPECT_TRUE(origin_.offsets.empty());
  EXPECT_EQ(sha256(must(read_file(target_, 1 << 20))), blob_.digest);
}

TEST_F(Partial, WhatIsThereIsNotBelieved) {
  std::string other = origin_.content.substr(0, 100'000);
  other[5] ^= 1;
  for (const std::string& present : {other, noise(400'000), std::string(300'000, '\0')}) {
    origin_.offsets.clear();
    fs::remove(target_);
    put(blob_, present);
    const Status done = complete(origin_, blob_);
    ASSERT_TRUE(done.has_value()) << done.error().what();
    EXPECT_EQ(origin_.offsets.back(), 0U);
    EXPECT_EQ(sha256(must(read_file(target_, 1 << 20))), blob_.digest);
    EXPECT_EQ(fs::file_size(target_), blob_.size);
  }
}

TEST_F(Partial, WrongContentIsDroppedAndTold) {
  origin_.content[7] ^= 1;
  const Status done = complete(origin_, blob_);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), Code::corrupt);
  EXPECT_FALSE(fs::exists(file(blob_)));
  EXPECT_FALSE(fs::exists(target_));
  origin_.content += "more";
  EXPECT_EQ(complete(origin_, blob_).error().code(), Code::corrupt);
  origin_.content.resize(1000);
  EXPECT_EQ(complete(origin_, blob_).error().code(), Code::corrupt);
  EXPECT_FALSE(fs::exists(file(blob_)));
}

TEST_F(Partial, AnInterruptKeepsIt) {
  std::atomic<bool> flag{false};
  Origin origin = origin_;
  PartialBlob partial = std::move(*must(PartialBlob::open(scratch_ / "", blob_.digest)));
  const Status done = partial.complete(
      blob_, origin.open_at(), target_, [&](std::size_t) { flag = true; }, CancelToken(&flag));
  EXPECT_EQ(done.error().code(), Code::cancelled);
  EXPECT_EQ(fs::file_size(file(blob_)), 50'000U);
}

TEST_F(Partial, NothingIsNotKept) {
  origin_.stop_after = 0;
  EXPECT_EQ(complete(origin_, blob_).error().code(), Code::unavailable);
  EXPECT_FALSE(fs::exists(file(blob_)));
}

TEST_F(Partial, HasOneOwner) {
  {
    const auto first = PartialBlob::open(scratch_ / "", blob_.digest);
    ASSERT_TRUE(first.has_value() && first->has_value());
    EXPECT_EQ(complete(origin_, blob_).error().code(), Code::conflict);
  }
  EXPECT_TRUE(complete(origin_, blob_).has_value());
}

TEST_F(Partial, ALinkIsNotFollowed) {
  fs::create_symlink(scratch_ / "elsewhere", file(blob_));
  EXPECT_FALSE(complete(origin_, blob_).has_value());
  EXPECT_FALSE(fs::exists(scratch_ / "elsewhere"));
}

// ---- through the store

class ResumableTransport final : public ImageTransport {
 public:
  explicit ResumableTransport(Origin& origin) : origin_(origin) {}
  Result<RawManifest> root() override { return Error::internal("not asked for"); }
  Result<RawManifest> manifest(const Descriptor&) override {
    return Error::internal("not asked for");
  }
  Result<std::unique_ptr<Source>> blob(const Descriptor&) override { return origin_.open_at()(0); }
  bool resumable() const override { return true; }
  Result<std::unique_ptr<Source>> blob_from(const Descriptor&, std::uint64_t offset) override {
    return origin_.open_at()(offset);
  }

 private:
  Origin& origin_;
};

TEST(StoreContinues, LargeBlobsAndNotSmallOnes) {
  const ScratchDirectory scratch;
  for (const std::size_t size : {std::size_t{2} << 20, std::size_t{1000}}) {
    Store store = must(Store::open(scratch / "s"));
    Origin origin{noise(size), {}, size / 2};
    const Descriptor blob = describe("x", origin.content);
    ResumableTransport transport(origin);
    EXPECT_FALSE(store.fetch_blob(blob, transport, {}, {}).has_value());
    origin.stop_after.reset();
    ASSERT_TRUE(store.fetch_blob(blob, transport, {}, {}).has_value());
    EXPECT_EQ(origin.offsets.back(), size > PartialBlob::kLeast ? size / 2 : 0);
    EXPECT_TRUE(store.has_blob(blob.digest, blob.size));
    EXPECT_EQ(count_files(scratch / "s/cloister/tmp"), 0U);
  }
}

TEST(StoreContinues, BesideAnotherOwner) {
  const ScratchDirectory scratch;
  Store store = must(Store::open(scratch / "s"));
  Origin origin{noise(2 << 20), {}, {}};
  const Descriptor blob = describe("x", origin.content);
  const auto directory = store.derived_directory("partial");
  ASSERT_TRUE(directory.has_value());
  const auto other = PartialBlob::open(*directory, blob.digest);
  ASSERT_TRUE(other.has_value() && other->has_value());
  ResumableTransport transport(origin);
  ASSERT_TRUE(store.fetch_blob(blob, transport, {}, {}).has_value());
  EXPECT_TRUE(store.has_blob(blob.digest, blob.size));
}

}  // namespace
}  // namespace cloister::oci
