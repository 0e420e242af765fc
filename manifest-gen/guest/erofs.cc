// The names of fields are those of Linux fs/erofs/erofs_fs.h. Sizes in brackets are bytes.
#include "manifest-gen/guest/erofs.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/stream.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kErofsMagic = 0xE0F5E1E2;
constexpr std::size_t kErofsSuperblock = 1024;                // where it lies in block 0
constexpr std::uint32_t kErofsChecksum = 1, kErofsMtime = 2;  // feature_compat
constexpr std::uint64_t kErofsInodeUnit = 32;                 // of inode numbers
constexpr std::uint32_t kErofsNoBlock = 0xffffffff;
constexpr std::uint16_t kErofsExtended = 1;         // i_format: bit 0
constexpr std::uint16_t kErofsFlatInline = 2 << 1;  // i_format: layout, from bit 1

// CRC-32C (RFC 3720, B.4) without the final complement.
std::uint32_t crc32c(ByteView bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte b : bytes) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return crc;
}

std::uint64_t inode_number(const ErofsInode& inode) {
  return inode.position / kErofsInodeUnit;
}

std::uint16_t mode_with_type(const GuestEntry& entry) {
  std::uint32_t type = 0100000;
  if (entry.type == GuestEntry::Type::directory) type = 0040000;
  if (entry.type == GuestEntry::Type::symlink) type = 0120000;
  return static_cast<std::uint16_t>(type | (entry.mode & 07777));
}

std::uint8_t dirent_type(const GuestEntry& entry) {
  switch (entry.type) {
    case GuestEntry::Type::file:
      return 1;
    case GuestEntry::Type::directory:
      return 2;
    case GuestEntry::Type::symlink:
      return 7;
  }
  return 0;
}

// Of all that is in the file system: overlayfs tells its layers apart by its UUID.
Digest listing_digest(const ErofsLayout& layout, Seconds mtime) {
  Sha256 hasher;
  ByteWriter line;
  line.u64(static_cast<std::uint64_t>(mtime.time_since_epoch().count()));
  for (const ErofsInode& inode : layout.inodes) {
    const auto& [path, entry] = *inode.entry;
    line.u64(path.size());
    line.text(path);
    line.u16(mode_with_type(entry));
    line.u32(entry.uid);
    line.u32(entry.gid);
    line.u64(inode.size);
    if (entry.type == GuestEntry::Type::file) line.bytes(entry.sha256.view());
    if (entry.type == GuestEntry::Type::symlink) line.text(entry.link_target);
    hasher.update(line.take());
    line = {};
  }
  return hasher.finish();
}

Bytes erofs_superblock(const ErofsLayout& layout, Seconds mtime, std::uint32_t checksum) {
  ByteWriter out;
  out.u32(kErofsMagic);
  out.u32(checksum);
  out.u32(kErofsChecksum | kErofsMtime);
  out.u8(12);                                                             // blkszbits: 4096
  out.u8(0);                                                              // sb_extslots
  out.u16(static_cast<std::uint16_t>(inode_number(layout.inodes[0])));    // root_nid
  out.u64(layout.inodes.size());                                          // inos
  out.u64(static_cast<std::uint64_t>(mtime.time_since_epoch().count()));  // build_time
  out.u32(0);                                                             // build_time_nsec
  out.u32(static_cast<std::uint32_t>(layout.blocks));
  out.u32(0);  // meta_blkaddr: inode numbers count from the start
  out.u32(0);  // xattr_blkaddr
  out.bytes(uuid_of(listing_digest(layout, mtime)));
  out.zeros(16);  // volume_name
  out.u32(0);     // feature_incompat
  out.zeros(kDiskBlock - kErofsSuperblock - out.size());
  return out.take();
}

Bytes first_block(const ErofsLayout& layout, Seconds mtime) {
  const std::uint32_t checksum = crc32c(erofs_superblock(layout, mtime, 0));
  ByteWriter out;
  out.zeros(kErofsSuperblock);
  out.bytes(erofs_superblock(layout, mtime, checksum));
  return out.take();
}

Bytes inode_record(const ErofsLayout& layout, std::uint32_t index, Seconds mtime) {
  const ErofsInode& inode = layout.inodes[index];
  const GuestEntry& entry = inode.entry->second;
  const bool follows = inode.in_blocks < inode.size;
  ByteWriter out;
  out.u16(static_cast<std::uint16_t>((inode.extended ? kErofsExtended : 0) |
                                     (follows ? kErofsFlatInline : 0)));  // i_format
  out.u16(0);                                                             // i_xattr_icount
  out.u16(mode_with_type(entry));
  const std::uint32_t block =
      inode.in_blocks == 0 ? kErofsNoBlock : static_cast<std::uint32_t>(inode.block);
  if (inode.extended) {
    out.u16(0);
    out.u64(inode.size);
    out.u32(block);
    out.u32(index + 1);  // i_ino
    out.u32(entry.uid);
    out.u32(entry.gid);
    out.u64(static_cast<std::uint64_t>(mtime.time_since_epoch().count()));
    out.u32(0);  // i_mtime_nsec
    out.u32(inode.links);
    out.zeros(16);
  } else {
    out.u16(static_cast<std::uint16_t>(inode.links));
    out.u32(static_cast<std::uint32_t>(inode.size));
    out.u32(0);
    out.u32(block);
    out.u32(index + 1);  // i_ino
    out.u16(static_cast<std::uint16_t>(entry.uid));
    out.u16(static_cast<std::uint16_t>(entry.gid));
    out.u32(0);
  }
  return out.take();
}

