// Sources: Azure Attestation, "Examples of an attestation policy" and "Claim sets"; Key Vault,
// "Secure key release policy grammar"; the DCsv3 series' sizes; AKS, "Confidential computing
// add-on". Claims have MRENCLAVE and MRSIGNER as lower-case hex, in the order of SIGSTRUCT.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/azure.h"

namespace cloister::cmd {
namespace {

struct MachineSize {
  std::string_view name;
  std::uint64_t epc;  // GiB
};
constexpr MachineSize kMachineSizes[] = {
    {"Standard_DC1s_v3", 4},    {"Standard_DC2s_v3", 8},    {"Standard_DC4s_v3", 16},
    {"Standard_DC8s_v3", 32},   {"Standard_DC16s_v3", 64},  {"Standard_DC24s_v3", 128},
    {"Standard_DC32s_v3", 192}, {"Standard_DC48s_v3", 256},
};

constexpr std::string_view kAzHead = "#!/bin/sh\nset -eu\n";

std::string cluster_script(std::string_view size) {
  return cat(kAzHead,
             ": \"${RESOURCE_GROUP:?the resource group}\" \"${CLUSTER:?a name for the cluster}\"\n"
             "az aks create --resource-group \"$RESOURCE_GROUP\" --name \"$CLUSTER\" \\\n"
             "  --generate-ssh-keys --enable-addons confcom --enable-sgxquotehelper\n"
             "az aks nodepool add --resource-group \"$RESOURCE_GROUP\" --cluster-name \"$CLUSTER\" "
             "\\\n  --name sgx --node-count \"${NODES:-1}\" --node-vm-size \"${SIZE:-",
             size,
             "}\"\n"
             "az aks get-credentials --resource-group \"$RESOURCE_GROUP\" --name \"$CLUSTER\"\n"
             "kubectl apply -f \"$(dirname \"$0\")/workload.yaml\"\n");
}

std::string machine_script(const Deployment& d, std::string_view size) {
  return cat(kAzHead,
             ": \"${RESOURCE_GROUP:?the resource group}\" \"${ADMIN:?the name of a user on it}\"\n"
             "az vm create --resource-group \"$RESOURCE_GROUP\" --name ",
             d.name, " \\\n  --size \"${SIZE:-", size,
             "}\" --image Canonical:ubuntu-24_04-lts:server:latest \\\n"
             "  --admin-username \"$ADMIN\" --generate-ssh-keys\n"
             "# On the machine: Docker, Intel's sgx-aesm-service with libsgx-aesm-quote-ex-plugin, "
             "and az-dcap-client\n# as its provider of collateral. Then run run.sh there.\n");
}

std::string key_script() {
  return cat(
      kAzHead,
      ": \"${RESOURCE_GROUP:?the resource group}\" \"${PROVIDER:?your attestation provider}\" "
      "\"${VAULT:?a Premium key vault}\" \"${KEY:?a name for the key}\"\n"
      "here=$(dirname \"$0\")\n"
      "az attestation policy set --resource-group \"$RESOURCE_GROUP\" --name \"$PROVIDER\" "
      "\\\n  --attestation-type SGX-IntelSDK --new-attestation-policy-file "
      "\"$here/attestation-policy.txt\"\n"
      "az keyvault key create --vault-name \"$VAULT\" --name \"$KEY\" --kty RSA-HSM --size "
      "3072 \\\n  --exportable true --policy \"$here/key-release-policy.json\"\n");
}

std::vector<std::string> sgx_notes(const Deployment& d, std::string_view size,
                                   const AzureSgxOptions& options) {
  std::vector<std::string> out = deployment_notes(d);
  if (d.sigstruct.debug())
    out.emplace_back("the policies here release nothing to a debug enclave, and this is one");
  if (size.empty())
    out.push_back(cat("no DCsv3 machine has the enclave's ", human_bytes(d.enclave_size),
                      " of protected memory: the largest, with 256 GiB, is named"));
  if (options.provider == kAzureAttestation)
    out.push_back(cat("keys are released to tokens of ", options.provider,
                      ", which makes them for every enclave; --attestation-provider names one of "
                      "your own, which attestation-policy.txt is for"));
  return out;
}

DeployFile policy_file(const Deployment& d) {
  return {
      "attestation-policy.txt",
      "For an attestation provider of one's own: makes tokens for this enclave alone, by "
      "MRENCLAVE, signer and product, from its security version on, and for no debug enclave. "
      "Leave out the line with mrenclave to let later builds of the same signer pass. It trusts "
      "Microsoft, whose service judges the quote: cloister verify --quote does that without it.",
      sgx_attestation_policy(d.sigstruct)};
}

DeployFile release_file(const Deployment& d, const AzureSgxOptions& options) {
  return {
      "key-release-policy.json",
      "For a key of Azure Key Vault: it leaves the vault only for a token of this provider that "
      "says the same. It does not say whose program asks: the token must be bound to a key that "
      "only the enclave has.",
      sgx_release_policy(d.sigstruct, options.provider)};
}

}  // namespace

Status check_attestation_provider(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const std::string_view host = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  bool good = !host.empty() && host.find('.') != std::string_view::npos;
  for (const char c : host) good = good && plain(c);
  if (good) return {};
  return Error::usage(cat(quote(url), " is no attestation provider"))
      .hint(cat("its address, as the portal shows it: ", kAzureAttestation));
}

std::string_view sgx_machine_size(std::uint64_t enclave_size) {
  for (const MachineSize& size : kMachineSizes)
    if (enclave_size <= size.epc << 30U) return size.name;
  return {};
}

std::string sgx_attestation_policy(const sign::Sigstruct& s) {
  return cat("version= 1.0;\nauthorizationrules\n{\n",
             "  [ type==\"x-ms-sgx-is-debuggable\", value==false ]\n",
             "  && [ type==\"x-ms-sgx-mrenclave\", value==\"", s.mrenclave.hex(), "\" ]\n",
             "  && [ type==\"x-ms-sgx-mrsigner\", value==\"", s.mrsigner().hex(), "\" ]\n",
             "  && [ type==\"x-ms-sgx-product-id\", value==", s.isvprodid, " ]\n",
             "  && [ type==\"x-ms-sgx-svn\", value>=", s.isvsvn, " ]\n", "  => permit();\n};\n");
}

std::string sgx_release_policy(const sign::Sigstruct& s, const std::string& provider) {
  OrderedJson claims = OrderedJson::array();
  claims.push_back({{"claim", "x-ms-attestation-type"}, {"equals", "sgx"}});
  claims.push_back({{"claim", "x-ms-sgx-is-debuggable"}, {"equals", false}});
  claims.push_back({{"claim", "x-ms-sgx-mrenclave"}, {"equals", s.mrenclave.hex()}});
  claims.push_back({{"claim", "x-ms-sgx-mrsigner"}, {"equals", s.mrsigner().hex()}});
  claims.push_back({{"claim", "x-ms-sgx-product-id"}, {"equals", s.isvprodid}});
  claims.push_back({{"claim", "x-ms-sgx-svn"}, {"greaterOrEquals", s.isvsvn}});
  OrderedJson authority = {{"authority", provider}, {"allOf", std::move(claims)}};
  return dump_json_pretty(OrderedJson{{"version", "1.0.0"},
                                      {"anyOf", OrderedJson::array({std::move(authority)})}}) +
         "\n";
}

Result<DeployFiles> azure_sgx_files(const Deployment& d, const AzureSgxOptions& options) {
  const std::string_view fitting = sgx_machine_size(d.enclave_size);
  const std::string_view size = fitting.empty() ? std::end(kMachineSizes)[-1].name : fitting;
  DeployFiles out;
  const bool aks = options.service == AzureSgx::aks;
  out.title = cat(d.image, aks ? " on AKS nodes with SGX" : " on an Azure machine with SGX");
  out.notes = sgx_notes(d, fitting, options);
  if (aks) {
    out.files.push_back(
        {"create-cluster.sh",
         "Makes a cluster with the add-on that gives SGX to pods, a pool of nodes "
         "whose protected memory the enclave fits, and starts the workload. Nothing "
         "of the cluster is trusted.",
         cluster_script(size)});
    out.files.push_back(
        {"workload.yaml",
         "What runs, by digest and with least rights, for the device plugin of AKS.",
         kubernetes_manifests(d, options.public_key, SgxPlugin::aks)});
  } else {
    CL_TRY(std::string docker, docker_command(d));
    out.files.push_back({"create-machine.sh",
                         "Makes a machine whose protected memory the enclave fits. It is not "
                         "trusted.",
                         machine_script(d, size)});
    out.files.push_back({"run.sh", "Starts the image there, by digest and with least rights.",
                         cat("#!/bin/sh\n", docker)});
  }
  out.files.push_back(policy_file(d));
  out.files.push_back(release_file(d, options));
  out.files.push_back({"create-key.sh",
                       "Gives the provider its policy, and makes a key that is released by the "
                       "other. Run by who owns the key.",
                       key_script()});
  return out;
}

}  // namespace cloister::cmd
