// The store looked after: what is in it, what may go, whether it is intact.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/thread_pool.h"
#include "base/time.h"
#include "oci/store/layout_directory.h"

namespace cloister::oci {

// An entry of the store's index.json. Sizes are bytes; blobs that images share count for each.
struct StoredImage {
  std::string name;  // as it was asked for; may be empty
  Digest manifest;
  std::optional<Seconds> last_used;  // nothing when its manifest is gone
  std::size_t blobs = 0, missing_blobs = 0;
  std::uint64_t bytes = 0, missing_bytes = 0;  // missing: to be fetched before it can be used
};

struct StoreContents {
  std::vector<StoredImage> images;  // the least recently used first
  std::size_t blobs = 0;
  std::uint64_t blob_bytes = 0;
  std::uint64_t loose_bytes = 0;    // blobs that belong to no image with a name
  std::uint64_t derived_bytes = 0;  // layer indexes and other data that can be made again
};
Result<StoreContents> list_store(const fs::path& directory, const Limits& limits);

struct PruneResult {
  bool busy = false;  // another process has the store open: nothing was touched
  std::size_t images = 0, blobs = 0;
  std::uint64_t freed = 0, left = 0;
};
// Brings the store down to `keep` bytes: first goes what belongs to no image, then whole images,
// the least recently used first. With `loose` the former goes in any case. Names go before their
// blobs, so a kill at any moment leaves a store that is whole. Derived data goes with its layer.
// REQUIRES: this process does not have the store open.
Result<PruneResult> prune_store(const fs::path& directory, std::uint64_t keep, bool loose,
                                const Limits& limits);

struct DamagedBlob {
  std::string file;  // its name in blobs/sha256
  std::string why;
};
struct VerifyResult {
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
  std::vector<DamagedBlob> damaged;  // sorted
};
// Hashes every blob. With `repair` damaged ones are removed, to be fetched again when needed.
Result<VerifyResult> verify_store(const fs::path& directory, bool repair, ThreadPool& pool,
                                  Progress& progress, CancelToken cancel, const Limits& limits);

}  // namespace cloister::oci
