// Opens an image argument as a transport: registry, layout directory, or archive file.
#pragma once

#include <memory>

#include "base/limits.h"
#include "oci/source/transport.h"

namespace cloister::oci {

// oci:DIR[:tag|@digest]. Without a tag the layout must hold exactly one manifest.
Result<std::unique_ptr<ImageTransport>> open_layout(const ImageRef& ref, const Limits& limits);
// oci-archive:FILE[:tag]: a tar of a layout, plain or compressed. Members are found by one scan of
// the archive; blobs of an uncompressed archive are read in place, by offset.
Result<std::unique_ptr<ImageTransport>> open_archive(const ImageRef& ref, const Limits& limits);

// docker-archive:FILE[:REF|:@N]: what docker save writes. The image manifest is made from it; see
// docker_archive.cc.
Result<std::unique_ptr<ImageTransport>> open_docker_archive(const ImageRef& ref,
                                                            const Limits& limits);

}  // namespace cloister::oci
