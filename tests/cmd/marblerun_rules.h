// What MarbleRun's Coordinator refuses in manifests, written from its documentation and independent
// of what writes ours: structure as its Go types have it, and the rules of its own check.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace cloister::cmd {

// Every problem as a sentence; empty when the Coordinator would take the document.
std::vector<std::string> marblerun_problems(const Json& manifest);
// The same for an update of a manifest that is set: packages that it knows by signer, and versions
// that are higher.
std::vector<std::string> marblerun_update_problems(const Json& manifest, const Json& update);

}  // namespace cloister::cmd
