// The local content-addressed store: a directory that is an OCI image layout.
//
//   DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/…    image-layout.md; skopeo can read it
//   DIR/cloister/…                                        lock, temporary files, layer indexes
//
// A blob is hashed while it is written to a temporary file and renamed into place only when its
// size and digest match, so a name never stands for other bytes, whenever a process is killed.
// Several processes may use one store: blobs are idempotent, index.json changes under a lock by
// read-modify-rename. All methods are thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "oci/source/transport.h"
#include "oci/documents/image.h"

namespace cloister::oci {

class Store {
 public:
  // Creates the directories and files of an empty layout where they are missing.
  static Result<Store> open(const fs::path& directory);

  const fs::path& directory() const { return directory_; }
  fs::path blob_path(const Digest& digest) const;
  bool has_blob(const Digest& digest, std::uint64_t size) const;  // by name and size; no hashing

  // Streams `source` into the store, verifying digest and size. nil error means: the content is
  // there. `on_bytes` is told the size of each piece.
  Status put_blob(const Descriptor& descriptor, Source& source,
                  const std::function<void(std::size_t)>& on_bytes = {}, CancelToken cancel = {});
  // Small content made by us.
  Result<Descriptor> put_bytes(std::string_view media_type, ByteView bytes);
  // A stream over a blob that is in the store (its bytes were verified when it was written).
  Result<std::unique_ptr<Source>> open_blob(const Descriptor& descriptor) const;
  Result<Bytes> read_blob(const Descriptor& descriptor, std::uint64_t max) const;

  // index.json: ref.name annotation → manifest descriptor. tag() replaces an entry of that name.
  Status tag(std::string_view name, const Descriptor& manifest);
  Result<std::optional<Descriptor>> find(std::string_view name) const;

  // Directory for derived data under this store, made on demand ("cloister/<name>").
  Result<fs::path> derived_directory(std::string_view name) const;

 private:
  explicit Store(fs::path directory) : directory_(std::move(directory)) {}
  fs::path directory_;
};

// Everything fetching needs to know, in one value.
struct FetchContext {
  const Limits& limits;
  ThreadPool& pool;
  Progress& progress;
  CancelToken cancel;
  Platform platform{"linux", "amd64", ""};
};

// Resolves manifest (through an index, by platform) and config, verified, into the store; no layers.
Result<Image> resolve_image(const ImageRef& ref, ImageTransport& transport, Store& store, const FetchContext& context);
// Fetches the layers that the store lacks, in parallel, verified. `on_layer(i)` is called (from a
// worker thread) as soon as layer i is in the store, so that analysis overlaps the transfer.
Status fetch_layers(const Image& image, ImageTransport& transport, Store& store, const FetchContext& context,
                    const std::function<Status(std::size_t)>& on_layer = {});

}  // namespace cloister::oci
