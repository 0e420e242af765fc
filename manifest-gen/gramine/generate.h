// Launch + closure + template + options + overlay → the final enclave manifest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/kinds.h"
#include "manifest-gen/launch/front.h"
#include "manifest-gen/launch/launch.h"

namespace cloister::manifest {

// A writable place: --volume PATH=tmpfs|encrypted[:KEY]|allowed.
struct Volume {
  std::string path;
  enum class Kind { tmpfs, encrypted, allowed } kind = Kind::tmpfs;
  std::string key_name;  // encrypted only; default "_sgx_mrenclave"
};

// Options that only change manifest values; absent ones leave the template's.
struct ManifestOptions {
  std::optional<std::string> enclave_size;  // "512M"
  std::optional<std::uint32_t> max_threads;
  bool edmm = false, debug = false, attestation = true;
  std::optional<std::uint16_t> isvprodid, isvsvn;
  std::vector<Volume> volumes;
  std::optional<Front> front;        // --ra-tls: what Gramine starts in the program's place
  std::optional<TomlTable> overlay;  // --manifest, merged last, structurally
};

struct GeneratedManifest {
  EnclaveManifest manifest;
  std::string text;                            // the bytes that are measured
  std::map<std::string, std::string> reasons;  // trusted file URI, or dotted key → why, for people
  std::string kind;                            // template used
  std::size_t trusted_files = 0;
  std::uint64_t trusted_bytes = 0;
};

// The files behind trusted_files entries of an overlay are hashed from the image (`lookup`);
// an overlay entry with a sha256 that differs from the image's file is `invalid`.
Result<GeneratedManifest> generate_manifest(const Launch& launch, const Closure& closure,
                                            const Kind& kind, const ManifestOptions& options,
                                            const measure::Rootfs& rootfs,
                                            const measure::RuntimeFile& libsysdb);

// The lines of `text`, each with its reason or an empty text.
std::vector<std::pair<std::string, std::string>> reasoned_lines(const GeneratedManifest& generated);

// The dotted path of every leaf with its reason as a comment: what --dry-run prints.
std::string annotate(const GeneratedManifest& generated);

}  // namespace cloister::manifest
