// containers-registries.conf(5), version 2: where an image is really had from.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "oci/documents/reference.h"

namespace cloister::oci {

struct RegistryMirror {
  enum class Use { all, digest_only, tag_only };
  std::string location;  // host[:port][/namespace]
  bool insecure = false;
  Use use = Use::all;
};

// One [[registry]] table.
struct RegistryRule {
  std::string prefix;    // host[:port][/namespace…], or "*.domain"; `location` when not given
  std::string location;  // empty: as the prefix
  bool insecure = false;
  bool blocked = false;
  std::vector<RegistryMirror> mirrors;
  std::string file;  // that said so
};

// Other keys (search lists, short names) concern names that cloister resolves as Docker does, and
// are passed over. The format before version 2 is `unsupported`: passing over its block list would
// be wrong.
Result<std::vector<RegistryRule>> parse_registries_conf(std::string_view text, const Limits& limits,
                                                        std::string_view file);

struct RegistriesConfPaths {
  std::vector<std::string> files;        // the first that exists is read
  std::vector<std::string> directories;  // then every *.conf in these, in this order, by name
};

// $CONTAINERS_REGISTRIES_CONF alone where it is set; else ~/.config/containers/registries.conf or
// /etc/containers/registries.conf, and the registries.conf.d of /etc/containers and ~/.config.
RegistriesConfPaths registries_conf_paths(const std::map<std::string, std::string>& env);

// All of them as one list. A later rule takes the place of an earlier one of the same prefix.
Result<std::vector<RegistryRule>> read_registries_conf(const RegistriesConfPaths& paths,
                                                       const Limits& limits);

// The rule with the longest prefix that covers a repository, or null.
const RegistryRule* find_rule(const std::vector<RegistryRule>& rules, const RegistryRef& ref);

// One place to pull from.
struct PullSource {
  RegistryRef ref;  // rewritten; tag and digest as they were
  bool insecure = false;
};

// Mirrors in their order, then the place itself; `policy` when the rule blocks the repository. A
// push goes where its name says: no rule moves it, as in the containers tools, but `blocked` and
// `insecure` hold (push_source).
Result<std::vector<PullSource>> pull_sources(const std::vector<RegistryRule>& rules,
                                             const RegistryRef& ref);
Result<PullSource> push_source(const std::vector<RegistryRule>& rules, const RegistryRef& ref);

}  // namespace cloister::oci
