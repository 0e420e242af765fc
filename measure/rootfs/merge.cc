// Each layer's entries are applied in archive order to the tree of the layers below, as umoci and
// containerd do on disk. Two things differ from a plain unpacking:
//
// - A whiteout or an opaque directory hides what *lower* layers have, never what its own layer
// adds,
//   wherever in the archive it stands. So every node knows the last layer that put something at or
//   below it (`touched`), and hiding removes what the current layer has not touched.
// - A directory is cleaned at most once per layer (`cleaned`): nothing of a lower layer can appear
//   in it afterwards, so a hostile pile of whiteouts costs no more than the tree is large.
//
// Docker's overlay2 driver unpacks a layer on its own and lets overlayfs put it on top: there an
// entry "a/b" over a lower symlink "a" replaces the link by a directory. containerd, umoci and the
// engines built on them follow the link. No tool that diffs file systems writes such a layer, and a
// program that would see another file than the one measured is refused at run time by its hash.
//
// AUFS left ".wh..wh.*" bookkeeping in old layers: ignored, as everywhere.
#include "measure/rootfs/merge.h"

#include "base/text.h"
#include "measure/rootfs/path_walk.h"

namespace cloister::measure {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kMetadata = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

struct SplitPath {
  std::string_view parent, name;
};
SplitPath split_last(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// A component before the last that has the reserved prefix.
std::string_view reserved_directory(std::string_view parent) {
  for (const std::string_view part : split(parent, '/'))
    if (part.starts_with(kWhiteout)) return part;
  return {};
}

class Merger {
 public:
  Merger(std::vector<IndexedLayer> layers, const Limits& limits) : limits_(limits) {
    tree_.layers = std::move(layers);
    tree_.root = std::make_unique<Node>();
    tree_.root->entry = implied_directory();
  }

  Result<MergedTree> run() && {
    for (std::uint32_t i = 0; i < tree_.layers.size(); ++i) {
      layer_ = i;
      cached_directory_ = nullptr;
      for (const Entry& entry : tree_.layers[i].index->entries) {
        auto status = apply(entry);
        if (!status.has_value())
          return std::move(status).error().while_(cat("applying ", quote("/" + entry.path),
                                                      " of layer ", i + 1, " of ",
                                                      tree_.layers.size()));
      }
    }
    return std::move(tree_);
  }

 private:
  std::uint32_t mark() const { return layer_ + 1; }  // `touched` and `cleaned` count from 1
  // All nodes are the merger's own; only walks hand them out as const.
  static Node& own(const Node& node) { return const_cast<Node&>(node); }  // NOLINT

  const Entry* implied_directory() {
    Entry& entry = tree_.implied.emplace_back();
    entry.type = FileType::directory;
    entry.mode = 0755;
    return &entry;
  }

  Status apply(const Entry& entry) {
    if (entry.path.empty()) {
      set(*tree_.root, entry, layer_);
      return {};
    }
    const auto [parent, name] = split_last(entry.path);
    if (const std::string_view part = reserved_directory(parent); !part.empty()) {
      if (part.starts_with(kMetadata)) return {};
      return Error::corrupt(cat("the directory name ", quote(part), " is reserved for whiteouts"));
    }
    if (name.starts_with(kMetadata) && name != kOpaque) return {};
    if (name.starts_with(kWhiteout)) return hide(parent, name);
    CL_TRY(Node * directory, this->directory(parent));
    if (entry.type == FileType::hardlink) return hard_link(*directory, name, entry);
    CL_CHECK(put(*directory, name, entry, layer_));
    return {};
  }

  // The directory of that name, links followed, made where it is missing.
  Result<Node*> directory(std::string_view path) {
    if (cached_directory_ != nullptr && path == cached_path_) return cached_directory_;
    PathWalk walk(*tree_.root, limits_);
    std::optional<Error> failed;
    const WalkEnd end = walk.run(
        path, true,
        [&](const Node& parent, std::string_view name) -> const Node* {
          auto made = put(own(parent), name, *implied_directory(), layer_);
          if (made.has_value()) return *made;
          failed = std::move(made).error();
          return nullptr;
        },
        [](const PathWalk&) {});
    if (failed) return std::move(*failed);
    if (end == WalkEnd::loop)
      return Error::corrupt(cat("too many symbolic links in ", quote("/" + std::string(path))));
    if (end != WalkEnd::found || !walk.node()->is_directory())
      return Error::corrupt(cat(quote("/" + std::string(path)), " is not a directory"));
    cached_path_ = path;
    cached_directory_ = &own(*walk.node());
    return cached_directory_;
  }

  void set(Node& node, const Entry& entry, std::uint32_t content_layer) {
    node.entry = &entry;
    node.layer = layer_;
    node.content_layer = content_layer;
    node.was_hardlink = false;
    for (Node* at = &node; at != nullptr && at->touched != mark();) {
      at->touched = mark();
      at = at->parent != nullptr ? &own(*at->parent) : nullptr;
    }
  }

  Result<Node*> put(Node& directory, std::string_view name, const Entry& entry,
                    std::uint32_t content_layer) {
    auto at = directory.children.find(name);
    if (at != directory.children.end()) {
      Node& old = *at->second;
      if (old.is_directory() && entry.type == FileType::directory) {
        set(old, entry, content_layer);
        return &old;
      }
      remove(directory, at);
    }
    if (directory.depth >= limits_.path_depth)
      return Error::limit(cat("the tree is deeper than ", limits_.path_depth, " directories"));
    // A name of 4096 bytes can ask for two thousand directories.
    if (++made_ > 2 * limits_.layer_entries)
      return Error::limit(cat("the tree has more than ", 2 * limits_.layer_entries, " names"))
          .hint("if you trust the image, allow more with --max-entries");
    auto made = std::make_unique<Node>();
    Node& node = *made;
    node.name = name;
    node.parent = &directory;
    node.depth = directory.depth + 1;
    node.cleaned = mark();
    set(node, entry, content_layer);
    directory.children.emplace(node.name, std::move(made));
    return &node;
  }

  using Child = std::map<std::string, std::unique_ptr<Node>, std::less<>>::iterator;
  Child remove(Node& directory, Child child) {
    cached_directory_ = nullptr;  // it may lie below
    return directory.children.erase(child);
  }

  // A whiteout or opaque mark; where its directory does not exist, there is nothing to hide.
  Status hide(std::string_view parent, std::string_view mark_name) {
    const std::string_view name = mark_name.substr(kWhiteout.size());
    if (name.empty() || name == "." || name == "..")
      return Error::corrupt("malformed whiteout: it names no file");
    PathWalk walk(*tree_.root, limits_);
    if (walk.run(parent, true) != WalkEnd::found || !walk.node()->is_directory()) return {};
    Node& directory = own(*walk.node());
    if (mark_name == kOpaque) return clean(directory);
    const auto child = directory.children.find(name);
    if (child == directory.children.end()) return {};
    if (child->second->touched != mark()) {
      remove(directory, child);
      return {};
    }
    forget_lower(*child->second);
    return clean(*child->second);
  }

  // Only what this layer said about the directory counts.
  void forget_lower(Node& node) {
    if (node.layer == layer_) return;
    node.entry = implied_directory();
    node.layer = node.content_layer = layer_;
  }

  // Hides everything below that lower layers put there.
  Status clean(Node& directory) {
    std::vector<Node*> work{&directory};
    while (!work.empty()) {
      Node& at = *work.back();
      work.pop_back();
      if (!at.is_directory() || at.cleaned == mark()) continue;
      at.cleaned = mark();
      for (auto child = at.children.begin(); child != at.children.end();) {
        if (child->second->touched != mark()) {
          child = remove(at, child);
          continue;
        }
        forget_lower(*child->second);
        work.push_back(child->second.get());
        ++child;
      }
    }
    return {};
  }

  Status hard_link(Node& directory, std::string_view name, const Entry& entry) {
    // link(2) does not follow a last symbolic link: the new name is the link itself.
    PathWalk walk(*tree_.root, limits_);
    const bool found = walk.run(entry.link_target, false) == WalkEnd::found;
    if (!found)
      return Error::corrupt(
          cat("hard link to ", quote("/" + entry.link_target), ", which does not exist"));
    const Node& target = *walk.node();
    if (target.is_directory())
      return Error::corrupt(
          cat("hard link to ", quote("/" + entry.link_target), ", which is a directory"));
    if (target.parent == &directory && target.name == name)
      return Error::corrupt("hard link to itself");
    CL_TRY(Node * node, put(directory, name, *target.entry, target.content_layer));
    node->was_hardlink = true;
    return {};
  }

  const Limits& limits_;
  MergedTree tree_;
  std::uint32_t layer_ = 0;
  std::size_t made_ = 0;  // nodes, removed ones included
  // Neighbours in an archive lie in one directory.
  std::string_view cached_path_;
  Node* cached_directory_ = nullptr;
};

std::size_t count_nodes(const Node& root) {
  std::size_t count = 0;
  std::vector<const Node*> work{&root};
  while (!work.empty()) {
    const Node* at = work.back();
    work.pop_back();
    count += at->children.size();
    for (const auto& [name, child] : at->children)
      if (!child->children.empty()) work.push_back(child.get());
  }
  return count;
}

}  // namespace

Result<MergedTree> merge_layers(std::vector<IndexedLayer> layers, const Limits& limits) {
  CL_TRY(MergedTree tree, Merger(std::move(layers), limits).run());
  tree.count = count_nodes(*tree.root);
  return tree;
}

}  // namespace cloister::measure
