#include "cmd/baseline.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cmd/audit_subject.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kLockFormat = "cloister-lock-v1", kAuditFormat = "cloister-audit-v1";

// Of the runtime what decides about behaviour; where it was fetched from does not.
std::string runtime_phrase(std::string_view name, std::string_view version,
                           std::string_view digest) {
  return name.empty()
             ? std::string()
             : cat(name, version.empty() ? "" : " ", version, digest.empty() ? "" : " ", digest);
}

Result<std::string> text_at(const Json& document, std::string_view object, std::string_view key) {
  CL_TRY(const Json* const inner, get_object(document, object));
  if (inner == nullptr) return std::string();
  CL_TRY(auto text, get_string(*inner, key));
  return text.value_or("");
}

// Lines are strings in a lock file, and objects with a text in a report.
Result<std::string> manifest_text(const Json& document, std::string_view what) {
  CL_TRY(const Json* const manifest, get_object(document, "manifest"));
  if (manifest == nullptr) return Error::corrupt(cat(what, " holds no manifest"));
  CL_TRY(const Json* const lines, get_array(*manifest, "lines"));
  if (lines == nullptr) return Error::corrupt(cat(what, " holds no lines of a manifest"));
  std::string out;
  for (const Json& line : *lines) {
    if (line.is_string()) {
      out += line.get_ref<const std::string&>();
    } else if (line.is_object()) {
      CL_TRY(const auto text, get_string(line, "text"));
      out += text.value_or("");
    } else {
      return Error::corrupt(cat(what, " has a line that is no text"));
    }
    out += '\n';
  }
  return out;
}

Result<std::vector<Baseline::Source>> runtime_sources(const Json& document) {
  std::vector<Baseline::Source> out;
  CL_TRY(const Json* const runtime, get_object(document, "runtime"));
  if (runtime == nullptr) return out;
  CL_TRY(const Json* const sources, get_array(*runtime, "sources"));
  if (sources == nullptr) return out;
  for (const Json& source : *sources) {
    if (!source.is_object()) return Error::corrupt("a source of the runtime is no object");
    CL_TRY(auto name, get_string(source, "name"));
    CL_TRY(auto digest, get_string(source, "digest"));
    out.push_back({name.value_or(""), digest.value_or("")});
  }
  return out;
}

}  // namespace

manifest::Permissions permissions_of(const AuditReport& report) {
  return {report.manifest, report.base_digest,
          runtime_phrase(report.runtime_name, report.runtime_version, report.runtime_digest),
          report.mrenclave};
}

manifest::Permissions permissions_of(const Plan& plan) {
  return {plan.manifest.manifest.table, plan.base.image.manifest_descriptor.digest.str(),
          runtime_phrase(plan.runtime.name, plan.runtime.version, plan.runtime.digest().str()),
          plan.measurement.mrenclave.hex()};
}

Result<manifest::Permissions> permissions_of(const EnclaveImage& enclave, const oci::Image& image,
                                             const Limits& limits) {
  manifest::Permissions out;
  CL_TRY(out.manifest, parse_toml(as_text(enclave.manifest), limits, "the enclave manifest"));
  out.base = image_label(image, manifest::kLabelBaseDigest);
  out.runtime = runtime_phrase(image_label(image, manifest::kLabelRuntime), enclave.version,
                               image_label(image, manifest::kLabelRuntimeDigest));
  out.mrenclave = enclave.sigstruct.mrenclave.hex();
  return out;
}

std::string lock_json(const Plan& plan) {
  OrderedJson sources = OrderedJson::array(), lines = OrderedJson::array();
  for (std::size_t i = 0; i < plan.runtime.sources.size(); ++i)
    sources.push_back(
        {{"name", plan.runtime.sources[i].uri}, {"digest", plan.runtime.source_digest(i).str()}});
  for (const std::string_view line : split(plan.manifest.text, '\n'))
    if (!line.empty()) lines.push_back(line);
  const OrderedJson json = {
      {"format", kLockFormat},
      {"base",
       {{"name", public_name(plan.base.ref)},
        {"digest", plan.base.image.manifest_descriptor.digest.str()}}},
      {"runtime",
       {{"name", plan.runtime.name},
        {"version", plan.runtime.version},
        {"digest", plan.runtime.digest().str()},
        {"sources", std::move(sources)}}},
      {"sgx", {{"mrenclave", plan.measurement.mrenclave.hex()}}},
      {"manifest", {{"digest", sha256(plan.manifest.text).str()}, {"lines", std::move(lines)}}}};
  return dump_json_pretty(json) + "\n";
}

Result<Baseline> parse_baseline(std::string_view text, const Limits& limits,
                                std::string_view what) {
  CL_TRY(const Json document, parse_json(text, limits, what));
  if (!document.is_object()) return Error::corrupt(cat(what, " is no object"));
  CL_TRY(const auto format, get_string(document, "format"));
  if (format != kLockFormat && format != kAuditFormat)
    return Error::unsupported(cat(what, " is neither a baseline nor a report"))
        .hint("cloister build --lock and cloister audit --format json write them");
  Baseline out;
  CL_TRY(const std::string manifest, manifest_text(document, what));
  CL_TRY(out.permissions.manifest, parse_toml(manifest, limits, cat("the manifest in ", what)));
  CL_TRY(out.base_name, text_at(document, "base", "name"));
  CL_TRY(out.base_digest, text_at(document, "base", "digest"));
  out.permissions.base = out.base_digest;
  CL_TRY(out.runtime_name, text_at(document, "runtime", "name"));
  CL_TRY(out.runtime_version, text_at(document, "runtime", "version"));
  CL_TRY(const std::string digest, text_at(document, "runtime", "digest"));
  out.permissions.runtime = runtime_phrase(out.runtime_name, out.runtime_version, digest);
  CL_TRY(out.permissions.mrenclave, text_at(document, "sgx", "mrenclave"));
  CL_TRY(out.runtimes, runtime_sources(document));
  return out;
}

Result<manifest::Permissions> read_permissions(Session& session, const std::string& argument,
                                               const PlanOptions& options) {
  if (!names_manifest_file(argument)) {
    CL_TRY(const AuditReport report, audit_image(session, argument, options));
    return permissions_of(report);
  }
  CL_TRY(const std::string text, read_text_file(argument, kMaxBaselineBytes));
  if (trim(text).starts_with('{')) {
    CL_TRY(Baseline baseline, parse_baseline(text, session.limits(), quote(argument)));
    return std::move(baseline.permissions);
  }
  CL_TRY(const AuditReport report, audit_manifest_text(text, argument, session.limits()));
  return permissions_of(report);
}

}  // namespace cloister::cmd
