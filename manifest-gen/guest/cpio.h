// Archives in the "newc" format, as Linux unpacks them into its first root: a header of hexadecimal
// numbers, the name, the content, each padded to four bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/digest.h"
#include "base/limits.h"
#include "base/stream.h"

namespace cloister::manifest {

struct CpioEntry {
  std::string path;        // without leading '/'
  std::uint32_t mode = 0;  // with type bits, as in stat(2)
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t mtime = 0;  // seconds since 1970
  std::uint32_t size = 0;   // bytes of content; of a symbolic link: its target
  std::uint32_t device_major = 0, device_minor = 0;  // device nodes
};

// What the kernel takes: PATH_MAX with the NUL. It leaves longer names out without a word.
inline constexpr std::size_t kMaxCpioName = 4095;

class CpioWriter {
 public:
  using Sink = std::function<Status(ByteView)>;
  explicit CpioWriter(Sink out) : out_(std::move(out)) {}

  // `unsupported` for a name that the kernel would leave out.
  Status begin(const CpioEntry& entry);
  // All of the entry's content, in pieces.
  Status content(ByteView piece);
  // The trailer. REQUIRES: as much content as was announced for every entry.
  Status finish();

 private:
  Status pad();
  Sink out_;
  std::uint32_t next_inode_ = 1;
  std::uint64_t written_ = 0;
};

// Streaming. `corrupt` for what is no such archive, for names that are absolute, empty or hold
// "..", and for anything but zeros after the trailer; `limit` above limits.layer_entries. Hard
// links (of which only the last has content there) are `unsupported`: we write none.
class CpioReader {
 public:
  CpioReader(Source& in, const Limits& limits) : in_(in), limits_(limits) {}

  // The next entry, or false after the last. What was not read of the one before is skipped.
  Result<bool> next(CpioEntry& out);
  // A piece of the content; empty at its end. Valid until the next call.
  Result<ByteView> content();
  // All of the content at once: its digest, or the bytes, which the caller has found small enough.
  Result<Digest> digest();
  Result<std::string> text();

 private:
  Status read(std::span<std::byte> out);
  Status skip(std::uint64_t size);
  Status pad();
  Result<std::uint32_t> number();
  Status want_end();
  Source& in_;
  const Limits& limits_;
  std::uint64_t position_ = 0, left_ = 0;
  std::size_t entries_ = 0;
  std::string_view header_;
  Bytes buffer_;
};

}  // namespace cloister::manifest
