// The process's surroundings, read once in main(): libraries get what they need as values.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace cloister::cmd {

struct Environment {
  std::map<std::string, std::string> variables;
  bool stdin_tty = false, stdout_tty = false, stderr_tty = false;
  unsigned columns = 80;
  Seconds now{};  // when the program was started
  unsigned user_id = 0;
  const std::atomic<bool>* interrupted = nullptr;

  // Set and not empty, else nothing (as the XDG base directory specification treats them).
  std::optional<std::string> get(std::string_view name) const;
  // $XDG_CACHE_HOME/cloister, $XDG_STATE_HOME/cloister, by the specification's defaults.
  std::string cache_directory() const;
  std::string state_directory() const;
};

// Of the terminal on stderr or stdout as it is now; 80 when there is none.
unsigned terminal_columns();

// Reads environ and the terminal, and installs the SIGINT handler: the first one asks the program
// to stop, a second one kills it.
Environment read_environment();

}  // namespace cloister::cmd
