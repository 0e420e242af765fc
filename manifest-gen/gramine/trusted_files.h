// sgx.trusted_files: one entry per path, sorted, with the reason for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/toml.h"
#include "manifest-gen/closure/closure.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

struct TrustedFile {
  Digest sha256;
  std::uint64_t size = 0;
  std::string reason;
};

// By URI ("file:/usr/bin/env").
using TrustedFiles = std::map<std::string, TrustedFile>;

// Of each member, the first edge that leads to it: "needed: NEEDED libssl.so.3
// (/usr/bin/redis-server)".
std::vector<std::string> member_reasons(const Closure& closure);

// Every path of every member. `unsupported` for a path that a manifest cannot express.
Result<TrustedFiles> trusted_files(const Closure& closure);

// Adds the entries of an overlay (an array of strings or {uri, sha256} tables): files and
// directories ("file:/dir/") are hashed from the image; a given hash must be the image's. `invalid`
// otherwise.
Status add_overlay_files(TrustedFiles& files, const TomlValue& entries,
                         const measure::Rootfs& rootfs);

// The final form the loader wants: { uri = …, sha256 = … }.
TomlArray to_toml(const TrustedFiles& files);

}  // namespace cloister::manifest
