// image-spec manifest.md: `mediaType` should be there and must match Content-Type; Docker's schema
// 2 requires it. Registries that keep documents as files serve them as application/json or
// text/plain, which says nothing. Two readers must never see two things in one document
// (CVE-2021-41190), hence the refusal of contradictions.
#include "oci/registry/manifest_type.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "oci/documents/descriptor.h"

namespace cloister::oci {
namespace {

constexpr std::array kKnown = {media_type::kOciIndex, media_type::kOciManifest,
                               media_type::kDockerManifestList, media_type::kDockerManifest};

bool is_known(std::string_view type) {
  return std::find(kKnown.begin(), kKnown.end(), type) != kKnown.end();
}

// "Application/JSON; charset=utf-8" → "application/json".
std::string bare_type(const http::Response& response) {
  const std::string value = response.header("content-type").value_or("");
  return lower_ascii(trim(std::string_view(value).substr(0, value.find(';'))));
}

Error not_a_manifest(std::string_view what, std::string_view type) {
  return Error::unsupported(cat(what, " is no image manifest"))
      .detail(cat("its type is ", quote(type.substr(0, 100))));
}

}  // namespace

std::string accepted_manifests() {
  return join(kKnown, ", ");
}

Result<std::string> manifest_type(const http::Response& response, const std::string& body,
                                  std::string_view what, const Limits& limits) {
  CL_TRY(const Json json, parse_json(body, limits, what));
  if (!json.is_object()) return Error::corrupt(cat(what, " is not a JSON object"));
  CL_TRY(const auto version, get_int(json, "schemaVersion"));
  if (version == 1)
    return Error::unsupported(cat(what, " is in Docker's schema 1"))
        .hint("push it anew with a current tool; schema 1 has no verifiable layers");
  const std::string served = bare_type(response);
  CL_TRY(const auto named, get_string(json, "mediaType"));
  if (named && is_known(served) && *named != served)
    return Error::corrupt(cat(what, " is not what it is served as"))
        .detail(cat("mediaType ", quote(*named), ", Content-Type ", quote(served)));
  if (named) return is_known(*named) ? Result<std::string>(*named) : not_a_manifest(what, *named);
  if (is_known(served)) return served;
  if (json.contains("manifests")) return std::string(media_type::kOciIndex);
  if (json.contains("config") && json.contains("layers"))
    return std::string(media_type::kOciManifest);
  return not_a_manifest(what, served);
}

}  // namespace cloister::oci
