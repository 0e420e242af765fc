// The table by which measured firmware recognises the kernel, initrd and command line that the host
// gives it (QEMU, target/i386/sev.c; edk2, OvmfPkg/AmdSev/BlobVerifierLibSevHashes). The host
// writes it into the guest's memory before the launch, where it is measured.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/digest.h"

namespace cloister::measure::snp {

inline constexpr std::size_t kKernelHashesSize = 176;  // bytes, padded to a multiple of 16

struct KernelHashes {
  Digest kernel, initrd;  // of the files as they are; without an initrd that of no bytes
  Digest command_line;    // of the text and a NUL

  static KernelHashes of(ByteView kernel, ByteView initrd, std::string_view command_line);
  static Digest of_command_line(std::string_view command_line);
  bool operator==(const KernelHashes&) const = default;
};

Bytes encode_kernel_hashes(const KernelHashes& hashes);  // kKernelHashesSize bytes
// An otherwise empty page with the table at `offset`.
// REQUIRES: offset + kKernelHashesSize is at most a page.
Bytes kernel_hashes_page(const KernelHashes& hashes, std::size_t offset);

}  // namespace cloister::measure::snp
