// The policy is read by the guest (microsoft/hcsshim, pkg/securitypolicy: framework.rego), which
// starts nothing that is not in it. What it says here, and why:
//   - Versions: the framework takes policies of older versions with its defaults, and none of newer
//     ones, so that an old version runs everywhere.
//   - `layers` are in the order of the image's manifest, the lowest first.
//   - Variables and capabilities that the policy does not have are dropped, not refused: the host
//     adds some of its own to every container. A variable that is required must come, and so, the
//     pattern being a text, with this value.
//   - `mounts` are what may be mounted; nothing has to be.
//   - /etc/resolv.conf is the host's: Azure writes it in every group.
//   - Other containers are the pause container and those that Microsoft signs, as `az confcom`
//     (azext_confcom/data/internal_config.json) has them.
// JSON is a part of Rego's grammar: values are written as JSON in ASCII, so that no name from an
// image can leave its string.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/azure.h"

namespace cloister::cmd {
namespace {

constexpr const char* kApiVersion = "0.10.0";
constexpr const char* kFrameworkVersion = "0.2.3";
constexpr const char* kPauseLayer =
    "16b514057a06ad665f92c02863aca074fd5976c755d26bff16365299169e8415";
constexpr const char* kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kInfraFeed = "mcr.microsoft.com/aci/aci-cc-infra-fragment";
constexpr const char* kInfraIssuer =
    "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.3";

// What a container there may have at most without being privileged.
constexpr std::string_view kAciCapabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",   "CAP_SETFCAP",
    "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

constexpr int kKill = 9;

// Functions by which the guest's framework decides.
constexpr std::string_view kRules[] = {
    "mount_device",    "unmount_device",     "mount_overlay",
    "unmount_overlay", "create_container",   "exec_in_container",
    "exec_external",   "shutdown_container", "signal_container_process",
    "plan9_mount",     "plan9_unmount",      "get_properties",
    "dump_stacks",     "runtime_logging",    "load_fragment",
    "scratch_mount",   "scratch_unmount"};

std::string rego_value(const OrderedJson& value) {
  return value.dump(2, ' ', /*ensure_ascii=*/true, OrderedJson::error_handler_t::replace);
}

std::vector<std::string> all_capabilities() {
  return {std::begin(kAciCapabilities), std::end(kAciCapabilities)};
}

OrderedJson capability_sets(const OrderedJson& list) {
  const OrderedJson none = OrderedJson::array();
  return {{"bounding", list},
          {"effective", list},
          {"inheritable", none},
          {"permitted", list},
          {"ambient", none}};
}

OrderedJson env_rule(std::string pattern, bool required) {
  return {{"pattern", std::move(pattern)}, {"strategy", "string"}, {"required", required}};
}

OrderedJson env_rules(const CloudImage& image) {
  OrderedJson out = OrderedJson::array();
  bool has_path = false;
  for (const auto& [name, value] : image.env) {
    has_path = has_path || name == "PATH";
    out.push_back(env_rule(cat(name, "=", value), true));
  }
  if (!has_path) out.push_back(env_rule(kDefaultPath, false));
  return out;
}

OrderedJson policy_mounts(const CloudImage& image) {
  const OrderedJson options = {"rbind", "rshared", "rw"};
  const auto mount = [&](const std::string& destination, const char* source) {
    return OrderedJson{
        {"destination", destination}, {"options", options}, {"source", source}, {"type", "bind"}};
  };
  OrderedJson out = OrderedJson::array();
  for (const std::string& volume : image.volumes)
    out.push_back(mount(volume, "sandbox:///tmp/atlas/emptydir/.+"));
  out.push_back(mount("/etc/resolv.conf", "sandbox:///tmp/atlas/resolvconf/.+"));
  return out;
}

// By number where the image has a number, else by name, which the guest looks up in the image.
OrderedJson policy_user(const CloudImage& image) {
  std::string user = image.user.substr(0, image.user.find(':'));
  if (user.empty()) user = "0";
  const char* strategy = parse_u64(user) ? "id" : "name";
  return {{"user_idname", {{"pattern", std::move(user)}, {"strategy", strategy}}},
          {"group_idnames", {{{"pattern", ""}, {"strategy", "any"}}}},
          {"umask", "0022"}};
}

OrderedJson workload_container(const CloudImage& image, const AzureAciOptions& options) {
  OrderedJson signals = {kKill};
  if (const int stop = signal_of(image.stop_signal); stop != kKill) signals.push_back(stop);
  return {{"name", image.name},
          {"id", image.reference},
          {"command", image.command},
          {"env_rules", env_rules(image)},
          {"layers", options.layer_hashes},
          {"mounts", policy_mounts(image)},
          {"exec_processes", OrderedJson::array()},
          {"signals", std::move(signals)},
          {"user", policy_user(image)},
          {"capabilities", capability_sets(aci_capabilities(image, options).allowed)},
          {"seccomp_profile_sha256", ""},
          {"allow_elevated", false},
          {"working_dir", image.workdir},
          {"allow_stdio_access", options.allow_stdio},
          {"no_new_privileges", true}};
}

OrderedJson pause_container() {
  return {{"name", "pause-container"},
          {"command", {"/pause"}},
          {"env_rules", {env_rule(kDefaultPath, true), env_rule("TERM=xterm", false)}},
          {"layers", {kPauseLayer}},
          {"mounts", OrderedJson::array()},
          {"exec_processes", OrderedJson::array()},
          {"signals", OrderedJson::array()},
          {"user",
           {{"user_idname", {{"pattern", ""}, {"strategy", "any"}}},
            {"group_idnames", {{{"pattern", ""}, {"strategy", "any"}}}},
            {"umask", "0022"}}},
          {"capabilities", capability_sets(all_capabilities())},
          {"seccomp_profile_sha256", ""},
          {"allow_elevated", false},
          {"working_dir", "/"},
          {"allow_stdio_access", false},
          {"no_new_privileges", false}};
}

OrderedJson infrastructure_fragment(const AzureAciOptions& options) {
  return {{"feed", kInfraFeed},
          {"includes", {"containers", "fragments"}},
          {"issuer", kInfraIssuer},
          {"minimum_svn", cat(options.infrastructure_svn)}};
}

// "Layer 3 root hash: …" of dmverity-vhd; the hash alone otherwise.
std::string_view hash_of_line(std::string_view line, std::size_t layer) {
  const std::string head = cat("Layer ", layer, " root hash: ");
  return line.starts_with(head) ? line.substr(head.size()) : line;
}

bool is_layer_hash(std::string_view text) {
  constexpr std::size_t kHashDigits = 64;
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<std::vector<std::string>> parse_layer_hashes(std::string_view text, std::size_t layers,
                                                    const Limits& limits) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.size() > limits.layers)
    return Error::limit(cat("more than ", limits.layers, " layer hashes"))
        .hint("one line for each layer of the image");
  std::vector<std::string> out;
  for (const std::string_view line : lines) {
    const std::string_view hash = hash_of_line(line, out.size());
    if (!is_layer_hash(hash))
      return Error::invalid(
                 cat("line ", out.size() + 1, " is no layer hash: ", quote(line.substr(0, 100))))
          .hint(cat("64 hexadecimal digits, in lower case, or what dmverity-vhd prints of layer ",
                    out.size()));
    out.emplace_back(hash);
  }
  if (out.size() != layers)
    return Error::invalid("the layer hashes are not those of this image")
        .detail(cat("got ", out.size(), ", want ", layers, ", one for each layer"))
        .hint("make them of the image with the same digest");
  return out;
}

Result<std::string> parse_aci_capability(std::string_view text) {
  std::string name = lower_ascii(text);
  if (!name.starts_with("cap_")) name = "cap_" + name;
  for (const std::string_view known : kAciCapabilities)
    if (lower_ascii(known) == name) return std::string(known);
  return Error::usage(cat(quote(text), " is no capability that a container there can have"))
      .hint(join(kAciCapabilities, ", "));
}

AciCapabilities aci_capabilities(const CloudImage& image, const AzureAciOptions& options) {
  constexpr std::uint16_t kFirstOpenPort = 1024;
  const bool low_port =
      std::any_of(image.ports.begin(), image.ports.end(),
                  [](const ExposedPort& port) { return port.number < kFirstOpenPort; });
  AciCapabilities out;
  for (const std::string_view name : kAciCapabilities) {
    const bool asked = std::find(options.capabilities.begin(), options.capabilities.end(), name) !=
                       options.capabilities.end();
    const bool needed = name == "CAP_NET_BIND_SERVICE" && low_port && runs_as_root(image);
    (asked || needed ? out.allowed : out.dropped).emplace_back(name);
  }
  return out;
}

std::string cce_policy(const CloudImage& image, const AzureAciOptions& options) {
  const OrderedJson fragments = OrderedJson::array({infrastructure_fragment(options)});
  const OrderedJson containers =
      OrderedJson::array({workload_container(image, options), pause_container()});
  std::string out = "package policy\n\nimport future.keywords.every\nimport future.keywords.in\n\n";
  out += cat("api_version := ", rego_value(kApiVersion), "\n");
  out += cat("framework_version := ", rego_value(kFrameworkVersion), "\n\n");
  out += cat("fragments := ", rego_value(fragments), "\n\n");
  out += cat("containers := ", rego_value(containers), "\n\n");
  out +=
      "allow_properties_access := true\n"
      "allow_dump_stacks := false\n"
      "allow_runtime_logging := false\n"
      "allow_environment_variable_dropping := true\n"
      "allow_unencrypted_scratch := false\n"
      "allow_capability_dropping := true\n\n";
  for (const std::string_view rule : kRules) out += cat(rule, " := data.framework.", rule, "\n");
  return out + "\nreason := {\"errors\": data.framework.errors}\n";
}

}  // namespace cloister::cmd
