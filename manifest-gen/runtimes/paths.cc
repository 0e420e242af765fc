#include "manifest-gen/runtimes/paths.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "manifest-gen/closure/glob.h"

namespace cloister::manifest {
namespace {

using measure::Node;

void matching_children(const measure::Rootfs& rootfs, const std::string& directory,
                       std::string_view pattern, std::vector<std::string>& out) {
  if (!has_wildcard(pattern)) {
    std::string path = cat(directory, "/", pattern);
    if (is_directory(rootfs, path)) out.push_back(std::move(path));
    return;
  }
  const Node* node = rootfs.find(directory.empty() ? "/" : directory);
  if (node == nullptr || !node->is_directory()) return;
  std::set<const Node*> linked;
  for (const auto& [name, child] : node->children)
    if (child->is_symlink()) linked.insert(rootfs.find(cat(directory, "/", name)));
  for (const auto& [name, child] : node->children) {
    std::string path = cat(directory, "/", name);
    if (!match_component(pattern, name) || linked.contains(child.get())) continue;
    if (is_directory(rootfs, path)) out.push_back(std::move(path));
  }
}

}  // namespace

std::vector<std::string> matching_directories(const measure::Rootfs& rootfs,
                                              std::string_view pattern) {
  std::vector<std::string> found{""};
  for (const std::string_view part :
       split(pattern.substr(std::min<std::size_t>(1, pattern.size())), '/')) {
    std::vector<std::string> next;
    for (const std::string& directory : found) matching_children(rootfs, directory, part, next);
    found = std::move(next);
  }
  return found;
}

bool is_shared_directory(std::string_view path) {
  static constexpr std::string_view kShared[] = {"/",
                                                 "/bin",
                                                 "/boot",
                                                 "/dev",
                                                 "/etc",
                                                 "/lib",
                                                 "/lib64",
                                                 "/proc",
                                                 "/run",
                                                 "/sbin",
                                                 "/sys",
                                                 "/tmp",
                                                 "/usr",
                                                 "/usr/bin",
                                                 "/usr/lib",
                                                 "/usr/lib64",
                                                 "/usr/libexec",
                                                 "/usr/local",
                                                 "/usr/local/bin",
                                                 "/usr/local/lib",
                                                 "/usr/local/sbin",
                                                 "/usr/local/share",
                                                 "/usr/sbin",
                                                 "/usr/share",
                                                 "/var",
                                                 "/var/cache",
                                                 "/var/lib",
                                                 "/var/log",
                                                 "/var/tmp"};
  return std::find(std::begin(kShared), std::end(kShared), path) != std::end(kShared);
}

}  // namespace cloister::manifest
