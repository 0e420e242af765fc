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

// What a document is. `media_type` is its own, or, where it names none, the declared one, or the
// one its members suggest.
struct DocumentIdentity {
  bool index = false;  // an image index (manifest list), otherwise an image manifest
  std::string media_type;
};
// `declared` comes from a descriptor or a Content-Type header and may be empty or generic. A
// document that two readers could take for different things (members of both kinds, or a type that
// contradicts the declared one: CVE-2021-41190) is `corrupt`; Docker schema 1 is `unsupported`.
Result<DocumentIdentity> identify_document(std::string_view text, std::string_view declared,
                                           const Limits& limits);

// schemaVersion and mediaType may be absent, as real documents have it; config and layers not.
// Layers of any media type parse: what cannot be read is refused when the image is resolved.
Result<ImageManifest> parse_image_manifest(std::string_view text, const Limits& limits);
Result<ImageIndex> parse_image_index(std::string_view text, const Limits& limits);
// `created` before 1970, notably Go's zero time 0001-01-01T00:00:00Z, means "not set" and is
// absent.
Result<ImageConfig> parse_image_config(std::string_view text, const Limits& limits);
// Canonical JSON (compact, fixed member order) of a manifest we write.
std::string write_image_manifest(const ImageManifest& manifest);

// The entry for `want`, which may be an index again. An exact variant is preferred, then an entry
// without one; another variant is taken only when `want` names none. Entries with platform
// "unknown" (BuildKit attestations) never match. Without a match, an only entry that names no
// platform is taken. `not_found` names the platforms there are.
Result<Descriptor> select_platform(const ImageIndex& index, const Platform& want);
// The same with what to try next: indexes without a platform may hold an entry for `want`. Never
// empty: `not_found` as above.
Result<std::vector<Descriptor>> platform_candidates(const ImageIndex& index, const Platform& want);

// A resolved image whose manifest and config are verified against their digests.
struct Image {
  std::string name;  // as the user may read it: ImageRef::str()
  Descriptor manifest_descriptor;
  std::string manifest_text;  // the exact bytes behind manifest_descriptor.digest
  ImageManifest manifest;
  ImageConfig config;
  std::optional<Digest> index_digest;  // when it was chosen from an index
};

}  // namespace cloister::oci
