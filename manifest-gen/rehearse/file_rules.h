// What Gramine lets a program do with a path, by a manifest: decided by the path as the program
// spells it, before any symbolic link is followed.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/toml.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

// Where a path leads.
enum class Place {
  trusted,    // sgx.trusted_files, compared with its hash
  allowed,    // sgx.allowed_files: the host's, unprotected
  ungranted,  // of the image, in neither
  tmpfs,      // memory of the enclave
  encrypted,  // an encrypted mount
  pseudo,     // /proc, /dev or /sys, as Gramine makes them
  nowhere,    // below those three, and Gramine does not make it
};
std::string_view place_name(Place place);

class FileRules {
 public:
  // `manifest` in the form that Gramine loads. What it cannot read it takes as absent (values.h).
  explicit FileRules(const TomlTable& manifest);

  // REQUIRES: `path` is absolute and lexically normal.
  Place place(std::string_view path) const;
  // Whether a use is let through: `type` is what the path leads to, `unknown` when nothing is
  // there; of a directory that is to be made, `directory`.
  bool permits(std::string_view path, FileUse use, ObservedType type) const;

  // Also let through, as trusted, wherever it lies: a file of this base name, which stands in for
  // one of the runtime.
  void stand_in(std::string base_name) { stand_ins_.insert(std::move(base_name)); }
  bool stands_in(std::string_view path) const;
  const std::vector<Mount>& mounts() const { return mounts_; }
  // All that is let through, by its path on the host: files, and directories for what is below.
  std::vector<std::string> listed_on_host() const;

 private:
  std::vector<Mount> mounts_;
  std::set<std::string, std::less<>> trusted_, stand_ins_;  // paths on the host; base names
  std::vector<std::string> trusted_directories_, allowed_;  // each with all below it
  bool allow_unknown_ = false;  // sgx.file_check_policy = "allow_all_but_log"
};

// Whether Gramine 1.9 makes this path below /proc, /dev or /sys; nothing when it is elsewhere.
std::optional<bool> pseudo_file(std::string_view path);

// Whether Gramine 1.9 implements a system call: wholly, in part, or not at all.
enum class Implemented { fully, partly, no };
Implemented implemented_by_gramine(std::string_view system_call);

}  // namespace cloister::manifest
