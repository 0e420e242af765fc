// Files that libraries open on their own, with nobody naming them: one table row each.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifest-gen/closure/closure.h"

namespace cloister::manifest {

// What the members of a closure call and link, and which of them does: function or library name →
// path of the first such file.
struct CodeUse {
  std::map<std::string, std::string, std::less<>> imports;          // by anything
  std::map<std::string, std::string, std::less<>> program_imports;  // by programs, not libraries
  std::map<std::string, std::string, std::less<>> libraries;        // by base name
  std::string resolves_hosts;     // a file whose code looks host names up; may be empty
  std::string names_utf8_locale;  // a file whose code asks for the locale C.UTF-8; may be empty
};
// The runtime's own files count for nothing: they are the libc that is called.
CodeUse code_use(const Closure& closure, const measure::Rootfs& rootfs);

struct SystemFilesInput {
  bool glibc = false, musl = false;
  const CodeUse* use = nullptr;
  const std::vector<std::string>* library_directories = nullptr;  // as the loader spells them
};

struct SystemFiles {
  std::vector<ClosureRoot> roots;  // all optional; files and patterns
  std::vector<Suggestion> suggestions;
  // Programs, and what cannot be known of them: sentences for people.
  std::vector<std::pair<std::string, std::string>> unknown;
};
// A configuration file that cannot be read here leads to less, never to an error.
SystemFiles system_files(const Launch& launch, const measure::Rootfs& rootfs,
                         const SystemFilesInput& input, const Limits& limits);

}  // namespace cloister::manifest
