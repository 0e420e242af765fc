// "type control module arguments", where control is a word or "[value=action …]"; "include" and
// "substack" name a service, and so does Debian's "@include name".
#include "manifest-gen/closure/pam_services.h"

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string_view next_word(std::string_view& line) {
  line = trim(line);
  std::size_t end = line.find_first_of(" \t");
  if (line.starts_with('[')) {
    const std::size_t close = line.find(']');
    end = close == std::string_view::npos ? line.size() : close + 1;
  }
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

}  // namespace

PamService parse_pam_service(std::string_view text) {
  PamService out;
  for (std::string_view line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::string_view type = next_word(line);
    if (type.empty()) continue;
    const std::string_view control = next_word(line);
    if (type == "@include") {
      if (is_file_name(control)) out.includes.emplace_back(control);
      continue;
    }
    const std::string_view module = next_word(line);
    if (control == "include" || control == "substack") {
      if (is_file_name(module)) out.includes.emplace_back(module);
    } else if (module.starts_with('/') || is_file_name(module)) {
      out.modules.emplace_back(module);
    }
  }
  return out;
}

}  // namespace cloister::manifest
