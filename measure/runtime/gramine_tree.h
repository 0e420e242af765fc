// Gramine's own files: one directory `gramine` under the library directory of some prefix.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/runtime/runtime.h"

namespace cloister::measure {

// A directory that holds parts of Gramine. Absent parts are null or empty.
struct GramineTree {
  std::size_t source = 0;
  std::string directory;  // real path, "/" when the source is that directory itself
  const Node* loader = nullptr;
  const Node* libpal = nullptr;
  const Node* libsysdb = nullptr;
  const Node* direct_libpal = nullptr;
  std::map<std::string, const Node*> glibc, musl;  // by base name
  std::map<std::string, const Node*> attestation;  // by base name: see Runtime

  bool is_gramine() const { return libpal != nullptr && libsysdb != nullptr; }
  std::string at(std::string_view relative) const;  // "sgx/loader" → its absolute path
};

// Every such directory of a source, the most complete first, then in the order of the prefixes that
// packages use, then in byte order.
std::vector<GramineTree> find_gramine_trees(const Rootfs& rootfs, std::size_t source);

// The libraries of runtime/glibc or runtime/musl: shared objects that are files there or links
// within. Object files, archives and links to RA-TLS or mbedTLS libraries elsewhere are no part of
// a C library.
std::map<std::string, const Node*> shared_objects(const Rootfs& rootfs, std::string_view directory);

}  // namespace cloister::measure
