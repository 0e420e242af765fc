// What reading a layout is, whether it lies in a directory or in an archive: choosing an entry of
// index.json and reading small documents by digest.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/limits.h"
#include "oci/documents/image.h"
#include "oci/source/transport.h"

namespace cloister::oci {

// The bytes of blobs/sha256/<digest>, not verified; `not_found` when there is no such file.
using BlobOpener = std::function<Result<std::unique_ptr<Source>>(const Descriptor&)>;

// A transport over index.json and a way to open blobs. Thread-safe if `open` is.
std::unique_ptr<ImageTransport> make_layout_transport(const ImageRef& ref, std::string index_json,
                                                      BlobOpener open, const Limits& limits);

// Code::not_found for a blob that the layout `where` does not hold.
Error missing_blob(const Descriptor& descriptor, const std::string& where);

// Content of an oci-layout file: `unsupported` for a version other than 1.
Status check_layout_version(std::string_view text, const Limits& limits);

}  // namespace cloister::oci
