#include "cmd/guest/guest_build.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/guest/guest_launch.h"
#include "cmd/guest/guest_packing.h"
#include "cmd/guest/nitro_build.h"
#include "manifest-gen/guest/disk.h"
#include "manifest-gen/guest/initramfs.h"
#include "measure/snp/firmware.h"

namespace cloister::cmd {
namespace {

// The console is where the guest speaks; a kernel that panics ends it.
constexpr std::string_view kCommandLine = "console=ttyS0 quiet panic=-1";
constexpr std::uint64_t kLargestMemoryRoot = 512ULL << 20;
constexpr std::string_view kDiskDevice = "/dev/vda";
constexpr std::string_view kFirmwarePaths[] = {"/usr/share/ovmf/OVMF.amdsev.fd",
                                               "/usr/share/OVMF/OVMF.amdsev.fd",
                                               "/usr/share/edk2/ovmf/OVMF.amdsev.fd"};

bool is_plain_file(const std::string& argument) {
  std::error_code error;
  return std::filesystem::is_regular_file(argument, error) && !argument.ends_with(".deb");
}

Result<manifest::GuestKernel> load_kernel(Session& session, const GuestArguments& arguments,
                                          bool disk) {
  if (is_plain_file(arguments.kernel)) {
    CL_TRY(Bytes image, read_file(arguments.kernel, session.limits().kernel_bytes));
    return manifest::plain_kernel(std::move(image));
  }
  CL_TRY(const measure::RuntimeSource source, load_runtime_source(session, arguments.kernel));
  return manifest::find_kernel(*source.rootfs, manifest::wanted_modules(disk), session.limits());
}

Result<Bytes> load_firmware(Session& session, const std::string& argument) {
  const std::uint64_t most = session.limits().firmware_bytes;
  if (is_plain_file(argument)) return read_file(argument, most);
  CL_TRY(const measure::RuntimeSource source, load_runtime_source(session, argument));
  for (const std::string_view path : kFirmwarePaths)
    if (const measure::Node* node = source.rootfs->find(path);
        node != nullptr && node->is_regular())
      return source.rootfs->read(*node, most);
  return Error::unresolved(cat("there is no firmware for SEV in ", quote(argument)))
      .detail(cat("no file ", kFirmwarePaths[0]))
      .hint("name the file, or Debian's package ovmf-amdsev");
}

// Puts a guest's files into the store, one after the other.
class GuestPacker {
 public:
  GuestPacker(Session& session, oci::Store& store, GuestDraft& draft, GuestMachine machine,
              const GuestBuildOptions& options)
      : session_(session),
        packing_(session, store),
        draft_(draft),
        machine_(std::move(machine)),
        options_(options) {}

  Result<GuestBuild> run() {
    document_ = document_of(draft_, &machine_.kernel);
    if (options_.disk) CL_CHECK(pack_disk());
    // What nobody could read would be refused by the guest itself, when it starts.
    const std::string document = manifest::encode_guest_document(document_);
    auto readable = manifest::parse_guest_document(document, session_.limits());
    if (!readable.has_value()) return std::move(readable).error().while_("describing the guest");
    describe();
    CL_CHECK(pack_initrd());
    CL_CHECK(keep(GuestFile::kernel, machine_.kernel.image));
    CL_CHECK(keep(GuestFile::firmware, machine_.firmware));
    CL_CHECK(measure());
    const sign::GuestMeasurement& m = measurement_;
    CL_CHECK(keep(GuestFile::command_line, as_bytes(m.command_line)));
    CL_CHECK(keep(GuestFile::document, as_bytes(document)));
    CL_CHECK(keep(GuestFile::measurement, as_bytes(sign::encode_guest_measurement(m))));
    CL_CHECK(keep_launch());
    return packing_.finish(std::move(document_), std::move(measurement_), draft_.created,
                           options_.naming);
  }

