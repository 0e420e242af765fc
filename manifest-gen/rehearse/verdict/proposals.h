// What a manifest should grant, or say otherwise, so that a program can do what it was seen to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

struct Proposal {
  enum class Kind { trusted_file, tmpfs, encrypted, allowed_file, value } kind = Kind::value;
  std::string key;     // dotted manifest key: "sgx.trusted_files", "fs.mounts", "sgx.enclave_size"
  std::string path;    // for files and mounts
  std::string value;   // for values, as TOML text ("\"512M\"", "32", "false")
  std::string reason;  // one line for people
  bool operator==(const Proposal&) const = default;
};
std::string_view proposal_kind_name(Proposal::Kind kind);  // "trusted-file", "tmpfs" …

// A proposal about a path, with the key that its kind goes under. REQUIRES: it is no value.
Proposal path_proposal(Proposal::Kind kind, std::string path, std::string reason);
Proposal value_proposal(std::string key, std::string value, std::string reason);

// Without an image: everything that was opened or written, as grants.
std::vector<Proposal> propose_from_log(const ObservedRun& run);

// Where the source of a Python byte code file is: "/a/__pycache__/m.cpython-311.pyc" → "/a/m.py",
// "/a/m.pyc" → "/a/m.py"; empty for other paths. Gramine reports no time stamps, so that byte code
// is never taken for valid and the source is read in its place.
std::string python_source_of(std::string_view path);

// Whether a link leads to the container's log: /dev/stdout, /proc/self/fd/1 and the like.
bool is_standard_stream(std::string_view real_path);

}  // namespace cloister::manifest
