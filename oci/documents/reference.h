// Image references with Docker's rules, and the transports of cloister's image arguments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace cloister::oci {

// A repository on a registry, with a tag, a digest, or both (then the digest decides).
// Grammar: github.com/distribution/reference; defaults as Docker's: `redis` is
// docker.io/library/redis:latest, and the first component is a registry only if it holds a dot or
// a colon, or is "localhost". Upper case in a repository path is an error.
struct RegistryRef {
  std::string registry;    // "docker.io", "localhost:5000", "[::1]:5000"
  std::string repository;  // "library/redis"
  std::string
      tag;  // "latest" by default when there is no digest; empty when only a digest was given
  std::optional<Digest> digest;

  // "docker.io/library/redis:7", "…@sha256:…", "…:7@sha256:…".
  std::string str() const;
  // "docker.io/library/redis".
  std::string name() const { return registry + "/" + repository; }
  // What a manifest request names: the digest if there is one, else the tag.
  std::string reference() const { return digest ? digest->str() : tag; }
};

enum class Transport { registry, layout, archive, docker_archive, docker_daemon };

// An image argument: "redis:7", "docker://…", "oci:DIR[:tag|@digest]", "oci-archive:FILE[:tag]",
// "docker-archive:FILE[:REF|:@N]", "docker-daemon:REF|ID".
struct ImageRef {
  Transport transport = Transport::registry;
  RegistryRef registry;  // Transport::registry only
  // Layout directory or archive file; the name or id to ask the daemon for ("redis:7").
  std::string path;
  // layout, archive: org.opencontainers.image.ref.name; docker_archive: a full reference
  // ("docker.io/library/redis:7") or a position ("@0"). May be empty.
  std::string tag;
  std::optional<Digest> digest;  // not for Transport::registry (there it is in `registry`)

  std::string str() const;  // as a user would write it
};

// "oci-archive:" and the like; "" for a registry.
std::string_view transport_prefix(Transport transport);

Result<RegistryRef> parse_registry_ref(std::string_view text);
// A transport that cloister does not have ("ostree:…") is `usage` and says which exist.
Result<ImageRef> parse_image_ref(std::string_view text);

}  // namespace cloister::oci
