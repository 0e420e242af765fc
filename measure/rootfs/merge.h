// Applies layers one after another (image-spec layer.md, "Applying Changesets").
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::measure {

// The tree, and what its nodes point into.
struct MergedTree {
  std::vector<IndexedLayer> layers;
  std::deque<Entry> implied;  // directories that no layer describes
  std::unique_ptr<Node> root;
  std::size_t count = 0;  // nodes without the root
};

Result<MergedTree> merge_layers(std::vector<IndexedLayer> layers, const Limits& limits);

}  // namespace cloister::measure
