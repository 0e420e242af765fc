// What a Gramine manifest starts, as MarbleRun wants to be told: there the Coordinator hands
// arguments, environment and keys to an enclave that has proved what it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "manifest-gen/gramine/enclave_manifest.h"

namespace cloister::manifest {

struct MarbleLaunch {
  // Never empty: without arguments MarbleRun would start the program as "./marble".
  std::vector<std::string> argv;
  // Variables with a value, as in the manifest; without LD_LIBRARY_PATH, which belongs to the
  // runtime and not to the application.
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::string> host_env;  // variables whose value the host chooses
  // Names of the keys that encrypted mounts take from /dev/attestation/keys, each once, without
  // those that the processor derives ("_sgx_mrenclave", "_sgx_mrsigner").
  std::vector<std::string> keys;
  bool host_argv = false;  // arguments come from the host or a file: argv is only the program
  bool premain = false;    // starts through MarbleRun's premain, which asks the Coordinator
  bool attested = false;   // can be attested by DCAP, without which no Coordinator lets it in
};

// `invalid` for a manifest that names no program.
Result<MarbleLaunch> marble_launch(const EnclaveManifest& manifest);

}  // namespace cloister::manifest
