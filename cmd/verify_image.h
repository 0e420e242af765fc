// Whether an image is what its signer says, and what a policy allows: every question that can be
// asked of the image alone, for verify and for connect.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cmd/guest/guest_statement.h"
#include "cmd/policy_checks.h"
#include "cmd/rebuild.h"
#include "cmd/session.h"
#include "sign/image/checks.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

struct ImageTrustOptions {
  std::string key, policy, at, mrsigner;
  std::optional<std::uint16_t> isvprodid, min_isvsvn;
  bool allow_debug = false, rebuild = false;
  RebuildSources sources;  // with `rebuild`
};
void add_trust_options(CLI::App& app, ImageTrustOptions& options);

// Whose word counts, read once.
struct ImageTrust {
  std::optional<sign::ImagePublicKey> key;
  std::optional<LoadedPolicy> policy;
  sign::EnclavePins pins;
  Seconds at{};  // the time for which the answer is wanted
};
// `usage` without a key and a policy.
Result<ImageTrust> load_trust(Session& session, const ImageTrustOptions& options);

struct ImageVerdict {
  std::string name;
  Digest digest;
  std::vector<sign::Check> checks;
  std::optional<sign::Sigstruct> sigstruct;  // of the enclave in the image; nothing without one
  std::optional<GuestStatement> guest{};     // of a virtual machine
};
// Exit code and text are for the caller: a failed check is an answer. Errors are those of reaching
// the image.
Result<ImageVerdict> verify_image(Session& session, const oci::ImageRef& ref,
                                  const ImageTrust& trust, const ImageTrustOptions& options);
// Before a server is asked for its quote: `unsupported` for enclaves of AWS Nitro, whose evidence
// no TLS certificate carries.
Status require_quoting_server(const ImageVerdict& verdict);

}  // namespace cloister::cmd
