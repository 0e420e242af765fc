// An enclave image file of AWS Nitro Enclaves, version 4, written in one pass in the order in which
// AWS's tools write: kernel, command line, metadata, ramdisks, signature. The same input gives the
// same bytes. Its registers are for measure/nitro to compute from the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/stream.h"
#include "measure/nitro/eif.h"

namespace cloister::manifest {

struct EifPart {
  Source* content = nullptr;  // not owned, never null
  std::uint64_t size = 0;     // bytes that it gives, exactly
};

struct EifContents {
  EifPart kernel;            // x86-64: a bzImage; arm64: an Image
  std::string command_line;  // without a NUL
  std::string metadata;      // JSON
  std::vector<EifPart> ramdisks;
  bool arm64 = false;                // else x86-64
  std::optional<Bytes> signature{};  // sign/nitro makes it, of the registers
};

// `out` is empty. `invalid` for a command line with a NUL, `limit` where the hypervisor or the
// kernel would cut or refuse (sections, signature, command line) or above limits.eif_bytes,
// `conflict` when a part has another size than it was said to have.
Status write_eif(const EifContents& contents, const Limits& limits, TempFile& out);

// Adds a signature section at the end of a file that was read as `eif`, or puts it in the place of
// the one there. The registers stay what they are. `unsupported` when a signature stands before
// other sections, as nobody writes it. Where the file is
// written next is not changed.
Status put_eif_signature(const measure::nitro::Eif& eif, ByteView signature, TempFile& file);

}  // namespace cloister::manifest
