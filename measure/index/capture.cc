// What a dynamic loader reads of an ELF file can lie anywhere in it (patched libraries carry their
// string table at the very end), and some libraries have a gigabyte. Keeping them whole in memory
// would make memory depend on the image; a temporary file costs a write into the page cache, and
// only the few pages that are looked at come back.
#include "measure/index/capture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>

namespace cloister::measure {
namespace {

constexpr std::uint64_t kMemoryBytes = 4ULL << 20;

// /var/tmp is on a disk where /tmp may be memory. O_TMPFILE: no name, nothing to clean up.
Result<Fd> open_spool() {
  for (const char* directory : {"/var/tmp", "/tmp"}) {
    Fd fd(::open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
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
      .hint(
          "a large ELF file of the image is kept there while it is read; make one of them "
          "writable");
}

}  // namespace

Capture::~Capture() {
  unmap();
}

void Capture::unmap() {
  if (map_ != nullptr) ::munmap(map_, map_size_);
  map_ = nullptr;
}

Status Capture::begin(std::uint64_t size) {
  unmap();
  size_ = 0;
  memory_.clear();
  spooled_ = size > kMemoryBytes;
  if (!spooled_) {
    memory_.reserve(static_cast<std::size_t>(size));
    return {};
  }
  if (!spool_.valid()) {
    CL_TRY(spool_, open_spool());
  }
  if (::ftruncate(spool_.get(), 0) != 0)
    return Error::io_errno("cannot truncate a temporary file", errno);
  return {};
}

Status Capture::append(ByteView piece) {
  if (!spooled_) {
    memory_.insert(memory_.end(), piece.begin(), piece.end());
    return {};
  }
  while (!piece.empty()) {
    const ssize_t n = ::pwrite(spool_.get(), piece.data(), piece.size(), static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::io_errno("cannot write a temporary file", errno);
    size_ += static_cast<std::uint64_t>(n);
    piece = piece.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<ByteView> Capture::view() {
  if (!spooled_) return ByteView(memory_);
  if (size_ == 0) return ByteView();
  map_size_ = static_cast<std::size_t>(size_);
  void* map = ::mmap(nullptr, map_size_, PROT_READ, MAP_PRIVATE, spool_.get(), 0);
  if (map == MAP_FAILED) return Error::io_errno("cannot map a temporary file", errno);  // NOLINT
  map_ = map;
  return ByteView(static_cast<const std::byte*>(map_), map_size_);
}

// The pages go from this process, and stay in the page cache.
void Capture::release(ByteView part) const {
  const auto* map = static_cast<const std::byte*>(map_);
  const std::less<> before;
  if (map == nullptr || before(part.data(), map) ||
      before(map + map_size_, part.data() + part.size()))
    return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = static_cast<std::size_t>(part.data() - map);
  const std::size_t first = (begin + page - 1) / page * page;
  const std::size_t last = (begin + part.size()) / page * page;
  if (first < last) ::madvise(static_cast<std::byte*>(map_) + first, last - first, MADV_DONTNEED);
}

}  // namespace cloister::measure
