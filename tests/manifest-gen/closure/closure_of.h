// The closure of a program in an image built by hand.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::test {

using Environment = std::vector<std::pair<std::string, std::string>>;

inline manifest::Closure closure_of(const measure::Rootfs& rootfs, std::string path,
                                    Environment env = {}) {
  manifest::Launch launch;
  launch.argv = {path};
  launch.program = path;
  launch.entrypoint = rootfs.real_path(path).value_or(path);
  launch.env = std::move(env);
  launch.workdir = "/";
  auto closure = manifest::compute_closure(launch, rootfs, glibc_runtime(), {}, Limits{});
  if (!closure) {
    ADD_FAILURE() << closure.error().what();
    return {};
  }
  return std::move(*closure);
}

// The index of the member with that path, or -1.
inline std::ptrdiff_t index_of(const manifest::Closure& closure, std::string_view path) {
  for (std::size_t i = 0; i < closure.members.size(); ++i)
    for (const std::string& name : closure.members[i].paths)
      if (name == path) return static_cast<std::ptrdiff_t>(i);
  return -1;
}

inline bool grants(const manifest::Closure& closure, std::string_view path) {
  return index_of(closure, path) >= 0;
}

// The reason of the first edge to that path, as "why: detail"; empty when there is none.
inline std::string reason_of(const manifest::Closure& closure, std::string_view path) {
  const std::ptrdiff_t at = index_of(closure, path);
  for (const manifest::Edge& edge : closure.edges)
    if (std::cmp_equal(edge.to, at))
      return std::string(manifest::why_name(edge.why)) + ": " + edge.detail;
  return "";
}

inline bool mentions(const std::vector<manifest::Closure::Unknown>& unknown,
                     std::string_view text) {
  for (const auto& item : unknown)
    if (item.what.find(text) != std::string::npos) return true;
  return false;
}

// Directories and libc of a Debian image, with a package database.
inline Tree debian_tree() {
  Tree tree;
  tree.directory("/var/lib/dpkg")
      .link("/lib", "usr/lib")
      .link("/bin", "usr/bin")
      .directory("/usr/bin")
      .directory("/usr/lib/x86_64-linux-gnu")
      .elf("/usr/lib/x86_64-linux-gnu/libc.so.6", library());
  return tree;
}

inline measure::elf::Facts with_imports(measure::elf::Facts facts,
                                        std::vector<std::string> imports) {
  facts.imports = std::move(imports);
  return facts;
}

inline measure::elf::Facts with_strings(measure::elf::Facts facts,
                                        std::vector<std::string> strings) {
  facts.strings = std::move(strings);
  return facts;
}

}  // namespace cloister::test
