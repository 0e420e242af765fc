// Trap: an action in brackets may hold blanks: "[ NOTFOUND = return ]".
#include "manifest-gen/closure/nsswitch.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {
namespace {

// The name becomes part of a file name.
bool is_service(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string without_actions(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const char c : text) {
    if (c == '[') inside = true;
    out += inside || c == '\t' || c == '\r' ? ' ' : c;
    if (c == ']') inside = false;
  }
  return out;
}

}  // namespace

std::map<std::string, std::vector<std::string>, std::less<>> parse_nsswitch(std::string_view text) {
  std::map<std::string, std::vector<std::string>, std::less<>> out;
  for (std::string_view line : split(text, '\n')) {
    line = line.substr(0, line.find('#'));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view database = trim(line.substr(0, colon));
    if (!is_service(database)) continue;
    std::vector<std::string> services;
    const std::string rest = without_actions(line.substr(colon + 1));
    for (const std::string_view word : split(rest, ' '))
      if (is_service(word)) services.emplace_back(word);
    out.insert_or_assign(std::string(database), std::move(services));
  }
  return out;
}

}  // namespace cloister::manifest
