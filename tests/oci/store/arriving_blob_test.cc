// Layers that are read while they come: the reader is ahead of the digest, and must not be believed
// before it, nor wait for what never comes.
#include "oci/store/arriving_blob.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

// Opened once, by whoever has come far enough; a test that waits in vain goes on and fails.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return open_; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// Gives half of what there is, and the rest when the gate is open.
class GatedSource final : public Source {
 public:
  GatedSource(std::string text, std::size_t half, Gate& gate)
      : text_(std::move(text)), half_(half), gate_(gate) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    if (at_ == half_) gate_.pass();
    const std::size_t end = at_ < half_ ? half_ : text_.size();
    const std::size_t n = std::min(out.size(), end - at_);
    std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
    at_ += n;
    return n;
  }

 private:
  const std::string text_;
  const std::size_t half_;
  std::size_t at_ = 0;
  Gate& gate_;
};

class GatedTransport final : public ImageTransport {
 public:
  explicit GatedTransport(const TestImage& image) : blobs(image.blobs) {}
  Result<RawManifest> root() override { return Error::internal("not asked for"); }
  Result<RawManifest> manifest(const Descriptor&) override { return root(); }
  Result<std::unique_ptr<Source>> blob(const Descriptor& d) override { return blob_from(d, 0); }
  bool resumable() const override { return can_resume; }
  Result<std::unique_ptr<Source>> blob_from(const Descriptor& d, std::uint64_t offset) override {
    std::string rest = blobs.at(d.digest).substr(offset);
    const std::size_t half = rest.size() / 2;
    return std::make_unique<GatedSource>(std::move(rest), half, gate);
  }

  std::map<Digest, std::string> blobs;
  bool can_resume = true;
  Gate gate;
};

std::string noise_of(std::size_t size) {
  std::string out(size, '\0');
  unsigned x = 1;
  for (char& c : out) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return out;
}

class Arriving : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(scratch_ / "s");
    ASSERT_TRUE(opened.has_value());
    store_ = std::make_unique<Store>(std::move(*opened));
    large_ = make_image({.layers = {noise_of(3 << 20)}});
    small_ = make_image({.layers = {"a layer that is small"}});
  }
  Status fetch(const TestImage& test, ImageTransport& transport, const OnLayer& on_layer) {
    Image image;
    image.name = "test";
    image.manifest.layers = test.layers;
    return fetch_layers(image, transport, *store_, context_.fetch(), on_layer);
  }
  fs::path partial(const TestImage& test) const {
    return scratch_ / "s/cloister/partial" / test.layers[0].digest.hex();
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
  TestContext context_;
  TestImage large_, small_;
};

// The second half comes only when the first has been read: without overlap the gate stays closed.
TEST_F(Arriving, IsReadWhileItComes) {
  for (const TestImage* test : {&large_, &small_})
    for (const bool resumable : {true, false}) {
      const Descriptor& layer = test->layers[0];
      fs::remove(store_->blob_path(layer.digest));
      GatedTransport transport(*test);
      transport.can_resume = resumable;
      std::string read;
      const auto done = fetch(*test, transport, [&](std::size_t, ArrivingBlob& blob) -> Status {
        EXPECT_FALSE(blob.ended());
        CL_TRY(const auto source, blob.open());
        Bytes first(layer.size / 2);
        CL_TRY(const std::size_t n, read_full(*source, first));
        read = as_text(ByteView(first).first(n));
        EXPECT_FALSE(store_->has_blob(layer.digest, layer.size));
        transport.gate.open();
        CL_TRY(const Bytes rest, read_all(*source, 1 << 30, "layer"));
        read += as_text(rest);
        EXPECT_TRUE(store_->has_blob(layer.digest, layer.size)) << "no end before the digest";
        CL_TRY(const bool same, blob.settled());
        EXPECT_TRUE(same);
        return {};
      });
      EXPECT_TRUE(done.has_value()) << done.error().what();
      EXPECT_EQ(sha256(read), layer.digest);
    }
}

TEST_F(Arriving, HasNoEndWhenItsDigestIsWrong) {
  GatedTransport transport(large_);
  transport.blobs[large_.layers[0].digest].back() ^= 1;
  transport.gate.open();
  const auto done = fetch(large_, transport, [&](std::size_t, ArrivingBlob& blob) -> Status {
    CL_TRY(const auto source, blob.open());
    const auto all = read_all(*source, 1 << 30, "layer");
    EXPECT_FALSE(all.has_value());
    EXPECT_EQ(code_of(blob.settled()), Code::corrupt);
    return Error::unsupported("what an analysis makes of wrong bytes");
  });
  ASSERT_EQ(code_of(done), Code::corrupt) << "the transfer's error counts";
  EXPECT_FALSE(fs::exists(store_->blob_path(large_.layers[0].digest)));
}

