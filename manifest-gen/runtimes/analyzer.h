// What the interpreter of a language opens for one program: modules, their data, its own files.
// One row of the table in analyzers.cc and one file per language.
//
// An analyser is asked about each start of a program that the closure meets (the entrypoint, "#!"
// scripts, commands of shell scripts) and answers with roots. It reads what the one pass over the
// layers found (Rootfs::source_facts, the content pack) and never runs anything. What it cannot
// know it says in `unknown`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/toml.h"
#include "manifest-gen/closure/root.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/packages/package_index.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// A program about to be started. For "#!/usr/bin/python3" the program is python3, and argv holds
// the script, as the kernel makes it.
struct ProgramStart {
  std::string path;               // as executed, absolute; the entrypoint with its links resolved
  std::vector<std::string> argv;  // argv[0] included; words as they are, relative paths too
  bool complete = true;           // false: further arguments follow that are not known here
};

struct AnalyzerScene {
  const Launch& launch;  // environment and working directory; its argv is not the program's
  const measure::Rootfs& rootfs;
  const Limits& limits;
  const PackageIndex* packages = nullptr;  // null: not known

  // The value that the program sees, or `fallback`.
  std::string_view env(std::string_view name, std::string_view fallback = "") const;
};

// A manifest value that the program needs, over the template's and under the user's options.
struct Suggestion {
  std::string key;  // dotted: "sgx.enclave_size", "loader.env.X"
  TomlValue value;
  std::string reason;  // for people
};

// Gramine then makes /etc/resolv.conf out of the host's, checked. Without it libc asks no name
// server: container runtimes mount a file of their own there, which no hash can fit.
inline constexpr std::string_view kHostNamesKey = "sys.enable_extra_runtime_domain_names_conf";

// A key or certificate that something tells the program to open, and the image lacks.
struct AbsentFile {
  std::string path;   // absolute, normal
  std::string named;  // "argument --tls=/x.pem", "in /etc/app.conf"
};

struct Analysis {
  std::vector<ClosureRoot> roots;
  std::vector<Suggestion> suggestions;
  std::vector<std::string> unknown;  // sentences for people: what cannot be known, what to do
  std::vector<AbsentFile> absent;
  // The roots are all that the program opens of its package's data: what it does with it is known.
  bool follows_data = false;
};

struct Analyzer {
  std::string_view name;  // "python"
  // Cheap: by the program's name and the names it resolves to.
  bool (*detect)(const ProgramStart& start, const AnalyzerScene& scene);
  // A hard error is only a hostile input.
  Result<Analysis> (*analyze)(const ProgramStart& start, const AnalyzerScene& scene);
  // Asked about "#!" scripts too: the language's front end is one.
  bool of_scripts = false;
};
std::span<const Analyzer> analyzers();

}  // namespace cloister::manifest
