// Local files: descriptors with an owner, bounded reads, atomic writes, locks.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/stream.h"

namespace cloister {

namespace fs = std::filesystem;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Opens for reading (O_CLOEXEC). A missing file is `io` with the path in the message.
Result<Fd> open_file(const fs::path& path);
// The whole file; `limit` error above `max` bytes.
Result<Bytes> read_file(const fs::path& path, std::uint64_t max);
// The same for large files that are kept, as long as the file was when it was opened: in pages that
// come all at once, where a page fault for each would cost more than reading them.
Result<SharedBytes> read_large_file(const fs::path& path, std::uint64_t max);
Result<std::string> read_text_file(const fs::path& path, std::uint64_t max);

// Reads a descriptor from its current offset.
class FileSource final : public Source {
 public:
  explicit FileSource(Fd fd, std::string what) : fd_(std::move(fd)), what_(std::move(what)) {}
  static Result<std::unique_ptr<FileSource>> open(const fs::path& path);
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  Fd fd_;
  std::string what_;
};

// What a finished write survives: `crash`, a crash of the machine (the data is flushed to the disk
// first), or `kill`, only the end of the process, for data that its readers check anyway.
enum class Durability { kill, crash };

// A file that appears under its final name complete or not at all. It lives in the directory of
// its target (or a given one on the same file system) and is removed if it is never committed.
class TempFile {
 public:
  static Result<TempFile> create(const fs::path& directory, unsigned mode = 0644);
  TempFile(TempFile&& other) noexcept;
  TempFile& operator=(TempFile&&) = delete;
  ~TempFile();

  Status write(ByteView bytes);
  // Flushes to the disk (Durability::crash) and renames over `target`; afterwards nothing is left
  // to remove.
  Status commit(const fs::path& target, Durability durability = Durability::crash);
  int fd() const { return fd_.get(); }
  const fs::path& path() const { return path_; }

 private:
  TempFile(Fd fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  fs::path path_;  // empty once committed
};

// TempFile::create, write, commit beside `target`.
Status write_file_atomic(const fs::path& target, ByteView bytes, unsigned mode = 0644);
Status make_directories(const fs::path& path, unsigned mode = 0755);

// An advisory lock (flock) held while the object lives; blocks until granted.
class FileLock {
 public:
  enum class Kind { shared, exclusive };
  static Result<FileLock> acquire(const fs::path& path, Kind kind);
  // Nothing when another holder is in the way.
  static Result<std::optional<FileLock>> try_acquire(const fs::path& path, Kind kind);
  // On a directory that exists, exclusive: for files in it that are replaced by rename, of which no
  // lock on them would survive. Nothing on a file system that cannot lock directories (NFS).
  static Result<std::optional<FileLock>> acquire_directory(const fs::path& directory);

 private:
  static Result<Fd> open(const fs::path& path);
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace cloister
