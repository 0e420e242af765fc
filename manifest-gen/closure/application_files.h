// The application's own files: what nobody packaged, where the application is.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "manifest-gen/closure/trust.h"
#include "manifest-gen/launch/launch.h"

namespace cloister::manifest {

// WORKDIR; the directory of the script that is started, or that an interpreter on the command line
// is given; that of the program itself when no package owns it and it does not stand among
// programs (bin). Directories of the system are never among them. Lexical paths, each once.
std::vector<std::string> application_directories(const Launch& launch,
                                                 const measure::Rootfs& rootfs,
                                                 const PackageIndex& packages);

// The regular files below them, and links to such, that no package owns. `followed`: the kinds of
// imports that an analyser followed; installed modules of those languages (node_modules,
// site-packages) are not the application's own, and the analyser has said which are needed.
RuleFiles application_files(const Launch& launch, const measure::Rootfs& rootfs,
                            const PackageIndex& packages, const std::set<Why>& followed);

}  // namespace cloister::manifest
