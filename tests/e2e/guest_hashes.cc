// Writes the table of hashes that a host puts before the firmware of a guest, for
// guest_firmware.sh: guest_hashes FIRMWARE KERNEL INITRD COMMAND-LINE TABLE, all files. Prints
// where in memory the firmware looks for it.
#include <cstdio>

#include "base/file.h"
#include "base/limits.h"
#include "measure/snp/firmware.h"
#include "measure/snp/kernel_hashes.h"

namespace cloister::test {
namespace {

constexpr std::uint64_t kLargest = 1ULL << 30;

Status write_table(char** files) {
  CL_TRY(const Bytes firmware_bytes, read_file(files[0], kLargest));
  CL_TRY(const measure::snp::Firmware firmware,
         measure::snp::parse_firmware(firmware_bytes, Limits()));
  if (!firmware.hash_table) return Error::unsupported("this firmware checks no kernel");
  CL_TRY(const Bytes kernel, read_file(files[1], kLargest));
  CL_TRY(const Bytes initrd, read_file(files[2], kLargest));
  CL_TRY(const Bytes command_line, read_file(files[3], kLargest));
  const Bytes table = measure::snp::encode_kernel_hashes(
      measure::snp::KernelHashes::of(kernel, initrd, as_text(command_line)));
  std::printf("0x%x\n", firmware.hash_table->gpa);
  return write_file_atomic(files[4], table);
}

}  // namespace
}  // namespace cloister::test

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const cloister::Status written = cloister::test::write_table(argv + 1);
  if (written.has_value()) return 0;
  std::fprintf(stderr, "%s\n", written.error().what().c_str());
  return 1;
}
