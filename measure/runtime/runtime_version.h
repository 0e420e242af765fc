// Which version of Gramine a directory holds, and the package database beside it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "measure/rootfs/rootfs.h"

namespace cloister::measure {

// The versions of installed packages, from paragraphs of "Package:" and "Version:" lines
// (deb822(5)): /var/lib/dpkg/status and, as in distroless images, the files of
// /var/lib/dpkg/status.d. Malformed paragraphs are passed over.
using PackageVersions = std::map<std::string, std::string, std::less<>>;
void parse_dpkg_status(std::string_view text, PackageVersions& out);
Result<PackageVersions> read_package_versions(const Rootfs& rootfs, const Limits& limits);

struct VersionEvidence {
  std::string written;  // "1.9-1", "1.9post~UNRELEASED"
  std::string
      version;  // the release it starts with: "1.9", "1.6.2"; empty when it starts with none
  std::string evidence;  // "dpkg: gramine 1.9-1"
};

// The leading release number of a version text, without a Debian epoch: two or three numbers.
std::string release_number(std::string_view written);

// From, in this order: the package `gramine` (for a directory where packages install), the metadata
// of the Python package graminelibos, nearest to `directory` first; the package anyway. Nothing
// when there is none of these.
Result<std::optional<VersionEvidence>> find_version(const Rootfs& rootfs,
                                                    const PackageVersions& packages,
                                                    std::string_view directory,
                                                    const Limits& limits);

// Of `_graminelibos_offsets.py`, the one nearest to `directory`; null when there is none.
const Node* find_offsets(const Rootfs& rootfs, std::string_view directory);

}  // namespace cloister::measure
