// The table of members and edges while a closure grows.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "manifest-gen/closure/closure.h"

namespace cloister::manifest {

class MemberTable {
 public:
  MemberTable(const measure::Rootfs& rootfs, Closure& closure)
      : rootfs_(rootfs), closure_(closure) {}

  // The regular file behind `path`, with every alias met on the way. REQUIRES: it is one.
  std::size_t file(std::string_view path);
  // A shared object as a loader opens it: under the path that it spells. The links on the way to
  // the real path are names that no loader uses, so they are left out.
  std::size_t library(std::string_view path);
  // A further lexical path of a member, with its aliases.
  void alias(std::size_t member, std::string_view path);
  // A shared object of the runtime, at its place in the built image.
  std::size_t runtime_file(std::string_view directory, const std::string& name,
                           const measure::RuntimeFile& file, bool is_elf);
  // Whether a member of the image is granted under that lexical path.
  bool has_path(std::string_view path) const { return paths_.contains(path); }
  // Each (from, to, why) once: the first detail stays.
  void edge(std::size_t from, std::size_t to, Why why, std::string_view detail);
  // Sorted, unique alias lists.
  void finish();

  const Member& operator[](std::size_t index) const { return closure_.members[index]; }

 private:
  const measure::Rootfs& rootfs_;
  Closure& closure_;
  std::size_t at(const measure::Node& node);
  void add_path(std::size_t member, std::string path);

  std::map<std::string, std::size_t, std::less<>> by_real_path_;
  std::set<std::string, std::less<>> paths_;  // of all members of the image
  std::set<std::tuple<std::size_t, std::size_t, Why>> edges_;
};

}  // namespace cloister::manifest
