#include "cmd/report/build.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/report/audit.h"
#include "cmd/report/sgx_json.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::cmd {
namespace {

using manifest::Finding;

std::string libc_name(const Plan& plan) {
  if (plan.closure.uses_glibc_runtime) return "glibc";
  if (plan.closure.uses_musl) return "musl";
  return "none";
}

// A build accepts nothing: what is accepted is `audit`'s to say.
OrderedJson findings_json(const std::vector<Finding>& findings) {
  OrderedJson json = finding_counts(findings);
  json.erase("accepted");
  return json;
}

OrderedJson layers_json(const BuildReport& r) {
  OrderedJson layers = OrderedJson::array();
  const auto& base = r.plan.base;
  for (std::size_t i = 0; i < base.image.manifest.layers.size(); ++i) {
    const auto& layer = base.image.manifest.layers[i];
    layers.push_back({{"digest", layer.digest.str()},
                      {"diffId", base.image.config.diff_ids[i].str()},
                      {"files", base.rootfs->layers()[i].index->entries.size()},
                      {"bytes", layer.size}});
  }
  if (r.built != nullptr)
    layers.push_back({{"digest", r.built->image.layer_descriptor.digest.str()},
                      {"diffId", r.built->image.layer_diff_id.str()},
                      {"files", r.built->image.layer_files},
                      {"bytes", r.built->image.layer_descriptor.size}});
  return layers;
}

OrderedJson trusted_files_json(const Plan& plan) {
  OrderedJson files = OrderedJson::array();
  for (const auto& entry :
       manifest::file_entries(plan.manifest.manifest.table, "sgx.trusted_files")) {
    OrderedJson file = {{"uri", entry.uri}};
    if (!entry.sha256.empty()) file["sha256"] = entry.sha256;
    const auto reason = plan.manifest.reasons.find(entry.uri);
    file["reasons"] = reason == plan.manifest.reasons.end() ? OrderedJson::array()
                                                            : OrderedJson::array({reason->second});
    files.push_back(std::move(file));
  }
  return files;
}

void finding_lines(std::string& out, const std::vector<Finding>& findings) {
  for (const Finding& f : findings)
    out += cat("# ", manifest::severity_name(f.severity), " ", f.id, " ", printable(f.where), ": ",
               printable(f.evidence), "\n#   fix: ", printable(f.fix), "\n");
}

}  // namespace

std::string build_json(const BuildReport& r) {
  const Plan& plan = r.plan;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? OrderedJson() : OrderedJson(text);
  };
  OrderedJson json;
  json["image"] = {
      {"digest", text_or_null(r.digest)},
      {"name", text_or_null(r.name)},
      {"mediaType",
       r.built != nullptr ? OrderedJson(r.built->image.manifest.media_type) : OrderedJson()}};
  json["base"] = {{"name", plan.base.image.name},
                  {"digest", plan.base.image.manifest_descriptor.digest.str()}};
  json["runtime"] = {{"name", plan.runtime.name},
                     {"version", text_or_null(plan.runtime.version)},
                     {"libc", libc_name(plan)},
                     {"digest", plan.runtime.digest().str()}};
  json["sgx"] = {{"mrenclave", plan.measurement.mrenclave.hex()},
                 {"mrsigner", r.built != nullptr ? OrderedJson(r.built->sigstruct.mrsigner().hex())
                                                 : OrderedJson()},
                 {"isvprodid", plan.params.isvprodid},
                 {"isvsvn", plan.params.isvsvn},
                 {"debug", plan.params.debug},
                 {"enclaveSize", plan.params.enclave_size},
                 {"maxThreads", plan.params.max_threads},
                 {"attributes", attributes_json(plan.params.flags, plan.params.flags_mask,
                                                plan.params.xfrm, plan.params.xfrm_mask)},
                 {"miscselect", hex_le(plan.params.misc_select, 4)}};
  json["manifest"] = {{"digest", sha256(plan.manifest.text).str()},
                      {"trustedFiles", plan.manifest.trusted_files},
                      {"trustedBytes", plan.manifest.trusted_bytes}};
  json["layers"] = layers_json(r);
  json["findings"] = findings_json(plan.findings);
  if (r.built == nullptr) {
    json["manifest"]["text"] = plan.manifest.text;
    json["trustedFiles"] = trusted_files_json(plan);
  }
  return dump_json_pretty(json) + "\n";
}

