#include "cmd/guest/audit_guest.h"

#include "base/text.h"
#include "cmd/guest/guest_build.h"
#include "cmd/guest/guest_image.h"
#include "manifest-gen/audit/locate.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/guest/guest_permissions.h"
#include "sign/image/guest_checks.h"

namespace cloister::cmd {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

// The document's lines; what annotated_document() says in comments stands beside them.
Lines reasoned(std::string_view annotated) {
  Lines out;
  std::string reason;
  for (const std::string_view line : split(annotated, '\n')) {
    if (line.starts_with("# ")) {
      reason = line.substr(2);
    } else if (!line.empty()) {
      out.emplace_back(line, std::move(reason));
      reason.clear();
    }
  }
  return out;
}

}  // namespace

Result<AuditReport> audit_guest_draft(Session& session, const std::string& argument,
                                      const oci::ImageRef& ref, const PlanOptions& options) {
  CL_TRY(GuestDraft draft, draft_guest(session, ref, options, {}, Seconds()));
  const ClosurePlan& found = draft.found;
  const measure::Rootfs& rootfs = *found.base.rootfs;
  AuditReport out;
  out.subject = AuditReport::Subject::image;
  out.tee = target_of(options.tee).name;
  out.name = argument;
  out.base_name = found.base.image.name;
  out.digest = out.base_digest = found.base.image.manifest_descriptor.digest.str();
  out.platform = found.base.image.config.platform().str();
  out.kind = found.kind.name;
  out.manifest = manifest::permissions_table(draft.plan, draft.root.tree);
  const std::string document = manifest::encode_guest_document(document_of(draft, nullptr));
  out.lines = reasoned(annotated_document(draft));
  out.manifest_digest = sha256(document).str();
  std::map<std::string, std::string> reasons;
  for (const auto& [path, reason] : draft.root.reasons) reasons.emplace("file:" + path, reason);
  out.surface = manifest::surface_of({.manifest = out.manifest,
                                      .closure = &found.closure,
                                      .rootfs = &rootfs,
                                      .packages = &found.packages,
                                      .reasons = &reasons});
  const auto add = [&](std::vector<manifest::Finding> more) {
    for (manifest::Finding& finding : more) out.findings.push_back(std::move(finding));
  };
  const manifest::EnclaveManifest table{out.manifest};
  add(manifest::closure_findings(found.closure));
  add(manifest::configuration_findings(found.base.image.config.config, table));
  add(manifest::volume_findings(found.launch, table, rootfs));
  add(manifest::credential_findings(found.closure, table));
  for (manifest::Finding& finding : out.findings) {
    if (finding.id == manifest::kRuleVolumeLost)
      finding.fix =
          "let the program keep elsewhere what must last: the machine has no disk to write to";
    if (finding.id == manifest::kRuleAbsentCredential)
      finding.fix =
          "nothing is mounted into the machine: let the program fetch it once it is attested";
  }
  manifest::locate(out.findings, rootfs, found.packages);
  manifest::sort_findings(out.findings);
  out.launch = found.launch;
  return out;
}

Result<AuditReport> audit_guest_image(Session& session, const std::string& argument,
                                      const oci::ImageRef& ref, const oci::Image& image) {
  CL_TRY(const GuestImage guest, read_guest_image(session, ref, image));
  CL_TRY(const auto checks, check_guest_files(session, ref, image, guest, {}));
  CL_TRY(const oci::Store* store, session.store());
  CL_TRY(const Bytes text,
         store->read_blob(guest_descriptor(*find_blob(guest.files, GuestFile::document)),
                          session.limits().guest_document_bytes));
  CL_TRY(const manifest::GuestDocument document,
         manifest::parse_guest_document(as_text(text), session.limits()));
  AuditReport out;
  out.subject = AuditReport::Subject::enclave_image;
  out.tee = target_of(tee_of(guest.stated)).name;
  out.name = argument;
  out.digest = image.manifest_descriptor.digest.str();
  out.platform = image.config.platform().str();
  out.base_name = origin_of(guest.stated).base_uri;
  out.base_digest = origin_of(guest.stated).base_digest.str();
  out.manifest = manifest::permissions_table(document.plan, document.tree);
  out.lines = reasoned(as_text(text));
  out.manifest_digest = sha256(text).str();
  out.surface = manifest::surface_of({.manifest = out.manifest});
  for (const sign::Check& check : checks)
    if (!check.passed)
      out.findings.push_back(manifest::make_finding(manifest::kRuleMeasurement, check.name,
                                                    cat("got ", check.found),
                                                    "build it anew; trust nothing in it"));
  manifest::sort_findings(out.findings);
  return out;
}

}  // namespace cloister::cmd
