// What a guest runs, and what it may do: derived from the same launch, closure and kind as a
// Gramine manifest. Values; guest_document.h writes them for the guest's first process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/generate.h"
#include "manifest-gen/gramine/kinds.h"
#include "manifest-gen/launch/launch.h"
#include "measure/rootfs/rootfs.h"
#include "oci/documents/image.h"

namespace cloister::manifest {

// A directory that the guest may write to: a file system in its memory, which begins with what the
// image has there, and is lost when the guest ends.
struct GuestPlace {
  std::string path;  // absolute; a directory of the image, or one that is made
  std::uint32_t mode = 0755;
  std::uint32_t uid = 0, gid = 0;
  std::string reason;  // for people
};

struct GuestPlan {
  std::string program;            // absolute, as the program is executed
  std::vector<std::string> argv;  // argv[0] as the image has it
  std::vector<std::pair<std::string, std::string>> env;
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary
  std::string workdir, hostname;
  int stop_signal = 15;
  bool network = true;
  std::vector<std::string> ports;    // "6379/tcp": for who forwards to them
  std::vector<GuestPlace> writable;  // a place inside of another stands after it
  Seconds earliest{};                // the guest's clock is never before
};

struct GuestOptions {
  std::vector<Volume> volumes;  // of --volume
  bool network = true;
  Seconds created{};
};

// `unsupported` for a volume that is not tmpfs: a guest has no disk to keep it on; `invalid` for
// a writable place that is no directory below /, and for a StopSignal that is none.
Result<GuestPlan> plan_guest(const Launch& launch, const Closure& closure, const Kind& kind,
                             const oci::ExecutionConfig& config, const measure::Rootfs& rootfs,
                             const GuestOptions& options);

// The number of a signal by its name ("SIGTERM", "term", "SIGRTMIN+3") or number, as images write
// STOPSIGNAL and container runtimes read it; nothing for others.
std::optional<int> stop_signal_number(std::string_view text);

}  // namespace cloister::manifest
