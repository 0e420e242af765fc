// A guest's root as an EROFS image, which Linux mounts read-only since 5.4: uncompressed, with
// blocks of 4096 bytes, little-endian (Linux Documentation/filesystems/erofs.rst, "On-disk
// details"). No feature is used that a kernel could lack.
#pragma once

#include "base/result.h"
#include "base/spool.h"
#include "base/time.h"
#include "manifest-gen/guest/disk_format.h"
#include "manifest-gen/guest/erofs_layout.h"

namespace cloister::manifest {

// Writes layout.blocks × kDiskBlock bytes, with `mtime` for every entry. The same layout, contents
// and time give the same bytes; memory does not grow with files.
// REQUIRES: `contents` holds what the layout's files say.
Status write_erofs(const ErofsLayout& layout, const FileSpool& contents, Seconds mtime,
                   const DiskSink& sink);

}  // namespace cloister::manifest
