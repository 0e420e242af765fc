// The result of a build, or of a dry run, for people and for programs (schema/build.schema.json).
#pragma once

#include <string>
#include <vector>

#include "cmd/pipeline.h"

namespace cloister::cmd {

struct BuildReport {
  const Plan& plan;
  const Built* built = nullptr;         // null for a dry run: what needs a key is null in JSON
  std::string digest;                   // of the built image manifest
  std::string name;                     // first -t, or empty
  std::vector<std::string> would_push;  // by a dry run: each -t with --push
};

std::string build_json(const BuildReport& report);
// A few lines: what was built, and what it may touch.
std::string build_summary(const BuildReport& report);
// One valid TOML document, the manifest with its reasons; everything else as comments.
std::string dry_run_text(const BuildReport& report);

}  // namespace cloister::cmd
