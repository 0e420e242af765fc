// Where a dynamic loader looks for a library (ld.so(8); musl ldso/dynlink.c), in the image.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/closure/ld_so_cache.h"
#include "manifest-gen/closure/run_path.h"
#include "measure/elf/facts.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// What is the same for every library of the image.
struct SearchPlaces {
  LoaderKind loader = LoaderKind::glibc;
  std::string environment;                 // LD_LIBRARY_PATH of the image's Env, as it is
  std::shared_ptr<const LdSoCache> cache;  // null: the image has none that its loader would use
  // The directories that the loader has built in; musl: those of its path file.
  std::vector<std::string> defaults;
  // Those of ld.so.conf. No loader reads that file, ldconfig does; so they serve only images
  // without a cache, where somebody would run ldconfig first.
  std::vector<std::string> configured;
  std::string lib;  // $LIB; empty: not known
  std::string workdir = "/";

  // Configured and default directories, each once: the order ldconfig gives them.
  std::vector<std::string> system;
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
  // The same library for newer processors (glibc-hwcaps): which is taken is known only where the
  // program runs, so that each may be opened.
  std::vector<FoundLibrary> variants;
  std::vector<std::string> searched;  // places passed over, in order, with the reason
};

// A 64-bit x86 shared object: what a loader accepts; else the reason why it is passed over.
std::string_view why_not_a_library(const measure::Rootfs& rootfs, const measure::Node* node);

// musl resolves these names to itself, whatever stands in any directory.
bool is_musl_builtin(std::string_view name);

// The subdirectories of "glibc-hwcaps" that a loader may search, best first.
inline constexpr std::string_view kHwcaps[] = {"x86-64-v4", "x86-64-v3", "x86-64-v2"};

// Searches in one image, and remembers its directories. Not thread-safe.
//
// An image decides how many directories stand in how many lists: after `budget` places nothing more
// is found, and the search says so.
class LibrarySearcher {
 public:
  explicit LibrarySearcher(const measure::Rootfs& rootfs, std::size_t budget = kBudget)
      : rootfs_(rootfs), budget_(budget) {}

  // `chain` begins with the object that has the DT_NEEDED entry; then those above it that have an
  // RPATH (musl: or RUNPATH) of their own, up to the main program. `environment_origin` is $ORIGIN
  // in LD_LIBRARY_PATH: the main program's. REQUIRES: the chain is not empty.
  LibrarySearch find(const SearchPlaces& places, std::string_view name,
                     const std::vector<Requester>& chain, std::string_view environment_origin);

 private:
  static constexpr std::size_t kBudget = 8U << 20;
  friend class Search;
  struct Directory {
    const measure::Node* node = nullptr;        // null: no directory there
    std::vector<std::string_view> hwcaps = {};  // those of kHwcaps that exist
  };
  const Directory& directory(const std::string& path);

  const measure::Rootfs& rootfs_;
  std::size_t budget_;
  std::map<std::string, Directory, std::less<>> directories_;
};

}  // namespace cloister::manifest
