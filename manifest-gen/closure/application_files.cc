#include "manifest-gen/closure/application_files.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

using measure::Node;

// Directories that hold more than one application's files: never granted whole. /srv, /root, /opt
// and the like are empty unless somebody puts an application there.
bool is_system_directory(std::string_view path) {
  static constexpr std::string_view kExact[] = {"/",        "/run",     "/tmp",       "/var",
                                                "/var/lib", "/var/log", "/var/cache", "/var/run",
                                                "/var/tmp", "/usr",     "/usr/local", "/usr/share"};
  static constexpr std::string_view kBelow[] = {
      "/etc",           "/bin",         "/sbin",          "/lib",
      "/lib64",         "/dev",         "/proc",          "/sys",
      "/boot",          "/usr/bin",     "/usr/sbin",      "/usr/lib",
      "/usr/lib64",     "/usr/libexec", "/usr/local/bin", "/usr/local/sbin",
      "/usr/local/lib", "/gramine"};
  for (const std::string_view exact : kExact)
    if (path == exact) return true;
  for (const std::string_view top : kBelow)
    if (is_within(path, top)) return true;
  return false;
}

// Program text that an interpreter runs, by what the pass over the layer saw or by its name.
bool is_program_text(const measure::Rootfs& rootfs, const Node& node) {
  static constexpr std::string_view kNames[] = {"*.py", "*.js",  "*.mjs", "*.cjs", "*.pl",
                                                "*.rb", "*.php", "*.sh",  "*.jar", "*.war",
                                                "*.R",  "*.lua", "*.tcl", "*.ts"};
  return !node.entry->shebang.empty() || rootfs.source_facts(node) != nullptr ||
         std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return match_component(name, node.name); });
}

bool holds_programs(std::string_view directory) {
  return base_name(directory) == "bin" || base_name(directory) == "sbin";
}

// What is installed with a prefix of its own: a JVM, say.
bool is_installation(const Node& directory) {
  return directory.children.find("bin") != directory.children.end() &&
         directory.children.find("lib") != directory.children.end();
}

// Below an application's directory, and not its own.
bool is_foreign(std::string_view name, const std::set<Why>& followed) {
  if (name == ".git" || name == ".hg" || name == ".svn") return true;
  if (name == "node_modules") return followed.contains(Why::node_require);
  if (name == "site-packages" || name == "dist-packages")
    return followed.contains(Why::python_import);
  return false;
}

}  // namespace

std::vector<std::string> application_directories(const Launch& launch,
                                                 const measure::Rootfs& rootfs,
                                                 const PackageIndex& packages) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& path) {
    const Node* node = rootfs.find(path);
    if (node == nullptr || !node->is_directory()) return;
    if (is_system_directory(path) || is_system_directory(node->path())) return;
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
  };
  add(measure::normalize_path(launch.workdir));
  const Node* program = rootfs.find(launch.entrypoint);
  if (program == nullptr) return out;
  const bool script = !program->entry->shebang.empty();
  if (script || packages.owner(*program) == nullptr)
    for (const std::string& directory : {std::string(parent_directory(launch.program)),
                                         std::string(parent_directory(launch.entrypoint))})
      if (script || !holds_programs(directory)) add(directory);
  for (std::size_t i = 1; i < launch.argv.size(); ++i) {
    const std::string& word = launch.argv[i];
    if (word.empty() || word.front() == '-') continue;
    const std::string path =
        measure::normalize_path(word.starts_with('/') ? word : cat(launch.workdir, "/", word));
    const Node* node = rootfs.find(path);
    if (node != nullptr && node->is_regular() && is_program_text(rootfs, *node))
      add(std::string(parent_directory(path)));
  }
  return out;
}

RuleFiles application_files(const Launch& launch, const measure::Rootfs& rootfs,
                            const PackageIndex& packages, const std::set<Why>& followed) {
  RuleFiles out;
  std::set<std::string> seen;
  for (const std::string& top : application_directories(launch, rootfs, packages)) {
    std::vector<std::pair<const Node*, std::string>> work{{rootfs.find(top), top}};
    while (!work.empty()) {
      const auto [directory, path] = std::move(work.back());
      work.pop_back();
      if (!seen.insert(path).second) continue;
      for (const auto& [name, child] : directory->children) {
        std::string child_path = cat(path, "/", name);
        if (child->is_directory()) {
          if (!is_foreign(name, followed) && !(path == "/opt" && is_installation(*child)))
            work.emplace_back(child.get(), std::move(child_path));
          continue;
        }
        const Node* file = child->is_symlink() ? rootfs.find(child_path) : child.get();
        if (file == nullptr || !file->is_regular() || packages.owner(*child) != nullptr) continue;
        add_rule_file(out, {std::move(child_path), Why::workdir, "the application's own files",
                            /*optional=*/true, ""});
      }
    }
  }
  return out;
}

}  // namespace cloister::manifest
