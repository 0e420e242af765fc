// The dependency closure: every path the program will open, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/closure/root.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/runtimes/analyzer.h"
#include "measure/rootfs/rootfs.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {

// A file, once, under its real path. `paths` are the lexical aliases the program opens it by; each
// becomes one trusted file.
struct Member {
  std::string real_path;           // in the image, or under kRuntimeDir for a runtime file
  std::vector<std::string> paths;  // sorted, at least one
  bool from_runtime = false;
  std::string runtime_name;  // runtime files: base name in runtime/glibc or runtime/musl
  Digest sha256;
  std::uint64_t size = 0;
  bool is_elf = false;
};

// members[from] needs members[to]. The roots' edges have from == kLaunch.
struct Edge {
  std::size_t from, to;
  Why why;
  std::string detail;  // "NEEDED libssl.so.3", "#!/bin/sh", the template's reason …
};
inline constexpr std::size_t kLaunch = static_cast<std::size_t>(-1);

struct Unresolved {
  std::size_t from;                   // the member that needs it
  std::string name;                   // soname, or path
  std::string needed_by;              // path of that member
  std::vector<std::string> searched;  // every place, in order, with the reason it was passed over
};

struct Closure {
  std::vector<Member> members;  // members[0] is the entrypoint
  std::vector<Edge> edges;
  std::vector<Unresolved> unresolved;
  // The same for what only a template's grant or a word of a script asks for (an optional plug-in,
  // say): the program starts without it.
  std::vector<Unresolved> unresolved_optional;
  // Paths that a template's pattern matched and that were left out: secrets, names that are not
  // UTF-8. Sorted.
  std::vector<std::string> withheld;
  // Manifest values that analysers ask for, and what they could not find out.
  std::vector<Suggestion> suggestions;
  struct Unknown {
    std::string program;  // path
    std::string what;     // a sentence
  };
  std::vector<Unknown> unknown;
  std::string library_path;  // LD_LIBRARY_PATH for the manifest; empty for static programs
  bool uses_glibc_runtime = false, uses_musl = false, is_static = false;
};

// Where the runtime stands in the built image.
inline constexpr std::string_view kGramineDir = "/gramine";
inline constexpr std::string_view kRuntimeGlibcDir = "/gramine/runtime/glibc";
inline constexpr std::string_view kRuntimeMuslDir = "/gramine/runtime/musl";

// An unresolved library or a version need that the runtime's libc does not define is recorded in
// `unresolved`; the caller decides (build: an error). A hard error is only a hostile input.
Result<Closure> compute_closure(const Launch& launch, const measure::Rootfs& rootfs,
                                const measure::Runtime& runtime,
                                const std::vector<ClosureRoot>& roots, const Limits& limits);

}  // namespace cloister::manifest
