// A directory as one layer. It is walked by descriptors (openat with O_NOFOLLOW), so that no
// symbolic link can lead the walk out of it or into a loop: links are recorded as links and mean
// what they mean inside this root. Names are visited in byte order, which makes the index, and the
// digest of a runtime, independent of the file system.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/text.h"
#include "measure/runtime/runtime.h"
#include "measure/runtime/runtime_paths.h"

namespace cloister::measure {
namespace {

Error open_error(const std::string& root, std::string_view path, int error_number) {
  return Error::io_errno(cat("cannot read ", quote(cat(root, '/', path))), error_number);
}

// Opens root/path with no component of `path` being a symbolic link.
Result<Fd> open_below(int root_fd, const std::string& root, std::string_view path) {
  Fd at;
  const std::vector<std::string_view> parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    Fd next(::openat(at.valid() ? at.get() : root_fd, std::string(parts[i]).c_str(), flags));
    if (!next.valid()) return open_error(root, path, errno);
    at = std::move(next);
  }
  return at;
}

// The view is of `buffer`.
Result<ByteView> read_below(int root_fd, const std::string& root, std::string_view path,
                            std::uint64_t max, Bytes& buffer) {
  CL_TRY(Fd fd, open_below(root_fd, root, path));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return open_error(root, path, errno);
  if (!S_ISREG(info.st_mode))
    return Error::io(cat(quote(cat(root, '/', path)), " is no regular file any more"));
  FileSource source(std::move(fd), cat(root, '/', path));
  return read_all(source, buffer, max, path, static_cast<std::uint64_t>(info.st_size));
}

class DirectoryContent final : public LayerContent {
 public:
  DirectoryContent(Fd fd, std::string root) : fd_(std::move(fd)), root_(std::move(root)) {}
  Result<Bytes> read(const Entry& entry, std::uint64_t max) const override {
    Bytes out;
    CL_TRY(const ByteView all, read_below(fd_.get(), root_, entry.path, max, out));
    out.resize(all.size());
    return out;
  }

 private:
  Fd fd_;
  std::string root_;
};

class DirectoryWalk {
 public:
  DirectoryWalk(int root_fd, const std::string& root, const Limits& limits)
      : root_fd_(root_fd), root_(root), limits_(limits) {}

  Result<LayerIndex> run() {
    std::vector<std::string> pending = {""};
    while (!pending.empty()) {
      const std::string directory = std::move(pending.back());
      pending.pop_back();
      CL_TRY(const Fd fd, open_directory(directory));
      CL_TRY(const auto names, list(fd, directory));
      for (const std::string& name : names) {
        const std::string path = directory.empty() ? name : cat(directory, '/', name);
        CL_TRY(const bool descend, visit(fd, name, path));
        if (descend) pending.push_back(path);
      }
    }
    // Parents before children, and the same order whatever the stack did.
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return std::move(index_);
  }

 private:
  Result<Fd> open_directory(const std::string& directory) const {
    return open_below(root_fd_, root_, directory.empty() ? "." : directory);
  }

  Result<std::vector<std::string>> list(const Fd& fd, const std::string& directory) const {
    // fdopendir owns the descriptor only when it succeeds.
    const int raw = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
    DIR* stream = raw < 0 ? nullptr : ::fdopendir(raw);
    if (stream == nullptr) {
      const int error_number = errno;
      if (raw >= 0) ::close(raw);
      return open_error(root_, directory, error_number);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {  // NOLINT: safe, for a stream of its own
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      if (names.size() > limits_.layer_entries) break;
      errno = 0;
    }
    const int error_number = errno;
    ::closedir(stream);
    if (error_number != 0) return open_error(root_, directory, error_number);
    if (names.size() > limits_.layer_entries)
      return Error::limit(cat("directory ", quote(cat(root_, '/', directory)), " has more than ",
                              limits_.layer_entries, " entries"));
    std::sort(names.begin(), names.end());
    return names;
  }

  // Records what can belong to a runtime; answers whether to walk into it.
  Result<bool> visit(const Fd& parent, const std::string& name, const std::string& path) {
    const bool wanted = is_runtime_file(path), way = may_hold_runtime_files(path);
    if (!wanted && !way) return false;
    Entry entry;
    entry.path = path;
    struct stat info = {};
    if (::fstatat(parent.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return open_error(root_, path, errno);
    entry.mode = info.st_mode & 07777;
    if (S_ISDIR(info.st_mode) && way) {
      entry.type = FileType::directory;
    } else if (S_ISLNK(info.st_mode)) {
      entry.type = FileType::symlink;
      CL_TRY(entry.link_target, read_link(parent.get(), name, path));
    } else if (S_ISREG(info.st_mode) && wanted) {
      CL_CHECK(add_content(path, entry));
    } else {
      return false;
    }
    const bool descend = entry.type == FileType::directory;
    index_.entries.push_back(std::move(entry));
    return descend;
  }

  Result<std::string> read_link(int at, const std::string& name, const std::string& path) const {
    std::array<char, 4096> buffer;
    const ssize_t size = ::readlinkat(at, name.c_str(), buffer.data(), buffer.size());
    if (size < 0) return open_error(root_, path, errno);
    return std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  Status add_content(const std::string& path, Entry& entry) {
    entry.type = FileType::regular;
    CL_TRY(const ByteView bytes, read_below(root_fd_, root_, path, limits_.libpal_bytes, content_));
    entry.size = bytes.size();
    entry.sha256 = sha256(bytes);
    if (!elf::looks_like_elf(bytes)) return {};
    // A damaged file is no library: it is then not found, which is reported where it is needed.
    auto facts = elf::read_facts(bytes, limits_);
    if (!facts.has_value()) return {};
    entry.elf = static_cast<std::int32_t>(index_.elfs.size());
    index_.elfs.push_back(std::move(*facts));
    return {};
  }

  int root_fd_;
  const std::string& root_;
  const Limits& limits_;
  LayerIndex index_;
  Bytes content_;  // of the file at hand: one buffer for all
};

}  // namespace

Result<IndexedLayer> index_program(const std::string& file, std::string_view name,
                                   const Limits& limits) {
  CL_TRY(Bytes bytes, read_file(file, limits.libpal_bytes));
  CL_TRY(elf::Facts facts, elf::read_facts(bytes, limits));
  LayerIndex index;
  Entry entry;
  entry.path = cat("bin/", name);
  entry.mode = 0755;
  entry.size = bytes.size();
  entry.sha256 = sha256(bytes);
  entry.elf = 0;
  index.elfs.push_back(std::move(facts));
  index.pack.emplace(entry.sha256, std::move(bytes));
  index.entries.push_back(std::move(entry));
  IndexedLayer out;
  out.index = std::make_shared<const LayerIndex>(std::move(index));
  return out;
}

Result<IndexedLayer> index_runtime_directory(const std::string& directory, const Limits& limits) {
  Fd root(::open(directory.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!root.valid())
    return Error::io_errno(cat("cannot open the runtime directory ", quote(directory)), errno)
        .hint("give an existing directory, a .deb or an image");
  CL_TRY(LayerIndex index, DirectoryWalk(root.get(), directory, limits).run());
  IndexedLayer out;
  out.index = std::make_shared<const LayerIndex>(std::move(index));
  out.content = std::make_shared<const DirectoryContent>(std::move(root), directory);
  return out;
}

}  // namespace cloister::measure
