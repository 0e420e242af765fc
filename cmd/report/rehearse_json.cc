#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cmd/report/rehearse.h"
#include "cmd/session.h"
#include "manifest-gen/rehearse/run_json.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::cmd {
namespace {

using manifest::Denied;
using manifest::Proposal;

// Paths that are no text are readable at least; the run has them byte by byte.
std::string as_utf8(const std::string& text) {
  return is_utf8(text) ? text : printable(text);
}

OrderedJson texts_json(const std::vector<std::string>& texts) {
  OrderedJson out = OrderedJson::array();
  for (const std::string& text : texts) out.push_back(as_utf8(text));
  return out;
}

void put_text(OrderedJson& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = as_utf8(text);
}

OrderedJson proposal_json(const Proposal& proposal) {
  OrderedJson json = {{"kind", manifest::proposal_kind_name(proposal.kind)},
                      {"key", as_utf8(proposal.key)}};
  put_text(json, "path", proposal.path);
  put_text(json, "value", proposal.value);
  json["reason"] = as_utf8(proposal.reason);
  json["line"] = as_utf8(manifest::overlay_line(proposal));
  return json;
}

OrderedJson denied_json(const Denied& one) {
  OrderedJson uses = OrderedJson::array();
  for (const Denied::Use& use : one.uses)
    uses.push_back({{"use", manifest::file_use_name(use.use)},
                    {"refused", use.refused},
                    {"letThrough", use.would}});
  OrderedJson json = {{"path", as_utf8(one.path)}};
  if (one.real != one.path) put_text(json, "real", one.real);
  json["uses"] = std::move(uses);
  json["programs"] = texts_json(one.programs);
  json["inImage"] = manifest::in_image_name(one.in_image);
  if (one.in_image == Denied::In::file) json["bytes"] = one.bytes;
  put_text(json, "package", one.package);
  json["cause"] = manifest::cause_name(one.cause);
  json["why"] = as_utf8(one.why);
  json["harmless"] = one.harmless;
  if (one.proposal) json["add"] = proposal_json(*one.proposal);
  put_text(json, "finding", one.finding);
  put_text(json, "warning", one.warning);
  return json;
}

OrderedJson unused_json(const manifest::Unused& group) {
  OrderedJson files = OrderedJson::array();
  for (const auto& file : group.files)
    files.push_back({{"path", as_utf8(file.path)},
                     {"names", texts_json(file.names)},
                     {"bytes", file.bytes},
                     {"lookedAt", file.looked_at}});
  return {{"reason", as_utf8(group.reason)}, {"bytes", group.bytes}, {"files", std::move(files)}};
}

OrderedJson written_json(const manifest::Written& one) {
  OrderedJson json = {{"path", as_utf8(one.path)},
                      {"place", manifest::place_name(one.place)},
                      {"paths", one.paths},
                      {"example", as_utf8(one.example)}};
  put_text(json, "remark", one.remark);
  if (one.proposal) json["add"] = proposal_json(*one.proposal);
  return json;
}

OrderedJson size_json(const manifest::SizeAdvice& size) {
  OrderedJson json = {{"key", size.key},
                      {"current", as_utf8(size.current)},
                      {"isDefault", size.is_default},
                      {"unit", size.in_bytes ? "bytes" : "number"},
                      {"seen", size.seen},
                      {"need", size.need},
                      {"outcome", manifest::size_outcome_name(size.outcome)},
                      {"arithmetic", as_utf8(size.arithmetic)}};
  if (size.proposal) json["add"] = proposal_json(*size.proposal);
  return json;
}

}  // namespace

OrderedJson verdict_json(const manifest::Verdict& verdict) {
  OrderedJson json = {{"clean", verdict.clean},
                      {"tighten", verdict.tighten},
                      {"opened", verdict.opened},
                      {"granted", verdict.granted},
                      {"denied", OrderedJson::array()},
                      {"unusedFiles", verdict.unused_files},
                      {"unusedBytes", verdict.unused_bytes},
                      {"unused", OrderedJson::array()},
                      {"exclude", texts_json(verdict.exclude)},
                      {"written", OrderedJson::array()},
                      {"sizes", OrderedJson::array()},
                      {"unimplemented", OrderedJson::array()},
                      {"remarks", texts_json(verdict.remarks)}};
  for (const Denied& one : verdict.denied) json["denied"].push_back(denied_json(one));
  for (const auto& group : verdict.unused) json["unused"].push_back(unused_json(group));
  for (const auto& one : verdict.written) json["written"].push_back(written_json(one));
  for (const auto& size : verdict.sizes) json["sizes"].push_back(size_json(size));
  for (const auto& one : verdict.unimplemented) {
    OrderedJson call = {{"call", as_utf8(one.call)}, {"times", one.times}};
    put_text(call, "effect", one.effect);
    put_text(call, "fix", one.fix);
    json["unimplemented"].push_back(std::move(call));
  }
  return json;
}

OrderedJson tax_json(const manifest::Tax& tax) {
  OrderedJson lines = OrderedJson::array(), advice = OrderedJson::array();
  for (const auto& line : tax.lines) {
    OrderedJson call = {{"call", as_utf8(line.call.name)}};
    put_text(call, "object", line.call.object);
    call["times"] = line.times;
    call["exits"] = line.exits;
    call["cost"] = manifest::cost_kind_name(line.cost.kind);
    put_text(call, "how", std::string(line.cost.how));
    lines.push_back(std::move(call));
  }
  for (const auto& one : tax.advice)
    advice.push_back({{"what", as_utf8(one.what)}, {"because", as_utf8(one.because)}});
  return {{"profiled", tax.profiled},
          {"calls", tax.calls},
          {"exits", tax.exits},
          {"lookUps", tax.look_ups},
          {"newEnclaves", tax.new_enclaves},
          {"exitsPerSecond", tax.exits_per_second},
          {"exitsPerRequest", tax.exits_per_request},
          {"coreShare", tax.core_share},
          {"microsPerRequest", tax.micros_per_request},
          {"cpuSeconds", tax.cpu_seconds},
          {"lines", std::move(lines)},
          {"advice", std::move(advice)},
          {"assumptions", texts_json(tax.assumptions)}};
}

std::string rehearse_json(const RehearseReport& report) {
  OrderedJson json = {{"format", "cloister-rehearsal-v1"},
                      {"generator", cat("cloister ", kVersion)}};
  if (!report.image.empty()) {
    json["image"] = {{"name", as_utf8(report.image)}};
    put_text(json["image"], "digest", report.digest);
    put_text(json["image"], "platform", report.platform);
  }
  put_text(json, "manifestDigest", report.manifest_digest);
  json["passed"] = passes(report);
  put_text(json, "workProblem", report.work_problem.value_or(""));
  json["verdict"] = verdict_json(report.verdict);
  json["tax"] = tax_json(report.tax);
  json["overlay"] = manifest::overlay_toml(report.verdict.proposals());
  return with_member(dump_json(json), "run", manifest::run_json(report.run)) + "\n";
}

}  // namespace cloister::cmd
