// Layer indexes on disk, authenticated: what is signed may not come from a poisoned cache.
//
// A file is HMAC-SHA-256(secret, schema || layer digest || index bytes) followed by the bytes. The
// secret is random, one per store, and lives outside the store (cmd/ passes the state directory,
// $XDG_STATE_HOME/cloister), so a store restored from elsewhere gives blobs, which are verified by
// digest, but never measurements: an index that does not authenticate is computed again.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/file.h"
#include "measure/index/layer_index.h"

namespace cloister::measure {

class IndexCache {
 public:
  // `directory` holds the index files; `state_directory` the secret (made 0600 on first use, named
  // after the store's real path).
  static Result<IndexCache> open(const fs::path& directory, const fs::path& state_directory,
                                 const fs::path& store);

  // Nothing when absent, of another schema, damaged, or not authentic.
  std::optional<LayerIndex> load(const Digest& layer, const Limits& limits) const;
  Status save(const LayerIndex& index) const;  // under index.blob

  // How many of the files would be used, and how many are of another schema, damaged, not authentic
  // or something else; with `remove_stale` the latter are removed.
  struct Counts {
    std::size_t usable = 0, stale = 0;
  };
  Result<Counts> check(bool remove_stale, const Limits& limits) const;

 private:
  IndexCache(fs::path directory, Bytes secret)
      : directory_(std::move(directory)), secret_(std::move(secret)) {}
  fs::path directory_;
  Bytes secret_;
};

}  // namespace cloister::measure
