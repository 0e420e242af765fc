// The default section says "openssl_conf = S"; S says "providers = P" and "engines = E"; P and E
// list sections, one per module. A provider's section needs an "activate" other than "0" or "no".
//
// Trap: names before the first "[section]" belong to "default"; a section may be opened twice.
#include "manifest-gen/closure/openssl_config.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.h"

namespace cloister::manifest {
namespace {

using Section = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kBuiltIn[] = {"default", "base", "null"};

struct Config {
  std::map<std::string, Section, std::less<>> sections;

  std::string_view value(std::string_view section, std::string_view name) const {
    const auto at = sections.find(section);
    if (at == sections.end()) return {};
    const auto found = at->second.find(name);
    return found == at->second.end() ? std::string_view() : std::string_view(found->second);
  }
};

std::string_view unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.front() == text.back())
    text = text.substr(1, text.size() - 2);
  return text;
}

std::vector<std::string> modules(const Config& config, std::string_view list, bool engines) {
  std::vector<std::string> out;
  const auto section = config.sections.find(list);
  if (list.empty() || section == config.sections.end()) return out;
  for (const auto& [name, details] : section->second) {
    const std::string_view active = config.value(details, "activate");
    if (!engines && (active.empty() || active == "0" || active == "no" || active == "off"))
      continue;
    const std::string_view path = config.value(details, engines ? "dynamic_path" : "module");
    const std::string_view identity = config.value(details, engines ? "engine_id" : "identity");
    const std::string_view module = !path.empty() ? path : !identity.empty() ? identity : name;
    if (std::find(std::begin(kBuiltIn), std::end(kBuiltIn), module) == std::end(kBuiltIn))
      out.emplace_back(module);
  }
  return out;
}

}  // namespace

OpensslModules parse_openssl_config(std::string_view text) {
  Config config;
  OpensslModules out;
  std::string current = "default";
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    if (line.starts_with(".include")) {
      line.remove_prefix(std::string_view(".include").size());
      line = trim(line);
      if (line.starts_with('=')) line.remove_prefix(1);
      line = unquoted(line);
      if (!line.empty()) out.includes.emplace_back(line);
      continue;
    }
    if (line.starts_with('[')) {
      current = trim(line.substr(1, line.find(']') - 1));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    config.sections[current].insert_or_assign(std::string(trim(line.substr(0, equals))),
                                              std::string(unquoted(line.substr(equals + 1))));
  }
  const std::string_view main = config.value("default", "openssl_conf");
  out.providers = modules(config, config.value(main, "providers"), false);
  out.engines = modules(config, config.value(main, "engines"), true);
  return out;
}

}  // namespace cloister::manifest
