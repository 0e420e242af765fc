// How a path is followed through the tree, as Linux does it (path_resolution(7)) in a process whose
// root directory is the tree's root.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "measure/rootfs/rootfs.h"

namespace cloister::measure {

enum class WalkEnd {
  found,
  missing,        // a component is absent
  not_directory,  // a component that something follows is a file
  loop,           // more symbolic links than allowed, or an absurd number of components
};

// Resolves one path; its parts can be looked at while links are met. The tree must not change
// during a walk, except by what the `missing` callback of run() adds.
class PathWalk {
 public:
  PathWalk(const Node& root, const Limits& limits) : root_(root), limits_(limits) {}

  // `missing(directory, name)` may make the absent child and answer it, or answer null.
  // `on_link(*this)` is called after each link was replaced by its target.
  template <class Missing, class OnLink>
  WalkEnd run(std::string_view path, bool follow_last, Missing missing, OnLink on_link);
  WalkEnd run(std::string_view path, bool follow_last) {
    return run(
        path, follow_last, [](const Node&, std::string_view) { return nullptr; },
        [](const PathWalk&) {});
  }

  const Node* node() const { return at_; }  // after `found`: the result
  // The real path so far and what is left to resolve, as one absolute path, not normalised.
  std::string rest_of_path() const;

 private:
  // Pushes the components of `path`, so that the first is on top.
  void push(std::string_view path);

  static constexpr std::size_t kMaxSteps = 1U << 16;
  const Node& root_;
  const Limits& limits_;
  const Node* at_ = nullptr;
  std::vector<std::string_view> pending_;  // last component first
};

template <class Missing, class OnLink>
WalkEnd PathWalk::run(std::string_view path, bool follow_last, Missing missing, OnLink on_link) {
  at_ = &root_;
  pending_.clear();
  push(path);
  std::size_t links = 0;
  for (std::size_t steps = 0; !pending_.empty(); ++steps) {
    if (steps > kMaxSteps) return WalkEnd::loop;
    if (!at_->is_directory()) return WalkEnd::not_directory;
    const std::string_view name = pending_.back();
    pending_.pop_back();
    if (name == ".") continue;
    if (name == "..") {
      if (at_->parent != nullptr) at_ = at_->parent;
      continue;
    }
    const auto child = at_->children.find(name);
    const Node* next = child != at_->children.end() ? child->second.get() : missing(*at_, name);
    if (next == nullptr) return WalkEnd::missing;
    if (!next->is_symlink() || (pending_.empty() && !follow_last)) {
      at_ = next;
      continue;
    }
    if (++links > limits_.symlink_hops) return WalkEnd::loop;
    const std::string_view target = next->entry->link_target;
    if (target.starts_with('/')) at_ = &root_;
    push(target);
    on_link(*this);
  }
  return WalkEnd::found;
}

}  // namespace cloister::measure
