// Gramine compares lexically normal paths and follows no symbolic links: a member is one file, and
// each of its names on the way from the spelled path to the real one becomes a trusted file.
#include "manifest-gen/closure/members.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {

// REQUIRES: a regular file.
std::size_t MemberTable::at(const measure::Node& node) {
  const std::string real = node.path();
  auto [at, added] = by_real_path_.try_emplace(real, closure_.members.size());
  if (!added) return at->second;
  Member member;
  member.real_path = real;
  member.sha256 = node.entry->sha256;
  member.size = node.entry->size;
  member.is_elf = rootfs_.elf_facts(node) != nullptr;
  closure_.members.push_back(std::move(member));
  add_path(at->second, real);
  return at->second;
}

// A path leads to one file, so that one set serves all members.
void MemberTable::add_path(std::size_t member, std::string path) {
  const auto [at, added] = paths_.insert(std::move(path));
  if (added) closure_.members[member].paths.push_back(*at);
}

std::size_t MemberTable::file(std::string_view path) {
  const std::size_t member = at(*rootfs_.find(path));
  alias(member, path);
  return member;
}

std::size_t MemberTable::library(std::string_view path) {
  const std::size_t member = at(*rootfs_.find(path));
  add_path(member, measure::normalize_path(path));
  return member;
}

void MemberTable::alias(std::size_t member, std::string_view path) {
  add_path(member, measure::normalize_path(path));
  for (std::string& name : rootfs_.resolution_aliases(path)) add_path(member, std::move(name));
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
