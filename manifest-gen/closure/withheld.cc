// Names only: contents are not at hand for every file. The lists err on the side of leaving out;
// a file that is named exactly (an argument, --include) is granted all the same.
#include "manifest-gen/closure/withheld.h"

#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kSecretNames[] = {"*.key",
                                             "*.p12",
                                             "*.pfx",
                                             "*.jks",
                                             "*.keystore",
                                             "*.kdbx",
                                             "*-key.pem",
                                             "*_key.pem",
                                             "*.key.pem",
                                             "key.pem",
                                             "id_rsa*",
                                             "id_dsa*",
                                             "id_ecdsa*",
                                             "id_ed25519*",
                                             "ssh_host_*",
                                             ".env",
                                             ".env.*",
                                             "*.env",
                                             ".netrc",
                                             ".pgpass",
                                             ".htpasswd",
                                             ".npmrc",
                                             ".pypirc",
                                             ".dockercfg",
                                             "shadow",
                                             "shadow-",
                                             "gshadow",
                                             "gshadow-",
                                             "credentials.json",
                                             "secrets.yml",
                                             "secrets.yaml",
                                             "secrets.json",
                                             ".git-credentials"};

constexpr std::string_view kSecretPaths[] = {
    "/etc/ssl/private/**", "/root/.ssh/**",       "/home/*/.ssh/**",
    "**/.gnupg/**",        "**/.aws/credentials", "**/.docker/config.json",
    "**/.kube/config",     "/run/secrets/**",     "/var/run/secrets/**"};

constexpr std::string_view kPublicNames[] = {"*.pub", "ssh_host_*.pub"};

constexpr std::string_view kCertificateNames[] = {"*.crt", "*.cer", "*.cert", "*.der",
                                                  "*.pem", "*.p7b", "*.crl"};

constexpr std::string_view kNeverValid[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/hostname",
                                            "/etc/mtab",  "**/*.pyc",         "**/*.pyo",
                                            "/proc/**",   "/sys/**",          "/dev/**"};

}  // namespace

bool looks_secret(std::string_view path) {
  const std::string_view base = base_name(path);
  for (const std::string_view pattern : kPublicNames)
    if (match_component(pattern, base)) return false;
  for (const std::string_view pattern : kSecretNames)
    if (match_component(pattern, base)) return true;
  for (const std::string_view pattern : kSecretPaths)
    if (match_path(pattern, path)) return true;
  return false;
}

bool looks_like_credential(std::string_view path) {
  const std::string_view base = base_name(path);
  return looks_secret(path) ||
         std::any_of(std::begin(kCertificateNames), std::end(kCertificateNames),
                     [&](std::string_view pattern) { return match_component(pattern, base); });
}

bool is_mounted_over(std::string_view path) {
  return path == "/etc/hosts" || path == "/etc/resolv.conf";
}

bool is_never_valid(std::string_view path) {
  for (const std::string_view pattern : kNeverValid)
    if (match_path(pattern, path)) return true;
  return false;
}

}  // namespace cloister::manifest
