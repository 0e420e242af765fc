// How much is granted beside what the program is known to open: --trust.
//
//   none     entrypoint and interpreter, nothing else
//   closure  what is known to be needed; data and configuration of the package that the program
//            belongs to; the application's own files
//   package  and every file of every package of which something is needed
//   all      every file of the image
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/closure/root.h"
#include "manifest-gen/packages/package_index.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

enum class Trust { none, closure, package, all };
std::string_view trust_name(Trust trust);  // "closure"
std::optional<Trust> parse_trust(std::string_view name);

// What a rule grants: exact paths, not patterns. What looks like a secret, or has a name that a
// manifest cannot express, is withheld.
struct RuleFiles {
  std::vector<ClosureRoot> roots;
  std::vector<std::string> withheld;
};
// Puts `root` (its path is the file's) where it belongs; files that are never valid go nowhere.
void add_rule_file(RuleFiles& out, ClosureRoot root);

// A program that is started.
struct StartedProgram {
  std::string path;
  bool followed = false;  // an analyser follows what it opens, file by file
};

// Data and configuration of the packages that the programs belong to: the owner of each, and the
// packages built from the same source that depend on it or on which it depends (nginx and
// nginx-common, apache2-bin and apache2). Shells and packages that every system of the distribution
// has (Essential) bring nothing; of a program that an analyser follows only the configuration
// counts.
RuleFiles package_data(const std::vector<StartedProgram>& programs, const measure::Rootfs& rootfs,
                       const PackageIndex& packages);

// Every file of the packages that own these files.
RuleFiles files_of_packages(const std::set<std::string>& paths, const measure::Rootfs& rootfs,
                            const PackageIndex& packages);

// Every regular file, under its real path, under links to it, and through the links to directories
// that stand in the root (/lib → usr/lib).
RuleFiles every_file(const measure::Rootfs& rootfs);

}  // namespace cloister::manifest
