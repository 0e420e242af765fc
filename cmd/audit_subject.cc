#include "cmd/audit_subject.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/hint.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/enclave_image.h"
#include "cmd/guest/audit_guest.h"
#include "cmd/guest/guest_files.h"
#include "cmd/plan_options.h"
#include "manifest-gen/assemble/paths.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/rehearse/verdict/rehearsal_findings.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;

void append(std::vector<Finding>& out, std::vector<Finding> more) {
  for (Finding& finding : more) out.push_back(std::move(finding));
}

std::vector<std::pair<std::string, std::string>> plain_lines(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string_view line : split(text, '\n')) out.emplace_back(line, "");
  if (!out.empty() && out.back().first.empty()) out.pop_back();
  return out;
}

Result<TomlTable> parse_manifest(std::string_view text, const Limits& limits,
                                 const std::string& name) {
  auto table = parse_toml(text, limits, quote(name));
  const bool is_template =
      text.find("{{") != std::string_view::npos || text.find("{%") != std::string_view::npos;
  if (!table.has_value() && is_template)
    return std::move(table.error())
        .hint("it is a template: render it with gramine-manifest, and audit the result");
  return advise(std::move(table), kManifestSyntax);
}

// An overlay says nothing by what it leaves out: the template has it.
void keep_what_is_said(const TomlTable& overlay, std::vector<Finding>& findings) {
  std::erase_if(findings, [&](const Finding& finding) {
    return overlay.at(finding.key.empty() ? finding.where : finding.key) == nullptr;
  });
}

// Holds what was seen against the manifest of the report.
void add_rehearsals(const RehearsalFiles* rehearsals, const manifest::JudgeInput& input,
                    AuditReport& report) {
  if (rehearsals == nullptr) return;
  report.rehearsal = {rehearsals->files, manifest::judge(rehearsals->run, input)};
  append(report.findings, manifest::rehearsal_findings(report.rehearsal->verdict));
}

// What shows that it has a network: who asks for one, the program itself before its libraries, and
// what the image announces.
std::string network_evidence(const Plan& plan, const manifest::Surface& surface) {
  const oci::ExecutionConfig& config = plan.base.image.config.config;
  std::vector<std::string> out;
  for (const auto& capability : surface.capabilities) {
    if (capability.name != "network" || capability.files.empty()) continue;
    const auto& files = capability.files;
    const auto program = std::find(files.begin(), files.end(), plan.launch.entrypoint);
    out.push_back(cat(program != files.end() ? *program : files.front(), " asks for sockets"));
  }
  if (!config.exposed_ports.empty())
    out.push_back(cat("exposes ", join(config.exposed_ports, ", ")));
  return join(out, "; ");
}

manifest::FitFacts fit_facts(const Plan& plan, const AuditReport& report) {
  const manifest::Surface& surface = report.surface;
  manifest::FitFacts out;
  out.findings = plan.findings;
  out.enclave_size = plan.params.enclave_size;
  out.edmm = plan.params.edmm;
  out.granted_files = surface.files.size();
  out.granted_bytes = surface.bytes;
  out.image_files = surface.image_files;
  out.image_bytes = surface.image_bytes;
  out.network = network_evidence(plan, surface);
  out.volumes = plan.launch.volumes;
  if (report.rehearsal)
    for (const auto& one : report.rehearsal->verdict.unimplemented)
      out.seen_calls.emplace_back(one.call, one.times);
  return out;
}

AuditReport report_of_plan(Plan plan, const std::string& argument,
                           const RehearsalFiles* rehearsals) {
  AuditReport out;
  out.subject = AuditReport::Subject::image;
  out.name = argument;
  out.base_name = plan.base.image.name;
  out.digest = out.base_digest = plan.base.image.manifest_descriptor.digest.str();
  out.platform = plan.base.image.config.platform().str();
  out.runtime_name = plan.runtime.name;
  out.runtime_version = plan.runtime.version;
  out.runtime_digest = plan.runtime.digest().str();
  out.kind = plan.kind.name;
  out.mrenclave = plan.measurement.mrenclave.hex();
  out.manifest = plan.manifest.manifest.table;
  out.lines = manifest::reasoned_lines(plan.manifest);
  out.manifest_digest = sha256(plan.manifest.text).str();
  out.surface = manifest::surface_of({.manifest = out.manifest,
                                      .closure = &plan.closure,
                                      .rootfs = plan.base.rootfs.get(),
                                      .packages = &plan.packages,
                                      .reasons = &plan.manifest.reasons});
  out.findings = plan.findings;
  add_rehearsals(rehearsals, judge_input(plan), out);
  out.targets = manifest::target_fit(fit_facts(plan, out));
  out.launch = std::move(plan.launch);
  return out;
}

