// Labels by which an image's author bounds what its operator may set, as the launcher reads them
// (google/go-tpm-tools, launcher/spec): a label that is not there closes what it is about; one that
// does not parse keeps the workload from starting. They are part of the configuration, which the
// image digest covers.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cmd/deploy/gcp.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kPolicyPrefix = "tee.launch_policy.";

enum class PolicyType { flag, names, paths, when, monitoring };

struct PolicyRow {
  std::string_view name;  // behind kPolicyPrefix
  PolicyType type;
  std::string_view closed, open;  // what it means when it is closed, or open
};
constexpr PolicyRow kPolicyRows[] = {
    {"allow_cmd_override", PolicyType::flag, "the arguments are the image's",
     "the operator may give other arguments (tee-cmd)"},
    {"allow_env_override", PolicyType::names, "the environment is the image's",
     "the operator may set these variables (tee-env-NAME)"},
    {"allow_mount_destinations", PolicyType::paths, "nothing is mounted",
     "the operator may mount file systems there (tee-mount)"},
    {"allow_capabilities", PolicyType::flag, "no capability is added",
     "the operator may add Linux capabilities (tee-added-capabilities)"},
    {"allow_cgroups", PolicyType::flag, "no cgroup file system is mounted",
     "the operator may have /sys/fs/cgroup mounted (tee-cgroup-ns)"},
    {"log_redirect", PolicyType::when, "what it prints does not leave a production machine",
     "the operator may read what it prints (tee-container-log-redirect)"},
    {"monitoring_memory_allow", PolicyType::when,
     "how much memory it uses does not leave a production machine",
     "the operator may see how much memory it uses"},
    {"hardened_monitoring", PolicyType::monitoring, "a production machine is not monitored",
     "the operator may monitor a production machine"},
    {"debug_monitoring", PolicyType::monitoring, "a debug machine is not monitored",
     "the operator may monitor a debug machine, which production keys should not trust anyway"},
};

// As strconv.ParseBool of Go reads it.
std::optional<bool> go_bool(std::string_view text) {
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"};
  static constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(std::begin(kTrue), std::end(kTrue), text) != std::end(kTrue)) return true;
  if (std::find(std::begin(kFalse), std::end(kFalse), text) != std::end(kFalse)) return false;
  return std::nullopt;
}

bool is_list_empty(std::string_view text, char separator) {
  const auto parts = split(text, separator);
  return std::all_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return part.empty(); });
}

LaunchPolicy::State state_of(PolicyType type, std::string_view value) {
  using State = LaunchPolicy::State;
  const std::string lower = lower_ascii(trim(value));
  switch (type) {
    case PolicyType::flag: {
      const auto flag = go_bool(value);
      if (!flag) return State::refused;
      return *flag ? State::open : State::closed;
    }
    case PolicyType::names:
      return is_list_empty(value, ',') ? State::closed : State::open;
    case PolicyType::paths:
      return is_list_empty(value, ':') ? State::closed : State::open;
    case PolicyType::when:
      if (lower == "never" || lower == "debugonly") return State::closed;
      return lower == "always" ? State::open : State::refused;
    case PolicyType::monitoring:
      // Not trimmed there.
      if (lower_ascii(value) == "none") return State::closed;
      return lower_ascii(value) == "memoryonly" || lower_ascii(value) == "all" ? State::open
                                                                               : State::refused;
  }
  return State::refused;
}

std::string_view closing_value(PolicyType type) {
  if (type == PolicyType::flag) return "false";
  if (type == PolicyType::when) return "never";
  return type == PolicyType::monitoring ? "none" : "";
}

// The label that says it in the older way, beside one that says it in the newer, is an error.
void refuse_both_kinds(std::vector<LaunchPolicy>& policies) {
  const auto find = [&](std::string_view name) {
    return std::find_if(policies.begin(), policies.end(), [&](const LaunchPolicy& one) {
      return one.label == cat(kPolicyPrefix, name);
    });
  };
  const auto older = find("monitoring_memory_allow");
  if (!older->set || (!find("hardened_monitoring")->set && !find("debug_monitoring")->set)) return;
  older->state = LaunchPolicy::State::refused;
  older->meaning = "the launcher starts nothing with both this and the labels *_monitoring";
}

LaunchPolicy known_policy(const PolicyRow& row, const std::map<std::string, std::string>& labels) {
  using State = LaunchPolicy::State;
  LaunchPolicy out;
  out.label = cat(kPolicyPrefix, row.name);
  out.closing = closing_value(row.type);
  const auto at = labels.find(out.label);
  if (at != labels.end()) {
    out.set = true;
    out.value = at->second;
    out.state = state_of(row.type, out.value);
  }
  out.meaning = row.closed;
  // Memory is monitored on debug machines where nothing is said.
  if (!out.set && row.name == "debug_monitoring") out.meaning = "a debug machine's memory only";
  if (out.state == State::open) out.meaning = row.open;
  if (out.state == State::refused) out.meaning = "the launcher cannot read it and starts nothing";
  return out;
}

}  // namespace

std::vector<LaunchPolicy> launch_policies(const std::map<std::string, std::string>& labels) {
  std::vector<LaunchPolicy> out;
  for (const PolicyRow& row : kPolicyRows) out.push_back(known_policy(row, labels));
  refuse_both_kinds(out);
  for (const auto& entry : labels) {
    const std::string& label = entry.first;
    if (!label.starts_with(kPolicyPrefix)) continue;
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const LaunchPolicy& one) { return one.label == label; });
    if (!known)
      out.push_back({label, entry.second, true, LaunchPolicy::State::unknown,
                     "not known to the launcher, which passes it over", ""});
  }
  return out;
}

}  // namespace cloister::cmd
