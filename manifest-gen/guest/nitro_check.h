// The ramdisks of an enclave image file of ours, read back: whether they hold what its guest
// document says, and nothing else. Registers say that the bytes are the same; this, what they are.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"
#include "manifest-gen/guest/guest_document.h"

namespace cloister::manifest {

inline constexpr std::size_t kNitroRamdisks = 3;  // boot, root, start: see nitro_layout.h

struct CheckedEnclave {
  GuestDocument document;
  Digest init;                // of the first process
  std::optional<Digest> nsm;  // of nsm.ko, where there is one
};

// `corrupt` for a document that speaks of what AWS's first process does not do, for ramdisks with
// another root, command or variable than it lists, and for more in the first of them than the first
// process and its module. Memory: the document, twice.
Result<CheckedEnclave> check_enclave(const std::array<Source*, kNitroRamdisks>& ramdisks,
                                     std::string_view document, const Limits& limits);

}  // namespace cloister::manifest
