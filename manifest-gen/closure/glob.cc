// Patterns come from users and templates, trees from images: neither may make this slow. A state is
// (node, pattern component); each is visited once, because wildcards do not follow symbolic links.
#include "manifest-gen/closure/glob.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

using measure::Node;

constexpr std::string_view kAcross = "**";

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> out;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    // "**/**" is "**".
    if (part == kAcross && !out.empty() && out.back() == kAcross) continue;
    out.push_back(part);
  }
  return out;
}

// The first component, which is taken off; empty at the end.
std::string_view pop_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(part.size());
  return part;
}

std::string child_path(const std::string& directory, std::string_view name) {
  return cat(directory, "/", name);
}

class Expander {
 public:
  Expander(const measure::Rootfs& rootfs, std::string_view pattern)
      : rootfs_(rootfs), parts_(components(pattern)) {
    if (!has_wildcard(pattern)) parts_.push_back(kAcross);  // a directory: everything below
  }

  std::vector<std::string> run(std::string_view pattern) {
    if (!has_wildcard(pattern)) {
      const std::string path = measure::normalize_path(pattern);
      const Node* node = rootfs_.find(path);
      if (node == nullptr) return {};
      if (!node->is_directory()) {
        if (node->is_regular()) found_.push_back(path);
        return std::move(found_);
      }
    }
    push(&rootfs_.root(), "", 0);
    while (!work_.empty()) {
      const State state = std::move(work_.back());
      work_.pop_back();
      step(state);
    }
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  struct State {
    const Node* directory;
    std::string path;  // without trailing slash; "" is the root
    std::size_t part;
  };

  void push(const Node* directory, std::string path, std::size_t part) {
    if (seen_.insert({path, part}).second) work_.push_back({directory, std::move(path), part});
  }

  void step(const State& state) {
    if (state.part == parts_.size()) return;  // the pattern ended at a directory
    const std::string_view part = parts_[state.part];
    const bool last = state.part + 1 == parts_.size();
    if (part == kAcross) {
      if (!last) push(state.directory, state.path, state.part + 1);
      for (const auto& [name, child] : state.directory->children) {
        if (child->is_directory())
          push(child.get(), child_path(state.path, name), state.part);
        else if (last)
          take(child_path(state.path, name));
      }
    } else if (has_wildcard(part)) {
      for (const auto& [name, child] : state.directory->children) {
        if (!match_component(part, name)) continue;
        if (child->is_directory())
          push(child.get(), child_path(state.path, name), state.part + 1);
        else if (last)
          take(child_path(state.path, name));
      }
    } else {
      const std::string path = child_path(state.path, part);
      const Node* node = rootfs_.find(path);
      if (node == nullptr) return;
      if (node->is_directory())
        push(node, path, state.part + 1);
      else if (last)
        take(path);
    }
  }

  void take(std::string path) {
    const Node* node = rootfs_.find(path);
    if (node != nullptr && node->is_regular()) found_.push_back(std::move(path));
  }

  const measure::Rootfs& rootfs_;
  std::vector<std::string_view> parts_;
  std::vector<State> work_;
  std::set<std::pair<std::string, std::size_t>> seen_;
  std::vector<std::string> found_;
};

}  // namespace

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

bool match_component(std::string_view pattern, std::string_view name) {
  // Greedy with one point to return to: the last star.
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool match_path(std::string_view pattern, std::string_view path) {
  // Most paths differ in their last component.
  if (const std::string_view last = base_name(pattern); !last.empty() && last != kAcross &&
                                                        !path.ends_with('/') &&
                                                        !match_component(last, base_name(path)))
    return false;
  // The same greedy walk over components, with "**" as the star.
  std::string_view star, resume;
  bool starred = false;
  for (;;) {
    std::string_view names = path, parts = pattern;
    const std::string_view name = pop_component(names);
    if (name.empty()) break;
    const std::string_view part = pop_component(parts);
    if (part == kAcross) {
      star = pattern = parts;
      resume = path;
      starred = true;
    } else if (!part.empty() && match_component(part, name)) {
      pattern = parts;
      path = names;
    } else if (starred) {
      (void)pop_component(resume);
      pattern = star;
      path = resume;
    } else {
      return false;
    }
  }
  for (;;) {
    const std::string_view part = pop_component(pattern);
    if (part != kAcross) return part.empty();
  }
}

std::vector<std::string> expand_glob(const measure::Rootfs& rootfs, std::string_view pattern) {
  return Expander(rootfs, pattern).run(pattern);
}

}  // namespace cloister::manifest
