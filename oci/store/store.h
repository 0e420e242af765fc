// The local content-addressed store: a directory that is an OCI image layout.
//
//   DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/…    image-layout.md; skopeo can read it
//   DIR/cloister/tmp, DIR/cloister/in-use                 unfinished files; locked by whoever has
//   it
//                                                         open
//   DIR/cloister/partial                                  transfers to be continued
//   (partial_blob.h) DIR/cloister/…                                        derived data (layer
//   indexes)
//
// A blob is hashed while it is written to a temporary file and renamed into place only when its
// size and digest match, so a name never stands for other bytes, whenever a process is killed.
// What killed processes left in tmp is removed by the next open() that has the store to itself.
// Several processes may use one store: blobs are idempotent, index.json changes under a lock by
// read-modify-rename. All methods are thread-safe.
//
// Blobs are not flushed to the disk one by one: a crash of the machine can lose the latest ones,
// which then have the wrong size and count as absent. read_blob() compares with the digest always;
// layers are compared with their diffID when they are inflated.
#pragma once

#include <atomic>
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
#include "oci/documents/image.h"
#include "oci/source/transport.h"
#include "oci/store/arriving_blob.h"
#include "oci/store/layout_directory.h"

namespace cloister::oci {

class Store {
 public:
  // Creates the directories and files of an empty layout where they are missing. A directory that
  // holds something else is `invalid`; one that cannot be written is `io`.
  static Result<Store> open(const fs::path& directory);

  const fs::path& directory() const { return layout_.directory(); }
  fs::path blob_path(const Digest& digest) const { return layout_.blob_path(digest); }
  // By name and size; no hashing.
  bool has_blob(const Digest& digest, std::uint64_t size) const {
    return layout_.has_blob(digest, size);
  }

  // Streams `source` into the store, verifying digest and size. nil error means: the content is
  // there. `on_bytes` is told the size of each piece.
  Status put_blob(const Descriptor& descriptor, Source& source,
                  const std::function<void(std::size_t)>& on_bytes = {}, CancelToken cancel = {});
  // The same from a place that images come from: continued where an earlier run stopped, when the
  // place can do that (PartialBlob), and from another place when one gives what is not the blob.
  // `arriving` is told what may be read along, but not the end.
  Status fetch_blob(const Descriptor& descriptor, ImageTransport& transport,
                    const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                    ArrivingBlob* arriving = nullptr);
  // Small content made by us.
  Result<Descriptor> put_bytes(std::string_view media_type, ByteView bytes);
  // A stream over a blob that is in the store (its bytes were verified when it was written).
  // `not_found` when it is absent, or there with another size.
  Result<std::unique_ptr<Source>> open_blob(const Descriptor& descriptor) const;
  // The whole blob, compared with its digest again.
  Result<Bytes> read_blob(const Descriptor& descriptor, std::uint64_t max) const;

  // A file for data on its way, on the store's file system; gone when it is not committed.
  Result<TempFile> make_temporary() const { return TempFile::create(layout_.temporary()); }

  // index.json: ref.name annotation → manifest descriptor. tag() replaces an entry of that name and
  // puts it at the end: what was used last stands last. When there is no room for one more, the
  // first entries go; their blobs stay until the store is pruned.
  Status tag(std::string_view name, const Descriptor& manifest);
  Result<std::optional<Descriptor>> find(std::string_view name) const;

  // Directory for derived data under this store, made on demand ("cloister/<name>").
  Result<fs::path> derived_directory(std::string_view name) const;
  // Whether a blob was added since it was opened.
  bool has_grown() const { return shared_->grown; }

 private:
  // While any copy of this store lives.
  struct Shared {
    FileLock in_use;  // shared
    std::atomic<bool> grown = false;
  };
  Store(LayoutDirectory layout, std::shared_ptr<Shared> shared)
      : layout_(std::move(layout)), shared_(std::move(shared)) {}
  Status fetch_once(const Descriptor& descriptor, ImageTransport& transport,
                    const std::function<void(std::size_t)>& on_bytes, CancelToken cancel,
                    ArrivingBlob* arriving);
  LayoutDirectory layout_;
  std::shared_ptr<Shared> shared_;
};

// Everything fetching needs to know, in one value.
struct FetchContext {
  const Limits& limits;
  ThreadPool& pool;
  Progress& progress;
  CancelToken cancel;
  Platform platform{"linux", "amd64", ""};
  unsigned parallel = 4;  // layers on their way at one time; pool.jobs() bounds what is done with
                          // those that have come
};

// Resolves manifest (through indexes, by platform) and config, verified, into the store; no layers.
// An image of another platform is `not_found`, one with layers that cannot be read `unsupported`,
// and one whose configuration does not list as many diff_ids as there are layers `corrupt`.
Result<Image> resolve_image(const ImageRef& ref, ImageTransport& transport, Store& store,
                            const FetchContext& context);
// The blobs that the store lacks, in parallel, verified. REQUIRES: no digest occurs twice.
Status fetch_blobs(const std::vector<Descriptor>& blobs, ImageTransport& transport, Store& store,
                   const FetchContext& context);
// What is done with layer i while it comes, or once it is there, on a worker's thread. What it
// makes of blob.open() counts only after blob.settled().
using OnLayer = std::function<Status(std::size_t, ArrivingBlob& blob)>;
// Fetches the layers that the store lacks, in parallel, verified. `on_layer` is called for each as
// soon as it begins to come, so that analysis overlaps the transfer within a layer and across them.
// When a transfer fails, that is the error, whatever was made of what had come.
Status fetch_layers(const Image& image, ImageTransport& transport, Store& store,
                    const FetchContext& context, const OnLayer& on_layer = {});

}  // namespace cloister::oci
