#include "manifest-gen/runtimes/commands.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/shell_scan.h"
#include "manifest-gen/launch/program_search.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {

std::vector<std::string> programs_run_by(std::string_view command, const AnalyzerScene& scene) {
  constexpr std::string_view kShell = "/bin/sh";
  std::vector<std::string> out;
  const auto add = [&](std::string path) {
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  };
  for (const Invocation& invocation : scan_shell(cat(command, "\n")).invocations) {
    ProgramSearch found = find_program(scene.rootfs, invocation.words.front(),
                                       scene.env("PATH", kDefaultPath), scene.launch.workdir);
    if (!found.found.empty()) add(std::move(found.found));
  }
  // Libraries hand lines with blanks in them to the shell, and single words too when told so.
  if (!out.empty() && trim(command).find_first_of(" \t|&;<>") != std::string_view::npos &&
      is_file(scene.rootfs, std::string(kShell)))
    add(std::string(kShell));
  return out;
}

}  // namespace cloister::manifest
