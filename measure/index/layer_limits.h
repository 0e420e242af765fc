// What a layer may come to. Checked while it is indexed, and again when its index comes from the
// cache: the same command gives the same answer, whatever ran before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"
#include "base/result.h"
#include "measure/index/layer_index.h"

namespace cloister::measure {

// `limit` when `blob` bytes have inflated to `tar` bytes and that is too many.
Status check_expansion(std::uint64_t tar, std::uint64_t blob, const Limits& limits);
Status check_entries(std::size_t entries, const Limits& limits);
// Both, of a layer whose blob has `blob` bytes.
Status check_limits(const LayerIndex& index, std::uint64_t blob, const Limits& limits);

}  // namespace cloister::measure
