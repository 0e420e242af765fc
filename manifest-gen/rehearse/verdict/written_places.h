// Where a program wrote, as mounts of an enclave: which directories to make writable, and how.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/rehearse/verdict/proposals.h"

namespace cloister::manifest {

// A path that something was made at, changed or removed.
struct WrittenPath {
  std::string path;                // as spelled: mounts go by that too
  bool made_directory = false;     // a directory that the program made
  bool changed_image = false;      // was there before, with contents that are read
  bool changed_directory = false;  // a directory that was there: its mode or owner
};

struct WritingInput {
  std::vector<WrittenPath> written;
  // Paths that must be seen as they are: granted or read files, the working directory. A mount over
  // one would hide it.
  std::set<std::string, std::less<>> visible;
  std::set<std::string> volumes;  // of the image: what is in there is meant to stay
};

struct WritingPlan {
  std::vector<Proposal> mounts;              // by path
  std::map<std::string, std::size_t> mount;  // of a written path: index in `mounts`
};

// For each path the nearest directory that hides nothing and is not one that every program shares
// (/etc, /usr): memory for what passes, encrypted for what is meant to stay (volumes, /var/lib,
// databases). Paths without such a directory have no mount; of a file that is made anew and meant
// to stay that file alone is mounted.
WritingPlan plan_writing(const WritingInput& input);

// Whether what is written there is meant to outlive the program.
bool meant_to_stay(std::string_view path, const std::set<std::string>& volumes);

}  // namespace cloister::manifest
