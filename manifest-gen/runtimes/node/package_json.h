// package.json as Node.js reads it: where a package begins, and which file a name in it stands for.
// Node.js documentation: "Modules: Packages".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::manifest::node {

// Fields of a wrong type are passed over, as Node.js does.
class PackageJson {
 public:
  std::string name, main, type;
  bool has_exports = false;
  std::vector<std::string> dependencies;  // of dependencies, optionalDependencies, peerDependencies
  std::vector<std::pair<std::string, std::string>> scripts;

  // What "exports" maps a subpath ("." or "./x") to, best first: paths relative to the package that
  // begin with "./". `conditions` are those in force beside "default". Nested conditions give
  // every alternative that is in force; of several the first whose file exists is used.
  std::vector<std::string> exports(std::string_view subpath,
                                   const std::vector<std::string>& conditions) const;
  // What "imports" maps "#x" to: as above, or names of other packages.
  std::vector<std::string> imports(std::string_view key,
                                   const std::vector<std::string>& conditions) const;

  // `corrupt` when it is no JSON object.
  static Result<PackageJson> parse(std::string_view text, const Limits& limits);

 private:
  std::shared_ptr<const OrderedJson> document_;
};

}  // namespace cloister::manifest::node
