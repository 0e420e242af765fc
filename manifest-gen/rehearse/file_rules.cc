// Facts: Gramine 1.9, pal/src/host/linux-sgx/enclave_framework.c (files that are allowed are asked
// for before those that are trusted, and stand for all below them, with a '/' at the end or not)
// and libos/src/fs (what a chroot mount passes on to the host, and what /proc, /dev and /sys have).
#include "manifest-gen/rehearse/file_rules.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kPlaceNames[] = {"trusted",   "allowed", "ungranted", "tmpfs",
                                            "encrypted", "pseudo",  "nowhere"};

// What Gramine makes below its three mounts. "#" stands for a number, "cpu#" and the like for a
// name that ends in one; a directory is there when something below it is.
constexpr std::string_view kPseudoFiles[] = {
    "/proc/sys/kernel/pid_max",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/#/root",
    "/proc/#/cwd",
    "/proc/#/exe",
    "/proc/#/maps",
    "/proc/#/cmdline",
    "/proc/#/status",
    "/proc/#/statm",
    "/proc/#/stat",
    "/proc/#/fd/#",
    "/proc/#/task/#/root",
    "/proc/#/task/#/cwd",
    "/proc/#/task/#/exe",
    "/proc/#/task/#/maps",
    "/proc/#/task/#/cmdline",
    "/proc/#/task/#/status",
    "/proc/#/task/#/statm",
    "/proc/#/task/#/stat",
    "/proc/#/task/#/fd/#",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/fd/#",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/attestation/user_report_data",
    "/dev/attestation/target_info",
    "/dev/attestation/my_target_info",
    "/dev/attestation/report",
    "/dev/attestation/quote",
    "/dev/attestation/attestation_type",
    "/dev/attestation/protected_files_key",
    "/dev/attestation/keys/default",
    "/dev/attestation/keys/_sgx_mrenclave",
    "/dev/attestation/keys/_sgx_mrsigner",
    "/sys/devices/system/cpu/kernel_max",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/offline",
    "/sys/devices/system/cpu/possible",
    "/sys/devices/system/cpu/present",
    "/sys/devices/system/cpu/cpu#/online",
    "/sys/devices/system/cpu/cpu#/topology/core_id",
    "/sys/devices/system/cpu/cpu#/topology/physical_package_id",
    "/sys/devices/system/cpu/cpu#/topology/core_siblings",
    "/sys/devices/system/cpu/cpu#/topology/thread_siblings",
    "/sys/devices/system/cpu/cpu#/cache/index#/shared_cpu_map",
    "/sys/devices/system/cpu/cpu#/cache/index#/level",
    "/sys/devices/system/cpu/cpu#/cache/index#/type",
    "/sys/devices/system/cpu/cpu#/cache/index#/size",
    "/sys/devices/system/cpu/cpu#/cache/index#/coherency_line_size",
    "/sys/devices/system/cpu/cpu#/cache/index#/number_of_sets",
    "/sys/devices/system/cpu/cpu#/cache/index#/physical_line_partition",
    "/sys/devices/system/node/online",
    "/sys/devices/system/node/possible",
    "/sys/devices/system/node/node#/cpumap",
    "/sys/devices/system/node/node#/distance",
    "/sys/devices/system/node/node#/meminfo",
    "/sys/devices/system/node/node#/hugepages/hugepages-2048kB/nr_hugepages",
    "/sys/devices/system/node/node#/hugepages/hugepages-1048576kB/nr_hugepages",
};

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// One component of a pattern.
bool component_matches(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('#')) return pattern == name;
  pattern.remove_suffix(1);
  if (!name.starts_with(pattern)) return false;
  name.remove_prefix(pattern.size());
  return is_number(name) || (pattern.empty() && (name == "self" || name == "thread-self"));
}

