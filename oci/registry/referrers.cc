// The fallback index is changed by reading and writing it, and a registry has no compare-and-swap:
// what another client wrote in between would be lost. So it is read again, and changed again when
// the entry is gone.
#include "oci/registry/referrers.h"

#include <optional>

#include "base/text.h"
#include "oci/documents/attached.h"

namespace cloister::oci {
namespace {

constexpr int kMaxPages = 64;
constexpr int kFallbackTries = 5;

// The URL of the next page, from Link: <URL>; rel="next" (RFC 8288), or "".
std::string next_page(const http::Response& response, const http::Url& here) {
  for (const std::string& link : response.header_values("link")) {
    const std::size_t open = link.find('<'), close = link.find('>');
    if (open == std::string::npos || close == std::string::npos || close < open) continue;
    if (link.find("rel=\"next\"", close) == std::string::npos &&
        link.find("rel=next", close) == std::string::npos)
      continue;
    const auto next =
        http::resolve_url(here, std::string_view(link).substr(open + 1, close - open - 1));
    if (next && next->origin() == here.origin()) return next->str();
  }
  return "";
}

bool is_index_answer(const http::Response& response) {
  const std::string type = response.header("content-type").value_or("");
  return lower_ascii(trim(std::string_view(type).substr(0, type.find(';')))) ==
         media_type::kOciIndex;
}

// Nothing when the registry has no referrers API.
Result<std::optional<std::vector<Descriptor>>> ask_api(Connection& connection,
                                                       const Digest& subject) {
  const Limits& limits = connection.limits();
  const http::Url first = connection.url(cat("referrers/", subject.str()));
  std::vector<Descriptor> out;
  std::string url = first.str();
  for (int page = 0; !url.empty(); ++page) {
    if (page == kMaxPages)
      return Error::limit(cat("the list of referrers of ", subject.str(), " has no end"));
    http::Request request;
    request.url = url;
    request.headers = {{"Accept", std::string(media_type::kOciIndex)}};
    CL_TRY(const Answer answer, connection.send(request, limits.manifest_bytes));
    const int status = answer.response.status;
    const bool missing = status == 404 || status == 400 || status == 405 || status == 406;
    if (missing || (status == 200 && !is_index_answer(answer.response)))
      return std::optional<std::vector<Descriptor>>();
    const std::string what = cat("the referrers of ", subject.str());
    if (status != 200) return connection.refused(answer.response, what);
    CL_TRY(const ImageIndex index,
           parse_image_index(answer.response.body, limits).while_(cat("reading ", what)));
    out.insert(out.end(), index.manifests.begin(), index.manifests.end());
    if (out.size() > limits.index_manifests)
      return Error::limit(cat(what, " are more than ", limits.index_manifests));
    url = next_page(answer.response, first);
  }
  return std::optional(std::move(out));
}

// The text under the fallback tag, or "".
Result<std::string> fallback_index(RegistryClient& client, const Digest& subject) {
  auto raw = client.get_manifest(referrers_tag(subject));
  if (raw.has_value()) return std::move(raw->text);
  if (raw.error().code() == Code::not_found) return std::string();
  return std::move(raw).error();
}

Status list_under_fallback(RegistryClient& client, const Descriptor& entry, const Digest& subject,
                           const Limits& limits) {
  for (int i = 0; i < kFallbackTries; ++i) {
    CL_TRY(const std::string text, fallback_index(client, subject));
    auto changed = with_referrer(text, entry, limits);
    // What is no index lists nothing, and is in the way of all who attach something.
    if (!changed.has_value() && changed.error().code() != Code::limit)
      changed = with_referrer("", entry, limits);
    if (!changed.has_value()) return std::move(changed).error();
    if (*changed == text) return {};
    RawManifest index;
    index.descriptor = describe(media_type::kOciIndex, *changed);
    index.text = std::move(*changed);
    CL_CHECK(client.put_manifest(referrers_tag(subject), index));
  }
  return Error::conflict(
             cat("others keep changing the list of what is attached to ", subject.str()))
      .hint("try again when nobody else signs this image");
}

}  // namespace

Result<std::vector<Descriptor>> list_referrers(Connection& connection, RegistryClient& client,
                                               const Digest& subject) {
  CL_TRY(auto listed, ask_api(connection, subject));
  if (listed) return std::move(*listed);
  CL_TRY(const std::string text, fallback_index(client, subject));
  if (text.empty()) return std::vector<Descriptor>();
  // Anyone may put something else there; it lists nothing then.
  auto index = parse_image_index(text, connection.limits());
  return index.has_value() ? std::move(index->manifests) : std::vector<Descriptor>();
}

Status put_referrer(Connection& connection, RegistryClient& client, const RawManifest& manifest,
                    const Digest& subject) {
  http::Request request;
  request.method = "PUT";
  request.url = connection.url(cat("manifests/", manifest.descriptor.digest.str())).str();
  request.headers = {{"Content-Type", manifest.descriptor.media_type}};
  request.body = manifest.text;
  constexpr std::uint64_t kAnswerBytes = 64 << 10;
  const std::string what = cat("the manifest ", manifest.descriptor.digest.str());
  CL_TRY(const Answer answer, connection.send(request, kAnswerBytes));
  const int status = answer.response.status;
  if (status != 201 && status != 200 && status != 202)
    return connection.refused(answer.response, what);
  CL_CHECK(check_content_digest(answer.response, manifest.descriptor.digest, what));
  if (answer.response.header("oci-subject")) return {};
  CL_TRY(const auto listed, ask_api(connection, subject));
  if (listed) return {};
  CL_TRY(const Descriptor entry,
         referrer_entry(manifest.descriptor, manifest.text, connection.limits()));
  return list_under_fallback(client, entry, subject, connection.limits());
}

}  // namespace cloister::oci
