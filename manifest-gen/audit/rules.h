// The rules, and the passes that look for what they forbid: of a runtime, a closure, a manifest.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/audit/finding.h"
#include "manifest-gen/audit/rule_ids.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/packages/package_index.h"
#include "measure/rootfs/rootfs.h"
#include "measure/runtime/runtime.h"
#include "oci/documents/image.h"

namespace cloister::manifest {

// A rule's identity; findings carry it. One table in rule_table.cc.
struct Rule {
  std::string_view id;
  Severity severity;         // the highest a finding of this rule has
  Subject subject;           // what its findings' `where` names
  std::string_view title;    // what it looks for: a noun, a few words
  std::string_view meaning;  // one sentence for somebody who is no expert of SGX
};
std::span<const Rule> rules();
const Rule* find_rule(std::string_view id);  // null: not known
// Of a finding with an advisory's own id: the rule of advisories.
const Rule& rule_of(const Finding& finding);

// A finding with severity and subject of its rule. Of a key it is also the cause, of a file it is
// about that.
Finding make_finding(std::string_view id, std::string where, std::string evidence, std::string fix);

// Not pinned by digest, of unknown version, under a known advisory (templates/advisories.toml). An
// advisory's finding has the advisory's own id and stops a build unless that id is accepted. Fails
// only when the compiled-in data is malformed.
Result<std::vector<Finding>> runtime_findings(const measure::Runtime& runtime);

// What the closure left out or could not find and the program may miss, or cannot start without.
std::vector<Finding> closure_findings(const Closure& closure);

// The image's volumes: which are lost at exit, which cannot be written. And log files that stand
// beside links to the container's log, where no tmpfs can be.
std::vector<Finding> volume_findings(const Launch& launch, const EnclaveManifest& manifest,
                                     const measure::Rootfs& rootfs);

// Keys and certificates that come from outside the image and that nothing lets in.
std::vector<Finding> credential_findings(const Closure& closure, const EnclaveManifest& manifest);

// What of an image's configuration does not reach into an enclave.
std::vector<Finding> configuration_findings(const oci::ExecutionConfig& config,
                                            const EnclaveManifest& manifest);

// What a manifest that starts MarbleRun's premain fails to give it; nothing for others.
std::vector<Finding> marblerun_findings(const EnclaveManifest& manifest);

// The manifest's own risks, those of a marble included; what Gramine would refuse is not among them
// (refusal_findings). `rootfs`, where there is one, tells what is behind the paths.
std::vector<Finding> manifest_findings(const EnclaveManifest& manifest,
                                       const measure::Rootfs* rootfs);

// Why Gramine would not start it, by the text alone. A manifest that is not in the form of
// .manifest.sgx yet is asked only what its signer asks.
std::vector<Finding> refusal_findings(const EnclaveManifest& manifest);

// What is granted and should perhaps not be: secrets, shells, package managers … Without a `rootfs`
// names have to do.
std::vector<Finding> granted_findings(const EnclaveManifest& manifest,
                                      const measure::Rootfs* rootfs);

// Something that is about to be built, as far as the rules look at it.
struct BuildSubject {
  const oci::ExecutionConfig& config;
  const Launch& launch;
  const Closure& closure;
  const EnclaveManifest& manifest;
  const measure::Rootfs& rootfs;
  const PackageIndex& packages;
};
// What a reviewer should know of it: every rule above but those of runtimes and refusals, each
// finding with its layer and package, sorted.
std::vector<Finding> build_findings(const BuildSubject& subject);

// An image that is ready for an enclave: whether the files that the manifest trusts are there and
// are those, and whether the program's libraries are among them. `rootfs` has all layers.
Result<std::vector<Finding>> image_findings(const EnclaveManifest& manifest,
                                            const measure::Rootfs& rootfs, const Limits& limits);

}  // namespace cloister::manifest
