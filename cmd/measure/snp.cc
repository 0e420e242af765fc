// What the firmware checks is hashed here as it will be there: kernel and initrd as the files are,
// in pieces, since an initrd may hold a whole system.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hint.h"
#include "base/stream.h"
#include "base/text.h"
#include "cmd/measure/id_block.h"
#include "cmd/measure/target.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/report/snp_measurement.h"
#include "measure/snp/launch.h"

namespace cloister::cmd {
namespace {

namespace snp = measure::snp;

struct SnpMeasureOptions {
  std::string firmware, kernel, initrd, append;
  std::string vmm = "qemu";
  SnpMachineOptions machine;
  IdBlockOptions id;
};

constexpr Advice kFirmwareAdvice{
    "name OVMF as QEMU takes it with -bios, for example OVMF.amdsev.fd",
    "this is no OVMF: its tables ask for more than any launch needs",
    "take OVMF with support for SEV-SNP, for example OVMF.amdsev.fd"};

Result<snp::LaunchParams> launch_params(const SnpMeasureOptions& o, const Limits& limits) {
  CL_TRY(snp::LaunchParams out, snp_launch_params(o.machine, limits));
  out.vmm = snp::parse_vmm(o.vmm).value_or(snp::Vmm::qemu);  // the parser knows the choices
  return out;
}

Status check_snp_usage(const SnpMeasureOptions& o, const MeasureOptions& shared,
                       const snp::LaunchParams& params, const Limits& limits) {
  if (o.firmware.empty())
    return Error::usage("--tee snp needs --firmware")
        .hint("the launch begins with it: --firmware OVMF.amdsev.fd");
  if (o.kernel.empty() && (!o.initrd.empty() || !o.append.empty()))
    return Error::usage("--initrd and --append belong to --kernel")
        .hint("without a kernel nothing of them is measured");
  if (o.append.size() > limits.command_line_bytes)
    return Error::usage("--append is longer than a kernel takes")
        .detail(cat("got ", o.append.size(), " bytes, at most ", limits.command_line_bytes))
        .hint("Linux would cut it off, and run with less than was measured");
  if (shared.signs() && params.vcpus.size() != 1)
    return Error::usage("an ID block is of one launch, and --vcpus names several")
        .detail(cat("got ", params.vcpus.size(), " numbers of processors"))
        .hint("make one ID block for each number of processors");
  return check_id_block_options(o.id, shared);
}

// Of the file as it is, or of no bytes when there is none.
Result<Digest> hash_file(const std::string& file, std::uint64_t max, Session& session) {
  Sha256 sha;
  if (file.empty()) return sha.finish();
  CL_TRY(const auto opened, FileSource::open(file));
  LimitSource limited(*opened, max, quote(file));
  MeterSource metered(
      limited, [](std::size_t) {}, session.cancel());
  HashSource hashed(metered, sha);
  CL_CHECK(advise(drain(hashed), {"", "a kernel or initrd of this size cannot be booted", ""}));
  return sha.finish();
}

Result<std::optional<snp::KernelHashes>> kernel_hashes(const SnpMeasureOptions& o,
                                                       Session& session) {
  std::optional<snp::KernelHashes> out;
  if (o.kernel.empty()) return out;
  const Limits& limits = session.limits();
  out.emplace();
  CL_TRY(out->kernel, hash_file(o.kernel, limits.kernel_bytes, session));
  CL_TRY(out->initrd, hash_file(o.initrd, limits.guest_root_bytes, session));
  out->command_line = snp::KernelHashes::of_command_line(o.append);
  return out;
}

Result<int> run_measure_snp(const SnpMeasureOptions& o, const MeasureOptions& shared,
                            const Environment& env) {
  CL_TRY(auto session, Session::create(shared.common, env));
  const Limits& limits = session->limits();
  CL_TRY(const snp::LaunchParams params, launch_params(o, limits));
  CL_CHECK(check_snp_usage(o, shared, params, limits));
  CL_TRY(const SharedBytes image, read_large_file(o.firmware, limits.firmware_bytes));
  CL_TRY(const snp::Firmware firmware,
         advise(snp::parse_firmware(image.view(), limits), kFirmwareAdvice)
             .while_(cat("reading ", quote(o.firmware))));
  CL_TRY(const auto kernel, kernel_hashes(o, *session));
  CL_TRY(const snp::LaunchMeasurement launch,
         advise(snp::measure_launch(firmware, kernel, params, limits), kFirmwareAdvice)
             .while_(cat("measuring ", quote(o.firmware))));
  CL_TRY(const auto id_block,
         write_id_block(o.id, shared, *session, launch.digests.front().digest));
  SnpMeasurementReport report{launch, params, kernel, sha256(image.view()), firmware.size};
  report.model = snp_model(o.machine);
  if (id_block) report.id_block = &*id_block;
  report.explain = shared.explain;
  CL_CHECK(write_result("", session->quiet()          ? snp_digests_text(launch)
                            : shared.format == "json" ? snp_measurement_json(report)
                                                      : snp_measurement_text(report)));
  return 0;
}

}  // namespace

MeasureAction add_measure_snp(CLI::App& app) {
  auto o = std::make_shared<SnpMeasureOptions>();
  OptionHeading heading(app, kHeadingSnp);
  app.add_option("--firmware", o->firmware, "Firmware that the guest starts with (OVMF)")
      ->type_name("FILE");
  app.add_option("--kernel", o->kernel, "Kernel that the firmware is to boot, and to check")
      ->type_name("FILE");
  app.add_option("--initrd", o->initrd, "Its initrd")->type_name("FILE");
  app.add_option("--append", o->append, "Its command line")->type_name("WORDS");
  add_snp_machine_options(app, o->machine);
  app.add_option("--vmm", o->vmm, "Who starts the guest: QEMU with KVM, Amazon EC2, Google")
      ->check(CLI::IsMember({"qemu", "ec2", "gce"}))
      ->capture_default_str();
  add_id_block_options(app, o->id);
  return [o](const MeasureOptions& shared, const Environment& env) {
    return run_measure_snp(*o, shared, env);
  };
}

}  // namespace cloister::cmd
