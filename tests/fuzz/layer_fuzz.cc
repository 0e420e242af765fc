// Bytes as a layer, plain or compressed: indexed, encoded and decoded, merged with itself, walked,
// every path resolved and every small file read.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/inflate.h"
#include "measure/rootfs/layer_content.h"
#include "measure/rootfs/rootfs.h"

namespace {

using namespace cloister;  // NOLINT: a program of one function

Limits small_limits() {
  Limits limits;
  limits.layer_bytes = 4 << 20;
  limits.sparse_bytes = 1 << 20;
  limits.layer_ratio_free = 1 << 20;
  limits.layer_entries = 2000;
  return limits;
}

void require(bool ok) {
  if (!ok) std::abort();
}

void check_tree(const measure::Rootfs& rootfs) {
  std::size_t count = 0;
  rootfs.walk([&](const measure::Node& node) {
    if (node.parent != nullptr) ++count;
    const std::string path = node.path();
    require(rootfs.find(path, false) == &node);
    require(measure::normalize_path(path) == path);
    (void)rootfs.resolution_aliases(path);
    (void)rootfs.elf_facts(node);
    if (count < 20 && node.is_regular()) {
      const auto bytes = rootfs.read(node, 1 << 16);
      require(!bytes.has_value() || sha256(*bytes) == node.entry->sha256);
    }
  });
  require(count == rootfs.file_count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView blob = std::as_bytes(std::span(data, size));
  const Compression compression = detect_compression(blob);
  const Limits limits = small_limits();
  MemorySource source(blob);
  auto index = measure::index_layer(source, compression, std::nullopt, limits, {});
  if (!index.has_value()) return 0;

  const Bytes encoded = measure::encode_layer_index(*index);
  auto decoded = measure::decode_layer_index(encoded, limits);
  require(decoded.has_value() && decoded->entries == index->entries);

  const auto open = [blob]() -> Result<std::unique_ptr<Source>> {
    return std::unique_ptr<Source>(std::make_unique<MemorySource>(blob));
  };
  const measure::IndexedLayer layer{std::make_shared<const measure::LayerIndex>(std::move(*index)),
                                    measure::make_tar_content(open, compression, limits)};
  const auto rootfs = measure::Rootfs::merge({layer, layer}, limits);
  if (rootfs.has_value()) check_tree(*rootfs);
  return 0;
}
