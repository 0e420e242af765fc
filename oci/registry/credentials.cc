// Three families of tools write these files and they agree on little beyond `auths`. Keys may be a
// host, host:port, a namespace under it (containers tools) or an old URL (`https://host/v1/`, which
// Docker still writes for its Hub). Per file the order is credHelpers of the host, auths from the
// most to the least specific key, credsStore. A file that knows nothing gives way to the next. An
// empty entry in `auths` is what Docker leaves when the secret is in credsStore: it is no answer.
#include "oci/registry/credentials.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/hint.h"
#include "base/json.h"
#include "base/text.h"
#include "oci/registry/auth_keys.h"
#include "oci/registry/credential_helper.h"

namespace cloister::oci {
namespace {

// Auth files are small; this is far above any.
constexpr std::uint64_t kMaxAuthFile = 1 << 20;

// host/ns/repo, host/ns, host; for every name of the host.
std::vector<std::string> wanted_keys(const RegistryRef& ref) {
  std::vector<std::string> out;
  std::string repository = "/" + ref.repository;
  for (;;) {
    for (const std::string& host : registry_names(ref.registry)) out.push_back(host + repository);
    if (repository.empty()) return out;
    repository.resize(repository.rfind('/'));
  }
}

// The value of the first member whose key stands for `wanted`.
const Json* member_for(const Json& object, const std::string& wanted) {
  for (const auto& [key, value] : object.items())
    if (normal_auth_key(key) == wanted) return &value;
  return nullptr;
}

Status split_auth(const std::string& encoded, Credentials& out) {
  const auto bytes = unbase64(trim(encoded));
  std::string text = bytes ? std::string(as_text(*bytes)) : std::string();
  while (text.ends_with('\0')) text.pop_back();
  const std::size_t colon = text.find(':');
  if (!bytes || colon == std::string::npos || colon == 0)
    return Error::corrupt("'auth' is not base64 of user:password");
  out.username = text.substr(0, colon);
  out.password = text.substr(colon + 1);
  return {};
}

Result<Credentials> parse_entry(const Json& entry) {
  if (!entry.is_object()) return Error::corrupt("an entry of 'auths' is not an object");
  Credentials out;
  CL_TRY(const auto auth, get_string(entry, "auth"));
  CL_TRY(auto username, get_string(entry, "username"));
  CL_TRY(auto password, get_string(entry, "password"));
  CL_TRY(auto identity, get_string(entry, "identitytoken"));
  CL_TRY(auto registry, get_string(entry, "registrytoken"));
  if (auth && !auth->empty()) {
    CL_CHECK(split_auth(*auth, out));
  } else if (username && !username->empty()) {
    out.username = std::move(*username);
    out.password = std::move(password).value_or("");
  }
  out.identity_token = std::move(identity).value_or("");
  out.registry_token = std::move(registry).value_or("");
  return out;
}

using Variables = std::map<std::string, std::string>;

Result<Credentials> from_helpers(const Json& json, const RegistryRef& ref, const std::string& file,
                                 const Variables& environment, const Limits& limits) {
  CL_TRY(const Json* helpers, get_object(json, "credHelpers"));
  if (helpers == nullptr) return Credentials{};
  for (const std::string& host : registry_names(ref.registry)) {
    const Json* name = member_for(*helpers, host);
    if (name == nullptr) continue;
    if (!name->is_string()) return Error::corrupt("a value of 'credHelpers' is not a string");
    return run_credential_helper(name->get_ref<const std::string&>(), auth_key_for(ref.registry),
                                 file, environment, limits);
  }
  return Credentials{};
}

Result<Credentials> from_auths(const Json& auths, const RegistryRef& ref) {
  for (const std::string& key : wanted_keys(ref)) {
    const Json* entry = member_for(auths, key);
    if (entry == nullptr) continue;
    CL_TRY(Credentials found, parse_entry(*entry));
    if (!found.empty()) return found;
  }
  return Credentials{};
}

Result<Credentials> from_document(const Json& json, const RegistryRef& ref, const std::string& file,
                                  const Variables& environment, const Limits& limits) {
  if (!json.is_object()) return Error::corrupt("it is not a JSON object");
  CL_TRY(Credentials helped, from_helpers(json, ref, file, environment, limits));
  if (!helped.empty()) return helped;
  CL_TRY(const Json* auths, get_object(json, "auths"));
  // ~/.dockercfg is the object of `auths` without anything around it.
  if (auths == nullptr && file.ends_with(".dockercfg")) auths = &json;
  if (auths != nullptr) {
    CL_TRY(Credentials listed, from_auths(*auths, ref));
    if (!listed.empty()) return listed;
  }
  CL_TRY(const auto store, get_string(json, "credsStore"));
  if (!store || store->empty()) return Credentials{};
  return run_credential_helper(*store, auth_key_for(ref.registry), file, environment, limits);
}

Result<Credentials> from_file(const std::string& file, const RegistryRef& ref,
                              const Variables& environment, const Limits& limits) {
  static constexpr Advice kAdvice{
      "correct the file, or pass --authfile FILE with other credentials",
      "pass --authfile FILE with the credentials that are needed",
      "pass --authfile FILE with other credentials"};
  CL_TRY(const std::string text, read_text_file(file, kMaxAuthFile));
  if (trim(text).empty()) return Credentials{};
  auto json = parse_json(text, limits, cat("the credentials file ", quote(file)));
  if (!json.has_value()) return advise(std::move(json).error(), kAdvice);
  return advise(from_document(*json, ref, file, environment, limits), kAdvice)
      .while_(cat("looking for credentials of ", quote(ref.registry), " in ", quote(file)));
}

std::string variable(const std::map<std::string, std::string>& env, const std::string& name) {
  const auto it = env.find(name);
  return it == env.end() ? std::string() : it->second;
}

}  // namespace

CredentialPaths credential_paths(const std::map<std::string, std::string>& env,
                                 std::string authfile, unsigned user_id) {
  CredentialPaths out;
  out.authfile = std::move(authfile);
  out.environment = env;
  const auto add = [&](const std::string& directory, std::string_view file) {
    if (!directory.empty()) out.default_files.push_back(cat(directory, file));
  };
  const std::string home = variable(env, "HOME");
  if (const std::string named = variable(env, "REGISTRY_AUTH_FILE"); !named.empty()) {
    out.default_files = {named};
    out.new_file = named;
    return out;
  }
  const std::string docker = variable(env, "DOCKER_CONFIG");
  add(docker, "/config.json");
  if (const std::string runtime = variable(env, "XDG_RUNTIME_DIR"); !runtime.empty())
    add(runtime, "/containers/auth.json");
  else
    add(cat("/run/containers/", user_id), "/auth.json");
  const std::string config = variable(env, "XDG_CONFIG_HOME");
  add(config.empty() && !home.empty() ? home + "/.config" : config, "/containers/auth.json");
  add(home, "/.docker/config.json");
  add(home, "/.dockercfg");
  if (!home.empty()) out.new_file = home + "/.docker/config.json";
  if (!docker.empty()) out.new_file = docker + "/config.json";
  return out;
}

Result<Credentials> find_credentials(const CredentialPaths& paths, const RegistryRef& ref,
                                     const Limits& limits) {
  if (!paths.authfile.empty()) return from_file(paths.authfile, ref, paths.environment, limits);
  for (const std::string& file : paths.default_files) {
    std::error_code error;
    if (!fs::exists(file, error)) continue;
    CL_TRY(Credentials found, from_file(file, ref, paths.environment, limits));
    if (!found.empty()) return found;
  }
  return Credentials{};
}

}  // namespace cloister::oci
