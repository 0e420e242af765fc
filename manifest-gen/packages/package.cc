#include "manifest-gen/packages/package.h"

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string_view url_type(PackageManager manager) {
  switch (manager) {
    case PackageManager::dpkg:
      return "deb";
    case PackageManager::apk:
      return "apk";
    case PackageManager::rpm:
      return "rpm";
  }
  return "";
}

std::string_view default_vendor(PackageManager manager) {
  switch (manager) {
    case PackageManager::dpkg:
      return "debian";
    case PackageManager::apk:
      return "alpine";
    case PackageManager::rpm:
      return "redhat";
  }
  return "";
}

}  // namespace

std::string_view package_manager_name(PackageManager manager) {
  switch (manager) {
    case PackageManager::dpkg:
      return "dpkg";
    case PackageManager::apk:
      return "apk";
    case PackageManager::rpm:
      return "rpm";
  }
  return "";
}

std::string package_url(const Package& package, const Distribution& distribution) {
  const std::string vendor =
      lower_ascii(distribution.id.empty() ? default_vendor(package.manager)
                                          : std::string_view(distribution.id));
  std::string version = package.version;
  std::string epoch;
  // In rpm's URLs the epoch is a qualifier.
  if (const std::size_t colon = version.find(':');
      package.manager == PackageManager::rpm && colon != std::string::npos) {
    epoch = version.substr(0, colon);
    version.erase(0, colon + 1);
  }
  std::string out = cat("pkg:", url_type(package.manager), "/", percent_encoded(vendor), "/",
                        percent_encoded(package.name), "@", percent_encoded(version));
  std::string_view separator = "?";
  const auto qualifier = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += cat(separator, key, "=", percent_encoded(value));
    separator = "&";
  };
  qualifier("arch", package.architecture);
  if (!distribution.id.empty() && !distribution.version_id.empty())
    qualifier("distro", cat(vendor, "-", distribution.version_id));
  qualifier("epoch", epoch);
  return out;
}

}  // namespace cloister::manifest
