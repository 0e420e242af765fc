#include "manifest-gen/guest/cpio_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kPermissions = 07777;

class TreeWriter {
 public:
  TreeWriter(const FileSpool& contents, Seconds created, CpioWriter& out)
      : contents_(contents), time_(cpio_time(created)), out_(out) {}

  Status write(std::string path, const GuestEntry& node) {
    CpioEntry entry;
    entry.path = std::move(path);
    entry.mode = type_bits(node.type) | node.mode;
    entry.uid = node.uid;
    entry.gid = node.gid;
    entry.mtime = time_;
    if (node.type == GuestEntry::Type::symlink) return link(std::move(entry), node.link_target);
    if (node.size > std::numeric_limits<std::uint32_t>::max())
      return Error::unsupported(
                 cat(quote("/" + entry.path), " is larger than a file in an initramfs"))
          .hint("leave it out: --exclude; a guest of SEV-SNP may have its root on a disk: --disk");
    entry.size = static_cast<std::uint32_t>(node.size);
    CL_CHECK(out_.begin(entry));
    return copy(node);
  }

 private:
  Status link(CpioEntry entry, const std::string& target) {
    if (target.size() > kMaxCpioName)
      return Error::unsupported(cat("the target of the link ", quote("/" + entry.path),
                                    " is longer than an initramfs can hold"));
    entry.size = static_cast<std::uint32_t>(target.size());
    CL_CHECK(out_.begin(entry));
    return out_.content(as_bytes(target));
  }

  Status copy(const GuestEntry& node) {
    buffer_.resize(kStreamBuffer);
    for (std::uint64_t done = 0; done < node.size;) {
      const auto piece = std::span(buffer_).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(node.size - done, buffer_.size())));
      CL_CHECK(contents_.read(node.offset + done, piece));
      CL_CHECK(out_.content(piece));
      done += piece.size();
    }
    return {};
  }

  const FileSpool& contents_;
  std::uint32_t time_;
  CpioWriter& out_;
  Bytes buffer_;
};

class TreeReader {
 public:
  TreeReader(Source& archive, const Limits& limits) : archive_(archive, limits) {}

  Result<GuestTree> run() {
    CpioEntry entry;
    for (;;) {
      CL_TRY(const bool more, archive_.next(entry));
      if (!more) return std::move(out_);
      if (!out_.empty() && entry.path <= out_.rbegin()->first)
        return Error::corrupt(cat(quote(entry.path), " in an initramfs stands out of order"));
      CL_TRY(GuestEntry node, take(entry));
      out_.emplace_hint(out_.end(), entry.path, std::move(node));
    }
  }

 private:
  Result<GuestEntry> take(const CpioEntry& entry) {
    GuestEntry out;
    out.mode = entry.mode & kPermissions;
    out.uid = entry.uid;
    out.gid = entry.gid;
    const std::uint32_t type = entry.mode & ~kPermissions;
    if (type == S_IFREG) {
      out.type = GuestEntry::Type::file;
      out.size = entry.size;
      CL_TRY(out.sha256, archive_.digest());
      return out;
    }
    if (type == S_IFLNK) {
      out.type = GuestEntry::Type::symlink;
      if (entry.size > kMaxCpioName)
        return Error::corrupt(cat("the link ", quote(entry.path), " in an initramfs is too long"));
      CL_TRY(out.link_target, archive_.text());
      return out;
    }
    if (type != S_IFDIR)
      return Error::unsupported(
          cat(quote(entry.path), " in an initramfs is neither a file, a directory nor a link"));
    if (entry.size != 0)
      return Error::corrupt(cat("the directory ", quote(entry.path), " has content"));
    return out;
  }

  CpioReader archive_;
  GuestTree out_;
};

}  // namespace

std::uint32_t type_bits(GuestEntry::Type type) {
  switch (type) {
    case GuestEntry::Type::directory:
      return S_IFDIR;
    case GuestEntry::Type::file:
      return S_IFREG;
    case GuestEntry::Type::symlink:
      break;
  }
  return S_IFLNK;
}

std::uint32_t cpio_time(Seconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(
      time.time_since_epoch().count(), 0, std::numeric_limits<std::uint32_t>::max()));
}

Status write_cpio_tree(const GuestTree& tree, std::string_view prefix, const FileSpool& contents,
                       Seconds created, CpioWriter& out) {
  TreeWriter writer(contents, created, out);
  for (const auto& [path, node] : tree) {
    std::string name = prefix.empty() ? path : std::string(prefix);
    if (!prefix.empty() && !path.empty()) name += cat("/", path);
    CL_CHECK(writer.write(std::move(name), node));
  }
  return {};
}

Result<GuestTree> read_cpio_tree(Source& archive, const Limits& limits) {
  return TreeReader(archive, limits).run();
}

}  // namespace cloister::manifest
