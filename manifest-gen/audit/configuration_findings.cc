// What of an image's configuration means something else in an enclave. VOLUMEs are where it means
// to keep things: there they are written in one of three ways, and which one is right only the user
// knows.
#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

// How a path can be written: the type of a mount, "allowed" for allowed files; else empty.
std::string writable_as(const TomlTable& manifest, std::string_view path) {
  const std::vector<Mount> all = mounts(manifest);
  const Mount* mount = mount_of(all, path);
  if (mount != nullptr && mount->path != "/") return mount->type;
  for (const FileEntry& entry : file_entries(manifest, "sgx.allowed_files"))
    if (entry.uri.starts_with("file:") && is_within(path, uri_path(entry.uri))) return "allowed";
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
      if (!child->is_regular() || !writable_as(manifest.table, path).empty()) continue;
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
    const std::string type = writable_as(manifest.table, volume);
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

std::vector<Finding> credential_findings(const Closure& closure, const EnclaveManifest& manifest) {
  std::vector<Finding> out;
  for (const AbsentFile& file : closure.absent) {
    const std::string type = writable_as(manifest.table, file.path);
    // A tmpfs hides what the container has there.
    if (!type.empty() && type != "tmpfs") continue;
    out.push_back(make_finding(
        kRuleAbsentCredential, file.path,
        cat("is named ", file.named,
            ", and the image does not have it: when it comes with the "
            "container, the program cannot open it"),
        cat("--volume ", file.path,
            "=encrypted:KEY, or =allowed if the host may know and choose "
            "it; --ra-tls makes a key inside the enclave, --secret-prov fetches one")));
  }
  return out;
}

std::vector<Finding> configuration_findings(const oci::ExecutionConfig& config,
                                            const EnclaveManifest& manifest) {
  std::vector<Finding> out;
  const std::string_view user = std::string_view(config.user).substr(0, config.user.find(':'));
  const std::int64_t* uid = integer_at(manifest.table, "loader.uid");
  if (!user.empty() && user != "root" && user != "0" && (uid == nullptr || *uid == 0))
    out.push_back(make_finding(kRuleUser, "loader.uid",
                               cat("is 0, and the image's user is ", printable(user)),
                               "leave --user out, or set loader.uid to the image's user"));
  if (config.has_healthcheck)
    out.push_back(make_finding(
        kRuleHealthcheck, "HEALTHCHECK",
        "the image has a health check, which the container engine runs beside the enclave: it sees "
        "the untrusted file system, and its answer proves nothing about the enclave",
        "let clients check the enclave itself (cloister connect); keep the check for restarts"));
  return out;
}

}  // namespace cloister::manifest
