// The names under which credential files know a registry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::oci {

// The names under which a registry may appear, the usual one first: Docker's Hub has three.
std::vector<std::string> registry_names(const std::string& registry);
// What a key stands for: "https://index.docker.io/v1/" → "index.docker.io", "r.io/" → "r.io".
std::string normal_auth_key(std::string_view key);
// The key that a new entry gets, and under which a helper keeps a registry's secret.
std::string auth_key_for(const std::string& registry);

}  // namespace cloister::oci
