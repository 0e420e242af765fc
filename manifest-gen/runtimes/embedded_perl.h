// Perl inside a server (Apache's mod_perl, nginx's perl module): what directives of the server's
// configuration let it load.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "manifest-gen/closure/root.h"
#include "manifest-gen/runtimes/config_scan.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

class EmbeddedPerl {
 public:
  explicit EmbeddedPerl(const measure::Rootfs& rootfs) : rootfs_(rootfs) {}

  void directive(const ConfigDirective& directive);
  // Starts of perl that open what the server's interpreter will: it has one for all modules and
  // programs, with the directories that each adds. Programs are also what is `served` whole.
  std::vector<ClosureRoot> starts(const std::vector<ClosureRoot>& served);

 private:
  const measure::source::Facts* facts_of(const std::string& path) const;

  const measure::Rootfs& rootfs_;
  std::set<std::string> modules_, programs_;  // "-MName"; paths
  std::string from_;                          // a directive that asks for them
};

}  // namespace cloister::manifest
