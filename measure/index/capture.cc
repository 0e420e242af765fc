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

#include "base/spool.h"

namespace cloister::measure {
namespace {

constexpr std::uint64_t kMemoryBytes = 4ULL << 20;

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
    CL_TRY(spool_, open_unnamed_file());
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
