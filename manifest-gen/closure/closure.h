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
#include "manifest-gen/closure/trust.h"
#include "manifest-gen/launch/front.h"
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
  std::string runtime_name;  // runtime files: base name in runtime/glibc, runtime/musl or bin
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
  // Paths that a pattern or rule met and that were left out: secrets, names that are not UTF-8.
  // Sorted.
  std::vector<std::string> withheld;
  // Manifest values that analysers ask for, and what they could not find out.
  std::vector<Suggestion> suggestions;
  struct Unknown {
    std::string program;  // path
    std::string what;     // a sentence
  };
  std::vector<Unknown> unknown;
  // Keys and certificates that are not in the image: they come when the container starts. Each
  // once.
  std::vector<AbsentFile> absent;
  // What the user chose, for the audit trail.
  Trust trust = Trust::closure;
  struct Included {
    std::string option;  // "--include /srv/**"
    std::size_t files = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> secrets;  // paths among them that look like secrets
  };
  std::vector<Included> included;
  struct Excluded {
    std::string pattern;
    std::string path;     // real path; empty: the pattern left nothing out, all is out already
    std::string wanted;   // why it would have been granted
    std::uint64_t bytes;  // of the file
  };
  std::vector<Excluded> excluded;
  // Under --trust none: what the program needs and does not get, sorted.
  std::vector<std::string> denied;
  std::string library_path;  // LD_LIBRARY_PATH for the manifest; empty for static programs
  bool uses_glibc_runtime = false, uses_musl = false, is_static = false;
};

// Where the runtime stands in the built image.
inline constexpr std::string_view kGramineDir = "/gramine";
inline constexpr std::string_view kRuntimeGlibcDir = "/gramine/runtime/glibc";
inline constexpr std::string_view kRuntimeMuslDir = "/gramine/runtime/musl";
inline constexpr std::string_view kRuntimeBinDir = "/gramine/bin";

// What the user decides about the closure beside its roots.
struct ClosureRequest {
  Trust trust = Trust::closure;
  // Null: nothing is known of packages, and no file is owned by one.
  const PackageIndex* packages = nullptr;
  // Paths and globs to leave out, whatever asks for them; a directory means all below it.
  std::vector<std::string> excludes = {};
  // The image's own glibc stands in for the runtime's: to look at an image without a runtime.
  bool image_libc = false;
  // Starts in the enclave before the program, which it executes; not owned. Null: the program
  // itself is what Gramine starts.
  const Front* front = nullptr;
};

// Fails when a pattern of `excludes` matches no file of the image (`unresolved`), or a file without
// which the program cannot start (`conflict`).
//
// An unresolved library or a version need that the runtime's libc does not define is recorded in
// `unresolved`; the caller decides (build: an error). Any other error is a hostile input.
Result<Closure> compute_closure(const Launch& launch, const measure::Rootfs& rootfs,
                                const measure::Runtime& runtime,
                                const std::vector<ClosureRoot>& roots, const Limits& limits,
                                const ClosureRequest& request = {});

}  // namespace cloister::manifest
