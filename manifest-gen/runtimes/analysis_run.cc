#include "manifest-gen/runtimes/analysis_run.h"

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest {

std::string AnalysisRun::in_workdir(std::string_view path) const {
  return path_in(scene_.launch.workdir, path);
}

void AnalysisRun::grant(std::string path, Why why, std::string detail, std::string from) {
  if (!granted_.insert(path).second) return;
  ClosureRoot root;
  root.path_or_glob = std::move(path);
  root.why = why;
  root.detail = std::move(detail);
  root.optional = true;
  root.from = std::move(from);
  out_.roots.push_back(std::move(root));
}

void AnalysisRun::unknown(std::string what) {
  if (std::find(out_.unknown.begin(), out_.unknown.end(), what) == out_.unknown.end())
    out_.unknown.push_back(std::move(what));
}

void AnalysisRun::unknown_program() {
  unknown(
      "which program it runs is decided at run time; name it with --arg, or its files with "
      "--include");
}

void AnalysisRun::absent_program(std::string_view spelling) {
  unknown(cat("the program ", printable(spelling), " is not in the image"));
}

}  // namespace cloister::manifest
