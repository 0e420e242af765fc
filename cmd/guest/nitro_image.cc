// An enclave image file out of its artifact, measured again: once from its beginning to its end for
// the registers, and each ramdisk for what is in it.
#include <array>
#include <memory>

#include "base/text.h"
#include "cmd/guest/guest_image.h"
#include "manifest-gen/guest/kernel.h"
#include "manifest-gen/guest/nitro_check.h"
#include "measure/nitro/eif.h"
#include "measure/nitro/eif_section.h"
#include "sign/image/measurement.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Eif;
using measure::nitro::EifExtent;
using measure::nitro::EifSection;
using measure::nitro::EifSectionSource;
using measure::nitro::EifSectionType;

// A section with the file that it is read from.
struct OpenSection {
  std::unique_ptr<Source> file;
  std::unique_ptr<EifSectionSource> content;
};

class EnclaveReader {
 public:
  EnclaveReader(Session& session, const oci::Store& store, const GuestImage& guest)
      : session_(session),
        store_(store),
        guest_(guest),
        file_(*find_blob(guest.files, GuestFile::eif)) {}

  // From the bytes; what they do not say (of what it was made) is taken as stated.
  Status measure(sign::NitroEvidence& out) {
    out.measured = out.stated;
    sign::NitroMeasurement& m = *out.measured;
    CL_CHECK(read_registers(m));
    CL_CHECK(read_kernel(m));
    CL_CHECK(read_ramdisks(m));
    read_signature(out);
    return {};
  }

 private:
  Status read_registers(sign::NitroMeasurement& m) {
    CL_TRY(const auto source, store_.open_blob(guest_descriptor(file_)));
    VerifySource verified(*source, file_.digest, file_.size, quote(file_.title));
    MeterSource metered(
        verified, [](std::size_t) {}, session_.cancel());
    auto read = measure::nitro::read_eif(metered, session_.limits(), quote(file_.title));
    if (!read.has_value()) return std::move(read).error();
    eif_ = std::move(*read);
    m.eif = file_.digest;
    m.pcr0 = eif_.pcr0;
    m.pcr1 = eif_.pcr1;
    m.pcr2 = eif_.pcr2;
    m.command_line = eif_.command_line;
    return {};
  }

  Result<OpenSection> open(const EifExtent& extent) const {
    OpenSection out;
    CL_TRY(out.file, store_.open_blob(guest_descriptor(file_)));
    out.content = std::make_unique<EifSectionSource>(*out.file, extent);
    return out;
  }

  Status read_kernel(sign::NitroMeasurement& m) const {
    for (const EifSection& section : eif_.sections) {
      if (section.type != EifSectionType::kernel) continue;
      m.kernel = section.sha256;
      CL_TRY(const OpenSection kernel, open(section.extent));
      CL_TRY(const Bytes bytes,
             read_all(*kernel.content, session_.limits().kernel_bytes, "the kernel"));
      CL_TRY(m.kernel_version, manifest::kernel_version(bytes));
    }
    return {};
  }

  Status read_ramdisks(sign::NitroMeasurement& m) const {
    std::vector<OpenSection> opened;
    for (const EifSection& section : eif_.sections) {
      if (section.type != EifSectionType::ramdisk) continue;
      CL_TRY(OpenSection ramdisk, open(section.extent));
      opened.push_back(std::move(ramdisk));
    }
    if (opened.size() != manifest::kNitroRamdisks)
      return Error::corrupt(cat("the enclave image has ", opened.size(), " ramdisks, and not ",
                                manifest::kNitroRamdisks));
    std::array<Source*, manifest::kNitroRamdisks> ramdisks{};
    for (std::size_t i = 0; i < opened.size(); ++i) ramdisks[i] = opened[i].content.get();
    CL_TRY(const Bytes document,
           store_.read_blob(guest_descriptor(*find_blob(guest_.files, GuestFile::document)),
                            session_.limits().guest_document_bytes));
    CL_TRY(const manifest::CheckedEnclave checked,
           manifest::check_enclave(ramdisks, as_text(document), session_.limits()));
    m.init = checked.init;
    m.nsm = checked.nsm;
    state_document(as_text(document), checked.document.tree, m);
    return {};
  }

  // What cannot be read is an answer to one question, and no reason to ask no other.
  void read_signature(sign::NitroEvidence& out) const {
    out.measured->pcr8.reset();
    if (!eif_.signature) return;
    auto parsed = sign::parse_eif_signature(*eif_.signature);
    if (!parsed.has_value()) {
      out.signature_problem = parsed.error().what();
      return;
    }
    out.measured->pcr8 = parsed->pcr8();
    out.signature = std::move(*parsed);
  }

  Session& session_;
  const oci::Store& store_;
  const GuestImage& guest_;
  const GuestBlob& file_;
  Eif eif_;
};

}  // namespace

Result<sign::NitroEvidence> nitro_evidence(Session& session, const oci::ImageRef& ref,
                                           const oci::Image& image, const GuestImage& guest) {
  CL_CHECK(session.fetch(ref, image));
  CL_TRY(const oci::Store* store, session.store());
  sign::NitroEvidence out;
  out.stated = std::get<sign::NitroMeasurement>(guest.stated);
  auto done = EnclaveReader(session, *store, guest).measure(out);
  if (!done.has_value()) {
    if (done.error().code() == Code::cancelled) return std::move(done).error();
    out.measured.reset();
    out.problem = done.error().what();
  }
  return out;
}

}  // namespace cloister::cmd
