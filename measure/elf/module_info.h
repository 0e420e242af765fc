// What a Linux kernel module says of itself: the texts of its section .modinfo
// (include/linux/moduleparam.h, MODULE_INFO).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::measure::elf {

struct ModuleInfo {
  std::string name;                  // "virtio_net"
  std::vector<std::string> depends;  // names of modules that it needs, in their order there
  std::string vermagic;              // "6.1.0-56-cloud-amd64 SMP preempt mod_unload modversions "
};

// `module` is an uncompressed 64-bit little-endian .ko file. `corrupt` when it is none.
Result<ModuleInfo> read_module_info(ByteView module, const Limits& limits);

}  // namespace cloister::measure::elf
