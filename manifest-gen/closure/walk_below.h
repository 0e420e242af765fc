// Everything below a directory, as a program finds it that lists one directory after the other.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// Calls `visit(node, path)` for all that is no directory; `path` is spelled below `top_path`,
// whichever way that leads to `top`. Links are visited, not followed. Ends when `visit` is false.
template <class Visit>
void walk_below(const measure::Node& top, std::string top_path, const Visit& visit) {
  std::vector<std::pair<const measure::Node*, std::string>> work;
  work.emplace_back(&top, std::move(top_path));
  while (!work.empty()) {
    const auto [directory, path] = std::move(work.back());
    work.pop_back();
    for (const auto& [name, child] : directory->children) {
      std::string child_path = cat(path, "/", name);
      if (child->is_directory())
        work.emplace_back(child.get(), std::move(child_path));
      else if (!visit(*child, std::move(child_path)))
        return;
    }
  }
}

}  // namespace cloister::manifest
