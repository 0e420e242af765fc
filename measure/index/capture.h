// Holds the content of one file while it streams by: in memory while it is small, else in an
// unlinked temporary file that is mapped at the end.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace cloister::measure {

// Reused from file to file. Not thread-safe.
class Capture {
 public:
  Capture() = default;
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Forgets the former file. `size`: how much will come; it decides where the bytes go.
  Status begin(std::uint64_t size);
  Status append(ByteView piece);
  // All that was appended; valid until the next begin().
  Result<ByteView> view();
  // A part of the view that need not stay in memory; it can still be read. A part of anything else
  // is passed over.
  void release(ByteView part) const;

 private:
  void unmap();
  bool spooled_ = false;
  std::uint64_t size_ = 0;  // appended so far
  Bytes memory_;
  Fd spool_;
  void* map_ = nullptr;
  std::size_t map_size_ = 0;
};

}  // namespace cloister::measure
