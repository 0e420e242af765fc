// How this run speaks to registries: credentials, certificates, proxies, registries.conf and the
// options that overrule them.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/limits.h"
#include "cmd/environment.h"
#include "oci/registry/client.h"
#include "oci/registry/credentials.h"
#include "oci/registry/registries_conf.h"

namespace cloister::cmd {

struct RegistryFlags {
  std::string authfile;
  bool tls_verify = true, plain_http = false;
};

void add_registry_options(CLI::App& app, RegistryFlags& flags);
void add_tls_option(CLI::App& app, RegistryFlags& flags);  // of these the one for any server

// Thread-safe once load() has returned.
class RegistryAccess {
 public:
  // Reads registries.conf.
  static Result<std::unique_ptr<RegistryAccess>> load(const RegistryFlags& flags,
                                                      const Environment& env, const Limits& limits,
                                                      CancelToken cancel);

  const oci::CredentialPaths& credential_paths() const { return paths_; }
  // For a server that is no registry: the same proxies, CAs and --tls-verify.
  http::Options http_options() const;
  // For the registry of `source`, before mounts are wished for.
  oci::RegistryOptions options(const oci::PullSource& source) const;
  // The repository where its name says it is: for pushes, and for reading what was pushed.
  Result<std::shared_ptr<oci::RegistryClient>> client(const oci::RegistryRef& ref,
                                                      oci::Access access,
                                                      const std::string& mount_from = {}) const;
  // To pull from: from mirrors too.
  Result<std::unique_ptr<oci::ImageTransport>> transport(const oci::RegistryRef& ref) const;
  const std::vector<oci::RegistryRule>& rules() const { return rules_; }

 private:
  RegistryAccess(const RegistryFlags& flags, const Environment& env, const Limits& limits,
                 CancelToken cancel);
  Result<std::shared_ptr<oci::RegistryClient>> open(const oci::PullSource& source,
                                                    oci::Access access,
                                                    const std::string& mount_from) const;

  const Limits& limits_;
  const CancelToken cancel_;
  const oci::CredentialPaths paths_;
  oci::RegistryOptions options_;
  std::vector<oci::RegistryRule> rules_;
};

}  // namespace cloister::cmd
