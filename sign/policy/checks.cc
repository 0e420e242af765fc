#include "sign/policy/checks.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "oci/documents/reference.h"
#include "sign/image/rebuild.h"
#include "sign/image/statement.h"

namespace cloister::sign {
namespace {

Check rule(std::string name, bool holds, std::string found, std::string expected) {
  return {std::move(name), holds, std::move(found), holds ? std::string() : std::move(expected)};
}

bool allows(const OriginRule& rule, std::string_view uri, const Digest& digest) {
  if (rule.digest) return *rule.digest == digest;
  const auto ref = oci::parse_registry_ref(uri);
  return ref.has_value() && ref->name() == rule.repository;
}

// Each of `inputs` is one of those that `rules` allow; no rules allow all.
void check_origins(std::string_view name, const std::vector<OriginRule>& rules,
                   const std::vector<BuildInput>& inputs, std::vector<Check>& out) {
  if (rules.empty()) return;
  std::vector<std::string> want;
  want.reserve(rules.size());
  for (const OriginRule& rule : rules) want.push_back(rule.str());
  const std::string expected = join(want, " or ");
  if (inputs.empty())
    out.push_back(rule(std::string(name), false, "the image does not say", expected));
  for (const BuildInput& input : inputs) {
    const bool allowed = std::any_of(rules.begin(), rules.end(), [&](const OriginRule& rule) {
      return allows(rule, input.uri, input.digest);
    });
    out.push_back(rule(std::string(name), allowed,
                       cat(printable(input.uri), input.uri.empty() ? "" : " ", input.digest.str()),
                       expected));
  }
}

Check check_revoked(const Policy& policy, const PolicySubject& subject) {
  const auto revoked = [](const std::vector<Digest>& list, const std::optional<Digest>& digest) {
    return digest && std::find(list.begin(), list.end(), *digest) != list.end();
  };
  std::string found;
  if (revoked(policy.revoked_images, subject.image)) found = subject.image.str();
  if (revoked(policy.revoked_images, subject.index)) found = subject.index->str();
  if (subject.sigstruct && revoked(policy.revoked_enclaves, subject.sigstruct->mrenclave))
    found = cat("mrenclave ", subject.sigstruct->mrenclave.hex());
  const bool good = found.empty();
  return rule("policy-revoked", good, good ? std::string("no") : cat(found, " is revoked"),
              "an image and an enclave that are not revoked");
}

}  // namespace

Check check_threshold(std::string name, const KeyRule& keys, const std::vector<std::string>& count,
                      std::string_view want) {
  std::vector<std::string> names;
  names.reserve(count.size());
  for (const std::string& key : count) names.push_back(printable(key));
  return rule(std::move(name), count.size() >= keys.threshold,
              count.empty()
                  ? cat("0 of ", keys.keys.size(), " keys")
                  : cat(count.size(), " of ", keys.keys.size(), " keys: ", join(names, ", ")),
              cat("at least ", keys.threshold, want));
}

std::vector<std::string> rebuilt_by(const Digest& image, const Digest& mrenclave,
                                    const std::vector<DsseEnvelope>& envelopes,
                                    const std::vector<PolicyKey>& keys, const Limits& limits) {
  std::vector<std::string> out;
  for (const PolicyKey& by : keys) {
    const bool rebuilt =
        std::any_of(envelopes.begin(), envelopes.end(), [&](const DsseEnvelope& envelope) {
          const auto statement = statement_by(envelope, by.key, limits);
          if (!statement || statement->predicate_type != kRebuildPredicate ||
              !statement->is_about(image))
            return false;
          const auto measured = parse_rebuild(statement->predicate, limits);
          return measured.has_value() && *measured == mrenclave;
        });
    if (rebuilt) out.push_back(by.name);
  }
  return out;
}

Status check_independent(const std::vector<PolicyKey>& signers,
                         const std::vector<PolicyKey>& rebuilders) {
  std::map<std::string, std::string> seen;
  for (const auto* keys : {&signers, &rebuilders})
    for (const PolicyKey& key : *keys) {
      const auto [at, added] = seen.emplace(key.key.fingerprint().hex(), key.name);
      if (!added)
        return Error::invalid(cat("the policy names one key twice: ", quote(at->second), " and ",
                                  quote(key.name)))
            .hint("each signer and each rebuilder has a key of its own");
    }
  return {};
}

std::vector<Check> check_policy(const Policy& policy, const PolicySubject& subject) {
  std::vector<Check> out;
  if (policy.not_after)
    out.push_back(rule("policy-expiry", subject.at <= *policy.not_after,
                       cat("at ", format_rfc3339(subject.at)),
                       cat("not after ", format_rfc3339(*policy.not_after))));
  out.push_back(check_revoked(policy, subject));
  if (subject.sigstruct)
    for (Check& check : check_pins("policy-", *subject.sigstruct, policy.sgx))
      out.push_back(std::move(check));
  check_origins("policy-base", policy.bases, subject.bases, out);
  check_origins("policy-runtime", policy.runtimes, subject.runtimes, out);
  return out;
}

}  // namespace cloister::sign
