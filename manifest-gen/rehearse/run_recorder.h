// Adds to an ObservedRun, and no more than a run may hold: who is watched may be hostile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "manifest-gen/rehearse/observed_run.h"

namespace cloister::manifest {

class RunRecorder {
 public:
  // Both must outlive it.
  RunRecorder(ObservedRun& run, const Limits& limits) : run_(run), limits_(limits) {}

  // The entry of a path, made with `spelled` when it is new. `text_bytes`: of what else it will
  // keep. Null when the run holds as many as it may.
  PathUse* path(const std::string& path, const std::string& spelled, std::size_t text_bytes);
  void add_program(PathUse& use, const std::string& program) const;
  // Null for an empty name, and when there are too many.
  ProcessPeaks* program(const std::string& name);
  void count_call(CallKey key);
  void count_unimplemented(const std::string& call);
  void count_socket(SocketUse socket);
  void note(std::string_view text);  // once
  // What was done so far is none of the run's doing; notes stay.
  void forget();

 private:
  ObservedRun& run_;
  const Limits& limits_;
  std::uint64_t path_bytes_ = 0;
};

}  // namespace cloister::manifest
