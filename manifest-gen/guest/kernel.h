// The kernel that a guest boots, and the modules it needs, from a kernel package (or any root that
// has one), or from a file alone.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct KernelModule {
  std::string name;  // "virtio_net"
  Bytes content;     // of the .ko file, inflated
};

struct GuestKernel {
  std::string version;  // as `uname -r` will say: "6.1.0-56-cloud-amd64"
  Bytes image;          // a bzImage (Linux, Documentation/arch/x86/boot.rst), as it is in the root
  std::vector<KernelModule> modules;  // what a module needs stands before it
  // Of those wanted: neither there nor built in. Nothing where that is not known: a bzImage alone,
  // or modules without their list modules.builtin.
  std::vector<std::string> lacking;
};

// What a guest needs for a network card, reports of its processor, an orderly end, and, with
// `disk`, a root on one. Kernels that have something built in have no module of it.
std::span<const std::string_view> wanted_modules(bool disk);

// The version in the header of a bzImage; `invalid` when it is none.
Result<std::string> kernel_version(ByteView image);

// The one kernel in `rootfs` (/boot/vmlinuz-VERSION with /lib/modules/VERSION), and those of
// `wanted` that it has, with what they need. `unresolved` when there is none; `conflict` when there
// are several; `corrupt` for a module that is none of this kernel's.
Result<GuestKernel> find_kernel(const measure::Rootfs& rootfs,
                                std::span<const std::string_view> wanted, const Limits& limits);

// A kernel with all that it needs built in.
Result<GuestKernel> plain_kernel(Bytes image);

}  // namespace cloister::manifest
