// Any bytes as the archive in an initramfs: read entry by entry, and checked against the document
// that it holds. The seeds are not compressed; here they become blocks of a frame as they are (RFC
// 8878, "Raw_Block").
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "manifest-gen/guest/cpio.h"
#include "manifest-gen/guest/initramfs.h"

namespace {

using namespace cloister;  // NOLINT: a program of one function

constexpr std::size_t kBlock = 100'000;

Bytes frame(ByteView archive) {
  ByteWriter out;
  out.u32(0xfd2fb528);
  out.u8(0);     // no size, no check sum
  out.u8(0x38);  // a window of 128 KiB
  do {
    const ByteView piece = archive.first(std::min(kBlock, archive.size()));
    archive = archive.subspan(piece.size());
    const auto head = static_cast<std::uint32_t>(piece.size() << 3 | (archive.empty() ? 1 : 0));
    out.u16(static_cast<std::uint16_t>(head));
    out.u8(static_cast<std::uint8_t>(head >> 16));
    out.bytes(piece);
  } while (!archive.empty());
  return out.take();
}

Limits small_limits() {
  Limits limits;
  limits.layer_entries = 2000;
  limits.guest_document_bytes = 1 << 16;
  return limits;
}

bool is_archive(ByteView bytes, const Limits& limits) {
  MemorySource source(bytes);
  manifest::CpioReader reader(source, limits);
  manifest::CpioEntry entry;
  for (;;) {
    const auto more = reader.next(entry);
    if (!more.has_value()) return false;
    if (!*more) return true;
    if (entry.path.empty() || entry.path.front() == '/' ||
        entry.path.size() > manifest::kMaxCpioName)
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView archive = std::as_bytes(std::span(data, size));
  const Limits limits = small_limits();
  const bool good = is_archive(archive, limits);
  const Bytes compressed = frame(archive);
  MemorySource source(compressed);
  const auto checked = manifest::check_initramfs(source, compressed.size(), limits);
  if (!checked.has_value()) return 0;
  if (!good || manifest::encode_guest_document(checked->document) != checked->document_text)
    std::abort();
  return 0;
}
