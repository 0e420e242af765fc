// cloister.toml: a file that holds any option, so that a build is reviewed and repeated from
// version control. It is read when -f names it and never because it lies about: a file that came
// with an image or a checkout must not decide what is granted.
//
//   platform = "linux/amd64"        # for every command that has the option
//   [build]                         # for one command; [cache.prune] for one of its commands
//   image = "redis:7"               # an argument, by its name in lower case
//   trust = "closure"               # an option, by its long name without dashes
//   volume = ["/data=encrypted"]    # a repeatable one takes a list
//   push = true                     # a flag
//
// Nearer beats farther: a command's own table, then tables above it, then the top of the file.
// What the command line or a variable of the environment gives takes the place of what stands here,
// lists as a whole. Relative paths are relative to the working directory, as on the command line.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "cmd/manual/description.h"

namespace cloister::cmd {

// What the file says about one option or argument.
struct Setting {
  std::string key;  // OptionText::key()
  bool argument = false;
  std::vector<std::string> words;  // as they would be typed
};

// Settings for the command at `path` ("cache", "ls"), arguments last and in their order. The whole
// file is checked, whichever command asks; everything wrong with it is `usage`, with the line.
// `what` names the file in errors. REQUIRES: `path` leads from `program` to a command.
Result<std::vector<Setting>> read_settings(std::string_view text, const CommandText& program,
                                           const std::vector<std::string>& path,
                                           const Limits& limits, std::string_view what);

}  // namespace cloister::cmd
