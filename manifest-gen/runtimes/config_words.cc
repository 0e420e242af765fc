#include "manifest-gen/runtimes/config_words.h"

#include <algorithm>
#include <iterator>

#include "base/path.h"
#include "base/text.h"
#include "manifest-gen/closure/glob.h"

namespace cloister::manifest {
namespace {

constexpr std::string_view kConfigNames[] = {"*.conf", "*.cnf",  "*.cfg",  "*.ini",        "*.yml",
                                             "*.yaml", "*.toml", "*.json", "*.properties", "*.hcl"};

}  // namespace

bool is_config_name(std::string_view path) {
  return std::any_of(std::begin(kConfigNames), std::end(kConfigNames),
                     [&](std::string_view p) { return match_component(p, base_name(path)); });
}

bool is_config_path(std::string_view path) {
  return is_config_name(path) || is_within(path, "/etc") || is_within(path, "/usr/local/etc");
}

bool is_own_config(std::string_view path) {
  return is_config_name(path) || (is_config_path(path) && parent_directory(path) != "/etc");
}

std::string_view option_value(std::string_view word) {
  if (!word.starts_with('-')) return word;
  const std::size_t equals = word.find('=');
  return equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
}

bool is_include(std::string_view directive) {
  while (!directive.empty() && std::string_view("!@%.$").find(directive.front()) != directive.npos)
    directive.remove_prefix(1);
  static constexpr std::string_view kOthers[] = {"conf-dir", "conf-file", "conf_dir", "confdir"};
  return iequals_ascii(directive.substr(0, 7), "include") ||
         std::find(std::begin(kOthers), std::end(kOthers), directive) != std::end(kOthers);
}

bool looks_like_file(std::string_view word) {
  const std::size_t dot = word.rfind('.');
  if (word.find('/') != word.npos) return true;
  return dot != word.npos && dot + 1 < word.size() && dot > 0 &&
         word.find_first_not_of("0123456789.:") != word.npos;
}

}  // namespace cloister::manifest
