#include "sign/image/rebuild.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {

std::string encode_rebuild(const RebuildPredicate& p) {
  std::vector<BuildInput> inputs = p.inputs;
  for (BuildInput& input : inputs) input.content.clear();  // its digest says which it was
  OrderedJson out = OrderedJson::object();
  out["schema"] = "1.0";
  out["tee"] = "sgx";
  out["sgx"] = OrderedJson::object({{"mrenclave", p.mrenclave.hex()}});
  out["generator"] =
      OrderedJson::object({{"id", "urn:cloister"}, {"version", p.generator_version}});
  return with_member(dump_json(out), "resolvedDependencies", encode_build_inputs(inputs));
}

Result<Digest> parse_rebuild(std::string_view predicate, const Limits& limits) {
  CL_TRY(const Json json, parse_json(predicate, limits, "rebuild attestation"));
  if (!json.is_object()) return Error::corrupt("a rebuild attestation is a JSON object");
  CL_TRY(const Json* sgx, get_object(json, "sgx"));
  if (sgx == nullptr) return Error::corrupt("the rebuild attestation lacks 'sgx'");
  CL_TRY(const auto mrenclave, get_string(*sgx, "mrenclave"));
  if (!mrenclave) return Error::corrupt("the rebuild attestation lacks 'mrenclave'");
  return Digest::parse_hex(*mrenclave);
}

}  // namespace cloister::sign
