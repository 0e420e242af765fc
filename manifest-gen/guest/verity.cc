// A block of the tree holds 128 digests. The topmost level is one block, whose digest is the root;
// of a single data block the root is its own digest, and there is no tree.
#include "manifest-gen/guest/verity.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kDigestsInBlock = kDiskBlock / 32;
constexpr std::uint64_t kMaxVerityBlocks = 1ULL << 48;  // 2^60 bytes

// How many blocks each level has, that of the data's digests first.
std::vector<std::uint64_t> level_sizes(std::uint64_t data_blocks) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t below = data_blocks; below > 1; below = sizes.back())
    sizes.push_back((below + kDigestsInBlock - 1) / kDigestsInBlock);
  return sizes;
}

}  // namespace

Result<VerityHasher> VerityHasher::create(std::uint64_t data_blocks, ByteView salt) {
  if (data_blocks == 0) return Error::internal("a hash tree over nothing");
  if (data_blocks > kMaxVerityBlocks) return Error::limit("the disk is too large for a hash tree");
  if (salt.size() > kMaxVeritySalt)
    return Error::invalid(cat("the salt of a disk has ", salt.size(), " bytes"))
        .hint(cat("give at most ", kMaxVeritySalt));
  CL_TRY(FileSpool spool, FileSpool::create());
  VerityHasher out(data_blocks, salt, std::move(spool));
  const auto sizes = level_sizes(data_blocks);
  out.levels_.resize(sizes.size());
  for (std::size_t i = sizes.size(); i-- > 0;) {
    CL_TRY(out.levels_[i].position, out.spool_.reserve(sizes[i] * kDiskBlock));
  }
  return out;
}

VerityHasher::VerityHasher(std::uint64_t data_blocks, ByteView salt, FileSpool spool)
    : blocks_left_(data_blocks), salt_(salt.begin(), salt.end()), spool_(std::move(spool)) {}

Status VerityHasher::update(ByteView bytes) {
  if (!partial_.empty()) {
    const std::size_t size = std::min(bytes.size(), kDiskBlock - partial_.size());
    partial_.insert(partial_.end(), bytes.begin(),
                    bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
    if (partial_.size() < kDiskBlock) return {};
    CL_CHECK(add_block(partial_));
    partial_.clear();
  }
  for (; bytes.size() >= kDiskBlock; bytes = bytes.subspan(kDiskBlock))
    CL_CHECK(add_block(bytes.first(kDiskBlock)));
  partial_.assign(bytes.begin(), bytes.end());
  return {};
}

Result<VerityTree> VerityHasher::finish() {
  if (blocks_left_ != 0 || !partial_.empty())
    return Error::internal("a hash tree over less than the disk");
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (levels_[i].block.empty()) continue;
    CL_TRY(const Digest digest, flush(levels_[i]));
    CL_CHECK(add_digest(i + 1, digest));
  }
  return VerityTree{root_, std::move(spool_)};
}

Digest VerityHasher::hash(ByteView block) {
  hasher_.update(salt_);
  hasher_.update(block);
  return hasher_.finish();
}

Status VerityHasher::add_block(ByteView block) {
  if (blocks_left_ == 0) return Error::internal("a hash tree over more than the disk");
  --blocks_left_;
  return add_digest(0, hash(block));
}

Status VerityHasher::add_digest(std::size_t level, Digest digest) {
  for (; level < levels_.size(); ++level) {
    Level& at = levels_[level];
    at.block.insert(at.block.end(), digest.bytes.begin(), digest.bytes.end());
    if (at.block.size() < kDiskBlock) return {};
    CL_TRY(digest, flush(at));
  }
  root_ = digest;
  return {};
}

// Writes what the level holds, and answers its digest.
Result<Digest> VerityHasher::flush(Level& level) {
  level.block.resize(kDiskBlock);
  CL_CHECK(spool_.write(level.position, level.block));
  level.position += kDiskBlock;
  const Digest digest = hash(level.block);
  level.block.clear();
  return digest;
}

// cryptsetup, "DMVerity", Verity superblock format.
Bytes verity_superblock(std::uint64_t data_blocks, ByteView salt,
                        std::span<const std::byte, 16> uuid) {
  ByteWriter out;
  out.text(std::string_view("verity\0\0", 8));
  out.u32(1);  // version of this block
  out.u32(1);  // hash type: the salt goes first
  out.bytes(uuid);
  out.text("sha256");
  out.zeros(32 - 6);
  out.u32(kDiskBlock);  // of data
  out.u32(kDiskBlock);  // of the tree
  out.u64(data_blocks);
  out.u16(static_cast<std::uint16_t>(salt.size()));
  out.zeros(6);
  out.bytes(salt);
  out.zeros(kDiskBlock - out.size());
  return out.take();
}

}  // namespace cloister::manifest
