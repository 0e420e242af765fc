// A measurement of a guest with all that it can hold.
#pragma once

#include "sign/image/guest_measurement.h"

namespace cloister::sign {

inline Digest384 launch_digest(std::uint8_t number) {
  Digest384 out{};
  out.fill(std::byte{number});
  return out;
}

inline GuestMeasurement full_measurement() {
  GuestMeasurement out;
  out.platform = "linux/amd64";
  out.vmm = "qemu";
  out.vcpu_type = "EPYC-v4";
  out.vcpu_signature = 0x800f12;
  out.guest_features = 0x21;
  out.block.policy.bits = 0x30000;
  out.block.guest_svn = 7;
  out.block.family_id.fill(std::byte{0xfa});
  out.block.image_id.fill(std::byte{0x1d});
  out.digests = {{1, launch_digest(0x11)}, {4, launch_digest(0x44)}};
  out.kernel_version = "6.1.0-56-cloud-amd64";
  out.firmware_name = "OVMF.amdsev.fd";
  out.kernel = sha256("kernel");
  out.initrd = sha256("initrd");
  out.firmware = sha256("firmware");
  out.command_line = "console=ttyS0 \"quoted\"";
  out.disk = sha256("disk");
  out.id_key_digest = launch_digest(0x1d);
  out.document = sha256("document");
  out.files = 3;
  out.files_digest = sha256("files");
  out.base_uri = "registry.example/redis:7";
  out.base_digest = sha256("base");
  out.generator_version = "0.1.0";
  return out;
}

}  // namespace cloister::sign
