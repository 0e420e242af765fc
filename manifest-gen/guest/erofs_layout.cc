// Block 0 holds the superblock alone. Then come the inodes, each followed by the end of its content
// where that fits into the same block (the kernel wants it there), then whole blocks of content.
// Contents that lie at the same place in the spool lie at the same place in the image.
//
// An inode is found by its position alone (its number is the position in units of 32 bytes), so
// that they may be packed in any order; the root's number is 16 bits wide, which is why it is
// first.
#include "manifest-gen/guest/erofs_layout.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kInodeSlot = 32;
constexpr std::size_t kOpenBlocks = 64;  // that later inodes may fill up
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxLinkTarget = 4095;           // PATH_MAX without its NUL
constexpr std::uint64_t kMaxErofsBlocks = 1ULL << 32;  // block numbers are 32 bits wide
constexpr const char* kLeaveOut = "no Linux system can hold it; make the image without it";

// What does not fit into the 16 and 32 bits of a compact inode.
bool needs_extended(const ErofsInode& inode) {
  constexpr std::uint32_t kMax16 = std::numeric_limits<std::uint16_t>::max();
  const GuestEntry& entry = inode.entry->second;
  return entry.uid > kMax16 || entry.gid > kMax16 || inode.links > kMax16 ||
         inode.size > std::numeric_limits<std::uint32_t>::max();
}

Status check_entry(const GuestTree::value_type& item, std::string_view name, const Limits& limits) {
  const auto& [path, entry] = item;
  if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos)
    return Error::unsupported(cat("no file can be named ", quote(path))).hint(kLeaveOut);
  const std::size_t max = std::min(limits.name_bytes, kMaxName);
  if (name.size() > max)
    return Error::limit(cat("the name of ", quote(path), " has ", name.size(), " bytes"))
        .detail(cat("at most ", max, " are allowed"))
        .hint(kLeaveOut);
  if (entry.type != GuestEntry::Type::symlink) return {};
  const std::string& target = entry.link_target;
  if (target.empty() || target.find('\0') != std::string::npos)
    return Error::unsupported(
               cat("no link can lead to ", quote(target), ", as ", quote(path), " does"))
        .hint(kLeaveOut);
  if (target.size() > kMaxLinkTarget)
    return Error::unsupported(
               cat("the target of the link ", quote(path), " has ", target.size(), " bytes"))
        .detail(cat("Linux follows at most ", kMaxLinkTarget))
        .hint(kLeaveOut);
  return {};
}

// Fills blocks with inodes and what follows them: each goes where least is left over.
class InodePacker {
 public:
  explicit InodePacker(std::uint64_t first_block) : next_(first_block) {}

  // The position for `size` bytes, which lie in one block. REQUIRES: size ≤ kDiskBlock.
  std::uint64_t place(std::uint64_t size) {
    size = (size + kInodeSlot - 1) / kInodeSlot * kInodeSlot;
    auto found = open_.lower_bound({size, 0});
    if (found == open_.end()) found = open_.insert({kDiskBlock, next_++}).first;
    const auto [room, block] = *found;
    open_.erase(found);
    if (room > size) open_.insert({room - size, block});
    if (open_.size() > kOpenBlocks) open_.erase(open_.begin());
    return (block + 1) * kDiskBlock - room;
  }
  std::uint64_t end() const { return next_; }

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> open_;  // bytes free at the end of a block
  std::uint64_t next_;
};

class ErofsPlanner {
 public:
  explicit ErofsPlanner(const Limits& limits) : limits_(limits) {}

  Result<ErofsLayout> plan(const GuestTree& tree) {
    CL_CHECK(add_root(tree));
    for (const auto& item : tree)
      if (!item.first.empty()) CL_CHECK(add(item));
    measure_directories();
    place_inodes();
    CL_CHECK(place_blocks());
    return std::move(layout_);
  }

 private:
  Status add_root(const GuestTree& tree) {
    static const GuestTree::value_type kUndescribed;
    const auto root = tree.find({});
    if (root != tree.end() && root->second.type != GuestEntry::Type::directory)
      return Error::internal("a guest's root is no directory");
    ErofsInode inode;
    inode.entry = root == tree.end() ? &kUndescribed : &*root;
    inode.links = 2;
    layout_.inodes.push_back(std::move(inode));
    directories_.emplace(std::string_view(), 0);
    return {};
  }