 private:
  void describe() {
    sign::GuestMeasurement& m = measurement_;
    static_cast<sign::GuestOrigin&>(m) =
        origin_of_build(session_, draft_, document_, options_.naming);
    m.vmm = measure::snp::vmm_name(options_.launch.params.vmm);
    m.vcpu_type = options_.launch.vcpu_type;
    m.vcpu_signature = options_.launch.params.vcpu_signature;
    m.guest_features = options_.launch.params.guest_features;
    m.block = options_.launch.block;
    m.kernel_version = machine_.kernel.version;
    const std::vector<std::string>& lacking = machine_.kernel.lacking;
    if (std::find(lacking.begin(), lacking.end(), "sev_guest") != lacking.end())
      draft_.notes.emplace_back(
          "this kernel has no driver for the processor's reports (sev_guest): what runs there "
          "cannot prove it");
    m.firmware_name = machine_.firmware_source;
    m.kernel = sha256(machine_.kernel.image);
    m.firmware = sha256(machine_.firmware);
    m.command_line = cat(kCommandLine, disk_option_);
    if (!options_.append.empty()) m.command_line += cat(" ", options_.append);
  }

  Status keep(GuestFile file, ByteView content, std::uint32_t vcpus = 0) {
    return packing_.keep(file, content, vcpus);
  }

  // Its root hash goes to the command line, where the digest of the launch covers it.
  Status pack_disk() {
    CL_TRY(FileSpool image, FileSpool::create());
    Sha256 hasher;
    const auto take = [&](ByteView piece) -> Status {
      CL_CHECK(session_.cancel().check());
      hasher.update(piece);
      CL_CHECK(image.append(piece));
      return {};
    };
    CL_TRY(const manifest::GuestDisk disk,
           manifest::write_guest_disk(document_.tree, draft_.contents, draft_.created, {},
                                      session_.limits(), take));
    document_.disk =
        manifest::DiskLine{std::string(kDiskDevice), disk.data_blocks, disk.hash_start};
    disk_option_ = cat(" cloister.verity=", disk.root.hex());
    const Digest digest = hasher.finish();
    measurement_.disk = digest;
    SpoolSource source(image, 0, image.size());
    return packing_.put(GuestFile::disk, guest_file_title(GuestFile::disk), digest, image.size(),
                        source);
  }

  Status pack_initrd() {
    CL_TRY(FileSpool packed, FileSpool::create());
    Sha256 hasher;
    manifest::ZstdWriter zstd([&](ByteView piece) -> Status {
      hasher.update(piece);
      CL_CHECK(packed.append(piece));
      return {};
    });
    const manifest::InitramfsInput input{document_, machine_.kernel.modules, draft_.contents,
                                         draft_.created};
    const auto compress = [&](ByteView piece) -> Status {
      CL_CHECK(session_.cancel().check());
      return zstd.write(piece);
    };
    CL_CHECK(manifest::write_initramfs(input, compress));
    CL_CHECK(zstd.finish());
    measurement_.initrd = hasher.finish();
    SpoolSource source(packed, 0, packed.size());
    return packing_.put(GuestFile::initrd, guest_file_title(GuestFile::initrd), measurement_.initrd,
                        packed.size(), source);
  }

  Status measure() {
    sign::GuestMeasurement& m = measurement_;
    auto firmware = measure::snp::parse_firmware(machine_.firmware, session_.limits());
    if (!firmware.has_value())
      return std::move(firmware).error().while_(
          cat("reading the firmware ", quote(machine_.firmware_source)));
    const measure::snp::KernelHashes hashes{
        m.kernel, m.initrd, measure::snp::KernelHashes::of_command_line(m.command_line)};
    CL_TRY(const auto measured, measure::snp::measure_launch(
                                    *firmware, hashes, options_.launch.params, session_.limits()));
    for (const measure::snp::LaunchDigest& one : measured.digests)
      m.digests.push_back({one.vcpus, one.digest});
    return options_.key != nullptr ? sign_blocks() : Status();
  }

  Status sign_blocks() {
    sign::GuestMeasurement& m = measurement_;
    m.id_key_digest = sign::snp_key_digest(options_.key->point());
    for (const sign::LaunchMeasurementOf& one : m.digests) {
      sign::SnpIdBlock block = m.block;
      block.launch_digest = one.digest;
      CL_TRY(const sign::SnpIdAuth auth,
             sign::sign_snp_id_block(block, *options_.key, /*author=*/nullptr));
      CL_CHECK(keep(GuestFile::id_block, sign::encode_snp_id_block(block), one.vcpus));
      CL_CHECK(keep(GuestFile::id_auth, sign::encode_snp_id_auth(auth), one.vcpus));
    }
    return {};
  }