std::string_view take_component(std::string_view& path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

// `path` is what the pattern names, or a directory above it.
bool leads_to(std::string_view path, std::string_view pattern) {
  for (;;) {
    const std::string_view name = take_component(path);
    if (name.empty()) return true;
    const std::string_view want = take_component(pattern);
    if (want.empty() || !component_matches(want, name)) return false;
  }
}

}  // namespace

std::string_view place_name(Place place) {
  return kPlaceNames[static_cast<std::size_t>(place)];
}

std::optional<bool> pseudo_file(std::string_view path) {
  if (!is_within(path, "/proc") && !is_within(path, "/dev") && !is_within(path, "/sys"))
    return std::nullopt;
  return std::any_of(std::begin(kPseudoFiles), std::end(kPseudoFiles),
                     [&](std::string_view pattern) { return leads_to(path, pattern); });
}

FileRules::FileRules(const TomlTable& manifest) : mounts_(manifest::mounts(manifest)) {
  for (const FileEntry& entry : file_entries(manifest, "sgx.trusted_files")) {
    const std::string_view path = uri_path(entry.uri);
    if (is_directory_uri(entry.uri))
      trusted_directories_.emplace_back(path);
    else
      trusted_.emplace(path);
  }
  for (const FileEntry& entry : file_entries(manifest, "sgx.allowed_files"))
    allowed_.emplace_back(uri_path(entry.uri));
  const std::string* policy = string_at(manifest, "sgx.file_check_policy");
  allow_unknown_ = policy != nullptr && *policy == "allow_all_but_log";
}

bool FileRules::stands_in(std::string_view path) const {
  return stand_ins_.contains(base_name(path));
}

std::vector<std::string> FileRules::listed_on_host() const {
  std::vector<std::string> out(trusted_.begin(), trusted_.end());
  for (const auto* listed : {&trusted_directories_, &allowed_})
    out.insert(out.end(), listed->begin(), listed->end());
  return out;
}

Place FileRules::place(std::string_view path) const {
  const Mount* mount = mount_of(mounts_, path);
  // Gramine mounts its own three after those of the manifest but below what lies deeper.
  if (const auto made = pseudo_file(path); made && (mount == nullptr || mount->path == "/"))
    return *made ? Place::pseudo : Place::nowhere;
  if (mount == nullptr) return Place::ungranted;
  if (mount->type == "tmpfs") return Place::tmpfs;
  if (mount->type == "encrypted") return Place::encrypted;
  if (mount->type == "untrusted_shm") return Place::allowed;
  const std::optional<std::string> on_host = host_path(mounts_, path);
  if (!on_host) return Place::ungranted;
  const auto is_below = [&](const std::vector<std::string>& listed) {
    return std::any_of(listed.begin(), listed.end(),
                       [&](const std::string& one) { return is_within(*on_host, one); });
  };
  if (is_below(allowed_)) return Place::allowed;
  if (trusted_.contains(*on_host) || is_below(trusted_directories_) || stands_in(path))
    return Place::trusted;
  return allow_unknown_ ? Place::allowed : Place::ungranted;
}

bool FileRules::permits(std::string_view path, FileUse use, ObservedType type) const {
  if (use == FileUse::look || use == FileUse::list) return true;
  // Only regular files are compared with the lists: a directory opens, an absent file is absent.
  if ((use == FileUse::read || use == FileUse::execute) && type != ObservedType::regular)
    return true;
  switch (place(path)) {
    case Place::trusted:
      // To remove a file Gramine opens it for reading; that the image changes is the host's affair.
      return use == FileUse::read || use == FileUse::execute || use == FileUse::remove;
    case Place::ungranted:
      return type == ObservedType::directory;  // made and removed as the host allows
    case Place::nowhere:                       // absent, and nothing can be made there
      return use == FileUse::read || use == FileUse::execute;
    case Place::allowed:
    case Place::tmpfs:
    case Place::encrypted:
    case Place::pseudo:
      break;
  }
  return true;
}

}  // namespace cloister::manifest
