#include "cmd/guest/guest_image.h"

#include "base/file.h"
#include "base/text.h"
#include "manifest-gen/guest/initramfs.h"
#include "manifest-gen/guest/kernel.h"
#include "measure/snp/firmware.h"
#include "measure/snp/launch.h"
#include "sign/image/measurement.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kLargestText = 16ULL << 20;

// An image that holds only some of the files: the others are not fetched.
oci::Image cut_to(const oci::Image& image, GuestFile file, const std::vector<GuestBlob>& files) {
  oci::Image out = image;
  const GuestBlob* wanted = find_blob(files, file);
  std::erase_if(out.manifest.layers,
                [&](const oci::Descriptor& layer) { return layer.digest != wanted->digest; });
  return out;
}

class GuestReader {
 public:
  GuestReader(Session& session, const oci::Store& store, const GuestImage& guest,
              const sign::GuestMeasurement& stated)
      : session_(session), store_(store), guest_(guest), stated_(stated) {}

  // From the bytes; what they do not say (for which machine it was measured, of what it was made)
  // is taken as stated.
  Status measure(sign::GuestEvidence& out) {
    const Limits& limits = session_.limits();
    out.measured = stated_;
    sign::GuestMeasurement& m = *out.measured;
    CL_TRY(const Bytes kernel, read(GuestFile::kernel, limits.kernel_bytes));
    CL_TRY(m.kernel_version, manifest::kernel_version(kernel));
    m.kernel = sha256(kernel);
    CL_TRY(const Bytes command_line, read(GuestFile::command_line, limits.command_line_bytes));
    m.command_line = as_text(command_line);
    CL_CHECK(measure_initrd(m));
    CL_CHECK(measure_launch(m));
    if (const GuestBlob* disk = find_blob(guest_.files, GuestFile::disk))
      m.disk = disk->digest;
    else
      m.disk.reset();
    CL_CHECK(read_blocks(out));
    return {};
  }

 private:
  Result<Bytes> read(GuestFile file, std::uint64_t most) const {
    return store_.read_blob(guest_descriptor(*find_blob(guest_.files, file)), most);
  }

  Status measure_initrd(sign::GuestMeasurement& m) const {
    const Limits& limits = session_.limits();
    const GuestBlob& blob = *find_blob(guest_.files, GuestFile::initrd);
    m.initrd = blob.digest;
    CL_TRY(auto source, store_.open_blob(guest_descriptor(blob)));
    VerifySource verified(*source, blob.digest, blob.size, "the initrd");
    CL_TRY(const manifest::CheckedInitramfs checked,
           manifest::check_initramfs(verified, blob.size, limits));
    CL_CHECK(drain(verified));
    CL_TRY(const Bytes document, read(GuestFile::document, limits.guest_document_bytes));
    if (as_text(document) != checked.document_text)
      return Error::corrupt("guest.conf is not the document that the initrd holds");
    state_document(as_text(document), checked.document.tree, m);
    return {};
  }

  Status measure_launch(sign::GuestMeasurement& m) const {
    const Limits& limits = session_.limits();
    CL_TRY(const Bytes image, read(GuestFile::firmware, limits.firmware_bytes));
    m.firmware = sha256(image);
    CL_TRY(const auto firmware, measure::snp::parse_firmware(image, limits));
    measure::snp::LaunchParams params;
    params.vcpus.clear();
    for (const sign::LaunchMeasurementOf& one : m.digests) params.vcpus.push_back(one.vcpus);
    const auto signature = measure::snp::vcpu_signature(m.vcpu_type);
    if (!signature || *signature != m.vcpu_signature || m.vmm != vmm_name(params.vmm))
      return Error::corrupt("the measurement is for a machine that does not exist");
    params.vcpu_signature = m.vcpu_signature;
    params.guest_features = m.guest_features;
    const measure::snp::KernelHashes hashes{
        m.kernel, m.initrd, measure::snp::KernelHashes::of_command_line(m.command_line)};
    CL_TRY(const auto measured, measure::snp::measure_launch(firmware, hashes, params, limits));
    for (std::size_t i = 0; i < m.digests.size(); ++i)
      m.digests[i].digest = measured.digests[i].digest;
    return {};
  }

