// Reports of `rehearse` that are read again: `audit --rehearsal`.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::cmd {

struct RehearsalFiles {
  manifest::ObservedRun run;         // what all of them saw, together
  std::vector<std::string> files;    // as they were named
  std::vector<std::string> digests;  // of the images that were run, each once
};

// A file that is no report of a rehearsal is `corrupt`.
Result<RehearsalFiles> read_rehearsals(const std::vector<std::string>& files, const Limits& limits);

}  // namespace cloister::cmd
