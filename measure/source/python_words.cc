#include "measure/source/python_words.h"

#include <algorithm>
#include <iterator>

namespace cloister::measure::source {
namespace {

constexpr std::string_view kFileEndings[] = {
    "py",  "pyc", "pyi", "txt", "json", "html", "htm",  "xml", "csv", "yml", "yaml", "cfg", "ini",
    "md",  "rst", "log", "gz",  "zip",  "so",   "c",    "h",   "cpp", "pyx", "pxd",  "com", "org",
    "net", "png", "jpg", "svg", "css",  "js",   "toml", "sh",  "pem", "exe", "dll",  "dat", "conf"};

constexpr std::string_view kZoneAreas[] = {"Africa/", "America/",  "Antarctica/", "Arctic/",
                                           "Asia/",   "Atlantic/", "Australia/",  "Brazil/",
                                           "Canada/", "Chile/",    "Etc/",        "Europe/",
                                           "Indian/", "Mexico/",   "Pacific/",    "US/"};

}  // namespace

bool looks_like_zone(std::string_view s) {
  if (s.size() > 40 || s.find('/') == std::string_view::npos) return false;
  for (const char c : s)
    if (!is_python_word(c) && c != '/' && c != '-' && c != '+') return false;
  return std::any_of(std::begin(kZoneAreas), std::end(kZoneAreas), [&](std::string_view area) {
    return s.size() > area.size() && s.starts_with(area);
  });
}

bool looks_like_path(std::string_view s) {
  if (s.size() < 5 || s.size() > kMaxName || s.front() != '/') return false;
  if (s.find('/', 1) == std::string_view::npos || s[1] == '/') return false;
  return std::all_of(s.begin(), s.end(), [](char c) {
    return is_python_word(c) || c == '/' || c == '.' || c == '-' || c == '+' || c == '_';
  });
}

Shape shape_of(std::string_view s) {
  if (s.size() < 2 || s.size() > kMaxName) return Shape::none;
  bool begin = true, dotted = false, colon = false;
  std::size_t last_dot = std::string_view::npos;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '.' || c == ':') {
      if (begin || (c == ':' && colon)) return Shape::none;
      colon = colon || c == ':';
      dotted = true;
      begin = true;
      last_dot = i;
    } else if (class_of(c) == kWord || (!begin && class_of(c) == kDigit)) {
      begin = false;
    } else {
      return Shape::none;
    }
  }
  if (begin) return Shape::none;
  if (!dotted) return Shape::loose;
  const std::string_view ending = s.substr(last_dot + 1);
  if (!colon &&
      std::find(std::begin(kFileEndings), std::end(kFileEndings), ending) != std::end(kFileEndings))
    return Shape::none;
  return Shape::dotted;
}

}  // namespace cloister::measure::source
