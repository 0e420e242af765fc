// The ratio alone would refuse honest small layers (zstd packs zeros by ten thousand to one), and
// the size alone would let a few KiB keep the program busy for minutes.
#include "measure/index/layer_limits.h"

#include "base/inflate.h"
#include "base/text.h"

namespace cloister::measure {

Status check_expansion(std::uint64_t tar, std::uint64_t blob, const Limits& limits) {
  if (tar > limits.layer_bytes)
    return Error::limit(cat("the layer inflates to more than ", human_bytes(limits.layer_bytes)))
        .hint("if you trust the image, allow more with --max-layer-size");
  if (tar > most_inflated(blob, limits))
    return Error::limit(cat("the layer inflates to more than ", limits.layer_ratio,
                            " times its size: it looks like a decompression bomb"))
        .hint("if you trust the image, allow more with --max-ratio");
  return {};
}

Status check_entries(std::size_t entries, const Limits& limits) {
  if (entries <= limits.layer_entries) return {};
  return Error::limit(cat("the layer has more than ", limits.layer_entries, " entries"))
      .hint("if you trust the image, allow more with --max-entries");
}

Status check_limits(const LayerIndex& index, std::uint64_t blob, const Limits& limits) {
  CL_CHECK(check_expansion(index.tar_bytes, blob, limits));
  return check_entries(index.entries.size(), limits);
}

}  // namespace cloister::measure
