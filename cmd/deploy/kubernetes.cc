// Kubernetes objects for Intel's SGX device plugin, whose admission webhook mounts the AESM socket
// for pods annotated with a quote provider, or for the one of AKS, and a ClusterImagePolicy of
// sigstore's policy-controller.
//
// The policy checks attestations by key alone: an authority with a key and without `ctlog` asks no
// transparency log. Kyverno's ImageValidatingPolicy, the other candidate, still wants a log entry
// for attestations, and its ClusterPolicy is deprecated.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/yaml.h"
#include "sign/image/measurement.h"

namespace cloister::cmd {
namespace {

constexpr int kFirstUnprivilegedPort = 1024;

// "512Mi": what Kubernetes reads as exactly so many bytes.
std::string quantity(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"", "Ki", "Mi", "Gi", "Ti"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return cat(bytes, kUnits[unit]);
}

Yaml name_labels(const Deployment& d) {
  return Yaml::map().put("app.kubernetes.io/name", d.name);
}

Yaml document(const char* api, const char* kind, const std::string& name) {
  return Yaml::map()
      .put("apiVersion", api)
      .put("kind", kind)
      .put("metadata", Yaml::map().put("name", name));
}

Yaml claim_of(const std::string& name) {
  Yaml spec = Yaml::map();
  spec.put("accessModes", Yaml::list().push("ReadWriteOnce"));
  spec.put("resources", Yaml::map().put("requests", Yaml::map().put("storage", "1Gi")),
           "as much as the program will write");
  return document("v1", "PersistentVolumeClaim", name).put("spec", spec);
}

Yaml container_security(const Deployment& d) {
  Yaml capabilities = Yaml::map();
  if (d.other_owner())
    capabilities.put("add", Yaml::list().push("DAC_OVERRIDE"),
                     "root writes where the image gives a directory to somebody else");
  capabilities.put("drop", Yaml::list().push("ALL"));
  return Yaml::map()
      .put("allowPrivilegeEscalation", false)
      .put("readOnlyRootFilesystem", true)
      .put("capabilities", capabilities);
}

Yaml pod_security(const Deployment& d) {
  Yaml out = Yaml::map();
  out.put("seccompProfile", Yaml::map().put("type", "RuntimeDefault"));
  if (d.uid != 0) {
    out.put("runAsNonRoot", true,
            "the container runtime must give this user the devices:\n"
            "device_ownership_from_security_context = true in containerd or CRI-O");
    out.put("runAsUser", static_cast<int>(d.uid));
    out.put("runAsGroup", static_cast<int>(d.gid));
    if (!d.places.empty()) out.put("fsGroup", static_cast<int>(d.gid));
  }
  for (const ExposedPort& port : d.ports) {
    if (port.number >= kFirstUnprivilegedPort) continue;
    out.put("sysctls",
            Yaml::list().push(
                Yaml::map().put("name", "net.ipv4.ip_unprivileged_port_start").put("value", "0")),
            "low ports without a capability");
    break;
  }
  return out;
}

Yaml sgx_limits(const Deployment& d, SgxPlugin plugin) {
  Yaml limits = Yaml::map();
  limits.put("sgx.intel.com/epc", quantity(d.enclave_size),
             d.edmm ? "the size that the enclave may grow to; it begins with less" : "");
  if (plugin == SgxPlugin::aks) return limits;
  limits.put("sgx.intel.com/enclave", 1);
  if (d.attested) limits.put("sgx.intel.com/provision", 1);
  return limits;
}

// On AKS a DaemonSet has the AESM socket on each node.
constexpr const char* kAesmSocket = "/var/run/aesmd";
bool mounts_aesm(const Deployment& d, SgxPlugin plugin) {
  return plugin == SgxPlugin::aks && d.attested;
}

Yaml container_of(const Deployment& d, const std::vector<std::string>& volumes, SgxPlugin plugin) {
  Yaml ports = Yaml::list(), environment = Yaml::list(), mounts = Yaml::list();
  for (const ExposedPort& port : d.ports) {
    std::string protocol = port.protocol == "udp" ? "UDP" : "TCP";
    if (port.protocol == "sctp") protocol = "SCTP";
    ports.push(
        Yaml::map().put("containerPort", static_cast<int>(port.number)).put("protocol", protocol));
  }
  for (const std::string& name : d.environment)
    environment.push(Yaml::map().put("name", name).put("value", ""));
  for (std::size_t i = 0; i < volumes.size(); ++i)
    if (!volumes[i].empty())
      mounts.push(Yaml::map().put("name", volumes[i]).put("mountPath", d.places[i].path));
  if (mounts_aesm(d, plugin))
    mounts.push(
        Yaml::map().put("name", "aesmd").put("mountPath", kAesmSocket).put("readOnly", true));
  return Yaml::map()
      .put("name", d.name)
      .put("image", d.image)
      .put("resources", Yaml::map().put("limits", sgx_limits(d, plugin)))
      .put("securityContext", container_security(d))
      .put("env", environment, "taken from the untrusted host by the manifest: to be set")
      .put("ports", ports)
      .put("volumeMounts", mounts);
}

Yaml pod_of(const Deployment& d, const std::vector<std::string>& volumes, SgxPlugin plugin) {
  Yaml claims = Yaml::list();
  for (const std::string& name : volumes)
    if (!name.empty())
      claims.push(Yaml::map()
                      .put("name", name)
                      .put("persistentVolumeClaim", Yaml::map().put("claimName", name)));
  if (mounts_aesm(d, plugin))
    claims.push(Yaml::map()
                    .put("name", "aesmd")
                    .put("hostPath", Yaml::map().put("path", kAesmSocket).put("type", "Directory")),
                "where the node's AESM service makes quotes");
  Yaml out = Yaml::map();
  out.put("automountServiceAccountToken", false);
  out.put("enableServiceLinks", false);
  if (d.sigterm)
    out.put("terminationGracePeriodSeconds", 30,
            d.stop_signal.empty() || d.stop_signal == "SIGTERM"
                ? std::string()
                : cat("Gramine passes on SIGTERM alone, and a stop sends the image's ",
                      d.stop_signal, ":\nuntil this has passed, and then the program is killed"));
  out.put("securityContext", pod_security(d));
  out.put("containers", Yaml::list().push(container_of(d, volumes, plugin)));
  out.put("volumes", claims);
  return out;
}

Yaml workload_of(const Deployment& d, const std::vector<std::string>& volumes, SgxPlugin plugin) {
  Yaml metadata = Yaml::map();
  metadata.put("labels", name_labels(d));
  if (d.attested && plugin == SgxPlugin::intel)
    metadata.put("annotations", Yaml::map().put("sgx.intel.com/quote-provider", "aesmd"),
                 "the webhook of Intel's device plugin mounts the AESM socket");
  Yaml spec = Yaml::map();
  spec.put("replicas", 1);
  if (!d.places.empty()) spec.put("strategy", Yaml::map().put("type", "Recreate"));
  spec.put("selector", Yaml::map().put("matchLabels", name_labels(d)));
  spec.put("template",
           Yaml::map().put("metadata", metadata).put("spec", pod_of(d, volumes, plugin)));
  return document("apps/v1", "Deployment", d.name).put("spec", spec);
}

Yaml service_for(const Deployment& d) {
  Yaml ports = Yaml::list();
  for (const ExposedPort& port : d.ports) {
    const std::string upper = port.protocol == "tcp"   ? "TCP"
                              : port.protocol == "udp" ? "UDP"
                                                       : "SCTP";
    ports.push(Yaml::map()
                   .put("name", cat(port.protocol, "-", port.number))
                   .put("port", static_cast<int>(port.number))
                   .put("targetPort", static_cast<int>(port.number))
                   .put("protocol", upper));
  }
  return document("v1", "Service", d.name)
      .put("spec", Yaml::map().put("selector", name_labels(d)).put("ports", ports));
}

// In CUE, of which JSON is a part: what must be in the statement, beside anything else.
std::string required_statement(const Deployment& d) {
  return dump_json(OrderedJson{{"predicateType", sign::kMeasurementPredicate},
                               {"predicate",
                                {{"tee", "sgx"},
                                 {"sgx",
                                  {{"mrsigner", d.sigstruct.mrsigner().hex()},
                                   {"isvprodid", d.sigstruct.isvprodid},
                                   {"debug", d.sigstruct.debug()}}}}}});
}

Yaml admission_rule(const Deployment& d, const std::string& public_key) {
  // The controller knows Docker Hub by its other name. By tag and by digest, of this repository.
  constexpr std::string_view kHub = "docker.io/";
  const std::string repository =
      d.repository.starts_with(kHub) ? cat("index.", d.repository) : d.repository;
  Yaml images = Yaml::list();
  images.push(Yaml::map().put("glob", cat(repository, ":*")));
  images.push(Yaml::map().put("glob", cat(repository, "@*")));
  Yaml attestation = Yaml::map();
  attestation.put("name", "enclave-measurement");
  attestation.put("predicateType", sign::kMeasurementPredicate);
  attestation.put("policy", Yaml::map().put("type", "cue").put("data", required_statement(d)),
                  "any version by this signer; add mrenclave to allow this one alone");
  Yaml authority = Yaml::map();
  authority.put("name", "signer");
  authority.put("key", Yaml::map().put("data", public_key));
  authority.put("attestations", Yaml::list().push(attestation));
  Yaml spec = Yaml::map();
  spec.put("mode", "enforce");
  spec.put("images", images);
  spec.put("authorities", Yaml::list().push(authority));
  return document("policy.sigstore.dev/v1beta1", "ClusterImagePolicy", cat(d.name, "-enclave"))
      .put(
          "spec", spec,
          "for sigstore's policy-controller, in namespaces with the label\n"
          "policy.sigstore.dev/include: \"true\"; it reads attestations where cosign 2 keeps them\n"
          "(signed with --sig-format both, the default, or legacy)");
}

}  // namespace

std::string kubernetes_manifests(const Deployment& d, const std::string& public_key,
                                 SgxPlugin plugin) {
  const std::vector<std::string> volumes = volume_names(d);
  std::vector<std::string> documents;
  if (!public_key.empty()) documents.push_back(admission_rule(d, public_key).str());
  for (const std::string& name : volumes)
    if (!name.empty()) documents.push_back(claim_of(name).str());
  documents.push_back(workload_of(d, volumes, plugin).str());
  if (!d.ports.empty()) documents.push_back(service_for(d).str());
  std::string head = cat("# MRENCLAVE ", d.sigstruct.mrenclave.hex(), "\n");
  for (const std::string& line : deployment_notes(d)) head += cat("# ", comment_text(line), "\n");
  return head + join(documents, "---\n");
}

}  // namespace cloister::cmd
