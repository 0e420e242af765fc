// The merged root file system of an image: layers applied in order (image-spec layer.md), and
// lookup that resolves symbolic links inside the root only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "measure/index/layer_index.h"

namespace cloister::measure {

// Gives file contents that the pack does not hold: by reading the layer again (tar), or the file
// (directory source). Slow path; thread-safe.
class LayerContent {
 public:
  virtual ~LayerContent() = default;
  virtual Result<Bytes> read(const Entry& entry, std::uint64_t max) const = 0;
  // Contents of many in as few passes as can be. `sink` gets the index into `entries`, the offset
  // of a piece, and the piece; when a name stands more than once in an archive it may begin anew
  // at offset 0.
  // What it got counts only when this succeeds: the digests are compared at the end.
  using Sink = std::function<Status(std::size_t index, std::uint64_t offset, ByteView piece)>;
  virtual Status read_many(const std::vector<const Entry*>& entries, const Sink& sink) const;
};

struct IndexedLayer {
  std::shared_ptr<const LayerIndex> index;
  std::shared_ptr<const LayerContent> content;  // may be null: only the pack can be read
};

// One name in the merged tree. Hard links share the Entry that holds their content.
struct Node {
  std::string name;  // last component; "" for the root
  const Node* parent = nullptr;
  const Entry* entry = nullptr;  // attributes and content; for an implied directory a synthetic one
  std::uint32_t layer = 0;       // index of the layer that won (put this name here)
  std::uint32_t content_layer = 0;  // layer whose index holds `entry`
  bool was_hardlink = false;
  std::uint32_t depth = 0;                                             // components below the root
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;  // directories; byte order

  // The merge's own: the last layer (counted from 1) that put something here or below, and the last
  // one that hid what lower layers have below.
  std::uint32_t touched = 0, cleaned = 0;

  bool is_directory() const { return entry->type == FileType::directory; }
  bool is_regular() const { return entry->type == FileType::regular; }
  bool is_symlink() const { return entry->type == FileType::symlink; }
  std::string path() const;  // absolute: "/usr/bin/env", "/"
};

class Rootfs {
 public:
  // Whiteouts and opaque directories hide only what lower layers put there, wherever in its archive
  // a layer has them; of several entries of one name the last wins. A name below a symbolic link
  // goes where the link leads, inside the root, as containerd and umoci unpack it; directories that
  // no layer describes are 0755 root:root. A whiteout or hard link that is malformed, a hard link
  // without target, or a name below something that is no directory is `corrupt`; the message has
  // layer and path.
  static Result<Rootfs> merge(std::vector<IndexedLayer> layers, const Limits& limits);
  Rootfs(Rootfs&&) noexcept;
  Rootfs& operator=(Rootfs&&) noexcept;
  ~Rootfs();

  const Node& root() const;
  const std::vector<IndexedLayer>& layers() const;
  std::size_t file_count() const;  // names in the tree, directories included, the root not

  // Follows symbolic links in every component but, with follow_last = false, the last. Absolute
  // link targets start at this root; ".." at the root stays there. Null when something is absent,
  // a component is no directory, or more than limits.symlink_hops links were met.
  const Node* find(std::string_view path, bool follow_last = true) const;
  // Every symlink resolved: the path a kernel would show in /proc/self/exe; nothing when absent.
  std::optional<std::string> real_path(std::string_view path) const;
  // Each lexical path met while resolving `path`, it included, its real path last: the aliases by
  // which a program or loader reaches one file ("/lib/x/l.so.1", "/usr/lib/x/l.so.1",
  // "/usr/lib/x/l.so.1.2"). Each is normalised lexically, none comes twice; empty when absent.
  std::vector<std::string> resolution_aliases(std::string_view path) const;

  // Content of a regular file: from the pack, else through LayerContent, checked against its
  // digest. `limit` above `max`.
  Result<Bytes> read(const Node& node, std::uint64_t max) const;
  // Contents of many regular files at once, with no bound on their size: see LayerContent.
  Status read_many(const std::vector<const Node*>& nodes, const LayerContent::Sink& sink) const;
  const elf::Facts* elf_facts(const Node& node) const;  // null when it is no ELF file
  // Null when it is no program text of a known language (or too large).
  const source::Facts* source_facts(const Node& node) const;

  // Every node, parents before children, children in byte order.
  void walk(const std::function<void(const Node&)>& visit) const;

 private:
  struct Impl;
  explicit Rootfs(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "/a/./b//../c" → "/a/c": absolute, lexical only (as Gramine compares paths).
std::string normalize_path(std::string_view path);

}  // namespace cloister::measure
