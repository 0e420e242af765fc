// What is worth knowing about a runtime, a closure and a manifest, as findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/audit/finding.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {

// A rule's identity; findings carry it. One table in rules.cc, ids never change their meaning.
struct Rule {
  std::string_view id;
  Severity severity;       // the highest a finding of this rule has
  std::string_view title;  // for people: what it looks for
};
const std::vector<Rule>& rules();
inline constexpr std::string_view kRuleMutableRuntime = "CL101", kRuleUnknownVersion = "CL102";
inline constexpr std::string_view kRuleVolumeUnwritable = "CL211", kRuleVolumeLost = "CL212",
                                  kRuleLogUnwritable = "CL213";
inline constexpr std::string_view kRuleMarblerun = "CL312";
inline constexpr std::string_view kRuleSysvIpc = "CL401", kRuleSharedMemory = "CL402",
                                  kRuleNotify = "CL403", kRuleTimers = "CL404",
                                  kRuleAsyncIo = "CL405", kRulePipes = "CL406",
                                  kRuleMremap = "CL407", kRuleTracing = "CL408",
                                  kRuleNamespaces = "CL409", kRuleUserfault = "CL410",
                                  kRuleLinks = "CL411", kRuleIdentity = "CL412",
                                  kRuleFileLocks = "CL413", kRuleLibraryCalls = "CL414",
                                  kRuleProcesses = "CL415", kRulePrivileges = "CL416",
                                  kRuleRawCalls = "CL417", kRuleOpenMp = "CL418",
                                  kRuleByteCode = "CL419";
// A finding with the severity of its rule.
Finding make_finding(std::string_view id, std::string where, std::string evidence, std::string fix);

// Not pinned by digest, of unknown version, under a known advisory (templates/advisories.toml). An
// advisory's finding has the advisory's own id and stops a build unless that id is accepted. Fails
// only when the compiled-in data is malformed.
Result<std::vector<Finding>> runtime_findings(const measure::Runtime& runtime);

// What the closure left out or could not find and the program may miss.
std::vector<Finding> closure_findings(const Closure& closure);

// The image's volumes: which are lost at exit, which cannot be written. And log files that stand
// beside links to the container's log, where no tmpfs can be.
std::vector<Finding> volume_findings(const Launch& launch, const EnclaveManifest& manifest,
                                     const measure::Rootfs& rootfs);

// What a manifest that starts MarbleRun's premain fails to give it; nothing for others.
std::vector<Finding> marblerun_findings(const EnclaveManifest& manifest);

// The manifest's own risks, those of a marble included. In the order of the rule table.
std::vector<Finding> manifest_findings(const EnclaveManifest& manifest);

}  // namespace cloister::manifest