std::string build_summary(const BuildReport& r) {
  const Plan& plan = r.plan;
  std::string out = cat("base       ", printable(plan.base.image.name), " @ ",
                        plan.base.image.manifest_descriptor.digest.str(), "\n");
  out += cat("runtime    gramine ",
             plan.runtime.version.empty() ? "(unknown version)" : printable(plan.runtime.version),
             "\n");
  // A name may be a link to a program of another name: both are said.
  const std::string& typed =
      plan.launch.argv.empty() ? plan.launch.entrypoint : plan.launch.argv[0];
  out += cat("program    ", quote(typed));
  if (base_name(typed) != base_name(plan.launch.entrypoint))
    out += cat(", which is ", quote(plan.launch.entrypoint));
  out += cat(" as ", plan.launch.uid, ":", plan.launch.gid, ", kind ", plan.kind.name, "\n");
  out += cat("may open   ", plan.manifest.trusted_files, " of ", plan.base.rootfs->file_count(),
             " files, ", human_bytes(plan.manifest.trusted_bytes), "\n");
  out += cat("mrenclave  ", plan.measurement.mrenclave.hex(), "\n");
  if (r.built != nullptr) {
    out += cat("mrsigner   ", r.built->sigstruct.mrsigner().hex(), "\n");
    out += cat("new layer  ", human_bytes(r.built->image.layer_descriptor.size), ", ",
               r.built->image.layer_files, " entries\n");
  }
  out += cat("findings   ", count_phrase(plan.findings));
  return out;
}

// In the order in which a reviewer asks: from what, what runs, what it may do, what is wrong with
// that, what it costs, what it would be called.
std::string dry_run_text(const BuildReport& r) {
  const Plan& plan = r.plan;
  std::string out = cat(
      "# Dry run: nothing was written. This document is the enclave manifest; what a build would\n"
      "# measure is the same without comments (cloister manifest prints it).\n#\n",
      "# base      ", printable(plan.base.image.name), "\n#           ",
      plan.base.image.manifest_descriptor.digest.str(), "\n");
  out += cat("# runtime   ", plan.runtime.name, " ",
             plan.runtime.version.empty() ? "(unknown version)" : printable(plan.runtime.version),
             "\n");
  for (const auto& source : plan.runtime.sources)
    out += cat("#           ", printable(source.name),
               source.digest ? " @ " + source.digest->str() : "", "\n");
  out += cat("# runs      ", quoted_words(plan.launch.argv), "\n#           ",
             quote(plan.launch.entrypoint), " in ", quote(plan.launch.workdir), " as ",
             plan.launch.uid, ":", plan.launch.gid, "\n");
  out += cat("# kind      ", plan.kind.name, ": ", printable(plan.kind.summary), "\n\n");

  out += manifest::annotate(plan.manifest) + "\n";

  if (plan.findings.empty()) out += "# no findings\n";
  finding_lines(out, plan.findings);
  out += cat("#\n# may open  ", plan.manifest.trusted_files, " of ", plan.base.rootfs->file_count(),
             " files, ", human_bytes(plan.manifest.trusted_bytes), "\n");
  out +=
      cat("# enclave   ", human_bytes(plan.params.enclave_size), ", ", plan.params.max_threads,
          " threads", plan.params.edmm ? ", EDMM" : "", plan.params.debug ? ", DEBUG" : "", "\n");
  out += cat("# mrenclave ", plan.measurement.mrenclave.hex(), "\n");
  for (const std::string& name : r.would_push) out += cat("# would push ", printable(name), "\n");
  if (r.would_push.empty()) out += "# would push nothing (-t NAME --push does)\n";
  return out;
}

}  // namespace cloister::cmd
