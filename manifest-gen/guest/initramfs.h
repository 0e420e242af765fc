// The initramfs of a guest: an archive in the "newc" format (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst), compressed, the same bytes wherever
// it is made.
//
//   init                    the first process (manifest-gen/guest/init/)
//   dev/console             where it speaks before /dev is mounted
//   cloister/guest.conf     the guest document
//   cloister/modules/       kernel modules
//   cloister/root/          the root, unless it is on a disk
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/spool.h"
#include "base/time.h"
#include "manifest-gen/guest/guest_document.h"
#include "manifest-gen/guest/guest_tree.h"
#include "manifest-gen/guest/kernel.h"

namespace cloister::manifest {

inline constexpr std::string_view kInitPath = "init";
inline constexpr std::string_view kGuestDocumentPath = "cloister/guest.conf";
inline constexpr std::string_view kGuestModulesPath = "cloister/modules";
inline constexpr std::string_view kGuestRootPath = "cloister/root";

// The first process: a static program of this tree, compiled into cloister.
ByteView guest_init();

using ByteSink = std::function<Status(ByteView)>;

struct InitramfsInput {
  const GuestDocument& document;
  const std::vector<KernelModule>& modules;
  const FileSpool& contents;  // of document.tree; of no use with a disk
  Seconds created;            // the time of every entry
};

// The uncompressed archive, piece by piece. `unsupported` for a name or link longer than the kernel
// takes (it would leave them out), and for a file of 4 GiB or more.
Status write_initramfs(const InitramfsInput& input, const ByteSink& out);

// Compresses by zstd, in one frame, at a fixed level.
class ZstdWriter {
 public:
  explicit ZstdWriter(ByteSink out);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  Status write(ByteView bytes);
  Status finish();

 private:
  Status compress(ByteView bytes, int mode);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reads an initramfs of ours back, as it is: compressed. It must hold the first process, its
// document, the modules that this names, and of the root exactly what the document lists, to the
// last byte: `corrupt` otherwise. Memory: the document.
struct CheckedInitramfs {
  GuestDocument document;
  std::string document_text;
  Digest init;  // of the first process
};
Result<CheckedInitramfs> check_initramfs(Source& compressed, std::uint64_t size,
                                         const Limits& limits);

}  // namespace cloister::manifest
