// Manifests, indexes and configurations on their way into the store.
//
// Every document is compared with its digest, put into the store, and only then parsed. What the
// store already holds under a digest is not asked for again.
#pragma once

#include <optional>
#include <string>

#include "oci/store/store.h"

namespace cloister::oci {

// Holds references: lives shorter than what it was made of.
class DocumentReader {
 public:
  DocumentReader(const ImageRef& ref, ImageTransport& transport, Store& store,
                 const FetchContext& context)
      : ref_(ref), transport_(transport), store_(store), context_(context) {}

  // What the reference names.
  Result<RawManifest> root();
  // A manifest or index, by digest.
  Result<RawManifest> document(const Descriptor& descriptor);
  // What it is; its descriptor is made true, and the document is in the store.
  Result<DocumentIdentity> keep(RawManifest& raw);
  // A small blob as text.
  Result<std::string> text(const Descriptor& descriptor, std::uint64_t max);

 private:
  std::optional<std::string> stored(const Descriptor& descriptor, std::uint64_t max) const;
  std::optional<RawManifest> stored_root(const Digest& digest) const;

  const ImageRef& ref_;
  ImageTransport& transport_;
  Store& store_;
  const FetchContext& context_;
};

// `unsupported`, with the reason, for a layer that is not to be had or read.
Error unreadable_layer(const Descriptor& layer, std::size_t i, std::size_t count);

}  // namespace cloister::oci
