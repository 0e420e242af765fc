#include "manifest-gen/runtimes/python/configuration.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest::python {
namespace {

// More than any distribution has; a file from outside decides.
constexpr std::size_t kMaxItems = 1U << 18;

}  // namespace

VirtualEnvironment parse_pyvenv(std::string_view text) {
  VirtualEnvironment out;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key = lower_ascii(trim(line.substr(0, equals)));
    const std::string_view value = trim(line.substr(equals + 1));
    if (key == "home") out.home = value;
    if (key == "include-system-site-packages") out.system_site = iequals_ascii(value, "true");
    if (key == "version" || key == "version_info") out.version = value;
  }
  return out;
}

PthFile parse_pth(std::string_view text) {
  PthFile out;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::string_view line : split(text, '\n')) {
    if (line.starts_with('#') || trim(line).empty()) continue;
    if (line.starts_with("import ") || line.starts_with("import\t")) {
      out.code += cat(line, "\n");
      continue;
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
      line.remove_suffix(1);
    if (line.find('\0') == std::string_view::npos && out.paths.size() < kMaxItems)
      out.paths.emplace_back(line);
  }
  return out;
}

std::vector<std::string> parse_record(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    std::string path;
    if (line.starts_with('"')) {
      // CSV: a doubled quote stands for one.
      for (std::size_t i = 1; i < line.size(); ++i) {
        if (line[i] == '"' && (++i == line.size() || line[i] != '"')) break;
        path += line[i];
      }
    } else {
      path = line.substr(0, line.find(','));
    }
    if (!path.empty() && out.size() < kMaxItems) out.push_back(std::move(path));
  }
  return out;
}

std::vector<EntryPoint> parse_entry_points(std::string_view text) {
  std::vector<EntryPoint> out;
  std::string group;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      group = trim(line.substr(1, line.find(']') - 1));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view module = line.substr(equals + 1);
    module = trim(module.substr(0, module.find_first_of(":[")));
    if (!module.empty() && out.size() < kMaxItems)
      out.push_back({group, std::string(trim(line.substr(0, equals))), std::string(module)});
  }
  return out;
}

std::vector<std::string> parse_editable_finder(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find_first_of("'\"", at)) != std::string_view::npos;) {
    const char quote = text[at];
    const std::size_t end = text.find_first_of("'\"\n", at + 1);
    if (end == std::string_view::npos) break;
    const std::string_view value = text.substr(at + 1, end - at - 1);
    at = end + 1;
    if (text[end] != quote || !value.starts_with('/')) continue;
    std::string parent(value.substr(0, value.rfind('/')));
    if (!parent.empty() && std::find(out.begin(), out.end(), parent) == out.end() &&
        out.size() < 256)
      out.push_back(std::move(parent));
  }
  return out;
}

}  // namespace cloister::manifest::python
