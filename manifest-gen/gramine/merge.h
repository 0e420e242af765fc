// Structural merging of manifest tables: templates under, overlays over.
#pragma once

#include "base/toml.h"

namespace cloister::manifest {

// Every value of `over` wins; tables are merged key by key. In "fs.mounts" elements with the same
// path are replaced, others appended; "sgx.allowed_files" is appended without repeats;
// "loader.env.NAME" is replaced whole (a value and a passthrough exclude each other).
// "sgx.trusted_files" is not touched: its entries need hashes, see generate.cc.
void merge_manifest(TomlTable& base, const TomlTable& over);

}  // namespace cloister::manifest
