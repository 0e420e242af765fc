#include "sign/image/bundle.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kAnyBundle = "application/vnd.dev.sigstore.bundle";

}  // namespace

std::string encode_bundle(std::string_view envelope, const ImagePublicKey& key) {
  OrderedJson public_key = OrderedJson::object();
  public_key["hint"] = base64(key.fingerprint().view());
  OrderedJson material = OrderedJson::object();
  material["publicKey"] = std::move(public_key);
  OrderedJson out = OrderedJson::object();
  out["mediaType"] = std::string(kBundleMediaType);
  out["verificationMaterial"] = std::move(material);
  return with_member(dump_json(out), "dsseEnvelope", envelope);
}

Result<DsseEnvelope> parse_bundle(std::string_view text, const Limits& limits) {
  CL_TRY(const Json json, parse_json(text, limits, "Sigstore bundle"));
  if (!json.is_object()) return Error::corrupt("a Sigstore bundle is a JSON object");
  CL_TRY(const auto type, get_string(json, "mediaType"));
  if (!type || !type->starts_with(kAnyBundle))
    return Error::corrupt("the Sigstore bundle does not say that it is one");
  CL_TRY(const Json* envelope, get_object(json, "dsseEnvelope"));
  if (envelope == nullptr)
    return Error::unsupported("the Sigstore bundle holds no DSSE envelope")
        .detail("signatures over bare messages are not used for images");
  return parse_dsse(dump_json(*envelope), limits);
}

}  // namespace cloister::sign
