// Reads a tar stream entry by entry: ustar, PAX, GNU (long names, sparse), by libarchive, which is
// given only the tar format and no filter: the stream is already inflated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/stream.h"

namespace cloister::oci {

enum class FileType : std::uint8_t {
  regular,
  directory,
  symlink,
  hardlink,
  char_device,
  block_device,
  fifo
};

// One tar member. Names are bytes as they stand in the archive (PAX path, GNU long name or ustar),
// never converted by locale.
struct TarEntry {
  std::string path;  // as written: may begin with "./" or "/", end in "/", contain ".."
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  // 07777 bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;   // bytes of content of a regular file, holes included
  std::int64_t mtime = 0;   // seconds
  std::string link_target;  // symlink text, or hard link target path as written
  std::uint32_t device_major = 0, device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;  // sorted by name
};

// A stream as a sequence of pieces that the stream owns, so that a layer is parsed and hashed where
// it was inflated to, without a copy.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The next piece, valid until the next call; empty means the end (then and ever after).
  virtual Result<ByteView> next_block() = 0;
};

class TarReader {
 public:
  virtual ~TarReader() = default;
  // The next entry, or null at the end of the archive. Content not read is skipped.
  virtual Result<const TarEntry*> next() = 0;
  // Gives the content of the current regular file in order, holes as zeros, in pieces.
  virtual Status content(const std::function<Status(ByteView)>& sink) = 0;
};

// A truncated or damaged archive is `corrupt`; a tar without any entry is an empty layer, and so
// are no bytes at all; a missing end-of-archive mark is accepted, as every tar does. A member that
// image tools would not unpack (a hard link with content of its own, a socket) is `unsupported`.
// `tar` must outlive the reader. After the last entry the caller may read on in `tar` (padding).
Result<std::unique_ptr<TarReader>> open_tar(Source& tar, const Limits& limits);
Result<std::unique_ptr<TarReader>> open_tar(BlockSource& tar, const Limits& limits);

}  // namespace cloister::oci
