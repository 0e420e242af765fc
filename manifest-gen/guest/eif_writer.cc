// All sizes are known before the first byte, so that the header can be written first; its last
// field, the CRC-32 over everything else, comes when the rest is written.
#include "manifest-gen/guest/eif_writer.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace cloister::manifest {
namespace {

using measure::nitro::EifExtent;
using measure::nitro::EifHeader;
using measure::nitro::EifSection;
using measure::nitro::EifSectionType;
using measure::nitro::kEifHeaderSize;
using measure::nitro::kEifMaxSections;
using measure::nitro::kEifMaxSignature;
using measure::nitro::kEifSectionHeaderSize;

constexpr std::size_t kCrcOffset = kEifHeaderSize - 4;

std::uint32_t crc_after(std::uint32_t crc, ByteView bytes) {
  if (bytes.empty()) return crc;  // for zlib a null pointer begins anew
  return static_cast<std::uint32_t>(::crc32_z(crc, raw(bytes.data()), bytes.size()));
}

Status write_at(int fd, std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error::io_errno("cannot write an enclave image file", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Error no_more_sections() {
  return Error::limit(cat("an enclave image file has no more than ", kEifMaxSections, " sections"));
}

Status check_signature_size(ByteView signature) {
  if (signature.size() <= kEifMaxSignature) return {};
  return Error::limit("the signature is too large for an enclave image file")
      .detail(cat("got ", signature.size(), " bytes, and it may have ", kEifMaxSignature));
}

struct Planned {
  EifSectionType type;
  const EifPart* part;  // null: `bytes`
  ByteView bytes;
  std::uint64_t size;
};

std::vector<Planned> planned_sections(const EifContents& contents) {
  const auto held = [](EifSectionType type, ByteView bytes) {
    return Planned{type, nullptr, bytes, bytes.size()};
  };
  std::vector<Planned> out = {{EifSectionType::kernel, &contents.kernel, {}, contents.kernel.size},
                              held(EifSectionType::command_line, as_bytes(contents.command_line)),
                              held(EifSectionType::metadata, as_bytes(contents.metadata))};
  for (const EifPart& ramdisk : contents.ramdisks)
    out.push_back({EifSectionType::ramdisk, &ramdisk, {}, ramdisk.size});
  if (contents.signature) out.push_back(held(EifSectionType::signature, *contents.signature));
  return out;
}

Status check_contents(const EifContents& contents, const Limits& limits) {
  if (contents.command_line.find('\0') != std::string::npos)
    return Error::invalid("the kernel's command line has a NUL in it");
  if (contents.command_line.size() > limits.command_line_bytes)
    return Error::limit(cat("the kernel's command line is longer than the ",
                            limits.command_line_bytes, " bytes that a kernel reads"))
        .detail(cat("got ", contents.command_line.size()));
  if (contents.metadata.size() > limits.guest_document_bytes)
    return Error::limit(cat("the metadata of the enclave image file is larger than the limit of ",
                            human_bytes(limits.guest_document_bytes)));
  if (contents.signature) CL_CHECK(check_signature_size(*contents.signature));
  return {};
}

Result<EifHeader> eif_header_of(const std::vector<Planned>& sections, bool arm64,
                                const Limits& limits) {
  EifHeader header;
  if (arm64) header.flags = measure::nitro::kEifArm64;
  if (sections.size() > kEifMaxSections) return no_more_sections();
  std::uint64_t at = kEifHeaderSize;
  for (const Planned& section : sections) {
    header.sections.push_back({at, section.size});
    if (!checked_add<std::uint64_t>(at, kEifSectionHeaderSize, at) ||
        !checked_add(at, section.size, at) || at > limits.eif_bytes)
      return Error::limit(cat("the enclave image file would be larger than the limit of ",
                              human_bytes(limits.eif_bytes)));
  }
  return header;
}

class EifWriter {
 public:
  explicit EifWriter(TempFile& out) : out_(out), buffer_(kStreamBuffer) {}

  Status write(const EifHeader& header, const std::vector<Planned>& sections) {
    const Bytes head = measure::nitro::encode_eif_header(header);
    CL_CHECK(out_.write(head));
    crc_ = crc_after(0, ByteView(head).first(kCrcOffset));
    for (const Planned& section : sections) {
      CL_CHECK(append(measure::nitro::encode_eif_section_header({section.type, section.size})));
      CL_CHECK(section.part == nullptr ? append(section.bytes) : copy(section));
    }
    EifHeader whole = header;
    whole.crc32 = crc_;
    return write_at(out_.fd(), 0, measure::nitro::encode_eif_header(whole));
  }

 private:
  Status append(ByteView bytes) {
    crc_ = crc_after(crc_, bytes);
    return out_.write(bytes);
  }

  Status copy(const Planned& section) {
    std::uint64_t seen = 0;
    for (;;) {
      CL_TRY(const std::size_t got, section.part->content->read(buffer_));
      if (got == 0) break;
      seen += got;
      if (seen > section.size) break;
      CL_CHECK(append(ByteView(buffer_).first(got)));
    }
    if (seen == section.size) return {};
    return Error::conflict(cat("a ", measure::nitro::eif_section_name(section.type),
                               " changed its size while it was read"))
        .detail(
            cat("got ", seen > section.size ? "more" : "less", " than ", section.size, " bytes"));
  }

  TempFile& out_;
  Bytes buffer_;
  std::uint32_t crc_ = 0;
};

}  // namespace

Status write_eif(const EifContents& contents, const Limits& limits, TempFile& out) {
  CL_CHECK(check_contents(contents, limits));
  const std::vector<Planned> sections = planned_sections(contents);
  CL_TRY(const EifHeader header, eif_header_of(sections, contents.arm64, limits));
  return EifWriter(out).write(header, sections);
}

Status put_eif_signature(const measure::nitro::Eif& eif, ByteView signature, TempFile& file) {
  CL_CHECK(check_signature_size(signature));
  std::vector<EifSection> sections = eif.sections;
  EifHeader header = eif.header;
  const auto signature_at = std::find_if(
      sections.begin(), sections.end(),
      [](const EifSection& section) { return section.type == EifSectionType::signature; });
  if (signature_at != sections.end()) {
    if (signature_at + 1 != sections.end())
      return Error::unsupported("the file's signature stands before other sections")
          .hint("write the file anew, without a signature, and sign that");
    sections.pop_back();
    header.sections.pop_back();
  }
  if (sections.size() >= kEifMaxSections) return no_more_sections();

  const Bytes head =
      measure::nitro::encode_eif_section_header({EifSectionType::signature, signature.size()});
  const EifExtent& last = sections.back().extent;
  EifSection added{EifSectionType::signature,
                   {last.offset + kEifSectionHeaderSize + last.size, signature.size()},
                   {},
                   crc_after(crc_after(0, head), signature)};
  sections.push_back(added);
  header.sections.push_back(added.extent);
  header.crc32 = measure::nitro::eif_crc32(measure::nitro::encode_eif_header(header), sections);

  const std::uint64_t end = added.extent.offset + head.size() + signature.size();
  CL_CHECK(write_at(file.fd(), added.extent.offset, head));
  CL_CHECK(write_at(file.fd(), added.extent.offset + head.size(), signature));
  if (::ftruncate(file.fd(), static_cast<off_t>(end)) != 0)
    return Error::io_errno("cannot shorten an enclave image file", errno);
  return write_at(file.fd(), 0, measure::nitro::encode_eif_header(header));
}

}  // namespace cloister::manifest
