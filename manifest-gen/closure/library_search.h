// Where a dynamic loader looks for a library (ld.so(8); musl ldso/dynlink.c), in the image.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/elf/facts.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

enum class LoaderKind { glibc, musl };

// What is the same for every library of the image.
struct SearchPlaces {
  LoaderKind loader = LoaderKind::glibc;
  std::vector<std::string> environment;  // LD_LIBRARY_PATH of the image's Env, absolute
  std::vector<std::string> system;       // ld.so.conf and defaults, absolute
  std::string workdir = "/";
};

// An object on the way from the one that needs a library up to the main program.
struct Requester {
  const measure::elf::Facts* facts = nullptr;
  std::string origin;  // directory for $ORIGIN
};

struct FoundLibrary {
  std::string path;  // lexically normal, as the loader will spell it
  const measure::Node* node = nullptr;
  // The manifest's LD_LIBRARY_PATH must list the directory: the runtime's loader has other built-in
  // directories, no cache, and another $LIB.
  bool needs_directory = false;
  bool precedes_library_path = false;  // found by DT_RPATH, which LD_LIBRARY_PATH cannot change
};

struct LibrarySearch {
  std::optional<FoundLibrary> found;
  std::vector<std::string> searched;  // places passed over, in order, with the reason
};

// `chain` begins with the object that has the DT_NEEDED entry and ends with the main program.
// REQUIRES: it is not empty.
LibrarySearch find_library(const measure::Rootfs& rootfs, const SearchPlaces& places,
                           std::string_view name, const std::vector<Requester>& chain);

// musl resolves these names to itself, whatever stands in any directory.
bool is_musl_builtin(std::string_view name);

// A 64-bit x86 shared object: what a loader accepts; else the reason why it is passed over.
std::string_view why_not_a_library(const measure::Rootfs& rootfs, const measure::Node* node);

}  // namespace cloister::manifest
