// A rehearsal: a planned enclave's program, run in a sandbox with what its manifest grants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/exercise.h"
#include "cmd/pipeline.h"
#include "cmd/port_forward.h"
#include "manifest-gen/rehearse/observed_run.h"
#include "manifest-gen/rehearse/sandbox/sandbox.h"

namespace cloister::cmd {

struct RehearsalOptions {
  bool learning = false, profile = false, host_network = false, until_exit = false;
  std::vector<PublishedPort> ports;
  ExerciseOptions exercise;
  manifest::SandboxLimits limits;
};

struct Rehearsal {
  manifest::ObservedRun run;
  // What went wrong with the work that it was given; nothing: it was done, or there was none.
  std::optional<std::string> work_problem;
};

// `cancelled` when interrupted, `unavailable` when this machine allows no sandbox.
Result<Rehearsal> rehearse(Session& session, const Plan& plan, const RehearsalOptions& options);

}  // namespace cloister::cmd
