// An image's VOLUMEs are where it means to keep things. In an enclave they are written in one of
// three ways, and which one is right only the user knows.
#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::manifest {
namespace {

// The type of the innermost mount that holds `path`; "allowed" for allowed files; else empty.
std::string_view mount_of(const TomlTable& manifest, std::string_view path) {
  std::string_view type;
  std::size_t best = 0;
  const TomlValue* mounts = manifest.at("fs.mounts");
  if (mounts != nullptr && mounts->array() != nullptr) {
    for (const TomlValue& item : *mounts->array()) {
      if (item.table() == nullptr) continue;
      const TomlValue* where = item.table()->find("path");
      const TomlValue* what = item.table()->find("type");
      if (where == nullptr || where->string() == nullptr || what == nullptr ||
          what->string() == nullptr)
        continue;
      if (where->string()->size() < best || !is_within(path, *where->string())) continue;
      best = where->string()->size();
      type = *what->string();
    }
  }
  if (!type.empty()) return type;
  const TomlValue* allowed = manifest.at("sgx.allowed_files");
  if (allowed == nullptr || allowed->array() == nullptr) return {};
  for (const TomlValue& item : *allowed->array())
    if (item.string() != nullptr && item.string()->starts_with("file:") &&
        is_within(path, std::string_view(*item.string()).substr(5)))
      return "allowed";
  return {};
}

bool is_stream(std::string_view target) {
  return target == "/dev/stdout" || target == "/dev/stderr" || target == "/proc/self/fd/1" ||
         target == "/proc/self/fd/2";
}

// Regular files in directories that also hold a link to the container's log.
void log_findings(const EnclaveManifest& manifest, const measure::Rootfs& rootfs,
                  std::vector<Finding>& out) {
  rootfs.walk([&](const measure::Node& node) {
    if (!node.is_directory()) return;
    const bool linked =
        std::any_of(node.children.begin(), node.children.end(), [](const auto& child) {
          return child.second->is_symlink() && is_stream(child.second->entry->link_target);
        });
    const std::string directory = node.path();
    if (!linked || !is_within(directory, "/var/log")) return;
    for (const auto& [name, child] : node.children) {
      const std::string path = cat(directory, "/", name);
      if (!child->is_regular() || !mount_of(manifest.table, path).empty()) continue;
      out.push_back(make_finding(
          kRuleLogUnwritable, path,
          "a log of the image that is no link to the container's log: opening it for writing fails",
          cat("link it to /dev/stdout in the image, or --volume ", path,
              "=allowed (the host reads it)")));
    }
  });
}

}  // namespace

std::vector<Finding> volume_findings(const Launch& launch, const EnclaveManifest& manifest,
                                     const measure::Rootfs& rootfs) {
  std::vector<Finding> out;
  for (const std::string& volume : launch.volumes) {
    const std::string_view type = mount_of(manifest.table, volume);
    if (type == "tmpfs") {
      out.push_back(make_finding(
          kRuleVolumeLost, volume,
          "a volume of the image, in enclave memory: what is written there is lost at exit",
          cat("--volume ", volume, "=encrypted:KEY keeps it, if it must last")));
    } else if (type.empty()) {
      out.push_back(
          make_finding(kRuleVolumeUnwritable, volume,
                       "a volume of the image: the program means to write there, and cannot",
                       cat("choose: --volume ", volume,
                           "=encrypted:KEY (kept, the host cannot read it), =tmpfs "
                           "(lost at exit) or =allowed (the host reads and writes it)")));
    }
  }
  log_findings(manifest, rootfs, out);
  return out;
}

}  // namespace cloister::manifest
