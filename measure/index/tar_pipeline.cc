// Inflating costs about as much as both digests (of the tar, of the files) together, so on two
// cores the pass takes as long as inflating alone. Blocks are handed on in place: nothing is copied
// between the inflater's output and the two hashers. The ring is small enough to stay in the cache.
#include "measure/index/tar_pipeline.h"

#include <algorithm>

#include "measure/index/layer_limits.h"

namespace cloister::measure {
namespace {

// Counts what the inflater takes, for the expansion ratio.
class CountingSource final : public Source {
 public:
  explicit CountingSource(Source& inner) : inner_(inner) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    CL_TRY(const std::size_t n, inner_.read(out));
    count_ += n;
    return n;
  }
  std::uint64_t count() const { return count_; }

 private:
  Source& inner_;
  std::uint64_t count_ = 0;
};

}  // namespace

TarPipeline::TarPipeline(Source& blob, Compression compression, const Limits& limits)
    : limits_(limits) {
  inflater_ = std::thread([this, &blob, compression] { inflate(blob, compression); });
  digester_ = std::thread([this] { hash(); });
}

TarPipeline::~TarPipeline() {
  stop();
}

void TarPipeline::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (inflater_.joinable()) inflater_.join();
  if (digester_.joinable()) digester_.join();
}

void TarPipeline::inflate(Source& blob, Compression compression) {
  CountingSource counted(blob);
  const auto tar = make_inflater(compression, counted);
  for (bool more = true; more;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return stopped_ || made_ < std::min(read_ - (holding_ ? 1 : 0), hashed_) + kBlocks;
    });
    if (stopped_) return;
    Block& block = ring_[made_ % kBlocks];
    lock.unlock();
    auto filled = fill(*tar, block);
    Status sane = check_expansion(tar_bytes_, counted.count(), limits_);
    lock.lock();
    more = filled.has_value() && *filled && sane.has_value();
    if (!filled.has_value())
      error_ = std::move(filled).error();
    else if (!sane.has_value())
      error_ = std::move(sane).error();
    else if (block.size > 0)
      ++made_;
    ended_ = !more;
    lock.unlock();
    changed_.notify_all();
  }
}

// True when more may follow.
Result<bool> TarPipeline::fill(Source& tar, Block& block) {
  if (block.bytes.empty()) block.bytes.resize(kBlockBytes);
  block.size = 0;
  CL_TRY(block.size, read_full(tar, block.bytes));
  tar_bytes_ += block.size;
  return block.size == block.bytes.size();
}

void TarPipeline::hash() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || ended_ || hashed_ < made_; });
    if (stopped_ || hashed_ == made_) return;
    const Block& block = ring_[hashed_ % kBlocks];
    lock.unlock();
    hasher_.update(ByteView(block.bytes).first(block.size));
    lock.lock();
    ++hashed_;
    lock.unlock();
    changed_.notify_all();
  }
}

Result<ByteView> TarPipeline::next_block() {
  std::unique_lock lock(mutex_);
  if (holding_) {
    holding_ = false;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return ended_ || read_ < made_; });
  if (read_ == made_) {
    if (error_) return error_->clone();
    return ByteView();
  }
  const Block& block = ring_[read_++ % kBlocks];
  holding_ = true;
  return ByteView(block.bytes).first(block.size);
}

Result<TarSummary> TarPipeline::finish() {
  for (;;) {
    CL_TRY(const ByteView block, next_block());
    if (block.empty()) break;
  }
  inflater_.join();
  digester_.join();
  return TarSummary{hasher_.finish(), tar_bytes_};
}

}  // namespace cloister::measure
