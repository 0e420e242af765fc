// The table of languages.
#include "measure/source/source.h"

#include "measure/source/jar.h"
#include "measure/source/javascript.h"
#include "measure/source/perl.h"

namespace cloister::measure::source {
namespace {

constexpr Scanner kScanners[] = {
    {Language::javascript, is_javascript, scan_javascript},
    {Language::jar, is_jar, scan_jar},
    {Language::perl, is_perl, scan_perl},
};

}  // namespace

std::span<const Scanner> scanners() {
  return kScanners;
}

const Scanner* scanner_for(std::string_view path, std::string_view shebang) {
  for (const Scanner& scanner : scanners())
    if (scanner.wants(path, shebang)) return &scanner;
  return nullptr;
}

}  // namespace cloister::measure::source
