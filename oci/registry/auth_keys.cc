// Docker writes its Hub as the URL of an API that is long gone; every tool that reads the file
// knows that, and a tool that writes it must do the same.
#include "oci/registry/auth_keys.h"

namespace cloister::oci {

std::vector<std::string> registry_names(const std::string& registry) {
  if (registry == "docker.io") return {"docker.io", "index.docker.io", "registry-1.docker.io"};
  return {registry};
}

std::string normal_auth_key(std::string_view key) {
  for (std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      return std::string(key.substr(0, key.find('/')));
    }
  while (key.ends_with('/')) key.remove_suffix(1);
  const std::size_t slash = key.find('/');
  if (slash != std::string_view::npos && (key.substr(slash) == "/v1" || key.substr(slash) == "/v2"))
    key = key.substr(0, slash);
  return std::string(key);
}

std::string auth_key_for(const std::string& registry) {
  return registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
}

}  // namespace cloister::oci
