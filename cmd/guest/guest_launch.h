// What starts exactly this guest, as texts: a shell script for QEMU, and a domain for libvirt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sign/image/guest_measurement.h"

namespace cloister::cmd {

struct GuestLaunchFacts {
  const sign::GuestMeasurement& measurement;
  std::vector<std::string> ports;  // "6379/tcp", of the guest
  std::uint64_t memory_mib = 1024;
  bool disk = false, id_blocks = false;
};

// Memory with which a guest of this size starts: compressed, unpacked, and to work in.
std::uint64_t guest_memory_mib(std::uint64_t initrd_bytes, std::uint64_t root_bytes, bool disk);

// For a POSIX shell; lies beside the other files, which it takes from its own directory. Processors
// are its first argument, or the first number that was measured.
std::string launch_script(const GuestLaunchFacts& facts);
// Paths in it begin with @DIR@, which stands for the directory of the files.
std::string libvirt_domain(const GuestLaunchFacts& facts);

}  // namespace cloister::cmd
