// One row per program: which of its options take the next word as their value, and how many words
// stand before the program. Options with the value attached ("-n10", "--signal=TERM") need no row.
#include "manifest-gen/launch/wrapper.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/launch/shebang.h"

namespace cloister::manifest {
namespace {

struct Wrapper {
  std::string_view name;
  std::string_view value_options;  // separated by blanks
  std::size_t operands;            // before the program
};

constexpr std::array kWrappers = {
    Wrapper{"env", "-u --unset -C --chdir", 0},
    Wrapper{"tini", "-p -e", 0},
    Wrapper{"tini-static", "-p -e", 0},
    Wrapper{"dumb-init", "-r --rewrite", 0},
    Wrapper{"catatonit", "-P", 0},
    Wrapper{"gosu", "", 1},
    Wrapper{"su-exec", "", 1},
    Wrapper{"setpriv",
            "--reuid --regid --ruid --rgid --euid --egid --groups --inh-caps --ambient-caps "
            "--bounding-set --securebits --pdeathsig",
            0},
    Wrapper{"nohup", "", 0},
    Wrapper{"nice", "-n --adjustment", 0},
    Wrapper{"ionice", "-c -n --class --classdata", 0},
    Wrapper{"chrt", "-T -P -D", 1},
    Wrapper{"taskset", "", 1},
    Wrapper{"stdbuf", "-i -o -e --input --output --error", 0},
    Wrapper{"timeout", "-s -k --signal --kill-after", 1},
    Wrapper{"setsid", "", 0},
    Wrapper{"chroot", "", 1},
    Wrapper{"sudo", "-u -g -h -p -C -D", 0},
    Wrapper{"xargs", "-I -n -L -P -s -d -E -a", 0},
    Wrapper{"time", "-f -o", 0},
    Wrapper{"catchsegv", "", 0},
    Wrapper{"runuser", "-u -g -G", 0},
    Wrapper{"chpst", "-u -U -e -n -l -L -m -d -o -p -f -c -t -/", 0},
    Wrapper{"s6-setuidgid", "", 1},
    Wrapper{"s6-exec", "", 0},
    Wrapper{"faketime", "", 1},
    Wrapper{"unshare", "", 0},
    Wrapper{"flock", "-w -E", 1},
};

bool option_takes_value(const Wrapper& wrapper, std::string_view option) {
  for (const std::string_view known : split(wrapper.value_options, ' '))
    if (!known.empty() && known == option) return true;
  return false;
}

const Wrapper* find_wrapper(std::string_view name) {
  return std::find_if(kWrappers.begin(), kWrappers.end(),
                      [&](const Wrapper& row) { return row.name == name; });
}

}  // namespace

bool is_wrapper(std::string_view base) {
  return find_wrapper(base) != kWrappers.end();
}

std::size_t wrapped_program(const std::vector<std::string>& argv) {
  if (argv.empty()) return 0;
  const std::string_view name = base_name(argv.front());
  const Wrapper* wrapper = find_wrapper(name);
  if (wrapper == kWrappers.end()) return argv.size();
  std::size_t at = 1, operands = wrapper->operands;
  bool options = true;
  while (at < argv.size()) {
    const std::string& word = argv[at];
    if (options && word == "--") {
      options = false;
      ++at;
    } else if (options && word.size() > 1 && word[0] == '-') {
      at += option_takes_value(*wrapper, word) ? 2 : 1;
    } else if ((name == "env" || name == "sudo") && word.find('=') != std::string::npos) {
      ++at;
    } else if (operands > 0) {
      --operands;
      ++at;
    } else {
      return at;
    }
  }
  return argv.size();
}

}  // namespace cloister::manifest