  Status add(const GuestTree::value_type& item) {
    const std::string_view path = item.first;
    const std::size_t slash = path.rfind('/');
    const bool top = slash == std::string_view::npos;
    CL_CHECK(check_entry(item, top ? path : path.substr(slash + 1), limits_));
    const auto parent = directories_.find(top ? std::string_view() : path.substr(0, slash));
    if (parent == directories_.end() || slash == 0)
      return Error::internal(cat(quote(path), " of a guest's root is in no directory"));
    const auto index = static_cast<std::uint32_t>(layout_.inodes.size());
    ErofsInode inode;
    inode.entry = &item;
    inode.parent = parent->second;
    layout_.inodes[inode.parent].children.push_back(index);
    switch (item.second.type) {
      case GuestEntry::Type::directory:
        ++layout_.inodes[inode.parent].links;
        inode.links = 2;
        directories_.emplace(path, index);
        break;
      case GuestEntry::Type::file:
        inode.size = item.second.size;
        break;
      case GuestEntry::Type::symlink:
        inode.size = item.second.link_target.size();
        break;
    }
    layout_.inodes.push_back(std::move(inode));
    return {};
  }

  // All blocks of a list are whole, but the last.
  void measure_directories() {
    for (std::uint32_t i = 0; i < layout_.inodes.size(); ++i) {
      ErofsInode& inode = layout_.inodes[i];
      if (inode.entry->second.type != GuestEntry::Type::directory) continue;
      const auto names = names_of(layout_, i);
      std::span<const ErofsName> rest = names;
      while (true) {
        const std::size_t count = names_in_block(rest);
        if (count == rest.size()) break;
        inode.size += kDiskBlock;
        rest = rest.subspan(count);
      }
      for (const ErofsName& name : rest) inode.size += kErofsDirent + name.name.size();
    }
  }

  void place_inodes() {
    InodePacker packer(1);
    for (ErofsInode& inode : layout_.inodes) {
      inode.extended = needs_extended(inode);
      const std::uint64_t tail = inode.size % kDiskBlock;
      const bool follows = inode.inode_bytes() + tail <= kDiskBlock;
      inode.in_blocks = follows ? inode.size - tail : inode.size;
      inode.position = packer.place(inode.inode_bytes() + (follows ? tail : 0));
    }
    layout_.data_block = layout_.blocks = packer.end();
  }

  Status place_blocks() {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> placed;  // of the spool
    for (ErofsInode& inode : layout_.inodes) {
      if (inode.in_blocks == 0) continue;
      inode.block = layout_.blocks;
      if (inode.entry->second.type == GuestEntry::Type::file) {
        const auto [at, added] =
            placed.try_emplace({inode.entry->second.offset, inode.in_blocks}, inode.block);
        inode.block = at->second;
        inode.shares_blocks = !added;
        if (!added) continue;
      }
      CL_CHECK(take_blocks(inode));
    }
    return check_size();
  }

  Status take_blocks(const ErofsInode& inode) {
    const std::uint64_t count = inode.in_blocks / kDiskBlock + (inode.in_blocks % kDiskBlock != 0);
    layout_.blocks += count;  // at most 2^52, and every sum is checked
    return check_size();
  }

  Status check_size() const {
    if (layout_.blocks <= std::min(limits_.guest_root_bytes / kDiskBlock, kMaxErofsBlocks))
      return {};
    return Error::limit("the guest's root is too large for a disk")
        .detail(cat("at most ", human_bytes(limits_.guest_root_bytes), " are allowed"))
        .hint("leave out of the image what its program does not need");
  }

  const Limits& limits_;
  ErofsLayout layout_;
  std::unordered_map<std::string_view, std::uint32_t> directories_;
};

}  // namespace

Result<ErofsLayout> lay_out_erofs(const GuestTree& tree, const Limits& limits) {
  return ErofsPlanner(limits).plan(tree);
}

std::vector<ErofsName> names_of(const ErofsLayout& layout, std::uint32_t directory) {
  const ErofsInode& inode = layout.inodes[directory];
  std::vector<ErofsName> names = {{".", directory}, {"..", inode.parent}};
  names.reserve(inode.children.size() + names.size());
  for (const std::uint32_t child : inode.children) {
    const std::string_view path = layout.inodes[child].entry->first;
    names.push_back({path.substr(path.rfind('/') + 1), child});  // npos + 1 is 0
  }
  std::sort(names.begin(), names.end(),
            [](const ErofsName& a, const ErofsName& b) { return a.name < b.name; });
  return names;
}

std::size_t names_in_block(std::span<const ErofsName> names) {
  std::uint64_t used = 0;
  std::size_t count = 0;
  for (const ErofsName& name : names) {
    used += kErofsDirent + name.name.size();
    if (used > kDiskBlock) break;
    ++count;
  }
  return count;
}

}  // namespace cloister::manifest
