#include "cmd/policy_checks.h"

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "cmd/findings_policy.h"
#include "sign/image/provenance.h"

namespace cloister::cmd {
namespace {

Result<std::vector<sign::PolicyKey>> load_keys(const std::vector<std::string>& keys,
                                               const std::string& policy_file,
                                               const KeyContext& context) {
  std::vector<sign::PolicyKey> out;
  for (const std::string& text : keys) {
    if (text.starts_with("-----BEGIN")) {
      const std::string name = cat("a key in ", quote(policy_file));
      CL_TRY(auto key, sign::ImagePublicKey::from_pem(as_bytes(text), name));
      out.push_back({cat("key ", key.fingerprint().hex().substr(0, 16)), std::move(key)});
      continue;
    }
    const auto file = std::filesystem::path(policy_file).parent_path() / text;  // absolute: itself
    CL_TRY(auto key, load_public_key(is_key_file(text) ? file.native() : text, context));
    out.push_back({text, std::move(key)});
  }
  return out;
}

// What the image says it was built from. The signer stands behind it, and a rebuild proves it.
void add_origins(const EnclaveImage& enclave, const Limits& limits, sign::PolicySubject& subject) {
  const auto provenance = sign::parse_provenance(enclave.provenance, limits);
  if (!provenance.has_value()) return;
  for (const sign::BuildInput& input : provenance->inputs) {
    if (input.role == "runtime") subject.runtimes.push_back(input);
    if (input.role == "base") subject.bases.push_back(input);
  }
}

}  // namespace

Result<LoadedPolicy> load_policy(const std::string& file, const KeyContext& context) {
  LoadedPolicy out;
  CL_TRY(const std::string text, read_text_file(file, sign::kMaxPolicyBytes));
  CL_TRY(out.policy, sign::parse_policy(text, context.limits, quote(file)));
  CL_TRY(out.findings, parse_findings_policy(text, file, context.limits));
  CL_TRY(out.signers, load_keys(out.policy.signers.keys, file, context));
  CL_TRY(out.rebuilders, load_keys(out.policy.rebuilders.keys, file, context));
  CL_CHECK(sign::check_independent(out.signers, out.rebuilders));
  return out;
}

std::vector<sign::Check> policy_checks(const LoadedPolicy& loaded, const oci::Image& image,
                                       const EnclaveImage* enclave,
                                       const AttachedEvidence& attached, Seconds at,
                                       const Limits& limits) {
  std::vector<sign::Check> out;
  const Digest& digest = image.manifest_descriptor.digest;
  if (loaded.policy.rebuilders.threshold > 0) {
    std::vector<std::string> names;
    if (enclave != nullptr)
      names = sign::rebuilt_by(digest, enclave->sigstruct.mrenclave, attached.envelopes(),
                               loaded.rebuilders, limits);
    out.push_back(sign::check_threshold("policy-rebuilders", loaded.policy.rebuilders, names,
                                        " that repeated the build"));
  }
  sign::PolicySubject subject;
  subject.image = digest;
  subject.index = image.index_digest;
  subject.at = at;
  if (enclave != nullptr) {
    subject.sigstruct = enclave->sigstruct;
    add_origins(*enclave, limits, subject);
  }
  for (sign::Check& check : sign::check_policy(loaded.policy, subject))
    out.push_back(std::move(check));
  return out;
}

}  // namespace cloister::cmd
