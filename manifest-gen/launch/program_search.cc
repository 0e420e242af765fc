// execvp(3) semantics, with two differences that container runtimes have as well: a directory or a
// file without execute bit is passed over, and nothing outside the image is asked.
#include "manifest-gen/launch/program_search.h"

#include <algorithm>
#include <numeric>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

constexpr std::uint32_t kAnyExecute = 0111;
constexpr std::size_t kMaxNameForHint = 64;
constexpr std::size_t kMaxDistance = 2;

std::string under(std::string_view directory, std::string_view name) {
  std::string out(directory);
  if (!out.ends_with('/')) out += '/';
  out += name;
  return out;
}

std::string absolute(std::string_view path, std::string_view workdir) {
  return path.starts_with('/') ? std::string(path) : under(workdir, path);
}

// Why this path cannot be run, or empty.
std::string_view rejected(const measure::Node* node) {
  if (node == nullptr) return "not there";
  if (node->is_directory()) return "a directory";
  if (!node->is_regular()) return "not a regular file";
  if ((node->entry->mode & kAnyExecute) == 0) return "not executable";
  return {};
}

std::vector<std::string> candidates(std::string_view name, std::string_view path,
                                    std::string_view workdir) {
  std::vector<std::string> out;
  if (name.find('/') != std::string_view::npos) {
    out.push_back(absolute(name, workdir));
    return out;
  }
  for (const std::string_view directory : split(path, ':'))
    out.push_back(
        under(directory.empty() ? std::string(workdir) : absolute(directory, workdir), name));
  return out;
}

// Levenshtein distance: one row at a time.
}  // namespace

std::string absolute_path(const measure::Rootfs& rootfs, std::string_view path,
                          std::string_view workdir) {
  const std::string spelled = absolute(path, workdir);
  std::string normal = measure::normalize_path(spelled);
  if (rootfs.find(normal) == rootfs.find(spelled)) return normal;
  return rootfs.real_path(spelled).value_or(std::move(normal));
}

ProgramSearch find_program(const measure::Rootfs& rootfs, std::string_view name,
                           std::string_view path, std::string_view workdir) {
  ProgramSearch out;
  if (name.empty()) return out;
  for (const std::string& candidate : candidates(name, path, workdir)) {
    const std::string_view why_not = rejected(rootfs.find(candidate));
    if (why_not.empty()) {
      out.found = absolute_path(rootfs, candidate, workdir);
      return out;
    }
    out.searched.push_back(cat(printable(candidate), ": ", why_not));
  }
  return out;
}

std::string nearest_program(const measure::Rootfs& rootfs, std::string_view name,
                            std::string_view path, std::string_view workdir) {
  const std::string_view base = base_name(name);
  if (base.empty() || base.size() > kMaxNameForHint) return {};
  std::string best;
  std::size_t best_distance = std::min(kMaxDistance, base.size() / 2) + 1;
  for (const std::string& candidate : candidates(name, path, workdir)) {
    const std::string directory = candidate.substr(0, candidate.size() - base.size());
    const measure::Node* node = rootfs.find(directory.empty() ? "/" : directory);
    if (node == nullptr || !node->is_directory()) continue;
    for (const auto& [child, unused] : node->children) {
      if (child.size() > kMaxNameForHint) continue;
      const std::size_t d = edit_distance(base, child);
      if (d >= best_distance || !rejected(rootfs.find(directory + child)).empty()) continue;
      best = measure::normalize_path(directory + child);
      best_distance = d;
    }
  }
  return best;
}

}  // namespace cloister::manifest
