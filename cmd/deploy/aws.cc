// Condition keys: AWS KMS Developer Guide, "Condition keys for Nitro Enclaves". An enclave in debug
// mode has zeros in all registers, so that no statement here fits one.
#include "cmd/deploy/aws.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/deploy/shell.h"
#include "cmd/deploy/yaml.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMemoryPerFile = 4, kMebibyte = 1ULL << 20;
constexpr std::string_view kNoRole = "ARN-OF-THE-ROLE-OF-THE-INSTANCE";
// Where AWS's own service file has the proxy listen.
constexpr int kKmsProxyPort = 8000, kHttpsPort = 443;

std::string statement(const NitroDeployment& d, std::string_view id, OrderedJson condition) {
  OrderedJson out = OrderedJson::object();
  out["Sid"] = id;
  out["Effect"] = "Allow";
  out["Principal"]["AWS"] = d.role.empty() ? std::string(kNoRole) : d.role;
  out["Action"] = "kms:Decrypt";
  out["Resource"] = "*";  // in the policy of a key: that key
  out["Condition"]["StringEqualsIgnoreCase"] = std::move(condition);
  return dump_json_pretty(out) + "\n";
}

std::string condition_key(std::string_view what) {
  return cat("kms:RecipientAttestation:", what);
}

std::string measurements_json(const NitroDeployment& d) {
  OrderedJson registers = OrderedJson::object();
  registers["HashAlgorithm"] = "Sha384 { ... }";  // as nitro-cli spells it
  registers["PCR0"] = hex(d.pcr0);
  registers["PCR1"] = hex(d.pcr1);
  registers["PCR2"] = hex(d.pcr2);
  if (d.pcr8) registers["PCR8"] = hex(*d.pcr8);
  OrderedJson out = OrderedJson::object();
  out["Measurements"] = std::move(registers);
  return dump_json_pretty(out) + "\n";
}

std::string run_script(const NitroDeployment& d) {
  const std::vector<std::string> words = {
      "nitro-cli run-enclave", cat("--enclave-name ", shell_word(d.name)),
      cat("--eif-path ", shell_word(d.eif)), cat("--memory ", d.memory_mib),
      cat("--cpu-count ", d.cpus)};
  return cat("#!/bin/sh\nset -eu\n", join(words, " \\\n  "), "\n");
}

std::string allocator_file(const NitroDeployment& d) {
  return Yaml::map()
      .put("memory_mib", static_cast<int>(d.memory_mib), "in huge pages, beside the instance's own")
      .put("cpu_count", static_cast<int>(d.cpus), "whole cores: two to a core with hyper-threading")
      .str();
}

std::string proxy_script() {
  return cat("#!/bin/sh\nset -eu\n: \"${REGION:?of the key}\"\nexec vsock-proxy ", kKmsProxyPort,
             " \"kms.$REGION.amazonaws.com\" ", kHttpsPort, "\n");
}

std::vector<std::string> aws_notes(const NitroDeployment& d) {
  std::vector<std::string> out = {
      "the instance needs EnclaveOptions.Enabled (aws ec2 run-instances --enclave-options "
      "Enabled=true) and the package aws-nitro-enclaves-cli",
      "computed, as AWS's specification has it; nitro-cli describe-eif must say the same"};
  if (const std::uint32_t least = least_memory_mib(d.eif_size); d.memory_mib < least)
    out.push_back(cat("nitro-cli wants ", least, " MiB at least, four times the file, and is told ",
                      d.memory_mib));
  if (d.cpus % 2 != 0)
    out.push_back(cat("an enclave is given whole cores: ", d.cpus,
                      " virtual CPUs fit only instances without hyper-threading"));
  if (d.role.empty())
    out.push_back(cat("put the role of the instance in the place of ", kNoRole,
                      "; KMS takes no policy with that in it"));
  if (!d.pcr8)
    out.emplace_back("the file is not signed: each new image has to be allowed by its own PCR0");
  std::vector<std::string> ports;
  for (const ExposedPort& port : d.ports) ports.push_back(cat(port.number, "/", port.protocol));
  if (!ports.empty())
    out.push_back(cat("an enclave has no network, and nothing forwards to ", join(ports, ", "),
                      ": the program, or a proxy beside it in the image, has to listen on vsock, "
                      "and a proxy on the instance has to connect to that"));
  return out;
}

