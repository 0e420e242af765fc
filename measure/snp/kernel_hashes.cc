// GUID and size of the table, then three entries: GUID, size, SHA-256. Sizes are two bytes,
// little-endian, and count their header.
//
// Trap: OVMF takes a missing entry for success, so all three are written, whatever is booted.
#include "measure/snp/kernel_hashes.h"

#include "measure/snp/guid.h"
#include "measure/snp/launch_hasher.h"

namespace cloister::measure::snp {
namespace {

constexpr Guid kTable = guid("9438d606-4f22-4cc9-b479-a793d411fd21");
constexpr Guid kCommandLine = guid("97d02dd8-bd20-4c94-aa78-e7714d36ab2a");
constexpr Guid kInitrd = guid("44baf731-3a2f-4bd7-9af1-41e29169781d");
constexpr Guid kKernel = guid("4de79437-abd2-427f-b835-d5b172d2045b");

constexpr std::uint16_t kHashEntrySize = 50, kTableSize = 168;

void write_entry(ByteWriter& out, const Guid& name, const Digest& digest) {
  out.bytes(name);
  out.u16(kHashEntrySize);
  out.bytes(digest.view());
}

}  // namespace

Digest KernelHashes::of_command_line(std::string_view command_line) {
  Sha256 sha;
  sha.update(command_line);
  sha.update(std::string_view("\0", 1));
  return sha.finish();
}

KernelHashes KernelHashes::of(ByteView kernel, ByteView initrd, std::string_view command_line) {
  return {sha256(kernel), sha256(initrd), of_command_line(command_line)};
}

Bytes encode_kernel_hashes(const KernelHashes& hashes) {
  ByteWriter out;
  out.bytes(kTable);
  out.u16(kTableSize);
  write_entry(out, kCommandLine, hashes.command_line);
  write_entry(out, kInitrd, hashes.initrd);
  write_entry(out, kKernel, hashes.kernel);
  out.zeros(kKernelHashesSize - out.size());
  return out.take();
}

Bytes kernel_hashes_page(const KernelHashes& hashes, std::size_t offset) {
  ByteWriter out;
  out.zeros(offset);
  out.bytes(encode_kernel_hashes(hashes));
  out.zeros(kPageSize - out.size());
  return out.take();
}

}  // namespace cloister::measure::snp
