// image-spec config.md. The document is edited, not rebuilt: Healthcheck, ArgsEscaped, OnBuild and
// whatever else a builder wrote are kept, in their order.
//
// Cmd goes: Gramine discards host arguments with an error line at each start, and the arguments are
// in the manifest. User, WorkingDir, Env and the rest stay: they hold for the untrusted loader, for
// HEALTHCHECK and for exec.
#include "manifest-gen/assemble/derived_config.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "manifest-gen/assemble/notice.h"
#include "manifest-gen/assemble/paths.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kLicenses = "org.opencontainers.image.licenses";
// Facts: nobody sets them, and those of a base are its own. A base that calls itself by another
// image's name must not pass the name on.
constexpr std::string_view kFacts[] = {"io.cloister.", "org.opencontainers.image.base."};

bool is_fact(std::string_view label) {
  return std::any_of(std::begin(kFacts), std::end(kFacts),
                     [&](std::string_view prefix) { return label.starts_with(prefix); });
}

// The object under `key`, made when it is absent or null.
Result<OrderedJson*> object_at(OrderedJson& parent, const char* key) {
  OrderedJson& value = parent[key];
  if (value.is_null()) value = OrderedJson::object();
  if (!value.is_object())
    return Error::corrupt(
        cat("the base image's configuration has a ", quote(key), " that is no object"));
  return &value;
}

Result<OrderedJson*> array_at(OrderedJson& parent, const char* key) {
  OrderedJson& value = parent[key];
  if (value.is_null()) value = OrderedJson::array();
  if (!value.is_array())
    return Error::corrupt(
        cat("the base image's configuration has a ", quote(key), " that is no array"));
  return &value;
}

// History is optional, but when it is there its entries that made a layer are as many as the layers
// are: a history that is absent or already wrong is left alone.
bool history_matches(const OrderedJson& document, std::size_t layers) {
  const auto history = document.find("history");
  if (history == document.end() || history->is_null()) return layers == 0;
  if (!history->is_array()) return false;
  std::size_t made = 0;
  for (const OrderedJson& entry : *history) {
    if (!entry.is_object()) return false;
    const auto empty = entry.find("empty_layer");
    made += empty == entry.end() || !empty->is_boolean() || !empty->get<bool>();
  }
  return made == layers;
}

std::string runtime_text(const measure::Runtime& runtime) {
  return runtime.version.empty() ? "Gramine (unknown version)"
                                 : cat("Gramine ", printable(runtime.version));
}

Status append_history(OrderedJson& document, const AssembleInput& input) {
  if (!history_matches(document, input.base.config.diff_ids.size())) return {};
  CL_TRY(OrderedJson * history, array_at(document, "history"));
  history->push_back({{"created", format_rfc3339(input.created)},
                      {"created_by", "cloister build"},
                      {"comment", cat(input.generator, ": ", runtime_text(input.runtime),
                                      ", its manifest and SIGSTRUCT for SGX")}});
  return {};
}

}  // namespace

Result<std::map<std::string, std::string>> image_facts(const AssembleInput& input) {
  const measure::Runtime& runtime = input.runtime;
  std::map<std::string, std::string> facts;
  const auto& inherited = input.base.config.config.labels;
  const auto license = inherited.find(std::string(kLicenses));
  facts[std::string(kLicenses)] =
      license_expression(runtime, license == inherited.end() ? std::string() : license->second);
  if (!input.base_name.empty()) facts[std::string(kLabelBaseName)] = input.base_name;
  facts[std::string(kLabelBaseDigest)] = input.base.manifest_descriptor.digest.str();
  facts[std::string(kLabelMrenclave)] = input.mrenclave.hex();
  facts[std::string(kLabelMrsigner)] = input.mrsigner.hex();
  facts[std::string(kLabelRuntime)] = runtime.name;
  if (!runtime.version.empty()) facts[std::string(kLabelRuntimeVersion)] = runtime.version;
  facts[std::string(kLabelRuntimeDigest)] = runtime.digest().str();
  if (input.with_direct)
    facts[std::string(kLabelDirectCommand)] =
        cat("docker run --entrypoint ", kDirectLoaderPath, " IMAGE ", kDirectLibpalPath, " init ",
            kApplicationPath);
  CL_CHECK(check_labels(input.labels));
  return facts;
}

Status check_labels(const std::vector<std::pair<std::string, std::string>>& labels) {
  for (const auto& [key, value] : labels)
    if (is_fact(key))
      return Error::invalid(cat("label ", quote(key), " cannot be set"))
          .detail(cat("labels that begin with ", kFacts[0], " or ", kFacts[1],
                      " state what was measured, and of what it was built"))
          .hint("choose another name for the label");
  return {};
}

Result<std::string> derive_config(const AssembleInput& input, const Digest& layer_diff_id,
                                  const std::map<std::string, std::string>& facts,
                                  const Limits& limits) {
  CL_TRY(OrderedJson document,
         parse_ordered_json(input.base.config.raw, limits, "the base image's configuration"));
  if (!document.is_object())
    return Error::corrupt("the base image's configuration is no JSON object");
  document["created"] = format_rfc3339(input.created);

  CL_TRY(OrderedJson * config, object_at(document, "config"));
  (*config)["Entrypoint"] = {kLoaderPath, kLibpalPath, "init", kApplicationPath};
  config->erase("Cmd");
  CL_TRY(OrderedJson * labels, object_at(*config, "Labels"));
  for (auto at = labels->begin(); at != labels->end();)
    at = is_fact(at.key()) ? labels->erase(at) : std::next(at);
  for (const auto& [key, value] : facts) (*labels)[key] = value;
  for (const auto& [key, value] : input.labels) (*labels)[key] = value;
  if (!input.provenance.empty()) (*labels)[std::string(kLabelProvenance)] = input.provenance;

  CL_CHECK(append_history(document, input));
  CL_TRY(OrderedJson * rootfs, object_at(document, "rootfs"));
  (*rootfs)["type"] = "layers";
  CL_TRY(OrderedJson * diff_ids, array_at(*rootfs, "diff_ids"));
  diff_ids->push_back(layer_diff_id.str());
  return dump_json(document);
}

}  // namespace cloister::manifest
