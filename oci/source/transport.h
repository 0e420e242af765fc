// Where an image comes from: one interface over registry, layout and archive.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/stream.h"
#include "oci/documents/descriptor.h"
#include "oci/documents/reference.h"

namespace cloister::oci {

// Manifest or index bytes as a source delivered them; verified when a digest was asked for.
struct RawManifest {
  Descriptor descriptor;  // media type, digest computed by us, size
  std::string text;
};

// A manifest that belongs to another one; see oci/documents/attached.h.
struct Attached {
  Descriptor descriptor;
  std::string tag;  // cosign's ("sha256-HEX.sig"); empty for a referrer
};

// Thread-safe: layers are fetched in parallel.
class ImageTransport {
 public:
  virtual ~ImageTransport() = default;
  // The manifest or index that the reference names.
  virtual Result<RawManifest> root() = 0;
  // A manifest by digest (a child of an index), verified.
  virtual Result<RawManifest> manifest(const Descriptor& descriptor) = 0;
  // The raw bytes of a blob, NOT yet verified: the store does that while writing.
  virtual Result<std::unique_ptr<Source>> blob(const Descriptor& descriptor) = 0;
  // What is attached to a manifest, as far as this kind of place can hold such things.
  virtual Result<std::vector<Attached>> attached(const Digest&) { return std::vector<Attached>(); }
  // Whether a blob comes from far enough away that a part of it is worth keeping, and can be
  // continued: then blob_from() gives what follows its first `offset` bytes.
  // REQUIRES: offset < descriptor.size, or both are 0.
  virtual bool resumable() const { return false; }
  virtual Result<std::unique_ptr<Source>> blob_from(const Descriptor& descriptor,
                                                    std::uint64_t offset) {
    if (offset == 0) return blob(descriptor);
    return Error::internal("this source cannot continue a blob");
  }
  // Tells that what came for this blob was wrong, or that it broke off for good. True when it may
  // be had from another place, where the next blob() or blob_from() will ask.
  virtual bool pass_over(const Descriptor&) { return false; }
};

}  // namespace cloister::oci
