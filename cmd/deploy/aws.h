// AWS Nitro Enclaves: what starts an enclave image file on an EC2 instance, and what a key's policy
// must ask for so that only this enclave is given anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/files.h"
#include "measure/nitro/pcr.h"

namespace cloister::cmd {

struct NitroDeployment {
  std::string title;           // for people: the image, or the file
  std::string name;            // of the enclave: a DNS label (dns_label())
  std::string eif;             // path of the enclave image file
  std::uint64_t eif_size = 0;  // bytes
  measure::nitro::Pcr pcr0{}, pcr1{}, pcr2{};
  std::optional<measure::nitro::Pcr> pcr8;  // of a signed one
  std::uint32_t memory_mib = 0, cpus = 2;
  std::vector<ExposedPort> ports;  // of the program
  std::string role;                // ARN of the IAM role of the instance; empty: people put it in
};

// nitro-cli starts no enclave with less memory than four times its file.
std::uint32_t least_memory_mib(std::uint64_t eif_size);
// That and room for the program: in steps of 128, at least 512.
std::uint32_t usual_memory_mib(std::uint64_t eif_size);
// "arn:aws:iam::111122223333:role/name"; `usage` for another text.
Status check_role(std::string_view role);

// Statements for a key policy of AWS KMS, as JSON. Of this image: PCR0, which KMS also calls
// ImageSha384. Of its signer: any image with this certificate. REQUIRES: it is signed.
std::string image_key_statement(const NitroDeployment& deployment);
std::string signer_key_statement(const NitroDeployment& deployment);

// `unsupported` for a path that cannot stand on a command line without doing something to the
// terminal that shows it.
Result<DeployFiles> aws_files(const NitroDeployment& deployment);

}  // namespace cloister::cmd
