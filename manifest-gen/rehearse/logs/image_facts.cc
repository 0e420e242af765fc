// A log of a native run shows the image's own C library and its loader's cache being opened. In the
// enclave the runtime's is used, whose loader looks at no cache.
#include "manifest-gen/rehearse/logs/image_facts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/path.h"
#include "manifest-gen/closure/ld_so_cache.h"
#include "manifest-gen/launch/shebang.h"
#include "manifest-gen/rehearse/logs/call_tracker.h"

namespace cloister::manifest {
namespace {

ObservedType type_in_image(const measure::Node& node) {
  if (node.is_directory()) return ObservedType::directory;
  return node.is_regular() ? ObservedType::regular : ObservedType::other;
}

// The program that the kernel starts for this one; empty: itself.
std::string interpreter_of(const measure::Rootfs& rootfs, const measure::Node& node) {
  if (!node.is_regular()) return {};
  if (const auto* facts = rootfs.elf_facts(node)) return facts->interpreter;
  const auto shebang = parse_shebang(node.entry->shebang);
  return shebang ? shebang->interpreter : std::string();
}

}  // namespace

void add_image_facts(ObservedRun& run, const measure::Rootfs& rootfs,
                     const std::map<std::string, measure::RuntimeFile>& libc) {
  std::vector<std::pair<std::string, PathUse>> opened_by_kernel;
  for (const auto& [path, use] : run.paths) {
    if (use.of(FileUse::execute).done == 0) continue;
    std::string at = path;
    for (int depth = 0; depth < kShebangDepth; ++depth) {
      const measure::Node* const node = rootfs.find(at);
      if (node == nullptr) break;
      at = interpreter_of(rootfs, *node);
      if (!at.starts_with('/')) break;
      at = measure::normalize_path(at);
      PathUse one;
      one.of(FileUse::execute).done = use.of(FileUse::execute).done;
      one.programs.insert(path);
      opened_by_kernel.emplace_back(at, std::move(one));
    }
  }
  for (auto& [path, use] : opened_by_kernel) {
    PathUse& into = run.paths[path];
    into.of(FileUse::execute).done += use.of(FileUse::execute).done;
    into.programs.insert(use.programs.begin(), use.programs.end());
  }
  std::erase(run.notes, kKernelOpensInterpreters);
  for (auto& [path, use] : run.paths) {
    const measure::Node* const node = rootfs.find(path);
    if (node == nullptr) continue;
    if (use.type == ObservedType::unknown) use.type = type_in_image(*node);
    if (use.real.empty()) use.real = node->path();
    if (!libc.empty() && (path == kLdSoCache || libc.contains(std::string(base_name(path)))))
      run.stand_ins.insert(path);
  }
}

}  // namespace cloister::manifest
