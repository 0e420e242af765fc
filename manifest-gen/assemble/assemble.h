// The added layer and the new image around it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/time.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/generate.h"
#include "manifest-gen/launch/launch.h"
#include "measure/runtime/runtime.h"
#include "oci/documents/image.h"

namespace cloister::manifest {

struct AssembleInput {
  const oci::Image& base;
  const measure::Rootfs& rootfs;
  const measure::Runtime& runtime;
  const Launch& launch;
  const Closure& closure;
  const GeneratedManifest& manifest;
  Bytes sigstruct;
  Digest mrenclave, mrsigner;
  bool with_direct = false;
  Seconds created{};
  std::vector<std::pair<std::string, std::string>> labels;  // --label
  std::string generator;                                    // "cloister 0.1.0"
  std::string base_name;   // for org.opencontainers.image.base.name; empty: none
  std::string provenance;  // for the label that says how to repeat the build
};

struct AssembledImage {
  Bytes layer;  // gzip
  oci::Descriptor layer_descriptor;
  Digest layer_diff_id;
  std::size_t layer_files = 0;
  std::string config;  // JSON
  oci::Descriptor config_descriptor;
  oci::ImageManifest manifest;
  std::string manifest_text;
  oci::Descriptor manifest_descriptor;
};

// Labels that state what was measured, or what it was built from, cannot be set: `invalid`.
Status check_labels(const std::vector<std::pair<std::string, std::string>>& labels);

// Deterministic: the same input gives the same bytes on every machine.
Result<AssembledImage> assemble(const AssembleInput& input, const Limits& limits);

// Which entry of .dynamic tells the relocated loader where its libraries are. DT_RUNPATH gives way
// to LD_LIBRARY_PATH and does not hold for the libraries of libraries; DT_RPATH is the other way
// round.
enum class LibrarySearch { runpath, rpath };

// The loader with PT_INTERP and RUNPATH pointing into /gramine, changed in place (gABI, "Program
// Header" and "Dynamic Section"): `unsupported` when .interp has not 28 bytes or .dynamic has no
// spare DT_NULL.
Result<Bytes> relocate_loader(ByteView loader, const Limits& limits,
                              LibrarySearch search = LibrarySearch::runpath);

}  // namespace cloister::manifest