// Each block: the entries [12 each], then the names one after the other. The first name's offset
// tells how many entries there are, the zeros behind a last name that fills no block where it ends.
Bytes directory_list(const ErofsLayout& layout, std::uint32_t directory) {
  const auto names = names_of(layout, directory);
  std::span<const ErofsName> rest = names;
  ByteWriter out;
  while (!rest.empty()) {
    const auto block = rest.first(names_in_block(rest));
    rest = rest.subspan(block.size());
    const std::size_t begin = out.size();
    std::size_t name_at = block.size() * kErofsDirent;
    for (const ErofsName& name : block) {
      const ErofsInode& inode = layout.inodes[name.inode];
      out.u64(inode_number(inode));
      out.u16(static_cast<std::uint16_t>(name_at));
      out.u8(dirent_type(inode.entry->second));
      out.u8(0);
      name_at += name.name.size();
    }
    for (const ErofsName& name : block) out.text(name.name);
    if (!rest.empty()) out.zeros(begin + kDiskBlock - out.size());
  }
  return out.take();
}

// Collects small pieces, and knows how far the image has come.
class DiskOutput {
 public:
  explicit DiskOutput(const DiskSink& sink) : sink_(sink) { pending_.reserve(kStreamBuffer); }

  Status write(ByteView bytes) {
    position_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t size = std::min(bytes.size(), kStreamBuffer - pending_.size());
      pending_.insert(pending_.end(), bytes.begin(),
                      bytes.begin() + static_cast<std::ptrdiff_t>(size));
      bytes = bytes.subspan(size);
      CL_CHECK(flush_if(pending_.size() == kStreamBuffer));
    }
    return {};
  }

  Status copy(const FileSpool& spool, std::uint64_t offset, std::uint64_t size) {
    position_ += size;
    while (size > 0) {
      const std::size_t held = pending_.size();
      const std::uint64_t piece = std::min<std::uint64_t>(size, kStreamBuffer - held);
      pending_.resize(held + piece);
      CL_CHECK(spool.read(offset, std::span(pending_).subspan(held)));
      offset += piece;
      size -= piece;
      CL_CHECK(flush_if(pending_.size() == kStreamBuffer));
    }
    return {};
  }

  // REQUIRES: less than a few blocks ahead.
  Status zeros_up_to(std::uint64_t position) { return write(Bytes(position - position_)); }
  Status finish() { return flush_if(!pending_.empty()); }

 private:
  Status flush_if(bool due) {
    if (!due) return {};
    CL_CHECK(sink_(pending_));
    pending_.clear();
    return {};
  }

  const DiskSink& sink_;
  Bytes pending_;
  std::uint64_t position_ = 0;
};

class ErofsWriter {
 public:
  ErofsWriter(const ErofsLayout& layout, const FileSpool& contents, Seconds mtime,
              const DiskSink& sink)
      : layout_(layout), contents_(contents), mtime_(mtime), out_(sink) {}

  Status write() {
    CL_CHECK(out_.write(first_block(layout_, mtime_)));
    CL_CHECK(write_inodes());
    CL_CHECK(out_.zeros_up_to(layout_.data_block * kDiskBlock));
    CL_CHECK(write_blocks());
    CL_CHECK(out_.zeros_up_to(layout_.blocks * kDiskBlock));
    return out_.finish();
  }

 private:
  Status write_inodes() {
    std::vector<std::uint32_t> order(layout_.inodes.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return layout_.inodes[a].position < layout_.inodes[b].position;
    });
    for (const std::uint32_t index : order) {
      const ErofsInode& inode = layout_.inodes[index];
      CL_CHECK(out_.zeros_up_to(inode.position));
      CL_CHECK(out_.write(inode_record(layout_, index, mtime_)));
      CL_CHECK(write_content(index, inode.in_blocks, inode.size));
    }
    return {};
  }

  Status write_blocks() {
    for (std::uint32_t index = 0; index < layout_.inodes.size(); ++index) {
      const ErofsInode& inode = layout_.inodes[index];
      if (inode.in_blocks == 0 || inode.shares_blocks) continue;
      CL_CHECK(out_.zeros_up_to(inode.block * kDiskBlock));
      CL_CHECK(write_content(index, 0, inode.in_blocks));
    }
    return {};
  }

  // Bytes [begin, end) of what the inode holds.
  Status write_content(std::uint32_t index, std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return {};
    const GuestEntry& entry = layout_.inodes[index].entry->second;
    switch (entry.type) {
      case GuestEntry::Type::file:
        return out_.copy(contents_, entry.offset + begin, end - begin);
      case GuestEntry::Type::symlink:
        return out_.write(as_bytes(entry.link_target).subspan(begin, end - begin));
      case GuestEntry::Type::directory:
        return out_.write(ByteView(directory_list(layout_, index)).subspan(begin, end - begin));
    }
    return {};
  }

  const ErofsLayout& layout_;
  const FileSpool& contents_;
  Seconds mtime_;
  DiskOutput out_;
};

}  // namespace

Status write_erofs(const ErofsLayout& layout, const FileSpool& contents, Seconds mtime,
                   const DiskSink& sink) {
  return ErofsWriter(layout, contents, mtime, sink).write();
}

}  // namespace cloister::manifest