  Status keep_launch() {
    const GuestBlob* initrd = find_blob(packing_.blobs(), GuestFile::initrd);
    const bool disk = document_.disk.has_value();
    const GuestLaunchFacts facts{measurement_, document_.plan.ports,
                                 guest_memory_mib(initrd->size, draft_.root.bytes, disk), disk,
                                 options_.key != nullptr};
    CL_CHECK(keep(GuestFile::launch, as_bytes(launch_script(facts))));
    return keep(GuestFile::libvirt, as_bytes(libvirt_domain(facts)));
  }

  Session& session_;
  GuestPacking packing_;
  GuestDraft& draft_;
  GuestMachine machine_;
  const GuestBuildOptions& options_;
  std::string disk_option_;  // of the command line
  manifest::GuestDocument document_;
  sign::GuestMeasurement measurement_;
};

}  // namespace

Result<GuestDraft> draft_guest(Session& session, const oci::ImageRef& image,
                               const PlanOptions& options, const GuestArguments& arguments,
                               Seconds created) {
  CL_TRY(ClosurePlan found, plan_closure(session, image, options));
  CL_CHECK(require_resolved(found.closure));
  CL_TRY(FileSpool contents, FileSpool::create());
  GuestDraft out{std::move(found), {}, std::move(contents), {}, created, options.tee};
  const measure::Rootfs& rootfs = *out.found.base.rootfs;
  const manifest::GuestOptions guest{options.manifest.volumes, !arguments.no_network, created};
  CL_TRY(out.plan, manifest::plan_guest(out.found.launch, out.found.closure, out.found.kind,
                                        out.found.base.image.config.config, rootfs, guest));
  out.plan.hostname = arguments.hostname;
  CL_TRY(out.root,
         manifest::collect_guest_root(out.plan, out.found.closure, rootfs, session.limits()));
  out.disk = arguments.disk || (options.tee == Tee::snp && out.root.bytes > kLargestMemoryRoot);
  for (const std::string& path : out.root.without_capabilities)
    out.notes.push_back(cat(quote(path), " has capabilities of its own, which it loses"));
  if (options.tee == Tee::nitro) CL_CHECK(adapt_to_nitro(out));
  return out;
}

Result<GuestMachine> load_machine(Session& session, const GuestArguments& arguments, bool disk) {
  GuestMachine out;
  auto kernel = load_kernel(session, arguments, disk);
  if (!kernel.has_value())
    return std::move(kernel).error().while_(cat("loading the kernel ", quote(arguments.kernel)));
  out.kernel = std::move(*kernel);
  out.kernel_source = base_name(arguments.kernel);
  CL_TRY(out.firmware, load_firmware(session, arguments.firmware));
  out.firmware_source = base_name(arguments.firmware);
  return out;
}

manifest::GuestDocument document_of(const GuestDraft& draft, const manifest::GuestKernel* kernel) {
  manifest::GuestDocument out;
  out.plan = draft.plan;
  out.tree = draft.root.tree;
  if (kernel == nullptr) return out;
  out.kernel = kernel->version;
  for (const manifest::KernelModule& module : kernel->modules)
    out.modules.push_back(module.name + ".ko");
  return out;
}

std::string annotated_document(const GuestDraft& draft) {
  std::string out;
  const std::string document = manifest::encode_guest_document(document_of(draft, nullptr));
  const auto comment = [&](std::string_view reason) { out += cat("# ", printable(reason), "\n"); };
  auto file = draft.root.tree.begin();
  auto place = draft.plan.writable.begin();
  for (const std::string_view line : split(document, '\n')) {
    if (line.empty()) continue;
    if (line.starts_with("writable ")) comment((place++)->reason);
    if (line.starts_with("file ")) {
      while (file->second.type != manifest::GuestEntry::Type::file) ++file;
      const auto reason = draft.root.reasons.find("/" + file->first);
      if (reason != draft.root.reasons.end()) comment(reason->second);
      ++file;
    }
    out += cat(line, "\n");
  }
  return out;
}

Result<GuestBuild> build_guest(Session& session, GuestDraft& draft, GuestMachine machine,
                               const GuestBuildOptions& options) {
  CL_TRY(oci::Store * store, session.store());
  return GuestPacker(session, *store, draft, std::move(machine), options).run();
}

}  // namespace cloister::cmd