// What an earlier run left turns out to be something else: all is fetched anew.
TEST_F(Arriving, MayBeginAnew) {
  const Descriptor& layer = large_.layers[0];
  fs::create_directories(partial(large_).parent_path());
  write_text(partial(large_), std::string(1 << 20, 'x'));
  GatedTransport transport(large_);
  const auto done = fetch(large_, transport, [&](std::size_t, ArrivingBlob& blob) -> Status {
    CL_TRY(const auto source, blob.open());
    Bytes some(100);
    CL_TRY(const std::size_t n, read_full(*source, some));
    EXPECT_EQ(as_text(ByteView(some).first(n)), std::string(100, 'x'));
    transport.gate.open();
    EXPECT_FALSE(read_all(*source, 1 << 30, "layer").has_value());
    CL_TRY(const bool same, blob.settled());
    EXPECT_FALSE(same);
    CL_TRY(const auto stored, blob.open());
    CL_TRY(const Bytes all, read_all(*stored, 1 << 30, "layer"));
    EXPECT_EQ(sha256(as_text(all)), layer.digest);
    CL_TRY(const bool now, blob.settled());
    EXPECT_TRUE(now);
    return {};
  });
  EXPECT_TRUE(done.has_value()) << done.error().what();
}

// One thread for everything: transfer and analysis take turns.
TEST_F(Arriving, NeedsNoSecondThread) {
  TestContext narrow;
  ThreadPool one(1);
  const FetchContext context{narrow.limits, one, narrow.progress, {}, {"linux", "amd64", ""}, 1};
  const TestImage test =
      make_image({.layers = {noise_of(2 << 20), "two", noise_of(1 << 20), "four"}});
  GatedTransport transport(test);
  transport.gate.open();
  Image image;
  image.manifest.layers = test.layers;
  std::atomic<int> read{0};
  const auto done = fetch_layers(image, transport, *store_, context,
                                 [&](std::size_t i, ArrivingBlob& blob) -> Status {
                                   CL_TRY(const auto source, blob.open());
                                   CL_TRY(const Bytes all, read_all(*source, 1 << 30, "layer"));
                                   CL_TRY(const bool same, blob.settled());
                                   if (same && sha256(as_text(all)) == test.layers[i].digest)
                                     ++read;
                                   return {};
                                 });
  EXPECT_TRUE(done.has_value());
  EXPECT_EQ(read, 4);
}

// Readers that wait for a slow layer give their places to others: here there is one place, and the
// slow layer goes on only when all others are done.
TEST_F(Arriving, GivesItsPlaceAwayWhileItWaits) {
  TestContext narrow;
  ThreadPool one(1);
  const FetchContext context{narrow.limits, one, narrow.progress, {}, {"linux", "amd64", ""}, 4};
  const TestImage test = make_image({.layers = {noise_of(2 << 20), "two", "three"}});
  class OneSlow final : public ImageTransport {
   public:
    OneSlow(GatedTransport& slow, MemoryTransport& quick, const Digest& which)
        : slow_(slow), quick_(quick), which_(which) {}
    Result<RawManifest> root() override { return slow_.root(); }
    Result<RawManifest> manifest(const Descriptor& d) override { return slow_.manifest(d); }
    Result<std::unique_ptr<Source>> blob(const Descriptor& d) override {
      if (d.digest == which_) return slow_.blob(d);
      reader_waits.pass();
      return quick_.blob(d);
    }
    Gate reader_waits;

   private:
    GatedTransport& slow_;
    MemoryTransport& quick_;
    const Digest which_;
  };
  GatedTransport slow(test);
  MemoryTransport quick(test);
  OneSlow transport(slow, quick, test.layers[0].digest);
  Image image;
  image.manifest.layers = test.layers;
  std::atomic<int> others{0};
  const auto done = fetch_layers(image, transport, *store_, context,
                                 [&](std::size_t i, ArrivingBlob& blob) -> Status {
                                   if (i == 0) {
                                     CL_TRY(const auto source, blob.open());
                                     Bytes half(test.layers[0].size / 2);
                                     CL_TRY(const std::size_t n, read_full(*source, half));
                                     EXPECT_EQ(n, half.size());
                                     transport.reader_waits.open();
                                     CL_TRY(const std::uint64_t rest, drain(*source));
                                     EXPECT_EQ(n + rest, test.layers[0].size);
                                   } else if (++others == 2) {
                                     slow.gate.open();
                                   }
                                   return {};
                                 });
  EXPECT_TRUE(done.has_value());
}

TEST_F(Arriving, EndsItsReaderOnAnInterrupt) {
  GatedTransport transport(large_);
  const auto done = fetch(large_, transport, [&](std::size_t, ArrivingBlob& blob) -> Status {
    context_.cancelled = true;
    transport.gate.open();
    CL_TRY(const auto source, blob.open());
    return code_of(drain(*source)) == Code::cancelled ? Status(Error::cancelled()) : Status();
  });
  EXPECT_EQ(code_of(done), Code::cancelled);
}

}  // namespace
}  // namespace cloister::oci
