// What is in the store, what was removed from it, what is wrong with it.
#pragma once

#include <string>

#include "base/time.h"
#include "oci/store/housekeeping.h"

namespace cloister::cmd {

// Ages are counted from `now`.
std::string cache_list_text(const oci::StoreContents& contents, std::uint64_t keep, Seconds now);
// A name per line, in the same order.
std::string cache_names_text(const oci::StoreContents& contents);
std::string cache_list_json(const oci::StoreContents& contents, std::uint64_t keep);
std::string cache_prune_text(const oci::PruneResult& pruned);
std::string cache_prune_json(const oci::PruneResult& pruned);

// Layer indexes that the next run makes again: of another version, or not of this machine's making.
struct IndexCheck {
  std::size_t usable = 0, stale = 0;
};
std::string cache_verify_text(const oci::VerifyResult& verified, const IndexCheck& indexes,
                              bool repaired);
std::string cache_verify_json(const oci::VerifyResult& verified, const IndexCheck& indexes,
                              bool repaired);

}  // namespace cloister::cmd
