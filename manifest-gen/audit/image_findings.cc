// An image that is ready for an enclave, ours or another tool's: whether its manifest and its files
// belong together. The program is analysed once more, from the manifest, and what its loader will
// open must be granted.
#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/audit/compatibility.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::manifest {
namespace {

void content_findings(const TomlTable& table, const measure::Rootfs& rootfs,
                      std::vector<Finding>& out) {
  for (const FileEntry& entry : file_entries(table, "sgx.trusted_files")) {
    const std::string path(uri_path(entry.uri));
    if (!path.starts_with('/') || is_directory_uri(entry.uri)) continue;
    const measure::Node* node = rootfs.find(path);
    if (node == nullptr || !node->is_regular()) {
      out.push_back(make_finding(kRuleAbsentFile, path,
                                 "is trusted, and the image has no such file",
                                 "build the image anew"));
      continue;
    }
    if (entry.sha256.empty() || entry.sha256 == node->entry->sha256.hex()) continue;
    out.push_back(make_finding(
        kRuleChangedFile, path,
        cat("has the SHA-256 ", node->entry->sha256.hex(), ", the manifest has ", entry.sha256),
        "build the image anew: a layer was changed after it was signed"));
  }
}

// What the manifest starts, as the closure wants to be told.
std::optional<Launch> launch_of(const TomlTable& table, const measure::Rootfs& rootfs) {
  const std::string* program = string_at(table, "libos.entrypoint");
  if (program == nullptr || !program->starts_with('/')) return std::nullopt;
  Launch launch;
  launch.program = *program;
  const auto real = rootfs.real_path(*program);
  if (!real) return std::nullopt;
  launch.entrypoint = *real;
  const TomlValue* argv = table.at("loader.argv");
  if (argv != nullptr && argv->array() != nullptr)
    for (const TomlValue& word : *argv->array())
      if (word.string() != nullptr) launch.argv.push_back(*word.string());
  if (launch.argv.empty()) launch.argv = {*program};
  const TomlValue* env = table.at("loader.env");
  if (env != nullptr && env->table() != nullptr)
    for (const auto& [name, value] : *env->table())
      if (value.string() != nullptr) launch.env.emplace_back(name, *value.string());
  const std::int64_t* uid = integer_at(table, "loader.uid");
  launch.uid = uid != nullptr ? static_cast<std::uint32_t>(*uid) : 0;
  const std::string* directory = string_at(table, "fs.start_dir");
  launch.workdir = directory != nullptr && directory->starts_with('/') ? *directory : "/";
  return launch;
}

// Only what decides whether it starts: the rest is as the manifest's author wanted it.
bool is_needed_at_start(Why why) {
  return why == Why::entrypoint || why == Why::shebang || why == Why::interpreter ||
         why == Why::needed;
}

Status library_findings(const TomlTable& table, const measure::Rootfs& rootfs, const Limits& limits,
                        std::vector<Finding>& out) {
  const auto launch = launch_of(table, rootfs);
  if (!launch) return {};
  if (launch->entrypoint != launch->program)
    out.push_back(make_finding(kRuleEntrypointLink, "libos.entrypoint",
                               cat(launch->program, " is a link to ", launch->entrypoint),
                               cat("name ", launch->entrypoint, ", and trust both")));
  CL_TRY(const Closure closure,
         compute_closure(*launch, rootfs, measure::Runtime(), {}, limits, {.image_libc = true}));
  for (const Unresolved& item : closure.unresolved) {
    out.push_back(make_finding(kRuleUnresolved, item.needed_by,
                               cat("needs ", item.name, ", which is nowhere in the image"),
                               "add it to the image that this one is made from"));
  }
  std::set<std::string, std::less<>> granted, names;
  for (const std::string_view list : {"sgx.trusted_files", "sgx.allowed_files"})
    for (const FileEntry& entry : file_entries(table, list)) {
      granted.emplace(uri_path(entry.uri));
      names.emplace(base_name(uri_path(entry.uri)));
    }
  for (Finding& finding : compatibility_findings(*launch, closure, rootfs))
    out.push_back(std::move(finding));
  const std::vector<Mount> all = mounts(table);
  std::set<std::size_t> asked;
  for (const Edge& edge : closure.edges) {
    if (!is_needed_at_start(edge.why) || !asked.insert(edge.to).second) continue;
    const Member& member = closure.members[edge.to];
    const bool found =
        std::any_of(member.paths.begin(), member.paths.end(), [&](const std::string& path) {
          const Mount* mount = mount_of(all, path);
          return granted.contains(path) || (mount != nullptr && mount->type != "chroot");
        });
    // The runtime has a libc of its own, elsewhere and under the same names.
    if (found || names.contains(base_name(member.real_path))) continue;
    out.push_back(make_finding(
        kRuleLibrary, member.real_path,
        cat("is ", why_name(edge.why), " (", edge.detail, ") and neither trusted nor allowed"),
        "trust it under every name by which it is opened"));
  }
  return {};
}

}  // namespace

Result<std::vector<Finding>> image_findings(const EnclaveManifest& manifest,
                                            const measure::Rootfs& rootfs, const Limits& limits) {
  std::vector<Finding> out;
  content_findings(manifest.table, rootfs, out);
  CL_CHECK(library_findings(manifest.table, rootfs, limits, out));
  return out;
}

}  // namespace cloister::manifest