// Ours have a label; GSC's start a script that lies beside the manifest.
bool may_hold_enclave(const oci::Image& image) {
  const auto& config = image.config.config;
  return is_enclave_ready(image) ||
         std::any_of(config.entrypoint.begin(), config.entrypoint.end(),
                     [](const std::string& word) {
                       return is_within(word, parent_directory(manifest::kSgxManifestPath));
                     });
}

// What only an image of ours says: its measurement, recomputed, against the one that is signed.
void measurement_findings(const EnclaveImage& enclave, AuditReport& report) {
  report.mrenclave = enclave.sigstruct.mrenclave.hex();
  const auto add = [&](std::string evidence) {
    report.findings.push_back(
        manifest::make_finding(manifest::kRuleMeasurement, std::string(manifest::kSigstructPath),
                               std::move(evidence), "build the image anew; trust nothing in it"));
  };
  if (!enclave.signature_valid) add("the SIGSTRUCT is not validly signed");
  if (enclave.recomputed && *enclave.recomputed != enclave.sigstruct.mrenclave)
    add(cat("signs ", enclave.sigstruct.mrenclave.hex(), ", the files give ",
            enclave.recomputed->hex()));
}

Result<AuditReport> audit_enclave_image(Session& session, const std::string& argument,
                                        const oci::ImageRef& ref, const oci::Image& image,
                                        const RehearsalFiles* rehearsals) {
  CL_TRY(const LoadedImage loaded, session.load_layers(ref, image));
  const measure::Rootfs& rootfs = *loaded.rootfs;
  const measure::Node* node = rootfs.find(manifest::kSgxManifestPath);
  if (node == nullptr) node = rootfs.find(manifest::kDirectManifestPath);  // GSC's before signing
  if (node == nullptr || !node->is_regular())
    return Error::corrupt(cat(quote(argument), " starts an enclave, but it has no ",
                              manifest::kSgxManifestPath))
        .hint("audit the image that it was made from");
  CL_TRY(const Bytes text, rootfs.read(*node, session.limits().enclave_manifest_bytes));
  CL_TRY(TomlTable table, parse_manifest(as_text(text), session.limits(), node->path()));
  AuditReport out;
  out.subject = AuditReport::Subject::enclave_image;
  out.name = argument;
  out.digest = loaded.image.manifest_descriptor.digest.str();
  out.platform = loaded.image.config.platform().str();
  out.lines = plain_lines(as_text(text));
  out.manifest_digest = sha256(text).str();
  const auto label = [&](std::string_view name) { return image_label(loaded.image, name); };
  out.base_name = label(manifest::kLabelBaseName);
  out.base_digest = label(manifest::kLabelBaseDigest);
  out.runtime_name = label(manifest::kLabelRuntime);
  out.runtime_version = label(manifest::kLabelRuntimeVersion);
  out.runtime_digest = label(manifest::kLabelRuntimeDigest);
  if (is_enclave_ready(loaded.image)) {
    CL_TRY(const EnclaveImage enclave, read_enclave(rootfs, loaded.image, session.limits()));
    measurement_findings(enclave, out);
  }
  const auto packages = manifest::PackageIndex::read(rootfs, session.limits());
  const manifest::EnclaveManifest parsed{std::move(table)};
  CL_TRY(auto findings, enclave_findings(parsed, loaded, packages, session.limits()));
  append(out.findings, std::move(findings));
  out.surface =
      manifest::surface_of({.manifest = parsed.table, .rootfs = &rootfs, .packages = &packages});
  out.manifest = parsed.table;
  const auto& volumes = loaded.image.config.config.volumes;
  add_rehearsals(rehearsals,
                 {.manifest = out.manifest,
                  .rootfs = &rootfs,
                  .packages = &packages,
                  .volumes = {volumes.begin(), volumes.end()}},
                 out);
  return out;
}

}  // namespace

bool names_manifest_file(const std::string& argument) {
  std::error_code error;
  return argument.find_first_of("./") != std::string::npos &&
         std::filesystem::is_regular_file(argument, error);
}

