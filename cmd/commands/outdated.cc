// Whether what an image was built from is still what one would build from today: the recorded names
// are asked for their digests, and the advisories that this program knows for the runtime's
// version.
#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/audit_subject.h"
#include "cmd/baseline.h"
#include "cmd/build_record.h"
#include "cmd/command.h"
#include "cmd/enclave_image.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/moving_name.h"
#include "cmd/output.h"
#include "cmd/report/outdated.h"
#include "cmd/session.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::cmd {
namespace {

struct OutdatedOptions {
  CommonOptions common;
  std::string subject, format = "text", output;
};

// What is recorded: by a lock file, or a saved report of an audit.
Result<OutdatedReport> recorded_in_file(const std::string& file, const Limits& limits) {
  CL_TRY(const std::string text, read_text_file(file, kMaxBaselineBytes));
  CL_TRY(const Baseline baseline, parse_baseline(text, limits, quote(file)));
  OutdatedReport out;
  out.runtime_name = baseline.runtime_name;
  out.runtime_version = baseline.runtime_version;
  if (!baseline.base_digest.empty())
    out.inputs.push_back(
        {"base", baseline.base_name, baseline.base_digest, "", InputState::unnamed});
  for (const Baseline::Source& source : baseline.runtimes)
    out.inputs.push_back({"runtime", source.name, source.digest, "", InputState::unnamed});
  return out;
}

// By the image's provenance; one of an older build has labels alone.
Result<OutdatedReport> recorded_in_image(Session& session, const std::string& argument) {
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(argument));
  CL_TRY(const oci::Image image, session.resolve(ref));
  if (!is_enclave_ready(image))
    return Error::invalid(cat(quote(argument), " is not enclave-ready"))
        .hint("only what cloister built says what it was built from; a lock file does too");
  OutdatedReport out;
  out.runtime_name = image_label(image, manifest::kLabelRuntime);
  out.runtime_version = image_label(image, manifest::kLabelRuntimeVersion);
  const std::string provenance = image_label(image, manifest::kLabelProvenance);
  if (provenance.empty()) {
    out.inputs.push_back({"base", image_label(image, manifest::kLabelBaseName),
                          image_label(image, manifest::kLabelBaseDigest), "", InputState::unnamed});
    return out;
  }
  CL_TRY(const BuildRecord record, parse_build_record(provenance, session.limits()));
  out.accepted = record.plan.accepted;
  for (const sign::BuildInput& input : record.inputs)
    if (input.role == "base" || input.role == "runtime")
      out.inputs.push_back({input.role, input.uri, input.digest.str(), "", InputState::unnamed});
  return out;
}

Status ask_for(Session& session, OutdatedReport::Input& input) {
  CL_TRY(const auto name, moving_name(input.name));
  if (!name) return {};
  if (session.offline()) {
    input.state = InputState::unasked;
    return {};
  }
  auto image = session.resolve(*name);
  if (!image.has_value())
    return std::move(image).error().while_(
        cat("asking what the recorded ", input.role, " ", quote(name->str()), " is now"));
  input.current = image->manifest_descriptor.digest.str();
  input.state = input.current == input.recorded ? InputState::current : InputState::newer;
  return {};
}

Result<int> run_outdated(const OutdatedOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  std::optional<OutdatedReport> report;
  if (names_manifest_file(o.subject)) {
    CL_TRY(report, recorded_in_file(o.subject, session->limits()));
  } else {
    CL_TRY(report, recorded_in_image(*session, o.subject));
  }
  report->subject = o.subject;
  CL_TRY(report->advisories,
         manifest::advisories_for(report->runtime_name, report->runtime_version));
  for (OutdatedReport::Input& input : report->inputs) CL_CHECK(ask_for(*session, input));
  const bool outdated = is_outdated(*report);
  std::string text = o.format == "json" ? outdated_json(*report) : outdated_text(*report);
  if (session->quiet() && o.output.empty() && o.format == "text")
    text = outdated ? "outdated\n" : "current\n";
  CL_CHECK(write_result(o.output, text));
  return outdated ? kExitPolicy : kExitDone;
}

}  // namespace

Action add_outdated(CLI::App& app) {
  auto o = std::make_shared<OutdatedOptions>();
  app.add_option("IMAGE|LOCK", o->subject,
                 "Enclave-ready image, or what build --lock wrote (a file by its path)")
      ->required();
  add_format_option(app, o->format, {"text", "json"});
  add_output_option(app, o->output);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_outdated(*o, env); };
}

}  // namespace cloister::cmd
