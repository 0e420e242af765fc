#include "cmd/report/sarif.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

// A relative URI reference (RFC 3986).
std::string uri_reference(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  return path.empty() ? "image" : percent_encoded(path, "/");
}

OrderedJson rule_json(const SarifResult& result) {
  return {{"id", result.rule},
          {"shortDescription", {{"text", result.title}}},
          {"fullDescription", {{"text", result.meaning}}},
          {"defaultConfiguration", {{"level", result.level}}},
          {"properties",
           {{"security-severity", result.score},
            {"tags", OrderedJson::array({"security", "enclave"})}}}};
}

OrderedJson result_json(const SarifResult& result, std::size_t rule) {
  OrderedJson physical = {{"artifactLocation", {{"uri", uri_reference(result.file)}}},
                          {"region", {{"startLine", std::max<std::size_t>(result.line, 1)}}}};
  OrderedJson logical = {{"name", result.place}, {"kind", result.place_kind}};
  OrderedJson location = {{"physicalLocation", std::move(physical)},
                          {"logicalLocations", OrderedJson::array({std::move(logical)})}};
  const std::string tells =
      sha256(cat(result.rule, "\n", result.place, "\n", result.fingerprint)).hex();
  OrderedJson json = {{"ruleId", result.rule},
                      {"ruleIndex", rule},
                      {"level", result.level},
                      {"message", {{"text", result.message}}},
                      {"locations", OrderedJson::array({std::move(location)})},
                      {"partialFingerprints", {{"cloister/v1", tells}}}};
  for (const auto& [name, value] : result.properties) json["properties"][name] = value;
  if (result.suppression) {
    OrderedJson suppression = {{"kind", result.suppression->in_source ? "inSource" : "external"},
                               {"status", "accepted"},
                               {"justification", result.suppression->reason}};
    json["suppressions"] = OrderedJson::array({std::move(suppression)});
  }
  return json;
}

}  // namespace

std::string sarif_document(const std::vector<SarifResult>& results) {
  OrderedJson rules = OrderedJson::array(), found = OrderedJson::array();
  std::map<std::string, std::size_t> index;
  for (const SarifResult& result : results) {
    const auto [at, added] = index.emplace(result.rule, rules.size());
    if (added) rules.push_back(rule_json(result));
    found.push_back(result_json(result, at->second));
  }
  OrderedJson driver = {
      {"name", "cloister"}, {"version", std::string(kVersion)}, {"rules", std::move(rules)}};
  OrderedJson run = {{"tool", {{"driver", std::move(driver)}}},
                     {"results", std::move(found)},
                     {"columnKind", "unicodeCodePoints"}};
  const OrderedJson document = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                                {"version", "2.1.0"},
                                {"runs", OrderedJson::array({std::move(run)})}};
  return dump_json_pretty(document) + "\n";
}

}  // namespace cloister::cmd
