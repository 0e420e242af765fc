// The Gramine manifest: a TOML tree with the rules of Gramine 1.9 on top.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/toml.h"
#include "measure/sgx/enclave.h"

namespace cloister::manifest {

// Named to be told apart from an OCI image manifest.
struct EnclaveManifest {
  TomlTable table;
};

// Who will read the manifest: Gramine's signer fills in defaults and takes "300M"; its loader wants
// the final form and a power of two.
enum class Strictness { signer, loader };

// Sizes: decimal or, for the signer, 0x hexadecimal, with an optional K, M or G (upper case).
Result<std::uint64_t> parse_size(std::string_view text, Strictness strictness);

// Checks every key against the table of the schema (unknown or removed keys, types, values), and
// for the loader the rules it enforces at start. The first violation is `invalid` with the key and
// what to write instead; removed keys name their successor.
Status validate(const EnclaveManifest& manifest, Strictness strictness);

// What MRENCLAVE and SIGSTRUCT need, with the signer's defaults. `warnings` receives what the
// loader would refuse although the signer accepts it.
Result<measure::sgx::EnclaveParams> enclave_params(const EnclaveManifest& manifest,
                                                   std::vector<std::string>* warnings);

}  // namespace cloister::manifest
