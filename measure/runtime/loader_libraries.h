// The shared libraries that Gramine's untrusted loader needs on the host, found in the sources.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "measure/runtime/runtime.h"

namespace cloister::measure {

struct FoundLibrary {
  std::size_t source = 0;
  const Node* node = nullptr;
};

struct LoaderLibraries {
  std::map<std::string, FoundLibrary> libraries;  // by soname; the dynamic linker as "ld.so"
  std::vector<std::string> missing;               // sentences for people
};

// What the loader names by PT_INTERP and DT_NEEDED, and what those need, from the default library
// directories of the sources, in their order. `is_excluded` tells files that must not be used
// (Gramine's own C library works only inside an enclave). The dynamic linker and the C library come
// from one source, the first whose libc defines every version that the others need.
LoaderLibraries find_loader_libraries(
    const std::vector<RuntimeSource>& sources, const elf::Facts& loader, const Limits& limits,
    const std::function<bool(std::size_t, const Node&)>& is_excluded);

// The Debian package a library belongs to, by soname; empty when it is none of the usual ones.
std::string_view library_package(std::string_view soname);

}  // namespace cloister::measure
