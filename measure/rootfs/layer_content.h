// Where file contents come from when the content pack does not hold them.
#pragma once

#include <functional>
#include <memory>

#include "base/inflate.h"
#include "base/limits.h"
#include "base/stream.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::measure {

using OpenBlob = std::function<Result<std::unique_ptr<Source>>()>;

// Reads a layer's blob again, up to the file that is asked for: one inflate per call, so this is
// for the rare large file. `open` gives the compressed bytes from the start, each time it is
// called, and is called from several threads.
std::shared_ptr<const LayerContent> make_tar_content(OpenBlob open, Compression compression,
                                                     const Limits& limits);

}  // namespace cloister::measure
