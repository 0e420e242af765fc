// The ramdisks are archives that are not compressed, as those of current nitro-cli (linuxkit/0002
// of aws-nitro-enclaves-sdk-bootstrap): every kernel unpacks them, however large they are.
#include "cmd/guest/nitro_build.h"

#include <array>

#include "base/file.h"
#include "base/text.h"
#include "cmd/guest/guest_packing.h"
#include "manifest-gen/guest/cpio_tree.h"
#include "manifest-gen/guest/eif_metadata.h"
#include "manifest-gen/guest/eif_writer.h"
#include "manifest-gen/guest/nitro_check.h"
#include "manifest-gen/guest/nitro_layout.h"
#include "sign/nitro/eif_signature.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Eif;
using measure::nitro::EifSection;
using measure::nitro::EifSectionType;

// nitro-cli's for x86-64 (its blobs/x86_64/cmdline).
constexpr std::string_view kNitroCommandLine =
    "reboot=k panic=30 pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux i8042.nopnp "
    "i8042.dumbkbd random.trust_cpu=on";
constexpr std::string_view kHosts = "127.0.0.1 localhost\n::1 localhost\n";
constexpr std::string_view kHostsPath = "etc/hosts";

// Of what a container runtime fills. Without an image's own hosts nobody would know localhost.
Status fill_hosts(GuestDraft& draft) {
  const auto hosts = draft.root.tree.find(std::string(kHostsPath));
  if (hosts == draft.root.tree.end() || hosts->second.type != manifest::GuestEntry::Type::file ||
      hosts->second.size != 0)
    return {};
  CL_TRY(hosts->second.offset, draft.contents.append(as_bytes(kHosts)));
  hosts->second.size = kHosts.size();
  hosts->second.sha256 = sha256(kHosts);
  draft.root.bytes += kHosts.size();
  return {};
}

Result<Bytes> load_aws_file(const std::string& path, const Limits& limits) {
  auto content = read_file(path, limits.kernel_bytes);
  if (!content.has_value())
    return std::move(content).error().while_("loading what AWS's enclaves boot");
  if (content->empty())
    return Error::invalid(cat(quote(path), " is empty"))
        .hint("name the file of aws-nitro-enclaves-cli, in /usr/share/nitro_enclaves/blobs");
  return content;
}

class NitroPacker {
 public:
  NitroPacker(Session& session, oci::Store& store, GuestDraft& draft, const NitroMachine& machine,
              const NitroBuildOptions& options)
      : session_(session),
        store_(store),
        packing_(session, store),
        draft_(draft),
        machine_(machine),
        options_(options) {}

  Result<GuestBuild> run() {
    document_ = document_of(draft_, &machine_.kernel);
    CL_CHECK(pack_ramdisks());
    CL_TRY(TempFile file, store_.make_temporary());
    CL_CHECK(write(file));
    CL_TRY(Eif eif, read_back(file));
    if (options_.key != nullptr) {
      CL_TRY(const Bytes section, sign::make_eif_signature(*options_.key, eif.pcr0));
      CL_CHECK(manifest::put_eif_signature(eif, section, file));
      CL_TRY(eif, read_back(file));
      measurement_.pcr8 = measure::nitro::certificate_pcr(options_.key->certificate().der());
    }
    describe(eif);
    CL_TRY(const auto source, FileSource::open(file.path()));
    CL_CHECK(packing_.put(GuestFile::eif, guest_file_title(GuestFile::eif), measurement_.eif,
                          eif.size, *source));
    const std::string document = manifest::encode_guest_document(document_);
    CL_CHECK(packing_.keep(GuestFile::document, as_bytes(document)));
    CL_CHECK(packing_.keep(GuestFile::measurement,
                           as_bytes(sign::encode_nitro_measurement(measurement_))));
    return packing_.finish(std::move(document_), std::move(measurement_), draft_.created,
                           options_.naming);
  }

 private:
  struct Ramdisk {
    std::uint64_t offset = 0, size = 0;  // in the spool
  };

  Status pack_ramdisks() {
    CL_TRY(const manifest::NitroLayout layout,
           manifest::nitro_layout(draft_.plan, draft_.root.tree, {machine_.init, machine_.nsm},
                                  draft_.contents));
    CL_TRY(ramdisks_, FileSpool::create());
    const std::array<const manifest::GuestTree*, manifest::kNitroRamdisks> trees = {
        &layout.boot, &layout.root, &layout.start};
    for (std::size_t i = 0; i < trees.size(); ++i) {
      CL_TRY(packed_[i], pack(*trees[i]));
    }
    return {};
  }

  Result<Ramdisk> pack(const manifest::GuestTree& tree) {
    Ramdisk out{ramdisks_->size(), 0};
    manifest::CpioWriter archive([&](ByteView piece) -> Status {
      CL_CHECK(session_.cancel().check());
      CL_CHECK(ramdisks_->append(piece));
      return {};
    });
    CL_CHECK(manifest::write_cpio_tree(tree, "", draft_.contents, draft_.created, archive));
    CL_CHECK(archive.finish());
    out.size = ramdisks_->size() - out.offset;
    return out;
  }

