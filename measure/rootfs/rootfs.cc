// Looking at a merged tree: lookup, reading, walking. How it comes about is merge.cc; how a path is
// followed is path_walk.h. Nothing here recurses: the depth of a tree is the image's choice.
#include "measure/rootfs/rootfs.h"

#include <algorithm>

#include "base/text.h"
#include "measure/rootfs/merge.h"
#include "measure/rootfs/path_walk.h"

namespace cloister::measure {

std::string Node::path() const {
  if (parent == nullptr) return "/";
  std::vector<const Node*> chain;
  for (const Node* at = this; at->parent != nullptr; at = at->parent) chain.push_back(at);
  std::string out;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    out += '/';
    out += (*at)->name;
  }
  return out;
}

struct Rootfs::Impl {
  MergedTree tree;
  Limits limits;
};

Rootfs::Rootfs(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rootfs::Rootfs(Rootfs&&) noexcept = default;
Rootfs& Rootfs::operator=(Rootfs&&) noexcept = default;
Rootfs::~Rootfs() = default;

Result<Rootfs> Rootfs::merge(std::vector<IndexedLayer> layers, const Limits& limits) {
  CL_TRY(MergedTree tree, merge_layers(std::move(layers), limits));
  auto impl = std::make_unique<Impl>();
  impl->tree = std::move(tree);
  impl->limits = limits;
  return Rootfs(std::move(impl));
}

const Node& Rootfs::root() const {
  return *impl_->tree.root;
}
const std::vector<IndexedLayer>& Rootfs::layers() const {
  return impl_->tree.layers;
}
std::size_t Rootfs::file_count() const {
  return impl_->tree.count;
}

const Node* Rootfs::find(std::string_view path, bool follow_last) const {
  PathWalk walk(root(), impl_->limits);
  return walk.run(path, follow_last) == WalkEnd::found ? walk.node() : nullptr;
}

std::optional<std::string> Rootfs::real_path(std::string_view path) const {
  const Node* node = find(path);
  if (node == nullptr) return std::nullopt;
  return node->path();
}

std::vector<std::string> Rootfs::resolution_aliases(std::string_view path) const {
  std::vector<std::string> out;
  const auto add = [&](std::string alias) {
    if (std::find(out.begin(), out.end(), alias) == out.end()) out.push_back(std::move(alias));
  };
  add(normalize_path(path));
  PathWalk walk(root(), impl_->limits);
  const WalkEnd end = walk.run(
      path, true, [](const Node&, std::string_view) { return nullptr; },
      [&](const PathWalk& met) { add(normalize_path(met.rest_of_path())); });
  if (end != WalkEnd::found) return {};
  // Last, also where it was met before ("/a/../b" with a link "a" that leads back).
  std::string real = walk.node()->path();
  std::erase(out, real);
  out.push_back(std::move(real));
  return out;
}

Result<Bytes> Rootfs::read(const Node& node, std::uint64_t max) const {
  const Entry& entry = *node.entry;
  if (!node.is_regular())
    return Error::internal(cat(quote(node.path()), " is read but is no regular file"));
  if (entry.size > max)
    return Error::limit(cat(quote(node.path()), " is larger than the limit of ", human_bytes(max)))
        .detail(cat("got ", entry.size, " bytes"));
  const IndexedLayer& layer = impl_->tree.layers[node.content_layer];
  if (const auto packed = layer.index->pack.find(entry.sha256); packed != layer.index->pack.end())
    return packed->second.copy();
  if (layer.content == nullptr)
    return Error::internal(cat("the content of ", quote(node.path()), " was not kept"));
  auto bytes = layer.content->read(entry, max);
  if (!bytes.has_value())
    return std::move(bytes).error().while_(cat("reading ", quote(node.path()), " of the image"));
  if (sha256(*bytes) != entry.sha256)
    return Error::corrupt(cat(quote(node.path()), " has changed since its layer was indexed"))
        .hint("the source or the local store was modified; pull again");
  return bytes;
}

Status LayerContent::read_many(const std::vector<const Entry*>& entries, const Sink& sink) const {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CL_TRY(const Bytes bytes, read(*entries[i], entries[i]->size));
    if (sha256(bytes) != entries[i]->sha256)
      return Error::corrupt(
          cat(quote("/" + entries[i]->path), " has changed since it was indexed"));
    CL_CHECK(sink(i, 0, bytes));
  }
  return {};
}

Status Rootfs::read_many(const std::vector<const Node*>& nodes,
                         const LayerContent::Sink& sink) const {
  struct FromLayer {
    std::vector<const Entry*> entries;
    std::vector<std::size_t> indexes;
  };
  std::map<std::uint32_t, FromLayer> unpacked;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    const LayerIndex& index = *impl_->tree.layers[node.content_layer].index;
    if (const auto packed = index.pack.find(node.entry->sha256); packed != index.pack.end()) {
      CL_CHECK(sink(i, 0, packed->second.view()));
      continue;
    }
    FromLayer& from = unpacked[node.content_layer];
    from.entries.push_back(node.entry);
    from.indexes.push_back(i);
  }
  for (const auto& [number, from] : unpacked) {
    const IndexedLayer& layer = impl_->tree.layers[number];
    if (layer.content == nullptr) return Error::internal("the content of a layer was not kept");
    const auto& indexes = from.indexes;
    CL_CHECK(layer.content->read_many(from.entries,
                                      [&](std::size_t i, std::uint64_t offset, ByteView piece) {
                                        return sink(indexes[i], offset, piece);
                                      }));
  }
  return {};
}

const elf::Facts* Rootfs::elf_facts(const Node& node) const {
  if (!node.is_regular() || node.entry->elf < 0) return nullptr;
  return &impl_->tree.layers[node.content_layer]
              .index->elfs[static_cast<std::size_t>(node.entry->elf)];
}

const source::Facts* Rootfs::source_facts(const Node& node) const {
  if (!node.is_regular() || node.entry->source < 0) return nullptr;
  return &impl_->tree.layers[node.content_layer]
              .index->sources[static_cast<std::size_t>(node.entry->source)];
}

void Rootfs::walk(const std::function<void(const Node&)>& visit) const {
  using Children = decltype(Node::children);
  struct Level {
    Children::const_iterator at, end;
  };
  visit(root());
  std::vector<Level> levels{{root().children.begin(), root().children.end()}};
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.at == level.end) {
      levels.pop_back();
      continue;
    }
    const Node& node = *(level.at++)->second;
    visit(node);
    if (!node.children.empty()) levels.push_back({node.children.begin(), node.children.end()});
  }
}

std::string normalize_path(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      continue;
    }
    out += '/';
    out += part;
  }
  return out.empty() ? "/" : out;
}

}  // namespace cloister::measure
