// Opens clients of a FakeRegistry, with pauses too short to notice.
#pragma once

#include <memory>
#include <string>

#include "oci/registry/client.h"
#include "tests/base/must.h"
#include "tests/oci/registry/fake_registry.h"

namespace cloister::oci {

inline RegistryOptions quick_options() {
  RegistryOptions options;
  options.plain_http = true;
  options.user_agent = "cloister-test";
  options.retry.connection_pause = options.retry.answer_pause = std::chrono::milliseconds(1);
  options.retry.longest_pause = std::chrono::milliseconds(20);
  return options;
}

inline RegistryRef ref_to(const FakeRegistry& registry, const std::string& repository,
                          const std::string& tag = "latest") {
  return {registry.name(), repository, tag, std::nullopt};
}

inline Credentials user_credentials() {
  Credentials credentials;
  credentials.username = "user";
  credentials.password = "pass:word";
  return credentials;
}

inline std::shared_ptr<RegistryClient> client_of(const FakeRegistry& registry,
                                                 const std::string& repository,
                                                 Access access = Access::pull,
                                                 Credentials credentials = {},
                                                 RegistryOptions options = quick_options(),
                                                 CancelToken cancel = {}) {
  return must(RegistryClient::open(ref_to(registry, repository), access, std::move(credentials),
                                   std::move(options), Limits{}, cancel));
}

// A small but valid manifest text, different for each `note`.
inline std::string manifest_text(const std::string& note = "x") {
  const std::string digest = sha256(note).str();
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
         R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
         digest + R"(","size":1},"layers":[]})";
}

inline std::string content_of(Source& source) {
  const Bytes bytes = must(read_all(source, 1 << 26, "blob"));
  return std::string(as_text(bytes));
}

}  // namespace cloister::oci
