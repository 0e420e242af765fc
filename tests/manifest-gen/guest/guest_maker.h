// A guest's root made by hand, and the disks that are written of it.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "base/limits.h"
#include "base/spool.h"
#include "base/text.h"
#include "manifest-gen/guest/disk.h"
#include "manifest-gen/guest/erofs.h"
#include "tests/base/must.h"

namespace cloister::test {

// `size` bytes that no two blocks have in common.
inline std::string varied(std::size_t size, std::uint64_t seed = 1) {
  std::string out(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15 + 1;
  for (char& c : out) {
    state = state * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

struct GuestMaker {
  manifest::GuestTree tree;
  FileSpool contents = must(FileSpool::create());
  Limits limits;
  Seconds mtime{std::chrono::seconds(1700000000)};

  manifest::GuestEntry& directory(const std::string& path, std::uint32_t mode = 0755) {
    manifest::GuestEntry entry;
    entry.mode = mode;
    return tree[path] = entry;
  }
  manifest::GuestEntry& file(const std::string& path, std::string_view content,
                             std::uint32_t mode = 0644) {
    manifest::GuestEntry entry;
    entry.type = manifest::GuestEntry::Type::file;
    entry.mode = mode;
    entry.size = content.size();
    entry.offset = must(contents.append(as_bytes(content)));
    entry.sha256 = sha256(content);
    return tree[path] = entry;
  }
  manifest::GuestEntry& link(const std::string& path, std::string target) {
    manifest::GuestEntry entry;
    entry.type = manifest::GuestEntry::Type::symlink;
    entry.mode = 0777;
    entry.link_target = std::move(target);
    return tree[path] = entry;
  }

  Result<manifest::ErofsLayout> layout() const { return manifest::lay_out_erofs(tree, limits); }
  Bytes image() const {
    Bytes out;
    const auto layout = must(manifest::lay_out_erofs(tree, limits));
    const auto append = [&](ByteView bytes) -> Status {
      out.insert(out.end(), bytes.begin(), bytes.end());
      return {};
    };
    if (!manifest::write_erofs(layout, contents, mtime, append).has_value()) std::abort();
    return out;
  }
  std::pair<manifest::GuestDisk, Bytes> disk(ByteView salt = {}) const {
    Bytes out;
    auto disk = manifest::write_guest_disk(tree, contents, mtime, salt, limits,
                                           [&](ByteView bytes) -> Status {
                                             out.insert(out.end(), bytes.begin(), bytes.end());
                                             return {};
                                           });
    return {must(std::move(disk)), std::move(out)};
  }
};

}  // namespace cloister::test
