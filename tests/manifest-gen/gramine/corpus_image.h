// Real images, where they are at hand: an OCI layout named by CLOISTER_CORPUS.
#pragma once

#include <string>

#include "measure/rootfs/rootfs.h"
#include "oci/documents/image.h"

namespace cloister::test {

struct CorpusImage {
  oci::ExecutionConfig config;
  measure::Rootfs rootfs;
};

// Only what the layers' own index holds can be read: what analysers need must be in the pack.
Result<CorpusImage> load_corpus_image(const std::string& layout, const std::string& tag);

}  // namespace cloister::test