  std::string metadata() const {
    const oci::Image& base = draft_.found.base.image;
    manifest::EifMetadata out;
    out.image_name =
        options_.naming.base_name.empty() ? draft_.plan.program : options_.naming.base_name;
    out.image_version = base.manifest_descriptor.digest.str();
    out.build_time = draft_.created;
    out.build_tool_version = std::string(kVersion);
    out.kernel_version = machine_.kernel.version;
    return manifest::eif_metadata_json(out);
  }

  Status write(TempFile& file) {
    MemorySource kernel(machine_.kernel.image);
    std::vector<SpoolSource> sources;
    sources.reserve(packed_.size());
    for (const Ramdisk& ramdisk : packed_)
      sources.emplace_back(*ramdisks_, ramdisk.offset, ramdisk.size);
    manifest::EifContents contents;
    contents.kernel = {&kernel, machine_.kernel.image.size()};
    contents.command_line = std::string(kNitroCommandLine);
    if (!options_.append.empty()) contents.command_line += cat(" ", options_.append);
    contents.metadata = metadata();
    for (std::size_t i = 0; i < packed_.size(); ++i)
      contents.ramdisks.push_back({&sources[i], packed_[i].size});
    return manifest::write_eif(contents, session_.limits(), file);
  }

  // What is stated is what the file says, not what was meant.
  Result<Eif> read_back(const TempFile& file) {
    CL_TRY(const auto source, FileSource::open(file.path()));
    Sha256 hasher;
    HashSource hashed(*source, hasher);
    MeterSource metered(
        hashed, [](std::size_t) {}, session_.cancel());
    CL_TRY(Eif eif, measure::nitro::read_eif(metered, session_.limits(), "that was written"));
    measurement_.eif = hasher.finish();
    return eif;
  }

  void describe(const Eif& eif) {
    sign::NitroMeasurement& m = measurement_;
    static_cast<sign::GuestOrigin&>(m) =
        origin_of_build(session_, draft_, document_, options_.naming);
    m.pcr0 = eif.pcr0;
    m.pcr1 = eif.pcr1;
    m.pcr2 = eif.pcr2;
    m.kernel_version = machine_.kernel.version;
    for (const EifSection& section : eif.sections)
      if (section.type == EifSectionType::kernel) m.kernel = section.sha256;
    m.init = sha256(machine_.init);
    if (!machine_.nsm.empty()) m.nsm = sha256(machine_.nsm);
    m.command_line = eif.command_line;
  }

  Session& session_;
  oci::Store& store_;
  GuestPacking packing_;
  GuestDraft& draft_;
  const NitroMachine& machine_;
  const NitroBuildOptions& options_;
  std::optional<FileSpool> ramdisks_;
  std::array<Ramdisk, manifest::kNitroRamdisks> packed_;
  manifest::GuestDocument document_;
  sign::NitroMeasurement measurement_;
};

}  // namespace

Status adapt_to_nitro(GuestDraft& draft) {
  const std::string user = cat(draft.plan.uid, ":", draft.plan.gid);
  const std::string workdir = draft.plan.workdir;
  manifest::NitroPlan made = manifest::nitro_plan(std::move(draft.plan));
  draft.plan = std::move(made.plan);
  if (made.ignores_user)
    draft.notes.push_back(cat("AWS's first process starts the program as root, and not as ", user));
  if (made.ignores_workdir)
    draft.notes.push_back(
        cat("AWS's first process starts the program in /, and not in ", quote(workdir)));
  if (!draft.plan.ports.empty())
    draft.notes.push_back(cat("an enclave has no network: nothing reaches ",
                              join(draft.plan.ports, ", "), " but over vsock"));
  for (const std::string_view path : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
    if (const auto reason = draft.root.reasons.find(std::string(path));
        reason != draft.root.reasons.end())
      reason->second = "what container runtimes add";
  return fill_hosts(draft);
}

Result<NitroMachine> load_nitro_machine(Session& session, const GuestArguments& arguments) {
  const Limits& limits = session.limits();
  NitroMachine out;
  CL_TRY(Bytes kernel, load_aws_file(arguments.kernel, limits));
  auto plain = manifest::plain_kernel(std::move(kernel));
  if (!plain.has_value())
    return std::move(plain).error().while_(cat("loading the kernel ", quote(arguments.kernel)));
  out.kernel = std::move(*plain);
  CL_TRY(out.init, load_aws_file(arguments.init, limits));
  if (!arguments.nsm.empty()) {
    CL_TRY(out.nsm, load_aws_file(arguments.nsm, limits));
  }
  return out;
}

Result<GuestBuild> build_nitro(Session& session, GuestDraft& draft, const NitroMachine& machine,
                               const NitroBuildOptions& options) {
  CL_TRY(oci::Store * store, session.store());
  return NitroPacker(session, *store, draft, machine, options).run();
}

}  // namespace cloister::cmd
