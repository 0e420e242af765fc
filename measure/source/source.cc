// The table of languages.
#include "measure/source/source.h"

#include <array>

#include "measure/source/elf_scanners.h"
#include "measure/source/python.h"

namespace cloister::measure::source {
namespace {

constexpr std::array kScanners{
    Scanner{Language::python, is_python, scan_python},
};

// Of ELF files.
constexpr std::array kElfScanners{
    Scanner{Language::python, is_python_extension, scan_python_extension},
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

const Scanner* elf_scanner_for(std::string_view path) {
  for (const Scanner& scanner : kElfScanners)
    if (scanner.wants(path, {})) return &scanner;
  return nullptr;
}

}  // namespace cloister::measure::source
