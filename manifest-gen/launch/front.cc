#include "manifest-gen/launch/front.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kSecretLibrary = "libsecret_prov_attest.so";

Error not_in_runtime(std::string_view name, std::string_view option) {
  return Error::unresolved(cat("the runtime has no ", name, ", which ", option, " needs"))
      .hint("add a --runtime that has it: the package of Gramine 1.8 or 1.9 does");
}

std::string& variable(Launch& launch, std::string_view name) {
  const auto at = std::find_if(launch.env.begin(), launch.env.end(),
                               [&](const auto& item) { return item.first == name; });
  if (at != launch.env.end()) return at->second;
  return launch.env.emplace_back(name, "").second;
}

}  // namespace

Result<Front> ra_tls_front(const Launch& launch, const measure::Runtime& runtime,
                           const RaTlsFiles& files) {
  const auto program = runtime.attestation.find(std::string(measure::kRaTlsProgram));
  if (program == runtime.attestation.end())
    return not_in_runtime(measure::kRaTlsProgram, "--ra-tls");
  Front out;
  out.name = measure::kRaTlsProgram;
  out.file = program->second;
  out.reason = "--ra-tls: makes the certificate with the quote, then starts the program";
  // Its getopt permutes: without "--" it would take the program's options for its own.
  out.argv = {out.name, files.certificate, files.key, "--"};
  out.argv.insert(out.argv.end(), launch.argv.begin(), launch.argv.end());
  for (const std::string* file : {&files.certificate, &files.key}) {
    std::string directory(parent_directory(*file));
    if (std::find(out.directories.begin(), out.directories.end(), directory) ==
        out.directories.end())
      out.directories.push_back(std::move(directory));
  }
  return out;
}

Result<Front> premain_front(Launch& launch, const measure::Runtime& runtime) {
  const auto program = runtime.attestation.find(std::string(measure::kPremainProgram));
  if (program == runtime.attestation.end())
    return Error::unresolved(cat("there is no ", measure::kPremainProgram, " for --marblerun"))
        .hint("name it with --premain: the file of a MarbleRun release, or an image that has it");
  Front out;
  out.name = measure::kPremainProgram;
  out.file = program->second;
  out.reason =
      "--marblerun: asks the Coordinator for arguments and secrets, then starts the program";
  // Only argv[0] counts, as a path; the others are for whoever writes the Coordinator's manifest.
  out.argv = launch.argv;
  out.argv.front() = launch.program;
  out.min_enclave_size = kPremainEnclaveSize;
  out.min_threads = kPremainThreads;
  out.host_files = {launch.workdir == "/" ? "/uuid" : cat(launch.workdir, "/uuid")};
  for (const char* name : {"EDG_MARBLE_TYPE", "EDG_MARBLE_COORDINATOR_ADDR", "EDG_MARBLE_DNS_NAMES",
                           "EDG_MARBLE_UUID_FILE"}) {
    const bool known = std::any_of(launch.env.begin(), launch.env.end(),
                                   [&](const auto& item) { return item.first == name; });
    const auto& host = launch.passthrough;
    if (!known && std::find(host.begin(), host.end(), name) == host.end())
      launch.passthrough.emplace_back(name);
  }
  return out;
}

Status add_secret_provisioning(Launch& launch, const measure::Runtime& runtime,
                               const std::string& servers, const std::string& ca) {
  if (!runtime.attestation.contains(std::string(kSecretLibrary)))
    return not_in_runtime(kSecretLibrary, "--secret-prov");
  std::string& preload = variable(launch, "LD_PRELOAD");
  preload = preload.empty() ? std::string(kSecretLibrary) : cat(kSecretLibrary, ":", preload);
  variable(launch, "SECRET_PROVISION_CONSTRUCTOR") = "1";
  variable(launch, "SECRET_PROVISION_SERVERS") = servers;
  variable(launch, "SECRET_PROVISION_CA_CHAIN_PATH") = ca;
  return {};
}

}  // namespace cloister::manifest