  Status read_blocks(sign::GuestEvidence& out) const {
    for (const sign::LaunchMeasurementOf& one : stated_.digests) {
      const GuestBlob* block = find_blob(guest_.files, GuestFile::id_block, one.vcpus);
      const GuestBlob* auth = find_blob(guest_.files, GuestFile::id_auth, one.vcpus);
      if (block == nullptr || auth == nullptr) continue;
      CL_TRY(const Bytes block_bytes,
             store_.read_blob(guest_descriptor(*block), sign::kSnpIdBlockSize));
      CL_TRY(const Bytes auth_bytes,
             store_.read_blob(guest_descriptor(*auth), sign::kSnpIdAuthSize));
      CL_TRY(sign::SnpIdBlock parsed, sign::parse_snp_id_block(block_bytes));
      CL_TRY(sign::SnpIdAuth parsed_auth, sign::parse_snp_id_auth(auth_bytes));
      out.blocks.push_back({one.vcpus, parsed, std::move(parsed_auth)});
    }
    return {};
  }

  Session& session_;
  const oci::Store& store_;
  const GuestImage& guest_;
  const sign::GuestMeasurement& stated_;
};

}  // namespace

Result<GuestImage> read_guest_image(Session& session, const oci::ImageRef& ref,
                                    const oci::Image& image) {
  GuestImage out;
  CL_TRY(const Tee tee, guest_tee(image));
  CL_TRY(out.files, guest_blobs(image));
  CL_CHECK(session.fetch(ref, cut_to(image, GuestFile::measurement, out.files)));
  CL_TRY(const oci::Store* store, session.store());
  CL_TRY(const Bytes text,
         store->read_blob(guest_descriptor(*find_blob(out.files, GuestFile::measurement)),
                          kLargestText));
  out.stated_text = as_text(text);
  CL_TRY(out.stated, parse_statement(out.stated_text, tee, session.limits()));
  return out;
}

Result<sign::GuestEvidence> snp_evidence(Session& session, const oci::ImageRef& ref,
                                         const oci::Image& image, const GuestImage& guest) {
  CL_CHECK(session.fetch(ref, image));
  CL_TRY(const oci::Store* store, session.store());
  sign::GuestEvidence out;
  out.stated = std::get<sign::GuestMeasurement>(guest.stated);
  auto done = GuestReader(session, *store, guest, out.stated).measure(out);
  if (!done.has_value()) {
    if (done.error().code() == Code::cancelled) return std::move(done).error();
    out.measured.reset();
    out.problem = done.error().what();
  }
  return out;
}

Result<std::vector<sign::Check>> check_guest_files(Session& session, const oci::ImageRef& ref,
                                                   const oci::Image& image, const GuestImage& guest,
                                                   const sign::GuestPins& pins) {
  if (tee_of(guest.stated) == Tee::nitro) {
    CL_TRY(const auto evidence, nitro_evidence(session, ref, image, guest));
    return sign::check_nitro_evidence(evidence);
  }
  CL_TRY(const auto evidence, snp_evidence(session, ref, image, guest));
  return sign::check_guest_evidence(evidence, pins);
}

Result<GuestImage> read_sound_guest(Session& session, const oci::ImageRef& ref,
                                    const oci::Image& image) {
  CL_TRY(GuestImage guest, read_guest_image(session, ref, image));
  CL_TRY(const auto checks, check_guest_files(session, ref, image, guest, {.allow_debug = true}));
  for (const sign::Check& check : checks)
    if (!check.passed)
      return Error::policy(cat("the guest is not what it says: ", check.name))
          .detail(cat("got ", check.found, ", want ", check.expected))
          .hint("build it anew");
  return guest;
}

Result<std::vector<Predicate>> guest_predicates(Session& session, const oci::ImageRef& ref,
                                                const oci::Image& image) {
  CL_TRY(const GuestImage guest, read_sound_guest(session, ref, image));
  std::vector<Predicate> out;
  out.push_back({sign::kMeasurementPredicate, guest.stated_text});
  return out;
}

Status write_guest_files(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                         const std::string& directory) {
  CL_TRY(const std::vector<GuestBlob> files, guest_blobs(image));
  CL_CHECK(session.fetch(ref, image));
  CL_TRY(const oci::Store* store, session.store());
  CL_CHECK(make_directories(directory));
  for (const GuestBlob& file : files) {
    CL_TRY(auto source, store->open_blob(guest_descriptor(file)));
    VerifySource verified(*source, file.digest, file.size, quote(file.title));
    const unsigned mode = file.file == GuestFile::launch ? 0755 : 0644;
    CL_TRY(TempFile out, TempFile::create(directory, mode));
    Bytes buffer(kStreamBuffer);
    for (;;) {
      CL_CHECK(session.cancel().check());
      CL_TRY(const std::size_t got, verified.read(buffer));
      if (got == 0) break;
      CL_CHECK(out.write(ByteView(buffer).first(got)));
    }
    CL_CHECK(out.commit(fs::path(directory) / file.title));
  }
  return {};
}

}  // namespace cloister::cmd
