// The data is compiled in, so that a malformed file is a fault of the program: a test loads it.
#include "manifest-gen/audit/advisories.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/limits.h"
#include "base/text.h"
#include "base/toml.h"
#include "templates/embedded.h"

namespace cloister::manifest {
namespace {

Result<std::string> text(const TomlTable& table, std::string_view key) {
  const TomlValue* value = table.find(key);
  if (value == nullptr || value->string() == nullptr || value->string()->empty())
    return Error::invalid(cat("an advisory lacks the text ", quote(key)));
  return *value->string();
}

std::vector<std::uint64_t> version_numbers(std::string_view version) {
  std::vector<std::uint64_t> out;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (;;) {
    std::uint64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return out;
    out.push_back(value);
    if (next == end || *next != '.') return out;
    at = next + 1;
  }
}

}  // namespace

Result<std::vector<Advisory>> load_advisories() {
  std::vector<Advisory> out;
  for (const templates::File& file : templates::files()) {
    if (file.name != "advisories.toml") continue;
    CL_TRY(const TomlTable table, parse_toml(file.text, Limits{}, file.name));
    const TomlValue* list = table.find("advisory");
    if (list == nullptr || list->array() == nullptr)
      return Error::invalid("advisories.toml has no [[advisory]]");
    for (const TomlValue& item : *list->array()) {
      if (item.table() == nullptr) return Error::invalid("an advisory is no table");
      Advisory advisory;
      CL_TRY(advisory.id, text(*item.table(), "id"));
      CL_TRY(advisory.runtime, text(*item.table(), "runtime"));
      CL_TRY(advisory.before, text(*item.table(), "before"));
      CL_TRY(advisory.date, text(*item.table(), "date"));
      CL_TRY(advisory.summary, text(*item.table(), "summary"));
      CL_TRY(advisory.fix, text(*item.table(), "fix"));
      CL_TRY(advisory.source, text(*item.table(), "source"));
      CL_TRY(const std::string name, text(*item.table(), "severity"));
      const auto severity = parse_severity(name);
      if (!severity) return Error::invalid(cat(quote(name), " is no severity"));
      advisory.severity = *severity;
      out.push_back(std::move(advisory));
    }
  }
  return out;
}

Result<std::vector<Advisory>> advisories_for(std::string_view runtime, std::string_view version) {
  CL_TRY(std::vector<Advisory> all, load_advisories());
  std::erase_if(all, [&](const Advisory& advisory) {
    return advisory.runtime != runtime || !is_before(version, advisory.before);
  });
  return all;
}

bool is_before(std::string_view version, std::string_view before) {
  std::vector<std::uint64_t> a = version_numbers(version), b = version_numbers(before);
  if (a.empty()) return false;
  const std::size_t size = std::max(a.size(), b.size());
  a.resize(size);
  b.resize(size);
  return a < b;
}

}  // namespace cloister::manifest
