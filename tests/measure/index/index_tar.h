// Layers for tests: from the bytes of a tar to an index, and on to a merged tree.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "measure/rootfs/layer_content.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::testing {

inline Result<measure::LayerIndex> index_tar(std::string_view tar, const Limits& limits = {}) {
  MemorySource source(as_bytes(tar));
  return measure::index_layer(source, Compression::none, std::nullopt, limits, {});
}

// A layer whose content can be read again.
inline measure::IndexedLayer layer_of(std::string tar) {
  auto index = index_tar(tar);
  EXPECT_TRUE(index.has_value()) << index.error().what();
  auto kept = std::make_shared<const std::string>(std::move(tar));
  struct KeptSource final : Source {
    explicit KeptSource(std::shared_ptr<const std::string> text)
        : text_(std::move(text)), bytes_(as_bytes(*text_)) {}
    Result<std::size_t> read(std::span<std::byte> out) override { return bytes_.read(out); }
    std::shared_ptr<const std::string> text_;
    MemorySource bytes_;
  };
  const auto open = [kept]() -> Result<std::unique_ptr<Source>> {
    return std::unique_ptr<Source>(std::make_unique<KeptSource>(kept));
  };
  return {std::make_shared<const measure::LayerIndex>(std::move(*index)),
          measure::make_tar_content(open, Compression::none, {})};
}

inline Result<measure::Rootfs> merge_tars(const std::vector<std::string>& tars,
                                          const Limits& limits = {}) {
  std::vector<measure::IndexedLayer> layers;
  for (const std::string& tar : tars) layers.push_back(layer_of(tar));
  return measure::Rootfs::merge(std::move(layers), limits);
}

}  // namespace cloister::testing
