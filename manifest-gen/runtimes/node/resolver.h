// Which files a module name stands for: the algorithms of Node.js' documentation ("Modules:
// CommonJS modules", "All together"; "Modules: ECMAScript modules", "Resolution algorithm").
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "manifest-gen/runtimes/node/package_json.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest::node {

struct Package {
  std::string directory;  // as it was reached
  PackageJson json;
};

struct Resolution {
  std::vector<std::string> files;  // real paths, as Node.js opens modules; several for a pattern
  std::vector<std::string> manifests;  // package.json files read on the way, as spelled
  bool builtin = false;
};

class Resolver {
 public:
  enum class Kind { require, import };
  struct Options {
    std::vector<std::string> global_directories;  // searched after every node_modules
    std::vector<std::string> conditions;          // of the user (--conditions)
  };
  Resolver(const measure::Rootfs& rootfs, const Limits& limits, Options options);

  // `name` as a module in `directory` (a real path) names it; a name that ends in '*' stands for
  // everything that begins so. Names that only one of the two algorithms understands are resolved
  // all the same: transpiled code has either.
  Resolution resolve(std::string_view name, const std::string& directory, Kind kind);

  // The package.json that says what the files in `directory` are; null when there is none.
  const Package* scope(const std::string& directory);
  // The package.json of exactly this directory.
  const Package* package(const std::string& directory);

  // Where the package of a module begins. Empty when no package is known.
  std::string package_root(const std::string& file);
  // In a node_modules directory or a global one: no file of the application.
  bool is_installed(std::string_view path) const;

  // Files that require() can load below a directory, real paths; nested node_modules left out.
  std::vector<std::string> loadable_below(const std::string& directory,
                                          std::string_view beginning = {}) const;

 private:
  struct Want {
    std::vector<std::string> conditions;
    bool pattern = false;
  };
  bool add_file(const std::string& path, Resolution& out) const;
  bool as_file(const std::string& path, Resolution& out) const;
  bool as_directory(const std::string& path, Resolution& out);
  bool as_path(const std::string& path, bool directory_only, Resolution& out);
  void as_pattern(const std::string& beginning, Resolution& out);
  bool from_package(const std::string& directory, std::string_view subpath, const Want& want,
                    Resolution& out);
  void bare(std::string_view name, const std::string& directory, const Want& want, Resolution& out);
  void mapped(std::string_view name, const std::string& directory, const Want& want,
              Resolution& out);
  std::vector<std::string> module_directories(const std::string& directory) const;
  void note_manifest(const std::string& directory, Resolution& out);

  const measure::Rootfs& rootfs_;
  const Limits& limits_;
  Options options_;
  std::map<std::string, std::optional<Package>, std::less<>> packages_;
};

bool is_builtin_module(std::string_view name);

}  // namespace cloister::manifest::node
