#include "manifest-gen/runtimes/analysis_run.h"

#include <algorithm>
#include <utility>
#include <vector>

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

void AnalysisRun::grant_time_zones(Why why, const std::string& detail, const std::string& from) {
  static constexpr std::string_view kZones = "/usr/share/zoneinfo";
  const measure::Node* zones = rootfs().find(kZones);
  if (zones == nullptr || !zones->is_directory()) return;
  grant(cat(kZones, "/*"), why, detail, from);
  for (const auto& [name, child] : zones->children)
    if (child->is_directory() && name != "posix" && name != "right")
      grant(cat(kZones, "/", name, "/**"), why, detail, from);
}

void AnalysisRun::grant_below(const std::string& directory, const Application& application,
                              const std::string& detail, const std::string& from) {
  if (!below_.insert(directory).second) return;
  const measure::Node* top = rootfs().find(directory);
  if (top == nullptr || !top->is_directory()) return;
  std::vector<std::pair<const measure::Node*, std::string>> work{{top, directory}};
  while (!work.empty()) {
    const auto at = std::move(work.back());
    work.pop_back();
    bool data = false;
    for (const auto& [name, child] : at.first->children) {
      std::string path = cat(at.second, "/", name);
      if (child->is_directory()) {
        if (application.enters(name)) work.emplace_back(child.get(), std::move(path));
        continue;
      }
      const Part part = application.part(name);
      if (part == Part::code && is_file(rootfs(), path)) {
        grant(path, application.why, detail, from);
        application.on_code(path);
      } else if (part != Part::none) {
        data = true;
      }
    }
    if (data) grant(cat(at.second, "/*"), application.why, detail, from);
  }
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

std::optional<std::size_t> AnalysisRun::find_script(const Option& option) {
  const std::vector<std::string>& argv = start_.argv;
  bool program = false;
  std::size_t i = 1;
  for (; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (word.size() < 2 || word.front() != '-') break;
    const Taken taken = option(word, i + 1 < argv.size() ? std::string_view(argv[i + 1]) : "");
    program = program || taken.program;
    if (taken.next) ++i;
  }
  if (program) return std::nullopt;
  if (i < argv.size()) return i;
  if (!start_.complete) unknown_program();
  return std::nullopt;
}

void AnalysisRun::absent_program(std::string_view spelling) {
  unknown(cat("the program ", printable(spelling), " is not in the image"));
}

}  // namespace cloister::manifest
