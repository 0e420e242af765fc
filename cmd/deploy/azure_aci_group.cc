// The template by which Azure Resource Manager starts a confidential container group, and who gets
// a key by what it reports. In a template a text that begins with '[' and ends with ']' is an
// expression: no value from an image that stands in it can begin so (a reference, a DNS label, an
// absolute path).
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/azure.h"

namespace cloister::cmd {
namespace {

// Of a parameter of the template; without a default it has to be given.
OrderedJson parameter(const char* type, const char* description) {
  return {{"type", type}, {"metadata", {{"description", description}}}};
}

std::string arm_protocol(const ExposedPort& port) {
  return port.protocol == "udp" ? "UDP" : "TCP";
}

// Container groups have no SCTP.
OrderedJson template_ports(const CloudImage& image) {
  OrderedJson out = OrderedJson::array();
  for (const ExposedPort& port : image.ports)
    if (port.protocol != "sctp")
      out.push_back({{"port", port.number}, {"protocol", arm_protocol(port)}});
  return out;
}

OrderedJson template_parameters(const CloudImage& image) {
  OrderedJson cpu = parameter("int", "processors"), memory = parameter("int", "GiB of memory");
  cpu["defaultValue"] = 1;
  memory["defaultValue"] = 2;
  OrderedJson out = {{"cpu", std::move(cpu)}, {"memoryInGb", std::move(memory)}};
  if (!template_ports(image).empty())
    out["subnetId"] = parameter(
        "string",
        "where the ports are reachable: the id of a subnet that is delegated to container "
        "groups, or nothing for a public address");
  return out;
}

OrderedJson template_container(const CloudImage& image, const AzureAciOptions& options) {
  const AciCapabilities capabilities = aci_capabilities(image, options);
  OrderedJson properties = {
      {"image", image.reference},
      {"resources",
       {{"requests",
         {{"cpu", "[parameters('cpu')]"}, {"memoryInGB", "[parameters('memoryInGb')]"}}}}},
      {"securityContext",
       {{"privileged", false},
        {"allowPrivilegeEscalation", false},
        {"capabilities", {{"add", capabilities.allowed}, {"drop", capabilities.dropped}}}}}};
  if (const OrderedJson ports = template_ports(image); !ports.empty()) properties["ports"] = ports;
  for (std::size_t i = 0; i < image.volumes.size(); ++i)
    properties["volumeMounts"].push_back(
        {{"name", cat("volume-", i)}, {"mountPath", image.volumes[i]}, {"readOnly", false}});
  return {{"name", image.name}, {"properties", std::move(properties)}};
}

std::string group_template(const CloudImage& image, const AzureAciOptions& options,
                           const std::string& policy) {
  OrderedJson properties = {
      {"sku", "Confidential"},
      {"osType", "Linux"},
      {"restartPolicy", "OnFailure"},
      {"confidentialComputeProperties", {{"ccePolicy", base64(as_bytes(policy))}}},
      {"containers", OrderedJson::array({template_container(image, options)})}};
  for (std::size_t i = 0; i < image.volumes.size(); ++i)
    properties["volumes"].push_back(
        {{"name", cat("volume-", i)}, {"emptyDir", OrderedJson::object()}});
  if (const OrderedJson ports = template_ports(image); !ports.empty()) {
    properties["ipAddress"] = {{"type", "[if(empty(parameters('subnetId')), 'Public', 'Private')]"},
                               {"ports", ports}};
    properties["subnetIds"] =
        "[if(empty(parameters('subnetId')), createArray(), createArray(createObject('id', "
        "parameters('subnetId'))))]";
  }
  const OrderedJson group = {{"type", "Microsoft.ContainerInstance/containerGroups"},
                             {"apiVersion", "2023-05-01"},
                             {"name", image.name},
                             {"location", "[resourceGroup().location]"},
                             {"properties", std::move(properties)}};
  return dump_json_pretty(OrderedJson{
             {"$schema",
              "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"},
             {"contentVersion", "1.0.0.0"},
             {"parameters", template_parameters(image)},
             {"resources", OrderedJson::array({group})}}) +
         "\n";
}

std::string aci_release_policy(const std::string& host_data, const std::string& provider) {
  OrderedJson claims = OrderedJson::array();
  claims.push_back({{"claim", "x-ms-attestation-type"}, {"equals", "sevsnpvm"}});
  claims.push_back({{"claim", "x-ms-compliance-status"}, {"equals", "azure-compliant-uvm"}});
  claims.push_back({{"claim", "x-ms-sevsnpvm-is-debuggable"}, {"equals", false}});
  claims.push_back({{"claim", "x-ms-sevsnpvm-hostdata"}, {"equals", host_data}});
  OrderedJson authority = {{"authority", provider}, {"allOf", std::move(claims)}};
  return dump_json_pretty(OrderedJson{{"version", "1.0.0"},
                                      {"anyOf", OrderedJson::array({std::move(authority)})}}) +
         "\n";
}

std::string group_script(const CloudImage& image) {
  std::string subnet, parameters;
  if (!template_ports(image).empty()) {
    subnet =
        ": \"${SUBNET_ID?the subnet where its ports are reachable, or empty: a public address}\"\n";
    parameters = " \\\n  --parameters subnetId=\"$SUBNET_ID\"";
  }
  return cat("#!/bin/sh\nset -eu\n: \"${RESOURCE_GROUP:?the resource group}\"\n", subnet,
             "az deployment group create --resource-group \"$RESOURCE_GROUP\" \\\n"
             "  --template-file \"$(dirname \"$0\")/deployment.json\"",
             parameters, "\n");
}

std::string release_script() {
  return "#!/bin/sh\nset -eu\n"
         ": \"${VAULT:?a Premium key vault}\" \"${KEY:?a name for the key}\"\n"
         "az keyvault key create --vault-name \"$VAULT\" --name \"$KEY\" --kty RSA-HSM --size 3072 "
         "\\\n  --exportable true --policy \"$(dirname \"$0\")/key-release-policy.json\"\n";
}

std::vector<std::string> aci_notes(const CloudImage& image, const AzureAciOptions& options,
                                   const std::string& host_data) {
  std::vector<std::string> out = image.problems;
  out.push_back(cat("HOST_DATA ", host_data));
  const AciCapabilities capabilities = aci_capabilities(image, options);
  if (runs_as_root(image) && capabilities.allowed.empty())
    out.emplace_back(
        "it starts as root, without capabilities: a program that changes its user or the owner of "
        "files needs them by name, --capability SETUID, SETGID, CHOWN");
  out.push_back(options.allow_stdio
                    ? "the host may read what the program prints"
                    : "nobody reads what the program prints: --allow-stdio lets the host");
  if (!image.ports.empty())
    out.emplace_back("the host decides who reaches its ports, and answers its names (resolv.conf)");
  for (const ExposedPort& port : image.ports)
    if (port.protocol == "sctp")
      out.push_back(cat("container groups have no SCTP: port ", port.number, " is left out"));
  if (!image.volumes.empty())
    out.push_back(cat("nothing is kept: ", join(image.volumes, ", "),
                      " are in the machine's encrypted scratch and gone with the group"));
  if (image.healthcheck)
    out.emplace_back(
        "the image's HEALTHCHECK does not run: nothing may be executed in the container");
  if (options.provider == kAzureAttestation)
    out.push_back(cat("keys are released to tokens of ", options.provider,
                      "; --attestation-provider names another"));
  out.emplace_back(
      "a program that fetches keys by itself, or a sidecar for it, is a container of its own, "
      "which "
      "this policy does not have");
  return out;
}

}  // namespace

DeployFiles azure_aci_files(const CloudImage& image, const AzureAciOptions& options) {
  const std::string policy = cce_policy(image, options);
  const std::string host_data = sha256(policy).hex();
  DeployFiles out;
  out.title = cat(image.reference, " in Azure confidential container instances");
  out.notes = aci_notes(image, options, host_data);
  out.files = {
      {"policy.rego",
       "What the guest starts: this command, with this environment, on layers of these dm-verity "
       "root hashes, as this user, and nothing else; no process can be executed in it. Its "
       "SHA-256, "
       "byte for byte, is HOST_DATA of every report. That the hashes are those of the image is the "
       "word of who made them. The kernel and the guest around it are Microsoft's, which a report "
       "measures apart.",
       policy},
      {"deployment.json",
       "The container group for Azure Resource Manager, with that policy in base64. Of the rest "
       "nothing is trusted: what the policy does not have does not start.",
       group_template(image, options, policy)},
      {"deploy.sh", "Starts the group.", group_script(image)},
      {"key-release-policy.json",
       "For a key of Azure Key Vault: it leaves the vault only for a token of this provider about "
       "an SEV-SNP machine that runs Microsoft's guest, not to be debugged, with this policy.",
       aci_release_policy(host_data, options.provider)},
      {"create-key.sh", "Makes such a key. Run by who owns it.", release_script()}};
  return out;
}

}  // namespace cloister::cmd