Result<AuditReport> audit_manifest_text(std::string_view text, const std::string& name,
                                        const Limits& limits, const RehearsalFiles* rehearsals) {
  CL_TRY(TomlTable table, parse_manifest(text, limits, name));
  AuditReport out;
  const bool overlay =
      table.at("libos.entrypoint") == nullptr && table.at("loader.exec") == nullptr &&
      table.at("loader.entrypoint") == nullptr && table.at("loader.preload") == nullptr;
  if (overlay && rehearsals != nullptr)
    return Error::usage(cat(quote(name), " is an overlay: a rehearsal is held against a manifest"))
        .hint("audit the image with it: audit IMAGE --manifest FILE --rehearsal …");
  out.subject = overlay ? AuditReport::Subject::overlay : AuditReport::Subject::manifest;
  out.name = name;
  out.lines = plain_lines(text);
  out.manifest_digest = sha256(text).str();
  const manifest::EnclaveManifest parsed{std::move(table)};
  append(out.findings, manifest::manifest_findings(parsed, nullptr));
  append(out.findings, manifest::refusal_findings(parsed));
  append(out.findings, manifest::granted_findings(parsed, nullptr));
  if (overlay) keep_what_is_said(parsed.table, out.findings);
  add_rehearsals(rehearsals, {.manifest = parsed.table}, out);
  out.surface = manifest::surface_of({.manifest = parsed.table});
  out.manifest = parsed.table;
  point_into(out.findings, text, name, limits);
  return out;
}

Result<AuditReport> audit_image(Session& session, const std::string& argument,
                                const PlanOptions& options, const RehearsalFiles* rehearsals) {
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(argument));
  CL_TRY(const oci::Image image, session.resolve(ref));
  const bool machine = target_of(options.tee).machine;
  if (rehearsals != nullptr && (machine || is_guest(image.manifest)))
    return Error::usage("a rehearsal is held against a manifest of Gramine")
        .hint("leave out --rehearsal, or --tee");
  if (is_guest(image.manifest)) return audit_guest_image(session, argument, ref, image);
  if (machine) return audit_guest_draft(session, argument, ref, options);
  if (may_hold_enclave(image))
    return audit_enclave_image(session, argument, ref, image, rehearsals);
  CL_TRY(Plan plan, plan_audit(session, ref, options));
  AuditReport out = report_of_plan(std::move(plan), argument, rehearsals);
  if (!options.overlay_file.empty())
    point_into(out.findings, options.overlay_text, options.overlay_file, session.limits());
  return out;
}

Result<std::vector<Finding>> enclave_findings(const manifest::EnclaveManifest& manifest,
                                              const LoadedImage& loaded,
                                              const manifest::PackageIndex& packages,
                                              const Limits& limits) {
  const measure::Rootfs& rootfs = *loaded.rootfs;
  std::vector<Finding> out = manifest::manifest_findings(manifest, &rootfs);
  append(out, manifest::refusal_findings(manifest));
  append(out, manifest::granted_findings(manifest, &rootfs));
  append(out, manifest::configuration_findings(loaded.image.config.config, manifest));
  CL_TRY(auto of_image, manifest::image_findings(manifest, rootfs, limits));
  append(out, std::move(of_image));
  manifest::locate(out, rootfs, packages);
  manifest::sort_findings(out);
  return out;
}

void point_into(std::vector<Finding>& findings, std::string_view text, const std::string& file,
                const Limits& limits) {
  const auto places = toml_places(text, limits, quote(file));
  if (!places.has_value()) return;  // it was parsed before
  const auto line_of = [&](std::string_view key, std::string_view element) -> std::size_t {
    for (const TomlPlace& place : *places)
      if (place.key == key && place.element == element) return place.line;
    return 0;
  };
  for (Finding& finding : findings) {
    std::size_t line = 0;
    if (!finding.key.empty()) {
      line = line_of(finding.key, finding.where);
      if (line == 0) line = line_of(finding.key, "");
      // { passthrough = true } is a table of its own.
      if (line == 0) line = line_of(cat(finding.key, ".passthrough"), "");
    }
    for (const std::string& path : finding.files)
      if (line == 0) line = line_of("sgx.trusted_files", cat("file:", path));
    if (line > 0) finding.source = Finding::Source{file, line};
  }
}

}  // namespace cloister::cmd
