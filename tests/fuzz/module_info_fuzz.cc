// Any bytes as what a kernel package holds: a kernel module, or the header of a kernel.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "manifest-gen/guest/kernel.h"
#include "measure/elf/module_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView file = std::as_bytes(std::span(data, size));
  const Limits limits;
  if (const auto info = measure::elf::read_module_info(file, limits); info.has_value())
    if (info->name.empty() || info->name.size() > limits.elf_string_bytes ||
        info->depends.size() > limits.kernel_modules)
      std::abort();
  if (const auto version = manifest::kernel_version(file); version.has_value())
    if (version->empty() || version->find('\0') != std::string::npos) std::abort();
  return 0;
}
