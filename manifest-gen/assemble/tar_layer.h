// The added layer as bytes: tar, then gzip, the same on every machine.
#pragma once

#include <functional>
#include <string_view>

#include "manifest-gen/assemble/layer_tree.h"

namespace cloister::manifest {

struct PackedLayer {
  Bytes gzip;
  Digest digest;   // of `gzip`
  Digest diff_id;  // of the tar
};

Result<PackedLayer> pack_layer(const LayerTree& tree, const measure::Runtime& runtime,
                               Seconds mtime, const Limits& limits);

// RFC 1952 by zlib, level 6, one member, with a header that names neither time nor system.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;
  Status write(ByteView bytes);
  Result<Bytes> finish();

 private:
  Status deflate_all(ByteView bytes, int flush);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::manifest
