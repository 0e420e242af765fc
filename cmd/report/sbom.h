// What the enclave may touch, as a software bill of materials.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "cmd/pipeline.h"

namespace cloister::cmd {

struct SbomFile {
  std::string path;                  // where it really is
  std::vector<std::string> aliases;  // other paths by which it is opened
  Digest sha256;
  bool is_elf = false, from_runtime = false;
  std::string reason;
};

struct SbomSubject {
  std::string name;  // of the image, for people
  Digest digest;     // of its manifest
  std::string runtime_name, runtime_version;
  const manifest::PackageIndex& packages;
  std::vector<SbomFile> files;
};

SbomSubject sbom_subject(const ClosurePlan& plan);

// SPDX 2.3 and CycloneDX 1.5: the image, the packages of granted files, the files with their
// SHA-256, and the runtime whose libc takes the place of the image's. The same subject and date
// give the same bytes: identifiers are derived from the content.
OrderedJson spdx_document(const SbomSubject& subject, Seconds created);
OrderedJson cyclonedx_document(const SbomSubject& subject, Seconds created);

}  // namespace cloister::cmd
