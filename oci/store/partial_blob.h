// A blob that is being transferred, in a file that outlives the process: the next run continues it.
//
//   STORE/cloister/partial/<hex digest>    what has arrived so far, from the first byte on
//
// Nothing in it is believed: whoever continues it hashes it from the first byte, and it becomes a
// blob by rename only when digest and size match. Its owner holds an exclusive flock on it, which
// ends with the process; a process that finds it held transfers the blob for itself, to a temporary
// file. What nobody holds may be deleted at any time.
#pragma once

#include <functional>
#include <optional>

#include "base/cancel.h"
#include "base/file.h"
#include "base/stream.h"
#include "oci/documents/descriptor.h"

namespace cloister::oci {

class ArrivingBlob;

class PartialBlob {
 public:
  // Smaller blobs are not worth a file of their own.
  static constexpr std::uint64_t kLeast = 1 << 20;

  // Takes the file into possession, making it where it is missing. Nothing when somebody else has
  // it.
  static Result<std::optional<PartialBlob>> open(const fs::path& directory, const Digest& digest);

  using OpenAt = std::function<Result<std::unique_ptr<Source>>(std::uint64_t offset)>;
  // Hashes what is there, fetches what follows, renames the whole to `target`. Content that turns
  // out to be another is dropped; if it was there before, the blob is fetched once more from its
  // beginning. After any other failure the file stays for next time. `on_bytes` is told of every
  // byte once, those that were there too; `arriving`, who may read along.
  Status complete(const Descriptor& descriptor, const OpenAt& open_at, const fs::path& target,
                  const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                  ArrivingBlob* arriving = nullptr);

 private:
  PartialBlob(Fd fd, fs::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status attempt(const Descriptor& descriptor, std::uint64_t present, const OpenAt& open_at,
                 const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                 ArrivingBlob* arriving) const;
  Result<std::uint64_t> size() const;
  Status append(ByteView bytes) const;
  Status clear() const;

  Fd fd_;
  fs::path path_;
};

}  // namespace cloister::oci
