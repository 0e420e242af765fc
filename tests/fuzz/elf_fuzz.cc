// Any bytes as an ELF file: facts and segments come out as values or errors, and what can be loaded
// into little memory can be measured.
#include <cstddef>
#include <cstdint>

#include "measure/elf/facts.h"
#include "measure/sgx/enclave.h"

namespace {

constexpr std::uint64_t kLittle = 1 << 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView file = std::as_bytes(std::span(data, size));
  const Limits limits;
  const auto facts = measure::elf::read_facts(file, limits);
  if (facts.has_value() && !measure::elf::looks_like_elf(file)) __builtin_trap();
  const auto image = measure::elf::read_load_segments(file, limits);
  if (!image.has_value()) return 0;
  std::uint64_t memory = 0;
  for (const auto& segment : image->segments) {
    if (segment.memory_size > kLittle) return 0;
    memory += segment.memory_size + 8192;
  }
  if (memory > 4 * kLittle) return 0;
  measure::sgx::EnclaveParams params;
  params.max_threads = 1;
  params.edmm = true;
  (void)measure::sgx::measure_enclave(file, {}, params, {}, limits);
  return 0;
}
