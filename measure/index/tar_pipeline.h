// Inflates a layer and computes its diffID while the caller reads the tar: three stages on three
// threads over one small ring of blocks.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "base/digest.h"
#include "base/inflate.h"
#include "base/limits.h"
#include "base/stream.h"
#include "oci/archive/tar_reader.h"

namespace cloister::measure {

struct TarSummary {
  Digest diff_id;           // SHA-256 of the tar
  std::uint64_t bytes = 0;  // length of the tar
};

// The tar as blocks for one reader. `blob` is read on a thread of the pipeline, and must outlive
// it. Fails with `limit` beyond limits.layer_bytes or the expansion ratio. The destructor stops and
// joins the threads wherever they are.
class TarPipeline final : public oci::BlockSource {
 public:
  TarPipeline(Source& blob, Compression compression, const Limits& limits);
  ~TarPipeline() override;
  TarPipeline(const TarPipeline&) = delete;
  TarPipeline& operator=(const TarPipeline&) = delete;

  Result<ByteView> next_block() override;
  // Reads to the end what the reader left (padding), and waits for the digest.
  Result<TarSummary> finish();

 private:
  static constexpr std::size_t kBlocks = 8;
  static constexpr std::size_t kBlockBytes = 256 << 10;
  struct Block {
    Bytes bytes;  // allocated on first use: most layers of an image are small
    std::size_t size = 0;
  };

  void inflate(Source& blob, Compression compression);
  Result<bool> fill(Source& tar, Block& block);
  void hash();
  void stop();

  Limits limits_;
  std::array<Block, kBlocks> ring_;

  // Blocks 0, 1, 2… live at ring_[n % kBlocks]; block n may be overwritten by block n + kBlocks
  // once both the reader and the hasher are past it. All below is guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t made_ = 0, read_ = 0, hashed_ = 0;
  bool ended_ = false;    // no further block will be made
  bool stopped_ = false;  // the reader has gone
  bool holding_ = false;  // block read_ - 1 is still in the reader's hands
  std::optional<Error> error_;

  // Of the inflating and of the hashing thread, and of everyone once they are joined.
  std::uint64_t tar_bytes_ = 0;
  Sha256 hasher_;

  std::thread inflater_, digester_;
};

}  // namespace cloister::measure
