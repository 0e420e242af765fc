// Offsets: magic 0, version 4, flags 6, default memory 8, default CPUs 16, reserved 24, number of
// sections 26, 32 offsets from 28, 32 sizes from 284, reserved 540, CRC-32 544.
#include "measure/nitro/eif_header.h"

#include <array>
#include <string>

#include "base/text.h"

namespace cloister::measure::nitro {
namespace {

constexpr std::string_view kEifMagic = ".eif";
constexpr std::uint16_t kOldestEif = 2;

std::uint16_t be16(ByteReader& in) {
  return __builtin_bswap16(in.u16());
}
std::uint32_t be32(ByteReader& in) {
  return __builtin_bswap32(in.u32());
}
std::uint64_t be64(ByteReader& in) {
  return __builtin_bswap64(in.u64());
}
void put_be16(ByteWriter& out, std::uint16_t value) {
  out.u16(__builtin_bswap16(value));
}
void put_be32(ByteWriter& out, std::uint32_t value) {
  out.u32(__builtin_bswap32(value));
}
void put_be64(ByteWriter& out, std::uint64_t value) {
  out.u64(__builtin_bswap64(value));
}

Status check_contiguous(const std::vector<EifExtent>& sections) {
  std::uint64_t at = kEifHeaderSize;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const EifExtent& section = sections[i];
    if (section.offset != at)
      return Error::corrupt(cat("section ", i, " of an enclave image file is out of place"))
          .detail(cat("got offset ", section.offset, ", want ", at));
    if (!checked_add<std::uint64_t>(at, kEifSectionHeaderSize, at) ||
        !checked_add(at, section.size, at))
      return Error::corrupt(cat("section ", i, " of an enclave image file has no possible size"));
  }
  return {};
}

}  // namespace

std::string_view eif_section_name(EifSectionType type) {
  switch (type) {
    case EifSectionType::kernel:
      return "kernel";
    case EifSectionType::command_line:
      return "cmdline";
    case EifSectionType::ramdisk:
      return "ramdisk";
    case EifSectionType::signature:
      return "signature";
    case EifSectionType::metadata:
      break;
  }
  return "metadata";
}

Result<EifHeader> parse_eif_header(ByteView bytes) {
  ByteReader in(bytes);
  if (as_text(in.bytes(kEifMagic.size())) != kEifMagic)
    return Error::corrupt("not an enclave image file: it does not begin with '.eif'");
  EifHeader out;
  out.version = be16(in);
  out.flags = be16(in);
  out.default_memory = be64(in);
  out.default_cpus = be64(in);
  in.skip(2);
  const std::size_t count = be16(in);
  std::array<EifExtent, kEifMaxSections> extents;
  for (EifExtent& extent : extents) extent.offset = be64(in);
  for (EifExtent& extent : extents) extent.size = be64(in);
  in.skip(4);
  out.crc32 = be32(in);
  CL_CHECK(in.finish("the header of an enclave image file"));
  if (in.remaining() != 0)
    return Error::corrupt("the header of an enclave image file has another size");
  if (out.version < kOldestEif || out.version > kEifVersion)
    return Error::unsupported(
               cat("an enclave image file of version ", out.version, " is not understood"))
        .detail(cat("known are ", kOldestEif, " to ", kEifVersion));
  if (count < kEifMinSections || count > kEifMaxSections)
    return Error::corrupt(cat("an enclave image file says that it has ", count, " sections"))
        .detail(cat("want ", kEifMinSections, " to ", kEifMaxSections));
  out.sections.assign(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(count));
  CL_CHECK(check_contiguous(out.sections));
  return out;
}

Bytes encode_eif_header(const EifHeader& header) {
  ByteWriter out;
  out.text(kEifMagic);
  put_be16(out, header.version);
  put_be16(out, header.flags);
  put_be64(out, header.default_memory);
  put_be64(out, header.default_cpus);
  out.zeros(2);
  put_be16(out, static_cast<std::uint16_t>(header.sections.size()));
  const std::size_t unused = 8 * (kEifMaxSections - header.sections.size());
  for (const EifExtent& extent : header.sections) put_be64(out, extent.offset);
  out.zeros(unused);
  for (const EifExtent& extent : header.sections) put_be64(out, extent.size);
  out.zeros(unused);
  out.zeros(4);
  put_be32(out, header.crc32);
  return out.take();
}

Result<EifSectionHeader> parse_eif_section_header(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint16_t type = be16(in);
  in.skip(2);
  EifSectionHeader out;
  out.size = be64(in);
  CL_CHECK(in.finish("the header of a section"));
  if (type < static_cast<std::uint16_t>(EifSectionType::kernel) ||
      type > static_cast<std::uint16_t>(EifSectionType::metadata))
    return Error::corrupt(cat("a section is of no known type: ", type));
  out.type = static_cast<EifSectionType>(type);
  return out;
}

Bytes encode_eif_section_header(const EifSectionHeader& header) {
  ByteWriter out;
  put_be16(out, static_cast<std::uint16_t>(header.type));
  out.zeros(2);
  put_be64(out, header.size);
  return out.take();
}

}  // namespace cloister::measure::nitro