std::vector<DeployFile> key_policies(const NitroDeployment& d) {
  std::vector<DeployFile> out = {
      {"key-policy-image.json",
       "A statement for the policy of a key: it decrypts for this image alone, in an enclave that "
       "the Nitro hypervisor attests. PCR0 covers kernel, command line and all files; it does not "
       "say whose instance it is, nor how much memory the enclave has. The answer is encrypted for "
       "the enclave, so that the instance, whose role asks, cannot read it. It holds only as long "
       "as no other statement lets the role decrypt.",
       image_key_statement(d)}};
  if (d.pcr8)
    out.push_back(
        {"key-policy-signer.json",
         "Instead of it: the key decrypts for every image that was signed with this certificate "
         "and "
         "boots with the same kernel and first process (PCR1), earlier ones with known holes too. "
         "Who has the signing key decides what is given the secret.",
         signer_key_statement(d)});
  return out;
}

}  // namespace

std::uint32_t least_memory_mib(std::uint64_t eif_size) {
  const std::uint64_t mebibytes = eif_size / kMebibyte + (eif_size % kMebibyte == 0 ? 0 : 1);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(mebibytes * kMemoryPerFile, UINT32_MAX));
}

std::uint32_t usual_memory_mib(std::uint64_t eif_size) {
  constexpr std::uint32_t kSmallest = 512, kStep = 128;
  const std::uint32_t least = std::max(least_memory_mib(eif_size), kSmallest);
  const std::uint32_t over = least % kStep;
  return over == 0 || least > UINT32_MAX - kStep ? least : least - over + kStep;
}

Status check_role(std::string_view role) {
  // arn:PARTITION:iam::ACCOUNT:role/PATH (IAM User Guide, "IAM identifiers").
  const std::vector<std::string_view> parts = split(role, ':');
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-/").find(c) != std::string_view::npos;
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  constexpr std::string_view kRole = "role/";
  if (parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") && parts[2] == "iam" &&
      parts[3].empty() && parts[4].size() == 12 && std::ranges::all_of(parts[4], digit) &&
      parts[5].starts_with(kRole) && parts[5].size() > kRole.size() &&
      std::ranges::all_of(parts[1], plain) && std::ranges::all_of(parts[5], plain))
    return {};
  return Error::usage(cat(quote(role), " is not the ARN of an IAM role"))
      .hint("it looks like arn:aws:iam::111122223333:role/name");
}

std::string image_key_statement(const NitroDeployment& d) {
  OrderedJson condition = OrderedJson::object();
  condition[condition_key("ImageSha384")] = hex(d.pcr0);
  if (d.pcr8) condition[condition_key("PCR8")] = hex(*d.pcr8);
  return statement(d, "DecryptForThisEnclaveImage", std::move(condition));
}

std::string signer_key_statement(const NitroDeployment& d) {
  OrderedJson condition = OrderedJson::object();
  condition[condition_key("PCR1")] = hex(d.pcr1);
  condition[condition_key("PCR8")] = hex(*d.pcr8);
  return statement(d, "DecryptForEnclaveImagesOfThisSigner", std::move(condition));
}

Result<DeployFiles> aws_files(const NitroDeployment& d) {
  if (comment_text(d.eif) != d.eif)
    return Error::unsupported(
               cat("the path ", quote(d.eif), " has characters that no command line should show"))
        .hint("give the enclave image file another name");
  DeployFiles out;
  out.title = cat(d.title, " in an AWS Nitro enclave");
  out.notes = aws_notes(d);
  out.files = {
      {"measurements.json",
       "What an attestation document of the enclave must say. PCR0 is all that runs; PCR1 the "
       "kernel and first process; PCR2 the application; PCR8, where there is one, who signed. "
       "PCR3 and PCR4, the role and the instance, are for who runs it to add.",
       measurements_json(d)},
      {"allocator.yaml",
       "For /etc/nitro_enclaves/allocator.yaml of the instance, then systemctl restart "
       "nitro-enclaves-allocator: what is set aside for enclaves. Nothing of it is measured.",
       allocator_file(d)},
      {"run-enclave.sh",
       "Starts the enclave, on the instance. Nothing of it is trusted: another file has another "
       "PCR0, and with --debug-mode all registers are zero.",
       run_script(d)}};
  for (DeployFile& policy : key_policies(d)) out.files.push_back(std::move(policy));
  out.files.push_back(
      {"kms-proxy.sh",
       "Lets the enclave reach KMS, and nothing else, over vsock: port 8000 of CID 3 is port 443 "
       "of KMS in REGION. TLS ends in the enclave, so that the instance sees no secret.",
       proxy_script()});
  return out;
}

}  // namespace cloister::cmd
