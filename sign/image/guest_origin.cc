#include "sign/image/guest_origin.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sign/image/claim_json.h"

namespace cloister::sign {
namespace {

constexpr std::string_view kDocumentName = "guest.conf";
constexpr std::uint64_t kMostFiles = std::uint64_t{1} << 32;

}  // namespace

std::string encode_guest_predicate(std::string_view tee, const GuestOrigin& origin,
                                   OrderedJson own) {
  OrderedJson out = OrderedJson::object();
  out["schema"] = "1.0";
  out["tee"] = tee;
  out["image"] = OrderedJson::object(
      {{"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"platform", origin.platform}});
  out[std::string(tee)] = std::move(own);
  out["manifest"] =
      OrderedJson::object({{"path", kDocumentName}, {"digest", digest_set(origin.document)}});
  out["trustedFiles"] = OrderedJson::object({{"count", origin.files},
                                             {"format", "sha256sum-v1"},
                                             {"digest", digest_set(origin.files_digest)}});
  OrderedJson base = OrderedJson::object();
  if (!origin.base_uri.empty()) base["uri"] = origin.base_uri;
  base["digest"] = digest_set(origin.base_digest);
  out["base"] = std::move(base);
  out["generator"] =
      OrderedJson::object({{"id", "urn:cloister"}, {"version", origin.generator_version}});
  return dump_json(out);
}

Result<Json> parse_guest_predicate(std::string_view text, std::string_view tee,
                                   const Limits& limits, GuestOrigin& out) {
  CL_TRY(const Json predicate, parse_json(text, limits, "measurement attestation"));
  if (!predicate.is_object()) return Error::corrupt("a measurement attestation is a JSON object");
  CL_TRY(const std::string about, claim_string(predicate, "tee"));
  if (about != tee)
    return Error::unsupported(
        cat("the attestation is about an enclave of another kind: ", quote(about)));
  CL_TRY(const Json* image, claim_object(predicate, "image"));
  CL_TRY(out.platform, claim_string(*image, "platform"));
  CL_TRY(const Json* own, claim_object(predicate, tee));
  CL_TRY(const Json* manifest, claim_object(predicate, "manifest"));
  CL_TRY(out.document, claim_digest(*manifest, "digest"));
  CL_TRY(const Json* files, claim_object(predicate, "trustedFiles"));
  CL_TRY(out.files, claim_number(*files, "count", kMostFiles));
  CL_TRY(out.files_digest, claim_digest(*files, "digest"));
  CL_TRY(const Json* base, claim_object(predicate, "base"));
  CL_TRY(const auto uri, get_string(*base, "uri"));
  out.base_uri = uri.value_or("");
  CL_TRY(out.base_digest, claim_digest(*base, "digest"));
  CL_TRY(const Json* generator, claim_object(predicate, "generator"));
  CL_TRY(out.generator_version, claim_string(*generator, "version"));
  return *own;
}

}  // namespace cloister::sign
