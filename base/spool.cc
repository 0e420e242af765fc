#include "base/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>

namespace cloister {

// /var/tmp is on a disk where /tmp may be memory. O_TMPFILE: no name, nothing to clean up.
Result<Fd> open_unnamed_file() {
  for (const char* directory : {"/var/tmp", "/tmp"}) {
    Fd fd(::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (fd.valid()) return fd;
  }
  // File systems without O_TMPFILE: a name that is gone at once.
  for (std::string path : {"/var/tmp/cloister-XXXXXX", "/tmp/cloister-XXXXXX"}) {
    Fd fd(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd.valid()) continue;
    ::unlink(path.c_str());
    return fd;
  }
  return Error::io_errno("cannot create a temporary file in '/var/tmp' or '/tmp'", errno)
      .hint("what is too large to be held in memory is kept there; make one of them writable");
}

Result<FileSpool> FileSpool::create() {
  CL_TRY(Fd fd, open_unnamed_file());
  return FileSpool(std::move(fd));
}

Result<std::uint64_t> FileSpool::reserve(std::uint64_t size) {
  const std::uint64_t offset = size_;
  std::uint64_t end = 0;
  if (!checked_add(offset, size, end) ||
      end > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    return Error::limit("a temporary file would be larger than files can be");
  if (::ftruncate(fd_.get(), static_cast<off_t>(end)) < 0)
    return Error::io_errno("extending a temporary file", errno);
  size_ = end;
  return offset;
}

Status FileSpool::write(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t done =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Error::io_errno("writing a temporary file", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<std::uint64_t> FileSpool::append(ByteView bytes) {
  CL_TRY(const std::uint64_t offset, reserve(bytes.size()));
  CL_CHECK(write(offset, bytes));
  return offset;
}

Status FileSpool::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t done = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return Error::io_errno("reading a temporary file", errno);
    if (done == 0) return Error::internal("reading beyond the end of a temporary file");
    out = out.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<std::size_t> SpoolSource::read(std::span<std::byte> out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()));
  CL_CHECK(spool_.read(position_, out.first(size)));
  position_ += size;
  left_ -= size;
  return size;
}

}  // namespace cloister
