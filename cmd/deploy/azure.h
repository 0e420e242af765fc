// Azure: an enclave-ready image on machines with SGX (AKS, virtual machines), any other image in
// confidential container instances (ACI), which are SEV-SNP machines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "cmd/deploy/cloud_image.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/files.h"

namespace cloister::cmd {

// The shared provider of one region, for who has none of their own.
inline constexpr std::string_view kAzureAttestation = "https://sharedeus.eus.attest.azure.net";
// "https://" and a host name; `usage` otherwise: it becomes the authority of a key release policy.
Status check_attestation_provider(std::string_view url);

// --- SGX ----------------------------------------------------------------------------------------

enum class AzureSgx { aks, vm };

struct AzureSgxOptions {
  AzureSgx service = AzureSgx::aks;
  std::string provider{kAzureAttestation};  // of the key release policy
  std::string public_key;                   // PEM, for the admission rule; empty: none
};

// A policy of Microsoft Azure Attestation: which enclaves it makes tokens for.
std::string sgx_attestation_policy(const sign::Sigstruct& sigstruct);
// A key release policy of Azure Key Vault: which tokens a key is released to.
std::string sgx_release_policy(const sign::Sigstruct& sigstruct, const std::string& provider);
// The smallest DCsv3 size with so much protected memory; empty when none has.
std::string_view sgx_machine_size(std::uint64_t enclave_size);

// `unsupported` where a shell could not show what it is told.
Result<DeployFiles> azure_sgx_files(const Deployment& deployment, const AzureSgxOptions& options);

// --- Container instances ------------------------------------------------------------------------

struct AzureAciOptions {
  std::vector<std::string> layer_hashes;  // dm-verity root hashes, hex, in the order of the layers
  std::vector<std::string> capabilities;  // beside what the ports need: "CAP_CHOWN"
  bool allow_stdio = false;               // the host may read what the program prints
  std::uint64_t infrastructure_svn = 4;   // the least of Microsoft's own containers
  std::string provider{kAzureAttestation};
};

// A file with one hash a line: 64 hex digits, or "Layer N root hash: " before them, as dmverity-vhd
// prints it. As many as the image has layers, in their order; anything else is `invalid`.
Result<std::vector<std::string>> parse_layer_hashes(std::string_view text, std::size_t layers,
                                                    const Limits& limits);
// "CAP_CHOWN" for "chown", "CHOWN", "cap_chown"; `usage` for one that containers there cannot have.
Result<std::string> parse_aci_capability(std::string_view text);

// Of those that containers there can have. Ports below 1024 need one, of root.
struct AciCapabilities {
  std::vector<std::string> allowed, dropped;
};
AciCapabilities aci_capabilities(const CloudImage& image, const AzureAciOptions& options);

// The policy that a container group is started with, in Rego. Its SHA-256 is HOST_DATA of every
// report that the group's machine makes. REQUIRES: a hash for each layer.
std::string cce_policy(const CloudImage& image, const AzureAciOptions& options);

DeployFiles azure_aci_files(const CloudImage& image, const AzureAciOptions& options);

}  // namespace cloister::cmd
