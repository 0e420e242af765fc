// Decompression of layers: gzip (ISA-L), zstd (libzstd), or none, by the first bytes or by name.
#pragma once

#include <cstdint>
#include <memory>

#include "base/limits.h"
#include "base/stream.h"

namespace cloister {

enum class Compression { none, gzip, zstd };

// By magic number: 1f 8b (RFC 1952), 28 b5 2f fd or a skippable frame (RFC 8878), else none.
Compression detect_compression(ByteView first_bytes);

// A source of the inflated bytes. Several gzip members or zstd frames in a row are one stream;
// zero padding after the last gzip member is accepted, anything else there is `corrupt`, and so
// are truncation and a wrong check sum. `inner` must outlive it. Memory: a constant.
std::unique_ptr<Source> make_inflater(Compression compression, Source& inner);

// What a layer of `compressed` bytes may inflate to: beyond that it counts as a decompression bomb.
std::uint64_t most_inflated(std::uint64_t compressed, const Limits& limits);

}  // namespace cloister
