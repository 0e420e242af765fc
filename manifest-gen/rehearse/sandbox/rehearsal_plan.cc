#include "manifest-gen/rehearse/sandbox/rehearsal_plan.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/rehearse/watch/supervisor.h"

namespace cloister::manifest {
namespace {

using measure::Node;

// What Gramine mounts itself.
constexpr std::string_view kGraminesOwn[] = {"/proc", "/dev", "/sys"};

// The path that a mount covers: links in it resolved as far as the image has it.
std::string physical_path(const measure::Rootfs& rootfs, std::string_view path) {
  std::string rest;
  for (std::string_view at = path; at != "/"; at = parent_directory(at)) {
    if (const auto real = rootfs.real_path(at))
      return cat(*real == "/" && !rest.empty() ? "" : *real, rest);
    rest = cat("/", base_name(at), rest);
  }
  return rest.empty() ? "/" : rest;
}

bool is_gramines_own(std::string_view path) {
  return std::any_of(std::begin(kGraminesOwn), std::end(kGraminesOwn),
                     [&](std::string_view own) { return is_within(path, own); });
}

void add_mounts(RehearsalPlan& plan, const FileRules& rules, const measure::Rootfs& rootfs) {
  for (const Mount& mount : rules.mounts()) {
    if (mount.path == "/" || !mount.path.starts_with('/')) continue;
    const std::string path = physical_path(rootfs, measure::normalize_path(mount.path));
    if (path == "/") continue;
    // A mount of one file needs no other place here: all of the root is in memory.
    const Node* const covered = rootfs.find(path);
    if (covered != nullptr && !covered->is_directory()) continue;
    if (mount.type == "tmpfs" || mount.type == "encrypted" || mount.type == "untrusted_shm") {
      plan.sandbox.memory_mounts.push_back(path);
    } else {
      const std::string from =
          physical_path(rootfs, measure::normalize_path(cat("/", uri_path(mount.uri))));
      if (from == path || is_gramines_own(path)) continue;
      // A file that is to be seen at another place is not: it would need a file to be mounted on.
      const Node* node = rootfs.find(from);
      if (node != nullptr && !node->is_directory()) continue;
      plan.directories.push_back(from);
      plan.sandbox.bind_mounts.emplace_back(from, path);
    }
    if (!is_gramines_own(path)) plan.directories.push_back(path);
  }
  auto& places = plan.sandbox.memory_mounts;
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

void add_environment(SandboxPlan& plan, const TomlTable& manifest,
                     const std::map<std::string, std::string>& host_env) {
  if (const TomlValue* env = manifest.at("loader.env"); env != nullptr && env->table() != nullptr)
    for (const auto& [name, value] : *env->table())
      if (value.string() != nullptr) plan.env.emplace_back(name, *value.string());
  for (const std::string& name : passthrough_names(manifest))
    if (const auto found = host_env.find(name); found != host_env.end())
      plan.env.emplace_back(name, found->second);
}

}  // namespace

RehearsalPlan plan_rehearsal(const TomlTable& manifest, const FileRules& rules,
                             const Launch& launch, const measure::Rootfs& rootfs,
                             const std::map<std::string, std::string>& host_env) {
  RehearsalPlan plan;
  plan.sandbox.program = launch.entrypoint;
  plan.sandbox.argv = launch.argv;
  plan.sandbox.uid = launch.uid;
  plan.sandbox.gid = launch.gid;
  const std::string* start = string_at(manifest, "fs.start_dir");
  plan.sandbox.workdir = start != nullptr && start->starts_with('/') ? *start : "/";
  plan.sandbox.watched = watched_calls();
  add_environment(plan.sandbox, manifest, host_env);
  for (const std::string_view own : kGraminesOwn) plan.directories.emplace_back(own);
  for (const std::string& missing : launch.missing_directories)
    plan.directories.push_back(physical_path(rootfs, missing));
  plan.directories.push_back(physical_path(rootfs, measure::normalize_path(plan.sandbox.workdir)));
  add_mounts(plan, rules, rootfs);
  return plan;
}

}  // namespace cloister::manifest
