// What a rehearsal runs, and in what surroundings, by the manifest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/sandbox/sandbox.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct RehearsalPlan {
  SandboxPlan sandbox;
  std::vector<std::string> directories;  // that must exist in the root
};

// `host_env`: where variables that the manifest passes through come from. What the manifest starts
// before the program (an attestation front) is passed over.
RehearsalPlan plan_rehearsal(const TomlTable& manifest, const FileRules& rules,
                             const Launch& launch, const measure::Rootfs& rootfs,
                             const std::map<std::string, std::string>& host_env);

}  // namespace cloister::manifest
