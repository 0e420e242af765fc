// Temporary files without a name, for what is too large to be held in memory.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "base/stream.h"

namespace cloister {

// For reading and writing; gone when it is closed, whatever happens to the process. On a disk where
// there is one.
Result<Fd> open_unnamed_file();

// Contents one after the other in such a file.
class FileSpool {
 public:
  static Result<FileSpool> create();

  std::uint64_t size() const { return size_; }  // bytes
  // Answers where `size` further bytes lie; they read as zeros until they are written.
  Result<std::uint64_t> reserve(std::uint64_t size);
  // REQUIRES: within what was reserved.
  Status write(std::uint64_t offset, ByteView bytes);
  // Reserves and writes; answers the offset.
  Result<std::uint64_t> append(ByteView bytes);
  // Fills `out`. REQUIRES: within what was reserved.
  Status read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  explicit FileSpool(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  std::uint64_t size_ = 0;
};

// A part of a spool as a stream. The spool must outlive it.
class SpoolSource final : public Source {
 public:
  // REQUIRES: [offset, offset + size) was reserved.
  SpoolSource(const FileSpool& spool, std::uint64_t offset, std::uint64_t size)
      : spool_(spool), position_(offset), left_(size) {}
  Result<std::size_t> read(std::span<std::byte> out) override;

 private:
  const FileSpool& spool_;
  std::uint64_t position_, left_;
};

}  // namespace cloister
