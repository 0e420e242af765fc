// Will it run there? What the programs of a closure call that Gramine's library OS lacks, or does
// in another way than Linux, as findings.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "manifest-gen/audit/finding.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

enum class Support { none, partial };

// One kind of trouble: who calls one of these functions has it.
struct Incompatibility {
  std::string_view id;
  Severity severity;           // when a program calls it; a library alone counts as info
  Support support;             // of `system_calls` in Gramine
  std::string_view functions;  // separated by blanks; names of libc's
  std::string_view system_calls;
  std::string_view effect;  // what the user will see
  std::string_view fix;
};
std::span<const Incompatibility> incompatibilities();

// Every function that a rule here asks about. All must be in measure/elf/noted_imports.cc: what is
// not noted nobody is found to import.
std::vector<std::string_view> audited_functions();

// One finding per rule, with the functions and the files that import them. Only the programs that
// are started and the libraries they are linked with count: what those load further is used in part
// at most. Functions that everybody falls back from are in no row.
std::vector<Finding> compatibility_findings(const Launch& launch, const Closure& closure,
                                            const measure::Rootfs& rootfs);

}  // namespace cloister::manifest
