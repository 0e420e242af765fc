// Traps. The order of what is hashed is that of the file, not of section types. Whoever reads by
// the header's offsets and whoever reads one section after the other must see the same: both are
// compared. The CRC-32 is no protection, only a sign that a file is whole; the hypervisor refuses
// one that does not fit, so that it is no measurement either.
#include "measure/nitro/eif.h"

#include <zlib.h>

#include <algorithm>

#include "base/text.h"

namespace cloister::measure::nitro {
namespace {

using Type = EifSectionType;

std::uint32_t crc32_after(std::uint32_t crc, ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(crc, raw(bytes.data()), bytes.size()));
}

class EifReader {
 public:
  EifReader(Source& file, const Limits& limits) : file_(file), limits_(limits) {}

  Result<Eif> read() {
    CL_TRY(const Bytes header, take(kEifHeaderSize));
    CL_TRY(out_.header, parse_eif_header(header));
    CL_CHECK(check_size());
    buffer_.resize(kStreamBuffer);
    for (const EifExtent& extent : out_.header.sections) CL_CHECK(read_section(extent));
    CL_TRY(const std::size_t more, file_.read(std::span(buffer_).first(1)));
    if (more != 0) return Error::corrupt("the enclave image has bytes after its last section");
    CL_CHECK(check_crc(header));
    CL_CHECK(check_sections());
    out_.pcr0 = extended(all_.finish());
    out_.pcr1 = extended(boot_.finish());
    out_.pcr2 = extended(application_.finish());
    return std::move(out_);
  }

 private:
  Result<Bytes> take(std::size_t size) {
    Bytes out(size);
    CL_TRY(const std::size_t got, read_full(file_, out));
    if (got != size) return cut_short();
    return out;
  }

  static Error cut_short() {
    return Error::corrupt("the enclave image ends before its last section does");
  }

  Status check_size() {
    const EifExtent& last = out_.header.sections.back();  // whose sum parse_eif_header checked
    out_.size = last.offset + kEifSectionHeaderSize + last.size;
    if (out_.size > limits_.eif_bytes)
      return Error::limit(cat("the enclave image says that it is larger than the limit of ",
                              human_bytes(limits_.eif_bytes)));
    return {};
  }

  Status read_section(const EifExtent& extent) {
    CL_TRY(const Bytes bytes, take(kEifSectionHeaderSize));
    EifSection section;
    section.extent = extent;
    section.crc32 = crc32_after(0, bytes);
    CL_TRY(const EifSectionHeader header, parse_eif_section_header(bytes));
    if (header.size != extent.size)
      return Error::corrupt(
                 cat("the enclave image gives a ", eif_section_name(header.type), " two sizes"))
          .detail(cat("got ", header.size, " beside it, and ", extent.size,
                      " in the header of the file"));
    CL_CHECK(check_place(header.type));
    std::string* text = nullptr;
    std::string signature;
    if (header.type == Type::command_line) text = &out_.command_line;
    if (header.type == Type::metadata) text = &out_.metadata;
    if (header.type == Type::signature) text = &signature;
    CL_CHECK(check_held(header));
    section.type = header.type;
    CL_CHECK(read_content(section, text));
    if (header.type == Type::signature) out_.signature = to_bytes(signature);
    out_.sections.push_back(section);
    return {};
  }

  Status check_place(Type type) const {
    if (type != Type::ramdisk && count(type) != 0)
      return Error::corrupt(cat("the enclave image has a second ", eif_section_name(type)));
    if (type == Type::ramdisk && count(Type::kernel) == 0)
      return Error::corrupt("a ramdisk of the enclave image stands before its kernel");
    return {};
  }

  // What is held in memory: texts and the signature.
  Status check_held(const EifSectionHeader& header) const {
    std::uint64_t most = limits_.guest_document_bytes;
    if (header.type == Type::kernel || header.type == Type::ramdisk) return {};
    if (header.type == Type::signature) most = kEifMaxSignature;
    if (header.size <= most) return {};
    return Error::limit(cat("the ", eif_section_name(header.type),
                            " of the enclave image is larger than the limit of ",
                            human_bytes(most)))
        .detail(cat("got ", header.size, " bytes"));
  }

  Status read_content(EifSection& section, std::string* text) {
    const Type type = section.type;
    const bool boots = type == Type::kernel || type == Type::command_line ||
                       (type == Type::ramdisk && count(type) == 0);
    const bool measured = boots || type == Type::ramdisk;
    Sha256 hasher;
    for (std::uint64_t left = section.extent.size; left > 0;) {
      const auto want = std::min<std::uint64_t>(left, buffer_.size());
      CL_TRY(const std::size_t got, file_.read(std::span(buffer_).first(want)));
      if (got == 0) return cut_short();
      const ByteView piece = ByteView(buffer_).first(got);
      section.crc32 = crc32_after(section.crc32, piece);
      hasher.update(piece);
      if (measured) all_.update(piece);
      if (measured) (boots ? boot_ : application_).update(piece);
      if (text != nullptr) text->append(as_text(piece));
      left -= got;
    }
    section.sha256 = hasher.finish();
    return {};
  }

  Status check_crc(ByteView header) const {
    const std::uint32_t got = eif_crc32(header, out_.sections);
    if (got == out_.header.crc32) return {};
    return Error::corrupt("the CRC-32 of the enclave image is another one")
        .detail(cat("got ", hex_number(got), ", want ", hex_number(out_.header.crc32)));
  }

  Status check_sections() const {
    std::vector<Type> wanted = {Type::kernel, Type::command_line};
    if (out_.header.version >= kEifVersion) wanted.push_back(Type::metadata);
    for (const Type type : wanted)
      if (count(type) == 0)
        return Error::corrupt(cat("the enclave image has no ", eif_section_name(type)));
    return {};
  }

  std::size_t count(Type type) const {
    return static_cast<std::size_t>(
        std::count_if(out_.sections.begin(), out_.sections.end(),
                      [&](const EifSection& section) { return section.type == type; }));
  }

  Source& file_;
  const Limits& limits_;
  Eif out_;
  Bytes buffer_;
  Sha384 all_, boot_, application_;
};

}  // namespace

std::uint32_t eif_crc32(ByteView header, const std::vector<EifSection>& sections) {
  uLong crc = crc32_after(0, header.first(kEifHeaderSize - 4));
  for (const EifSection& section : sections)
    crc = ::crc32_combine(crc, section.crc32,
                          static_cast<z_off_t>(kEifSectionHeaderSize + section.extent.size));
  return static_cast<std::uint32_t>(crc);
}

Result<Eif> read_eif(Source& file, const Limits& limits, std::string_view what) {
  return EifReader(file, limits).read().while_(cat("reading the enclave image file ", what));
}

}  // namespace cloister::measure::nitro
