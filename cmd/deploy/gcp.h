// Google Confidential Space: the image stays as it is; Google's launcher pulls it by digest into a
// confidential machine, and a token says what runs there. Here is what a token must say, and what
// starts the machine.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/deploy/cloud_image.h"
#include "cmd/deploy/files.h"

namespace cloister::cmd {

enum class GcpTechnology { sev, sev_snp, tdx };
enum class GcpRestart { never, on_failure, always };

struct GcpOptions {
  GcpTechnology technology = GcpTechnology::tdx;
  GcpRestart restart = GcpRestart::never;
};

// A string literal of CEL (cel-spec, "String and Bytes Values"), whatever is in `text` (UTF-8).
std::string cel_string(std::string_view text);

// The condition on a token's claims, one per line, joined by &&. Where all of it is longer than a
// workload identity pool takes, what the image digest says anyway is left out: the environment,
// then the arguments; `left_out` names it.
std::string attestation_policy(const CloudImage& image, const GcpOptions& options,
                               std::vector<std::string>& left_out);
inline constexpr std::size_t kMaxAttributeCondition = 4096;  // characters; IAM API

// What the image's labels tee.launch_policy.* let the operator of the machine decide. Every label
// that the launcher knows is listed, set or not; then those that it does not know.
struct LaunchPolicy {
  enum class State { closed, open, refused, unknown };
  std::string label, value;  // `set` is false: no such label
  bool set = false;
  State state = State::closed;
  std::string meaning;  // a clause
  std::string closing;  // the value that closes it; empty may be one
};
std::vector<LaunchPolicy> launch_policies(const std::map<std::string, std::string>& labels);

DeployFiles gcp_files(const CloudImage& image, const GcpOptions& options);

}  // namespace cloister::cmd
