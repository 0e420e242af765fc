// An image layout on disk that is written to (image-layout.md): the store, and `oci:` outputs.
//
//   DIR/oci-layout    the version; also what index.json changes are locked by, so that no lock file
//                     is left in a directory that people hand on
//   DIR/index.json    replaced by rename, last
//   DIR/blobs/sha256/…
#pragma once

#include <functional>
#include <string_view>

#include "base/cancel.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/stream.h"
#include "oci/documents/image.h"
#include "oci/documents/layout_index.h"

namespace cloister::oci {

class ArrivingBlob;

// Thread-safe, and safe for several processes on one directory.
class LayoutDirectory {
 public:
  // Makes an empty layout where `directory` is missing or empty. A directory that holds other
  // things is `invalid` and stays untouched.
  static Result<LayoutDirectory> open(const fs::path& directory);

  const fs::path& directory() const { return directory_; }
  // Where temporary files are made: on the file system of `directory`. That directory by default.
  const fs::path& temporary() const { return temporary_; }
  void set_temporary(fs::path temporary) { temporary_ = std::move(temporary); }

  fs::path blob_path(const Digest& digest) const;
  bool has_blob(const Digest& digest, std::uint64_t size) const;  // by name and size; no hashing

  // Streams `source` to a temporary file, verifying digest and size, and renames it into place,
  // over an existing file of that name too. `on_bytes`, when given, is told the size of each piece;
  // `arriving`, who may read along.
  Status put_blob(const Descriptor& descriptor, Source& source,
                  const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                  ArrivingBlob* arriving = nullptr) const;

  Result<ImageIndex> read_index(const Limits& limits) const;
  // index.json: the text that `change` makes of it takes its place, with nobody in between.
  Status change_index(const std::function<Result<std::string>(std::string_view)>& change,
                      const Limits& limits) const;
  // index.json: each name (may be empty) stands for its manifest from now on. See with_ref_name().
  Status tag(const std::vector<NamedManifest>& names, const Limits& limits) const;

 private:
  explicit LayoutDirectory(fs::path directory)
      : directory_(directory), temporary_(std::move(directory)) {}
  Status initialise() const;
  fs::path directory_, temporary_;
};

}  // namespace cloister::oci
