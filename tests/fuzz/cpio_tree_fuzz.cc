// Any bytes as an archive of a tree: every name stands once, after the directory that it lies in if
// that is listed, and pieces of the same bytes make the same tree.
#include <cstddef>
#include <cstdint>

#include "manifest-gen/guest/cpio_tree.h"
#include "tests/fuzz/trickle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const Limits limits;
  MemorySource whole(bytes);
  Trickle pieces(bytes);
  const auto tree = manifest::read_cpio_tree(whole, limits);
  const auto same = manifest::read_cpio_tree(pieces, limits);
  if (tree.has_value() != same.has_value()) __builtin_trap();
  if (!tree.has_value()) return 0;
  if (*tree != *same) __builtin_trap();
  for (const auto& [path, entry] : *tree) {
    if (path.empty() || path.front() == '/') __builtin_trap();
    if (entry.size > size || entry.link_target.size() > manifest::kMaxCpioName) __builtin_trap();
  }
  return 0;
}
