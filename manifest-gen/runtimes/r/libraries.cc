// R Installation and Administration, "Managing libraries"; ?Startup, ?.libPaths.
#include "manifest-gen/runtimes/r/libraries.h"

#include <algorithm>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/runtimes/paths.h"

namespace cloister::manifest::r {
namespace {

using measure::Node;

constexpr std::string_view kHomes[] = {"/usr/lib/R", "/usr/lib64/R", "/usr/local/lib/R",
                                       "/usr/local/lib64/R", "/opt/R/*/lib/R"};
// Below R_HOME comes R's own library.
constexpr std::string_view kTrees[] = {"/usr/local/lib/R/site-library",
                                       "/usr/local/lib64/R/site-library", "/usr/lib/R/site-library",
                                       "/usr/share/R/library", "/usr/local/lib/R/library"};
constexpr std::string_view kVariables[] = {"R_LIBS", "R_LIBS_SITE", "R_LIBS_USER"};
constexpr std::uint64_t kRenvironBytes = 64ULL << 10;
constexpr std::size_t kMaxTrees = 64;

bool is_home(const measure::Rootfs& rootfs, std::string_view directory) {
  return is_directory(rootfs, cat(directory, "/library/base"));
}

}  // namespace

std::vector<std::string> home_directories(const measure::Rootfs& rootfs,
                                          const std::string& program) {
  // HOME/bin/R, HOME/bin/Rscript, HOME/bin/exec/R; or …/bin/Rscript beside …/lib/R.
  const std::string above(parent_directory(parent_directory(program)));
  for (const std::string& home :
       {above, std::string(parent_directory(above)), cat(above, "/lib/R"), cat(above, "/lib64/R")})
    if (home != "/" && is_home(rootfs, home)) return {home};
  std::vector<std::string> out;
  for (const std::string_view pattern : kHomes)
    for (std::string& home : matching_directories(rootfs, pattern))
      if (is_home(rootfs, home)) out.push_back(std::move(home));
  return out;
}

void Libraries::add(std::string_view directory) {
  // R keeps the trees with their links resolved.
  const Node* node = rootfs_.find(directory);
  if (node == nullptr || !node->is_directory() || directories_.size() >= kMaxTrees) return;
  std::string real = node->path();
  if (std::find(directories_.begin(), directories_.end(), real) == directories_.end())
    directories_.push_back(std::move(real));
}

// "R_LIBS_SITE=${R_LIBS_SITE:-'/usr/local/lib/R/site-library:%S'}": whatever is an absolute path.
void Libraries::add_listed(std::string_view text) {
  static constexpr std::string_view kEnds = ":'\"} \t\r";
  for (std::size_t at = text.find('/'); at != std::string_view::npos; at = text.find('/', at)) {
    const std::size_t end = std::min(text.find_first_of(kEnds, at), text.size());
    add(measure::normalize_path(text.substr(at, end - at)));
    at = end;
  }
}

Status Libraries::add_defaults(const AnalyzerScene& scene, const std::vector<std::string>& homes) {
  for (const std::string_view variable : kVariables) add_listed(scene.env(variable));
  std::vector<std::string> files;
  for (const std::string_view variable : {"R_ENVIRON", "R_ENVIRON_USER"})
    if (const std::string_view file = scene.env(variable); !file.empty())
      files.push_back(path_in(scene.launch.workdir, file));
  files.push_back(path_in(scene.launch.workdir, ".Renviron"));
  files.push_back(path_in(scene.env("HOME", "/"), ".Renviron"));
  for (const std::string& home : homes) {
    files.push_back(cat(home, "/etc/Renviron.site"));
    files.push_back(cat(home, "/etc/Renviron"));
  }
  for (const std::string& file : files) {
    const Node* node = rootfs_.find(file);
    if (node == nullptr || !node->is_regular() || node->entry->size > kRenvironBytes) continue;
    auto bytes = rootfs_.read(*node, kRenvironBytes);
    if (!bytes) return std::move(bytes.error()).while_(cat("reading ", printable(file)));
    for (const std::string_view line : split(as_text(*bytes), '\n'))
      if (line.starts_with("R_LIBS")) add_listed(line);
  }
  const std::string_view workdir = scene.launch.workdir, user = scene.env("HOME", "/");
  for (const std::string& pattern :
       {path_in(workdir, "renv/library/R-*/*"), path_in(workdir, "renv/library/*/R-*/*"),
        path_in(workdir, "packrat/lib/*/*"), path_in(user, "R/*-library/*"),
        path_in(user, "R/*/*")})
    for (const std::string& directory : matching_directories(rootfs_, pattern)) add(directory);
  for (const std::string_view directory : kTrees) add(directory);
  for (const std::string& home : homes) {
    add(cat(home, "/site-library"));
    add(cat(home, "/library"));
  }
  return {};
}

std::vector<std::string> Libraries::find(std::string_view package) const {
  std::vector<std::string> out;
  for (const std::string& directory : directories_) {
    std::string path = cat(directory, "/", package);
    if (is_file(rootfs_, cat(path, "/DESCRIPTION"))) out.push_back(std::move(path));
  }
  return out;
}

}  // namespace cloister::manifest::r
