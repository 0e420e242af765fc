// Put together once per repository: HTTP client, endpoint, authentication. The only request made
// here is the TLS probe of a loopback registry; everything else waits for the first use.
#include "oci/registry/connection.h"

#include "base/text.h"
#include "oci/registry/certificates.h"
#include "oci/registry/endpoint.h"

namespace cloister::oci {
namespace {

Scopes scopes_for(const RegistryRef& ref, Access access, const std::string& mount_from) {
  Scopes scopes;
  if (ref.repository.empty()) return scopes;
  scopes.needed = {
      cat("repository:", ref.repository, access == Access::push ? ":pull,push" : ":pull")};
  if (!mount_from.empty() && mount_from != ref.repository)
    scopes.wished = cat("repository:", mount_from, ":pull");
  return scopes;
}

// Read once for the registry; other hosts, that it redirects to or whose tokens it wants, are
// looked up as they come.
Result<std::function<Result<http::HostTls>(const http::Url&)>> host_certificates(
    const std::string& registry, const RegistryOptions& options) {
  http::HostTls own;
  const auto home = http::parse_url(cat("https://", registry_host(registry), "/"));
  if (home) {
    CL_TRY(own, find_certificates(options.certificate_directories, *home));
  }
  return [own, home, directories = options.certificate_directories](
             const http::Url& url) -> Result<http::HostTls> {
    if (home && url.origin() == home->origin()) return own;
    CL_TRY(http::HostTls other, find_certificates(directories, url));
    other.ca_pem += own.ca_pem;
    return other;
  };
}

}  // namespace

Connection::Connection(const RegistryRef& ref, RegistryOptions options, const Limits& limits,
                       CancelToken cancel, std::unique_ptr<http::Client> client)
    : ref_(ref),
      options_(std::move(options)),
      limits_(limits),
      cancel_(cancel),
      client_(std::move(client)),
      exchange_(*client_, limits_, options_.retry, cancel_) {}

Result<std::unique_ptr<Connection>> Connection::open(const RegistryRef& ref, Access access,
                                                     Credentials credentials,
                                                     RegistryOptions options, const Limits& limits,
                                                     CancelToken cancel) {
  http::Options http_options;
  http_options.tls_verify = options.tls_verify && !options.insecure;
  http_options.ca_file = options.ca_file;
  http_options.user_agent = options.user_agent;
  http_options.proxies = options.proxies;
  http_options.connect_timeout_ms = options.time_outs.connect_ms;
  http_options.low_speed_bytes = options.time_outs.low_speed_bytes;
  http_options.low_speed_seconds = options.time_outs.low_speed_seconds;
  http_options.answer_timeout_ms = options.time_outs.answer_ms;
  if (!options.certificate_directories.empty()) {
    CL_TRY(http_options.host_tls, host_certificates(ref.registry, options));
  }
  CL_TRY(auto client, http::Client::create(std::move(http_options), limits, cancel));
  std::unique_ptr<Connection> self(
      new Connection(ref, std::move(options), limits, cancel, std::move(client)));
  CL_TRY(self->base_, registry_endpoint(ref.registry, self->options_, *self->client_));
  self->asked_ = {ref.registry, ref.repository, self->base_.origin(), !credentials.empty()};
  self->authenticator_ = std::make_unique<Authenticator>(
      self->exchange_, self->base_, self->asked_, std::move(credentials),
      scopes_for(ref, access, self->options_.mount_from), self->limits_);
  return self;
}

http::Url Connection::url(std::string_view tail) const {
  http::Url out = base_;
  out.path = cat("/v2/", ref_.repository, "/", tail);
  return out;
}

http::Url Connection::root() const {
  http::Url out = base_;
  out.path = "/v2/";
  return out;
}

Result<Answer> Connection::send(const http::Request& request,
                                std::optional<std::uint64_t> max_body) {
  return exchange_.run(request, max_body, *authenticator_, base_.origin());
}

Error Connection::refused(const http::Response& response, std::string_view what) const {
  return registry_error(response, what, asked_, limits_);
}

Status check_content_digest(const http::Response& response, const Digest& want,
                            std::string_view what) {
  const auto said = response.header("docker-content-digest");
  if (!said || !said->starts_with("sha256:") || *said == want.str()) return {};
  return Error::corrupt(cat("the registry has ", what, " under another digest"))
      .detail(cat("got ", printable(said->substr(0, 100)), ", want ", want.str()));
}

}  // namespace cloister::oci
