// The environment is read here as other programs read it: proxies as curl and Go do, SSL_CERT_FILE
// as OpenSSL's and Go's programs do. HTTP_PROXY in capitals is passed over where REQUEST_METHOD is
// set: in a CGI program anybody can set it, by a header named "Proxy".
#include "cmd/registry_access.h"

#include <CLI/CLI.hpp>  // all of it: App.hpp alone leaves the vtables of its formatter undefined

#include "base/text.h"
#include "cmd/option_heading.h"
#include "cmd/session.h"
#include "oci/registry/mirrors.h"

namespace cloister::cmd {
namespace {

std::string either(const Environment& env, const char* lower, const char* upper) {
  return env.get(lower).value_or(env.get(upper).value_or(""));
}

http::Proxies proxies_of(const Environment& env) {
  http::Proxies out;
  const std::string all = either(env, "all_proxy", "ALL_PROXY");
  out.https = either(env, "https_proxy", "HTTPS_PROXY");
  out.http = env.get("REQUEST_METHOD") ? env.get("http_proxy").value_or("")
                                       : either(env, "http_proxy", "HTTP_PROXY");
  if (out.https.empty()) out.https = all;
  if (out.http.empty()) out.http = all;
  out.no_proxy = either(env, "no_proxy", "NO_PROXY");
  return out;
}

// As containers-certs.d(5) and Docker have them, the user's own first.
std::vector<std::string> certificate_directories(const Environment& env) {
  std::vector<std::string> out;
  if (const auto config = env.get("XDG_CONFIG_HOME"))
    out.push_back(*config + "/containers/certs.d");
  else if (const auto home = env.get("HOME"))
    out.push_back(*home + "/.config/containers/certs.d");
  out.emplace_back("/etc/containers/certs.d");
  out.emplace_back("/etc/docker/certs.d");
  return out;
}

}  // namespace

void add_registry_options(CLI::App& app, RegistryFlags& flags) {
  OptionHeading heading(app, kHeadingRegistry);
  app.add_option("--authfile", flags.authfile,
                 "Registry credentials (default: Docker's and Podman's files)")
      ->type_name("FILE")
      ->envname("CLOISTER_AUTHFILE");
  add_tls_option(app, flags);
  app.add_flag("--plain-http", flags.plain_http,
               "Talk HTTP to the registry (loopback does without it)")
      ->envname("CLOISTER_PLAIN_HTTP");
}

void add_tls_option(CLI::App& app, RegistryFlags& flags) {
  OptionHeading heading(app, kHeadingRegistry);
  app.add_flag("--tls-verify,!--no-tls-verify", flags.tls_verify,
               "Verify TLS certificates (--tls-verify=false: do not)")
      ->envname("CLOISTER_TLS_VERIFY");
}

RegistryAccess::RegistryAccess(const RegistryFlags& flags, const Environment& env,
                               const Limits& limits, CancelToken cancel)
    : limits_(limits),
      cancel_(cancel),
      paths_(oci::credential_paths(env.variables, flags.authfile, env.user_id)) {
  options_.plain_http = flags.plain_http;
  options_.tls_verify = flags.tls_verify;
  options_.user_agent = user_agent();
  options_.ca_file = env.get("SSL_CERT_FILE").value_or("");
  options_.certificate_directories = certificate_directories(env);
  options_.proxies = proxies_of(env);
}

Result<std::unique_ptr<RegistryAccess>> RegistryAccess::load(const RegistryFlags& flags,
                                                             const Environment& env,
                                                             const Limits& limits,
                                                             CancelToken cancel) {
  std::unique_ptr<RegistryAccess> out(new RegistryAccess(flags, env, limits, cancel));
  auto rules = oci::read_registries_conf(oci::registries_conf_paths(env.variables), limits);
  if (!rules.has_value()) return std::move(rules).error().while_("reading registries.conf");
  out->rules_ = std::move(*rules);
  return out;
}

http::Options RegistryAccess::http_options() const {
  http::Options out;
  out.tls_verify = options_.tls_verify;
  out.ca_file = options_.ca_file;
  out.user_agent = options_.user_agent;
  out.proxies = options_.proxies;
  return out;
}

oci::RegistryOptions RegistryAccess::options(const oci::PullSource& source) const {
  oci::RegistryOptions out = options_;
  out.insecure = source.insecure;
  return out;
}

Result<std::shared_ptr<oci::RegistryClient>> RegistryAccess::open(
    const oci::PullSource& source, oci::Access access, const std::string& mount_from) const {
  CL_TRY(oci::Credentials credentials, oci::find_credentials(paths_, source.ref, limits_));
  oci::RegistryOptions options = this->options(source);
  options.mount_from = mount_from;
  return oci::RegistryClient::open(source.ref, access, std::move(credentials), std::move(options),
                                   limits_, cancel_);
}

Result<std::shared_ptr<oci::RegistryClient>> RegistryAccess::client(
    const oci::RegistryRef& ref, oci::Access access, const std::string& mount_from) const {
  CL_TRY(const oci::PullSource source, oci::push_source(rules_, ref));
  return open(source, access, mount_from);
}

Result<std::unique_ptr<oci::ImageTransport>> RegistryAccess::transport(
    const oci::RegistryRef& ref) const {
  CL_TRY(auto sources, oci::pull_sources(rules_, ref));
  if (sources.size() == 1) {
    CL_TRY(auto client, open(sources.front(), oci::Access::pull, {}));
    return oci::make_registry_transport(std::move(client), sources.front().ref);
  }
  return oci::make_mirrored_transport(std::move(sources), [this](const oci::PullSource& source) {
    return open(source, oci::Access::pull, {});
  });
}

}  // namespace cloister::cmd
