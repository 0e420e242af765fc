// Image manifest, index and configuration (image-spec manifest.md, image-index.md, config.md).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/time.h"
#include "oci/documents/descriptor.h"

namespace cloister::oci {

struct ImageManifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};

struct ImageIndex {
  std::string media_type;
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;
};

// What a container starts with (config.md, "config"). Absent fields are empty.
struct ExecutionConfig {
  std::string user;
  std::vector<std::string> env;  // "K=V", in order
  std::vector<std::string> entrypoint, cmd;
  std::string working_dir;
  std::vector<std::string> volumes;        // sorted
  std::vector<std::string> exposed_ports;  // sorted, "6379/tcp"
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  bool has_healthcheck = false;
};

struct ImageConfig {
  std::string architecture, os, variant;
  std::optional<Seconds> created;
  ExecutionConfig config;
  std::vector<Digest> diff_ids;
  // The document as it came: a derived image changes what it must and keeps the rest.
  std::string raw;
  Platform platform() const { return {os, architecture, variant}; }
};

Result<ImageManifest> parse_image_manifest(std::string_view text, const Limits& limits);
Result<ImageIndex> parse_image_index(std::string_view text, const Limits& limits);
Result<ImageConfig> parse_image_config(std::string_view text, const Limits& limits);
// Canonical JSON (compact, fixed member order) of a manifest we write.
std::string write_image_manifest(const ImageManifest& manifest);

// The entry for `want`: an exact variant match is preferred; entries with platform "unknown"
// (BuildKit attestations) never match. `not_found` names the platforms there are.
Result<Descriptor> select_platform(const ImageIndex& index, const Platform& want);

// A resolved image whose manifest and config are verified against their digests.
struct Image {
  std::string name;          // as the user may read it: ImageRef::str()
  Descriptor manifest_descriptor;
  std::string manifest_text; // the exact bytes behind manifest_descriptor.digest
  ImageManifest manifest;
  ImageConfig config;
  std::optional<Digest> index_digest;  // when it was chosen from an index
};

}  // namespace cloister::oci
