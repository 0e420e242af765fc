// Gramine compares lexically normal paths and follows no symbolic links: a member is one file, and
// each of its names on the way from the spelled path to the real one becomes a trusted file.
#include "manifest-gen/closure/members.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {

std::size_t MemberTable::file(std::string_view path) {
  const measure::Node* node = rootfs_.find(path);
  const std::string real = node->path();
  auto [at, added] = by_real_path_.try_emplace(real, closure_.members.size());
  if (added) {
    Member member;
    member.real_path = real;
    member.paths.push_back(real);
    member.sha256 = node->entry->sha256;
    member.size = node->entry->size;
    member.is_elf = rootfs_.elf_facts(*node) != nullptr;
    closure_.members.push_back(std::move(member));
  }
  alias(at->second, path);
  return at->second;
}

void MemberTable::alias(std::size_t member, std::string_view path) {
  std::vector<std::string>& paths = closure_.members[member].paths;
  const auto add = [&](std::string name) {
    if (std::find(paths.begin(), paths.end(), name) == paths.end())
      paths.push_back(std::move(name));
  };
  add(measure::normalize_path(path));
  for (const std::string& name : rootfs_.resolution_aliases(path))
    add(measure::normalize_path(name));
}

std::size_t MemberTable::runtime_file(std::string_view directory, const std::string& name,
                                      const measure::RuntimeFile& file, bool is_elf) {
  const std::string path = cat(directory, "/", name);
  auto [at, added] = by_real_path_.try_emplace(path, closure_.members.size());
  if (added) {
    Member member;
    member.real_path = path;
    member.paths.push_back(path);
    member.from_runtime = true;
    member.runtime_name = name;
    member.sha256 = file.sha256;
    member.size = file.size;
    member.is_elf = is_elf;
    closure_.members.push_back(std::move(member));
  }
  return at->second;
}

void MemberTable::edge(std::size_t from, std::size_t to, Why why, std::string_view detail) {
  if (edges_.insert({from, to, why}).second)
    closure_.edges.push_back({from, to, why, std::string(detail)});
}

void MemberTable::finish() {
  for (Member& member : closure_.members) std::sort(member.paths.begin(), member.paths.end());
}

}  // namespace cloister::manifest
