// What a person sees while layers move: a bar per layer on a terminal, plain lines otherwise.
#pragma once

#include <memory>
#include <string_view>

#include "base/progress.h"

namespace cloister::cmd {

enum class ProgressMode { none, plain, tty };

class ProgressDisplay : public Progress {
 public:
  // A line for the person, above the bars.
  virtual void say(std::string_view line) = 0;
};

// Writes to stderr.
std::unique_ptr<ProgressDisplay> make_progress(ProgressMode mode);

}  // namespace cloister::cmd
