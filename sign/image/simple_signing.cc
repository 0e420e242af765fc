#include "sign/image/simple_signing.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kSimpleSigningType = "cosign container image signature";
// What older containers tools write; the meaning is the same.
constexpr std::string_view kAtomicType = "atomic container signature";

}  // namespace

std::string encode_simple_signing(const SimpleSigning& claim) {
  OrderedJson identity = OrderedJson::object();
  identity["docker-reference"] = claim.docker_reference;
  OrderedJson image = OrderedJson::object();
  image["docker-manifest-digest"] = claim.manifest_digest.str();
  OrderedJson critical = OrderedJson::object();
  critical["identity"] = std::move(identity);
  critical["image"] = std::move(image);
  critical["type"] = std::string(kSimpleSigningType);
  OrderedJson out = OrderedJson::object();
  out["critical"] = std::move(critical);
  out["optional"] = nullptr;
  return dump_json(out);
}

Result<SimpleSigning> parse_simple_signing(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, "signature payload"));
  if (!json.is_object()) return Error::corrupt("a signature payload is a JSON object");
  CL_TRY(const Json* critical, get_object(json, "critical"));
  if (critical == nullptr) return Error::corrupt("the signature payload lacks 'critical'");
  CL_TRY(const auto type, get_string(*critical, "type"));
  CL_TRY(const Json* identity, get_object(*critical, "identity"));
  CL_TRY(const Json* image, get_object(*critical, "image"));
  if (!type || (*type != kSimpleSigningType && *type != kAtomicType) || identity == nullptr ||
      image == nullptr)
    return Error::corrupt("the signature payload is of no known form");
  SimpleSigning out;
  CL_TRY(const auto reference, get_string(*identity, "docker-reference"));
  CL_TRY(const auto digest, get_string(*image, "docker-manifest-digest"));
  if (!digest) return Error::corrupt("the signature payload names no image digest");
  out.docker_reference = reference.value_or("");
  CL_TRY(out.manifest_digest, Digest::parse(*digest));
  return out;
}

}  // namespace cloister::sign
