// A compose.yaml (https://github.com/compose-spec/compose-spec): what `docker run` would be told.
#include "base/text.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/yaml.h"

namespace cloister::cmd {
namespace {

// Compose replaces $NAME in every value; two of them are one.
std::string uninterpolated(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '$' ? std::string("$$") : std::string(1, c);
  return out;
}

Yaml mount_of_volume(const std::string& volume, const std::string& target) {
  return Yaml::map()
      .put("type", "volume")
      .put("source", volume)
      .put("target", uninterpolated(target));
}

Yaml service_mounts(const Deployment& d, const std::vector<std::string>& volumes) {
  Yaml out = Yaml::list();
  if (d.attested)
    out.push(Yaml::map()
                 .put("type", "bind")
                 .put("source", "/var/run/aesmd")
                 .put("target", "/var/run/aesmd")
                 .put("read_only", true),
             "where the host's AESM service makes quotes");
  for (std::size_t i = 0; i < volumes.size(); ++i)
    if (!volumes[i].empty()) out.push(mount_of_volume(volumes[i], d.places[i].path));
  return out;
}

Yaml service_ports(const Deployment& d) {
  Yaml out = Yaml::list();
  for (const ExposedPort& port : d.ports)
    out.push(Yaml::map()
                 .put("target", static_cast<int>(port.number))
                 .put("published", cat(port.number))
                 .put("host_ip", "127.0.0.1")
                 .put("protocol", port.protocol));
  return out;
}

// Numbers of the host's groups, which only the host knows.
Yaml device_groups(const Deployment& d) {
  Yaml out = Yaml::list();
  if (d.uid == 0) return out;
  out.push("${SGX_GID:?the group of /dev/sgx_enclave, which stat -c %g says}");
  if (d.attested)
    out.push("${SGX_PRV_GID:?the group of /dev/sgx_provision, which stat -c %g says}");
  return out;
}

Yaml compose_service(const Deployment& d, const std::vector<std::string>& volumes) {
  Yaml devices = Yaml::list();
  devices.push("/dev/sgx_enclave:/dev/sgx_enclave");
  if (d.attested) devices.push("/dev/sgx_provision:/dev/sgx_provision");
  Yaml environment = Yaml::list();
  for (const std::string& name : d.environment) environment.push(uninterpolated(name));
  Yaml out = Yaml::map();
  out.put("image", d.image);
  out.put("devices", devices);
  out.put("group_add", device_groups(d));
  out.put("read_only", true);
  out.put("cap_drop", Yaml::list().push("ALL"));
  if (d.other_owner())
    out.put("cap_add", Yaml::list().push("DAC_OVERRIDE"),
            "root writes where the image gives a directory to somebody else");
  out.put("security_opt", Yaml::list().push("no-new-privileges:true"));
  if (d.sigterm) out.put("stop_grace_period", "30s");
  if (d.sigterm && !d.stop_signal.empty() && d.stop_signal != "SIGTERM")
    out.put("stop_signal", "SIGTERM", "the only signal that Gramine passes on");
  out.put("environment", environment, "passed on from where compose runs; set them there");
  out.put("volumes", service_mounts(d, volumes));
  out.put("ports", service_ports(d), "on this host alone; leave out host_ip to serve others");
  return out;
}

}  // namespace

std::string compose_file(const Deployment& d) {
  const std::vector<std::string> volumes = volume_names(d);
  Yaml named = Yaml::map();
  for (const std::string& name : volumes)
    if (!name.empty()) named.put(name, Yaml::map().put("name", name));
  std::string head = cat("MRENCLAVE ", d.sigstruct.mrenclave.hex());
  for (const std::string& line : deployment_notes(d)) head += cat("\n", line);
  Yaml services = Yaml::map();
  services.put(d.name, compose_service(d, volumes));
  return Yaml::map().put("services", services, head).put("volumes", named).str();
}

}  // namespace cloister::cmd
