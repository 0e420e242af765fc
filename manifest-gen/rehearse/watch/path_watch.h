// What a call that names a file means, and what became of it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"
#include "manifest-gen/rehearse/file_rules.h"
#include "manifest-gen/rehearse/run_recorder.h"
#include "manifest-gen/rehearse/watch/path_calls.h"
#include "manifest-gen/rehearse/watch/process_table.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// The six of a call.
using CallArguments = std::array<std::uint64_t, 6>;
// What a call answers: an errno that it fails with; 0: let it go on; kDone: success, without being
// made.
using CallAnswer = int;
inline constexpr CallAnswer kDone = -1;

class PathWatch {
 public:
  // `root`: descriptor of the root directory as the programs see it, what is mounted there
  // included.
  PathWatch(int root, const FileRules& rules, const measure::Rootfs& rootfs, bool learning,
            RunRecorder& recorder)
      : root_(root), rules_(rules), rootfs_(rootfs), learning_(learning), recorder_(recorder) {}

  CallAnswer decide(const PathCall& call, const CallArguments& arguments, pid_t thread,
                    WatchedProcess& process);
  // The real path that the last execve leads to, when it was let through; else empty.
  const std::string& executed() const { return executed_; }

 private:
  struct Target {
    std::string path;     // absolute, lexically normal
    std::string spelled;  // where that is something else
    std::string real;
    ObservedType type = ObservedType::unknown;
    Place place = Place::ungranted;
  };
  std::optional<Target> target_of(const PathArgument& argument, const CallArguments& arguments,
                                  pid_t thread, const WatchedProcess& process, bool follow) const;
  Target target_at(std::string path, bool follow) const;
  CallAnswer decide_open(const Target& target, std::uint64_t flags, WatchedProcess& process);
  CallAnswer decide_execution(const Target& target, WatchedProcess& process);
  // Notes the use and answers it. `type` as FileRules::permits wants it.
  CallAnswer use(const Target& target, FileUse use, ObservedType type,
                 const WatchedProcess& process);
  Fd open_in_root(const std::string& path, int flags) const;
  std::string shebang_of(const std::string& real) const;

  int root_;
  const FileRules& rules_;
  const measure::Rootfs& rootfs_;
  bool learning_;
  RunRecorder& recorder_;
  std::string executed_;
};

}  // namespace cloister::manifest
