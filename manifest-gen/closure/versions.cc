// Version names are free text; by convention PREFIX_N.N.N. Names without numbers (GLIBC_PRIVATE)
// order before all numbers.
#include "manifest-gen/closure/versions.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string_view prefix(std::string_view version) {
  const std::size_t at = version.rfind('_');
  return at == std::string_view::npos ? std::string_view() : version.substr(0, at + 1);
}

std::vector<std::uint64_t> numbers(std::string_view version) {
  std::vector<std::uint64_t> out;
  for (const std::string_view part : split(version.substr(prefix(version).size()), '.')) {
    const auto number = parse_u64(part);
    if (!number) return {};
    out.push_back(*number);
  }
  return out;
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
  const auto x = numbers(a), y = numbers(b);
  if (x == y) return 0;
  return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end()) ? -1 : 1;
}

bool defines(const measure::elf::Facts& library, std::string_view version) {
  const auto& have = library.version_definitions;
  return std::find(have.begin(), have.end(), version) != have.end();
}

std::string offers(const measure::elf::Facts& library, std::string_view version) {
  std::string_view best;
  for (const std::string& have : library.version_definitions)
    if (prefix(have) == prefix(version) && !numbers(have).empty() &&
        (best.empty() || compare_versions(have, best) > 0))
      best = have;
  if (best.empty()) return cat("defines no version like ", printable(version));
  return cat("offers ", printable(best), " at most");
}

}  // namespace cloister::manifest
