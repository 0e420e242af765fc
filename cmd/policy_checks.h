// What a policy asks of an image, with what is attached to the image as the answer.
#pragma once

#include <string>
#include <vector>

#include "cmd/attached.h"
#include "cmd/enclave_image.h"
#include "cmd/key_source.h"
#include "cmd/session.h"
#include "manifest-gen/audit/audit_policy.h"
#include "sign/policy/checks.h"

namespace cloister::cmd {

struct LoadedPolicy {
  sign::Policy policy;
  manifest::AuditPolicy findings;
  std::vector<sign::PolicyKey> signers, rebuilders;
};
// Keys are files beside the policy, env://VARIABLE, or PEM text in it.
Result<LoadedPolicy> load_policy(const std::string& file, const KeyContext& context);

// All rules but the one about signers, of which the caller knows who holds. `enclave` is null when
// the image has none that could be read.
std::vector<sign::Check> policy_checks(const LoadedPolicy& policy, const oci::Image& image,
                                       const EnclaveImage* enclave,
                                       const AttachedEvidence& attached, Seconds at,
                                       const Limits& limits);

}  // namespace cloister::cmd
