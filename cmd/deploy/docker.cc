// `docker run`, with no more rights than an enclave needs of its container.
#include "base/text.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/shell.h"
#include "cmd/deploy/yaml.h"

namespace cloister::cmd {
namespace {

// A field of --mount, which Docker reads as a line of CSV.
std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string volume_mount(const std::string& source, const std::string& target) {
  return cat("type=volume,source=", source, ",", csv_field(cat("target=", target)));
}

void add_device(std::vector<std::string>& words, bool root, const char* device) {
  words.push_back(cat("--device ", device));
  // Devices belong to a group of the host; root of the container is their owner.
  if (!root) words.push_back(cat("--group-add \"$(stat -c %g ", device, ")\""));
}

Status require_showable(const Deployment& d) {
  for (const HostPlace& place : d.places)
    if (comment_text(place.path) != place.path)
      return Error::unsupported(cat("the path ", quote(place.path),
                                    " has characters that no command line should show"))
          .hint("cloister deploy compose and kubernetes can write it down");
  return {};
}

}  // namespace

Result<std::string> docker_command(const Deployment& d) {
  CL_CHECK(require_showable(d));
  std::vector<std::string> words = {cat("--detach --name ", d.name)};
  add_device(words, d.uid == 0, "/dev/sgx_enclave");
  if (d.attested) {
    add_device(words, d.uid == 0, "/dev/sgx_provision");
    words.emplace_back("--mount type=bind,source=/var/run/aesmd,target=/var/run/aesmd,readonly");
  }
  words.emplace_back("--read-only");
  words.emplace_back("--cap-drop ALL");
  if (d.other_owner()) words.emplace_back("--cap-add DAC_OVERRIDE");
  words.emplace_back("--security-opt no-new-privileges");
  if (d.sigterm) {
    words.emplace_back("--stop-timeout 30");
    if (!d.stop_signal.empty() && d.stop_signal != "SIGTERM")
      words.emplace_back("--stop-signal SIGTERM");
  }
  const std::vector<std::string> volumes = volume_names(d);
  for (std::size_t i = 0; i < volumes.size(); ++i)
    if (!volumes[i].empty())
      words.push_back(cat("--mount ", shell_word(volume_mount(volumes[i], d.places[i].path))));
  for (const ExposedPort& port : d.ports)
    words.push_back(cat("--publish 127.0.0.1:", port.number, ":", port.number,
                        port.protocol == "tcp" ? "" : cat("/", port.protocol)));
  for (const std::string& name : d.environment) {
    if (comment_text(name) == name) words.push_back(cat("--env ", shell_word(name)));
  }
  words.push_back(shell_word(d.image));

  std::string out = cat("# MRENCLAVE ", d.sigstruct.mrenclave.hex(), "\n");
  for (const std::string& line : deployment_notes(d)) out += cat("# ", comment_text(line), "\n");
  if (!d.environment.empty()) out += "# --env NAME passes on what NAME is in your shell\n";
  if (!d.ports.empty())
    out += "# published on this host alone; leave out 127.0.0.1: to serve others\n";
  if (d.attested) out += "# /var/run/aesmd is where the host's AESM service makes quotes\n";
  return cat(out, "docker run ", join(words, " \\\n  "), "\n");
}

}  // namespace cloister::cmd
