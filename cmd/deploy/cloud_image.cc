#include "cmd/deploy/cloud_image.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "cmd/enclave_image.h"

namespace cloister::cmd {
namespace {

// The OCI configuration is JSON: its strings are UTF-8, but may hold NUL, which no process can be
// given.
Status refuse_nul(const oci::ExecutionConfig& config) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const auto* words : {&config.entrypoint, &config.cmd, &config.env, &config.volumes})
    if (std::any_of(words->begin(), words->end(), has_nul))
      return Error::unsupported("the image's configuration has a word with a NUL byte")
          .hint("build the image anew");
  if (has_nul(config.user) || has_nul(config.working_dir))
    return Error::unsupported("the image's user or working directory has a NUL byte")
        .hint("build the image anew");
  return {};
}

Status require_launchable(const oci::ImageRef& ref, const oci::Image& image) {
  const std::string name = quote(ref.str());
  if (is_enclave_ready(image))
    return Error::unsupported(
               cat(name, " is made for SGX, which a confidential machine does not give"))
        .hint(
            "deploy the image that it was built from; on Azure SGX has machines of its own: "
            "--service aks or vm");
  const oci::Platform platform = image.config.platform();
  if (platform.os != "linux" || platform.architecture != "amd64")
    return Error::unsupported(
               cat(name, " is for ", printable(platform.str()), ", want linux/amd64"))
        .hint("name the platform of an index: --platform linux/amd64");
  const oci::ExecutionConfig& config = image.config.config;
  if (config.entrypoint.empty() && config.cmd.empty())
    return Error::invalid(cat(name, " has neither Entrypoint nor Cmd: nothing would run"))
        .hint("build an image on it that says what it starts");
  return refuse_nul(config);
}

void read_variables(const std::vector<std::string>& words, CloudImage& out) {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      out.problems.push_back(
          cat("the image sets ", quote(word), ", which is no variable: it is left out"));
      continue;
    }
    std::pair<std::string, std::string> variable(word.substr(0, equals), word.substr(equals + 1));
    const auto same = std::find_if(out.env.begin(), out.env.end(),
                                   [&](const auto& one) { return one.first == variable.first; });
    if (same == out.env.end())
      out.env.push_back(std::move(variable));
    else
      *same = std::move(variable);
  }
}

}  // namespace

Result<CloudImage> cloud_image_of(const oci::ImageRef& ref, const oci::Image& image) {
  CL_CHECK(require_launchable(ref, image));
  const oci::ExecutionConfig& config = image.config.config;
  CloudImage out;
  oci::RegistryRef pinned = ref.registry;
  pinned.digest = image.manifest_descriptor.digest;
  pinned.tag.clear();
  out.reference = pinned.str();
  out.digest = image.manifest_descriptor.digest.str();
  out.name = dns_label(base_name(pinned.repository));
  out.command = config.entrypoint;
  out.command.insert(out.command.end(), config.cmd.begin(), config.cmd.end());
  read_variables(config.env, out);
  out.user = config.user;
  out.workdir = config.working_dir.empty() ? "/" : config.working_dir;
  out.stop_signal = config.stop_signal;
  out.labels = config.labels;
  out.layers = image.manifest.layers.size();
  out.healthcheck = config.has_healthcheck;
  for (const std::string& volume : config.volumes) {
    if (volume.starts_with('/') && volume != "/")
      out.volumes.push_back(volume);
    else
      out.problems.push_back(cat("the image has the volume ", quote(volume), ": it is left out"));
  }
  read_ports(config, out.ports, out.problems);
  return out;
}

bool runs_as_root(const CloudImage& image) {
  const std::string user = image.user.substr(0, image.user.find(':'));
  const auto number = parse_u64(user);
  return user.empty() || user == "root" || (number && *number == 0);
}

int signal_of(const std::string& stop_signal) {
  static constexpr std::pair<std::string_view, int> kSignals[] = {
      {"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"KILL", 9},
      {"USR1", 10}, {"USR2", 12}, {"TERM", 15}, {"WINCH", 28}};
  constexpr std::uint64_t kLastSignal = 64;
  constexpr int kTerm = 15;
  if (const auto number = parse_u64(stop_signal))
    return *number > 0 && *number <= kLastSignal ? static_cast<int>(*number) : kTerm;
  std::string_view name = stop_signal;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const auto& [known, number] : kSignals)
    if (known == name) return number;
  return kTerm;
}

}  // namespace cloister::cmd
