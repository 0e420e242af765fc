// Manifests and blobs of one repository (distribution-spec, "Pull" and "Push"). A manifest is small
// and read whole, its digest computed here from the very bytes that are handed on; a blob is a
// stream that whoever stores it verifies.
#include "oci/registry/client.h"

#include "base/text.h"
#include "oci/registry/blob_download.h"
#include "oci/registry/blob_upload.h"
#include "oci/registry/connection.h"
#include "oci/registry/manifest_type.h"
#include "oci/registry/referrers.h"

namespace cloister::oci {
namespace {

// "sha256:…" rather than a tag.
std::optional<Digest> digest_of(const std::string& reference) {
  auto digest = Digest::parse(reference);
  return digest.has_value() ? std::optional(*digest) : std::nullopt;
}

class HttpRegistryClient final : public RegistryClient {
 public:
  explicit HttpRegistryClient(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Result<RawManifest> get_manifest(const std::string& reference) override {
    const std::string what = image(reference);
    const Limits& limits = connection_->limits();
    auto got = connection_->send(manifest_request("GET", reference), limits.manifest_bytes);
    CL_TRY(Answer answer, std::move(got).while_(cat("reading the manifest of ", what)));
    http::Response& response = answer.response;
    if (response.status != 200) return connection_->refused(response, what);
    if (is_html(response, response.body)) return html_error(response, what);
    RawManifest out;
    out.descriptor.digest = sha256(response.body);
    out.descriptor.size = response.body.size();
    if (const auto want = digest_of(reference)) {
      CL_CHECK(check_manifest_digest(out.descriptor.digest, *want, what));
      CL_CHECK(check_content_digest(response, *want, what));
    }
    CL_TRY(out.descriptor.media_type,
           manifest_type(response, response.body, cat("the manifest of ", what), limits));
    out.text = std::move(response.body);
    return out;
  }

  Result<std::optional<Descriptor>> head_manifest(const std::string& reference) override {
    CL_TRY(const Answer answer, connection_->send(manifest_request("HEAD", reference), kNoBody));
    const http::Response& response = answer.response;
    if (response.status == 404) return std::optional<Descriptor>();
    if (response.status == 200) {
      auto digest = Digest::parse(response.header("docker-content-digest").value_or(""));
      const auto size = parse_u64(response.header("content-length").value_or(""));
      const auto type = response.header("content-type");
      if (digest.has_value() && size && type)
        return std::optional(Descriptor{*type, *digest, *size, std::nullopt, {}});
    } else if (response.status != 405) {
      return connection_->refused(response, image(reference));
    }
    // A registry whose HEAD says too little.
    auto manifest = get_manifest(reference);
    if (manifest.has_value()) return std::optional(manifest->descriptor);
    if (manifest.error().code() == Code::not_found) return std::optional<Descriptor>();
    return std::move(manifest).error();
  }

  Result<std::unique_ptr<Source>> get_blob(const Descriptor& descriptor,
                                           std::uint64_t offset) override {
    return download_blob(connection_, descriptor, offset);
  }

  Result<bool> has_blob(const Descriptor& descriptor) override {
    return blob_exists(*connection_, descriptor);
  }

  Result<bool> mount_blob(const Descriptor& descriptor,
                          const std::string& from_repository) override {
    return oci::mount_blob(*connection_, descriptor, from_repository);
  }

  Status put_blob(const Descriptor& descriptor, const OpenContent& open,
                  const std::function<void(std::size_t)>& on_bytes) override {
    return upload_blob(*connection_, descriptor, open, on_bytes);
  }

  Status put_manifest(const std::string& reference, const RawManifest& manifest) override {
    http::Request request = manifest_request("PUT", reference);
    request.headers = {{"Content-Type", manifest.descriptor.media_type}};
    request.body = manifest.text;
    const std::string what = cat("the manifest of ", image(reference));
    CL_TRY(const Answer answer, connection_->send(request, kNoBody));
    const int status = answer.response.status;
    if (status != 201 && status != 200 && status != 202)
      return connection_->refused(answer.response, what);
    return check_content_digest(answer.response, manifest.descriptor.digest, what);
  }

  Result<std::vector<Descriptor>> referrers(const Digest& subject) override {
    return list_referrers(*connection_, *this, subject);
  }

  Status put_referrer(const RawManifest& manifest, const Digest& subject) override {
    return oci::put_referrer(*connection_, *this, manifest, subject);
  }

 private:
  static constexpr std::uint64_t kNoBody = 64 << 10;

  http::Request manifest_request(std::string method, const std::string& reference) const {
    http::Request request;
    request.method = std::move(method);
    request.url = connection_->url(cat("manifests/", reference)).str();
    request.headers = {{"Accept", accepted_manifests()}};
    return request;
  }

  std::string image(const std::string& reference) const {
    return cat("image ",
               quote(cat(connection_->ref().name(), digest_of(reference) ? "@" : ":", reference)));
  }

  static Status check_manifest_digest(const Digest& got, const Digest& want,
                                      std::string_view what) {
    if (got == want) return {};
    return Error::corrupt(cat("the manifest of ", what, " does not match its digest"))
        .detail(cat("got ", got.str(), ", want ", want.str()))
        .hint("something between you and the registry changed the bytes; do not trust this copy");
  }

  const std::shared_ptr<Connection> connection_;
};

}  // namespace

Result<std::shared_ptr<RegistryClient>> RegistryClient::open(const RegistryRef& ref, Access access,
                                                             Credentials credentials,
                                                             RegistryOptions options,
                                                             const Limits& limits,
                                                             CancelToken cancel) {
  CL_TRY(auto connection,
         Connection::open(ref, access, std::move(credentials), std::move(options), limits, cancel));
  return std::shared_ptr<RegistryClient>(
      std::make_shared<HttpRegistryClient>(std::move(connection)));
}

}  // namespace cloister::oci
