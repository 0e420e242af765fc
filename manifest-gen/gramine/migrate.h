// Manifests of earlier versions of Gramine in today's syntax: keys that were renamed or removed
// from 1.0 to 1.9 (keys.cc lists them).
#pragma once

#include <string>
#include <vector>

#include "base/toml.h"

namespace cloister::manifest {

struct Migration {
  TomlTable manifest;
  std::vector<std::string> done;  // one line per key: what became of it
};

// What has no successor is dropped, and said; a key that stands beside its successor is, too.
// Values keep their meaning: encrypted files keep the key they had.
Migration migrate_manifest(const TomlTable& manifest);

}  // namespace cloister::manifest
