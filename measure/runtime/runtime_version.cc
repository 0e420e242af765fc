// No file of Gramine's run-time directory says its version; what was installed beside it does: the
// package database, or the metadata of its Python package (PEP 376: graminelibos.dist-info/METADATA
// with a "Version:" header), which a meson install leaves even where there is no package.
//
// Development builds call themselves "1.9post~UNRELEASED": only the leading release number is
// compared with anything.
#include "measure/runtime/runtime_version.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace cloister::measure {
namespace {

// A package database of a full desktop is a few MiB.
constexpr std::uint64_t kDatabaseBytes = 32ULL << 20;
constexpr std::uint64_t kMetadataBytes = 1ULL << 20;
constexpr std::string_view kStatusFile = "/var/lib/dpkg/status";
constexpr std::string_view kStatusDirectory = "/var/lib/dpkg/status.d";

// The value of the first line "name: value" of a paragraph.
std::string_view header_field(std::string_view text, std::string_view name) {
  for (std::string_view line : split(text, '\n')) {
    if (trim(line).empty()) break;
    if (line.size() > name.size() && line[name.size()] == ':' &&
        iequals_ascii(line.substr(0, name.size()), name))
      return trim(line.substr(name.size() + 1));
  }
  return {};
}

// Length of the common prefix in whole components: how near two paths are.
std::size_t shared_components(std::string_view a, std::string_view b) {
  std::size_t count = 0, i = 0;
  for (; i < a.size() && i < b.size() && a[i] == b[i]; ++i) count += a[i] == '/';
  return count;
}

// The nearest of the nodes that `accept` takes; ties go to the first in byte order.
template <class Accept>
const Node* nearest(const Rootfs& rootfs, std::string_view directory, const Accept& accept) {
  const Node* best = nullptr;
  std::size_t best_shared = 0;
  rootfs.walk([&](const Node& node) {
    if (!accept(node)) return;
    const std::size_t shared = shared_components(node.path(), directory);
    if (best != nullptr && shared <= best_shared) return;
    best = &node;
    best_shared = shared;
  });
  return best;
}

bool is_python_metadata(const Node& node) {
  if (!node.is_regular() || node.parent == nullptr) return false;
  const std::string& parent = node.parent->name;
  if (!parent.starts_with("graminelibos")) return false;
  return (node.name == "METADATA" && parent.ends_with(".dist-info")) ||
         (node.name == "PKG-INFO" && parent.ends_with(".egg-info"));
}

VersionEvidence make_evidence(std::string_view written, std::string_view where) {
  return {std::string(written), release_number(written), cat(where, ' ', printable(written))};
}

std::optional<VersionEvidence> from_package(const PackageVersions& packages) {
  const auto package = packages.find("gramine");
  if (package == packages.end()) return std::nullopt;
  return make_evidence(package->second, "package gramine");
}

bool is_packaged_place(std::string_view directory) {
  return (directory.starts_with("/usr/") && !directory.starts_with("/usr/local/")) ||
         directory.starts_with("/lib");
}

}  // namespace

void parse_dpkg_status(std::string_view text, PackageVersions& out) {
  std::string_view package, version;
  bool installed = true;
  const auto end_paragraph = [&] {
    if (installed && !package.empty() && !version.empty())
      out[std::string(package)] = std::string(version);
    package = version = {};
    installed = true;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trim(line).empty()) {
      end_paragraph();
    } else if (line.starts_with("Package:")) {
      package = trim(line.substr(8));
    } else if (line.starts_with("Version:")) {
      version = trim(line.substr(8));
    } else if (line.starts_with("Status:")) {
      // Removed packages leave a paragraph ("deinstall ok config-files").
      installed = trim(line).ends_with(" installed");
    }
  }
  end_paragraph();
}

Result<PackageVersions> read_package_versions(const Rootfs& rootfs, const Limits& limits) {
  PackageVersions out;
  std::vector<const Node*> files;
  if (const Node* status = rootfs.find(kStatusFile)) files.push_back(status);
  if (const Node* directory = rootfs.find(kStatusDirectory))
    for (const auto& [name, child] : directory->children)
      if (!name.ends_with(".md5sums")) files.push_back(child.get());
  for (const Node* file : files) {
    if (!file->is_regular()) continue;
    CL_TRY(const Bytes text, rootfs.read(*file, std::min(kDatabaseBytes, limits.layer_bytes)));
    parse_dpkg_status(as_text(text), out);
  }
  return out;
}

std::string release_number(std::string_view written) {
  if (const std::size_t colon = written.find(':'); colon != std::string_view::npos)
    written.remove_prefix(colon + 1);
  if (written.starts_with('v')) written.remove_prefix(1);
  std::size_t end = 0, numbers = 0;
  while (numbers < 3) {
    const std::size_t start = numbers == 0 ? 0 : end + 1;
    if (numbers > 0 && (end >= written.size() || written[end] != '.')) break;
    std::size_t digit = start;
    while (digit < written.size() && written[digit] >= '0' && written[digit] <= '9') ++digit;
    if (digit == start || digit - start > 6) break;
    end = digit;
    ++numbers;
  }
  return numbers >= 2 ? std::string(written.substr(0, end)) : std::string();
}

Result<std::optional<VersionEvidence>> find_version(const Rootfs& rootfs,
                                                    const PackageVersions& packages,
                                                    std::string_view directory,
                                                    const Limits& limits) {
  const std::optional<VersionEvidence> packaged = from_package(packages);
  if (packaged && is_packaged_place(directory)) return packaged;
  if (const Node* metadata = nearest(rootfs, directory, is_python_metadata)) {
    CL_TRY(const Bytes text, rootfs.read(*metadata, std::min(kMetadataBytes, limits.layer_bytes)));
    const std::string_view version = header_field(as_text(text), "Version");
    if (!version.empty()) return std::optional(make_evidence(version, metadata->path() + ":"));
  }
  return packaged;
}

const Node* find_offsets(const Rootfs& rootfs, std::string_view directory) {
  return nearest(rootfs, directory, [](const Node& node) {
    return node.is_regular() && node.name == "_graminelibos_offsets.py";
  });
}

}  // namespace cloister::measure
