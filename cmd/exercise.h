// The work that a program is given while it is watched: commands and HTTP requests from outside.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "cmd/session.h"

namespace cloister::cmd {

struct ExerciseOptions {
  std::vector<std::string> urls;      // each is asked for until it answers, then `requests` times
  std::vector<std::string> commands;  // for /bin/sh, one after the other
  std::uint64_t requests = 0;         // what was asked for; or what the commands do
  std::chrono::milliseconds duration{0};  // at least so long
  std::chrono::seconds patience{60};      // for the program to be ready
};

// Works on a thread of its own, since the program waits for us at each call.
class Exercise {
 public:
  // `ready` says whether the program takes connections; asked from that thread.
  Exercise(Session& session, ExerciseOptions options, std::function<bool()> ready);
  ~Exercise();
  Exercise(const Exercise&) = delete;
  Exercise& operator=(const Exercise&) = delete;

  bool finished() const { return finished_; }
  // REQUIRES: finished(). An error: the program did not do the work, or did it wrong.
  const Status& result() const { return result_; }
  std::uint64_t requests_done() const { return requests_done_; }
  // What the commands printed, for people; REQUIRES: finished().
  const std::string& output() const { return output_; }

 private:
  Status work();
  Status wait_until_ready();
  Status ask(const std::string& url);
  Status execute(const std::string& command);
  bool pause(std::chrono::milliseconds time) const;  // false: it is over

  Session& session_;
  ExerciseOptions options_;
  std::function<bool()> ready_;
  std::atomic<bool> stop_ = false, finished_ = false;
  std::atomic<std::uint64_t> requests_done_ = 0;
  CancelToken cancel_{&stop_};
  Status result_;
  std::string output_;
  std::thread thread_;
};

}  // namespace cloister::cmd
