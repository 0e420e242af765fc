#include "sign/image/provenance.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kMaxInputs = 64;

OrderedJson input_json(const BuildInput& input) {
  OrderedJson out = OrderedJson::object();
  out["name"] = input.role;
  if (!input.uri.empty()) out["uri"] = input.uri;
  out["digest"] =
      OrderedJson::object({{input.directory ? "dirHash" : "sha256", input.digest.hex()}});
  if (!input.content.empty()) out["content"] = base64(as_bytes(input.content));
  return out;
}

Result<BuildInput> parse_input(const Json& json) {
  if (!json.is_object()) return Error::corrupt("a dependency of the provenance is no object");
  BuildInput out;
  CL_TRY(const auto role, get_string(json, "name"));
  CL_TRY(const auto uri, get_string(json, "uri"));
  CL_TRY(const Json* digests, get_object(json, "digest"));
  if (!role || digests == nullptr)
    return Error::corrupt("a dependency of the provenance lacks name or digest");
  out.role = *role;
  out.uri = uri.value_or("");
  CL_TRY(auto digest, get_string(*digests, "sha256"));
  if (!digest) {
    CL_TRY(digest, get_string(*digests, "dirHash"));
    out.directory = true;
  }
  if (!digest)
    return Error::corrupt(cat("the ", quote(out.role), " of the provenance has no known digest"));
  CL_TRY(out.digest, Digest::parse_hex(*digest));
  CL_TRY(const auto content, get_string(json, "content"));
  if (!content) return out;
  const auto bytes = unbase64(*content);
  if (!bytes || sha256(*bytes) != out.digest)
    return Error::corrupt(
        cat("the ", quote(out.role), " in the provenance is not what its digest says"));
  out.content = std::string(as_text(*bytes));
  return out;
}

}  // namespace

std::string encode_build_inputs(const std::vector<BuildInput>& inputs) {
  OrderedJson out = OrderedJson::array();
  for (const BuildInput& input : inputs) out.push_back(input_json(input));
  return dump_json(out);
}

std::string encode_provenance(const Provenance& p) {
  const OrderedJson internal = OrderedJson::object({{"platform", p.platform}});
  const OrderedJson builder =
      OrderedJson::object({{"id", "urn:cloister"},
                           {"version", OrderedJson::object({{"cloister", p.generator_version}})}});

  std::string definition = dump_json(OrderedJson::object({{"buildType", std::string(kBuildType)}}));
  definition = with_member(std::move(definition), "externalParameters", p.parameters);
  definition = with_member(std::move(definition), "internalParameters", dump_json(internal));
  definition =
      with_member(std::move(definition), "resolvedDependencies", encode_build_inputs(p.inputs));
  std::string out = cat("{\"buildDefinition\":", definition, "}");
  return with_member(std::move(out), "runDetails",
                     dump_json(OrderedJson::object({{"builder", builder}})));
}

Result<Provenance> parse_provenance(std::string_view predicate, const Limits& limits) {
  CL_TRY(const Json json, parse_json(predicate, limits, "provenance"));
  if (!json.is_object()) return Error::corrupt("a provenance is a JSON object");
  CL_TRY(const Json* definition, get_object(json, "buildDefinition"));
  if (definition == nullptr) return Error::corrupt("the provenance lacks buildDefinition");
  CL_TRY(const auto type, get_string(*definition, "buildType"));
  if (type != kBuildType)
    return Error::unsupported(
        cat("the provenance is of a build of type ", quote(type.value_or("")), ", not ours"));
  Provenance out;
  CL_TRY(const Json* parameters, get_object(*definition, "externalParameters"));
  CL_TRY(const Json* internal, get_object(*definition, "internalParameters"));
  CL_TRY(const Json* inputs, get_array(*definition, "resolvedDependencies"));
  CL_TRY(const Json* details, get_object(json, "runDetails"));
  if (parameters == nullptr || internal == nullptr || inputs == nullptr || details == nullptr)
    return Error::corrupt("the provenance lacks parameters, dependencies or runDetails");
  out.parameters = dump_json(*parameters);
  CL_TRY(const auto platform, get_string(*internal, "platform"));
  out.platform = platform.value_or("");
  if (inputs->size() > kMaxInputs)
    return Error::limit(cat("the provenance names more than ", kMaxInputs, " dependencies"));
  for (const Json& input : *inputs) {
    CL_TRY(BuildInput parsed, parse_input(input));
    out.inputs.push_back(std::move(parsed));
  }
  CL_TRY(const Json* builder, get_object(*details, "builder"));
  if (builder == nullptr) return Error::corrupt("the provenance names no builder");
  CL_TRY(const Json* versions, get_object(*builder, "version"));
  if (versions != nullptr) {
    CL_TRY(const auto version, get_string(*versions, "cloister"));
    out.generator_version = version.value_or("");
  }
  return out;
}

}  // namespace cloister::sign
