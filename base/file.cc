#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/digest.h"
#include "base/text.h"

namespace cloister {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Fd> open_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error::io_errno(cat("cannot open ", quote(path.native())), errno);
  return Fd(fd);
}

Result<std::unique_ptr<FileSource>> FileSource::open(const fs::path& path) {
  CL_TRY(Fd fd, open_file(path));
  return std::make_unique<FileSource>(std::move(fd), path.native());
}

Result<std::size_t> FileSource::read(std::span<std::byte> out) {
  for (;;) {
    const ssize_t n = ::read(fd_.get(), out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return Error::io_errno(cat("cannot read ", quote(what_)), errno);
  }
}

Result<Bytes> read_file(const fs::path& path, std::uint64_t max) {
  CL_TRY(auto source, FileSource::open(path));
  // A hint that saves growing the buffer; what is read decides.
  std::error_code unknown;
  const std::uint64_t size = fs::file_size(path, unknown);
  return read_all(*source, max, quote(path.native()), unknown ? 0 : size);
}

Result<SharedBytes> read_large_file(const fs::path& path, std::uint64_t max) {
  CL_TRY(Fd fd, open_file(path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return Error::io_errno(cat("cannot read ", quote(path.native())), errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max)
    return Error::limit(
        cat(quote(path.native()), " is larger than the limit of ", human_bytes(max)));
  if (size == 0) return SharedBytes();
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (pages == MAP_FAILED)
    return Error::io_errno(cat("no memory for ", quote(path.native())), errno);
  const std::shared_ptr<void> owner(pages, [size](void* at) { ::munmap(at, size); });
  const std::span bytes(static_cast<std::byte*>(pages), size);
  FileSource source(std::move(fd), path.native());
  CL_TRY(const std::size_t n, read_full(source, bytes));
  return SharedBytes(owner, bytes.first(n));
}

Result<std::string> read_text_file(const fs::path& path, std::uint64_t max) {
  CL_TRY(const Bytes bytes, read_file(path, max));
  return std::string(as_text(bytes));
}

Result<TempFile> TempFile::create(const fs::path& directory, unsigned mode) {
  // Not mkstemp: its fixed mode 0600 would have to be corrected by reading the umask, which is
  // process-wide state and cannot be read without changing it.
  for (int attempt = 0; attempt < 100; ++attempt) {
    CL_TRY(const Bytes random, random_bytes(8));
    fs::path path = directory / (".tmp-" + hex(std::span<const std::byte>(random)));
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0) return TempFile(Fd(fd), std::move(path));
    if (errno != EEXIST)
      return Error::io_errno(cat("cannot create a file in ", quote(directory.native())), errno);
  }
  return Error::io(cat("cannot create a file in ", quote(directory.native())))
      .hint("remove the files there whose names begin with .tmp-");
}

TempFile::TempFile(TempFile&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::move(other.path_)) {
  other.path_.clear();
}

TempFile::~TempFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status TempFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::io_errno(cat("cannot write ", quote(path_.native())), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status TempFile::commit(const fs::path& target, Durability durability) {
  // Without fdatasync a crash of the machine could leave the name with other bytes.
  if (durability == Durability::crash && ::fdatasync(fd_.get()) != 0 && errno != EINVAL &&
      errno != EROFS)
    return Error::io_errno(cat("cannot flush ", quote(path_.native())), errno);
  if (::rename(path_.c_str(), target.c_str()) != 0)
    return Error::io_errno(cat("cannot create ", quote(target.native())), errno);
  path_.clear();
  return {};
}

Status write_file_atomic(const fs::path& target, ByteView bytes, unsigned mode) {
  const fs::path directory = target.has_parent_path() ? target.parent_path() : fs::path(".");
  CL_TRY(TempFile file, TempFile::create(directory, mode));
  CL_CHECK(file.write(bytes));
  return file.commit(target);
}

Status make_directories(const fs::path& path, unsigned mode) {
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path)
    CL_CHECK(make_directories(path.parent_path(), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return Error::io_errno(cat("cannot create directory ", quote(path.native())), errno);
  if (!fs::is_directory(path, error))
    return Error::io(cat(quote(path.native()), " is not a directory"))
        .hint("choose another place, or move that file away");
  return {};
}

Result<Fd> FileLock::open(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return Error::io_errno(cat("cannot open ", quote(path.native())), errno);
  return fd;
}

Result<FileLock> FileLock::acquire(const fs::path& path, Kind kind) {
  CL_TRY(Fd fd, open(path));
  while (::flock(fd.get(), kind == Kind::shared ? LOCK_SH : LOCK_EX) != 0)
    if (errno != EINTR) return Error::io_errno(cat("cannot lock ", quote(path.native())), errno);
  return FileLock(std::move(fd));
}

Result<std::optional<FileLock>> FileLock::acquire_directory(const fs::path& directory) {
  Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return Error::io_errno(cat("cannot open ", quote(directory.native())), errno);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    // NFS makes of it a lock on a range of bytes, which only a file open for writing can have.
    if (errno == EBADF || errno == ENOLCK || errno == EOPNOTSUPP) return std::optional<FileLock>();
    if (errno != EINTR)
      return Error::io_errno(cat("cannot lock ", quote(directory.native())), errno);
  }
  return std::optional<FileLock>(FileLock(std::move(fd)));
}

Result<std::optional<FileLock>> FileLock::try_acquire(const fs::path& path, Kind kind) {
  CL_TRY(Fd fd, open(path));
  while (::flock(fd.get(), (kind == Kind::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    if (errno != EINTR) return Error::io_errno(cat("cannot lock ", quote(path.native())), errno);
  }
  return std::optional<FileLock>(FileLock(std::move(fd)));
}

}  // namespace cloister
