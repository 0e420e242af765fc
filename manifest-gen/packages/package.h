// A package that a distribution's package manager says is installed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::manifest {

enum class PackageManager : std::uint8_t { dpkg, apk, rpm };
std::string_view package_manager_name(PackageManager manager);  // "dpkg"

struct Package {
  PackageManager manager = PackageManager::dpkg;
  std::string name;
  std::string version;       // whole, with epoch and release: "5:7.0.15-1~deb12u1"
  std::string source;        // what it was built from; the name when it says nothing else
  std::string architecture;  // in the manager's words: amd64, x86_64, all, noarch
  std::string license;       // as the database has it; dpkg's has none
  // Names that it depends on, alternatives included, without versions.
  std::vector<std::string> depends;
  bool essential = false;  // part of every system of the distribution
  // Absolute paths as the package spells them ("/lib/x86_64-linux-gnu/…" where that is a link).
  // Directories may be among them.
  std::vector<std::string> files;
  std::vector<std::string> conffiles;  // those of them that administrators change
};

// What /etc/os-release says of the distribution, for package URLs.
struct Distribution {
  std::string id, version_id;  // "debian", "12"
};

// The package URL (purl-spec): "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12", with
// everything escaped that the specification wants escaped.
std::string package_url(const Package& package, const Distribution& distribution);

}  // namespace cloister::manifest
