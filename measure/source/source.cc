// The table of languages.
#include "measure/source/source.h"

#include "measure/source/elf_scanners.h"
#include "measure/source/jar.h"
#include "measure/source/javascript.h"
#include "measure/source/perl.h"
#include "measure/source/php.h"
#include "measure/source/python.h"
#include "measure/source/python_archive.h"
#include "measure/source/r.h"
#include "measure/source/ruby.h"

namespace cloister::measure::source {
namespace {

constexpr Scanner kScanners[] = {
    {Language::javascript, is_javascript, scan_javascript},
    {Language::jar, is_jar, scan_jar},
    {Language::perl, is_perl, scan_perl},
    {Language::php, is_php, scan_php},
    {Language::python, is_python, scan_python},
    {Language::r, is_r, scan_r},
    {Language::ruby, is_ruby, scan_ruby},
};

// Of ELF files.
constexpr Scanner kElfScanners[] = {
    {Language::python, is_python_extension, scan_python_extension},
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

std::uint64_t scanned_bytes(std::string_view path, std::string_view shebang, const Limits& limits) {
  if (is_jar(path, shebang)) return kMaxJarBytes;
  // A zipapp may have any name, and then a "#!" line.
  const bool archive =
      is_python_archive_name(path) || (is_python(path, shebang) && !path.ends_with(".py"));
  return archive ? kMaxPythonArchiveBytes : limits.source_bytes;
}

const Scanner* elf_scanner_for(std::string_view path) {
  for (const Scanner& scanner : kElfScanners)
    if (scanner.wants(path, {})) return &scanner;
  return nullptr;
}

}  // namespace cloister::measure::source
