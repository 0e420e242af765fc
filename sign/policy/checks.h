// An image against a policy: each rule that the policy states, asked by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sign/image/checks.h"
#include "sign/image/provenance.h"
#include "sign/policy/policy.h"

namespace cloister::sign {

// The keys that a rule names, read; `name` is for people.
struct PolicyKey {
  std::string name;
  ImagePublicKey key;
};

// What the rules are asked about.
struct PolicySubject {
  Digest image;
  std::optional<Digest> index;  // from which it was chosen: revoking either revokes it
  Seconds at{};                 // the time for which the answer is wanted
  // Nothing when the image has no enclave, or does not say how it was built.
  std::optional<Sigstruct> sigstruct;
  std::vector<BuildInput> bases, runtimes;
};

// So many of `keys` as the rule asks for; `count` are those for which what was asked holds.
Check check_threshold(std::string name, const KeyRule& rule, const std::vector<std::string>& count,
                      std::string_view want);
// The keys by which the image was rebuilt, as an enclave of this measurement. Names, each once.
std::vector<std::string> rebuilt_by(const Digest& image, const Digest& mrenclave,
                                    const std::vector<DsseEnvelope>& envelopes,
                                    const std::vector<PolicyKey>& keys, const Limits& limits);
// `invalid` when one key stands twice: in a list, where it would count twice, or among signers and
// rebuilders, which are to be independent.
Status check_independent(const std::vector<PolicyKey>& signers,
                         const std::vector<PolicyKey>& rebuilders);
// All rules but those about keys: "policy-expiry", "policy-revoked", "policy-mrsigner", …
std::vector<Check> check_policy(const Policy& policy, const PolicySubject& subject);

}  // namespace cloister::sign
