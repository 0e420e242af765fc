// What is learnt from one file's content while it streams by: digest, shebang, ELF facts, the names
// that program text imports, and whether it goes into the content pack.
#pragma once

#include <array>

#include "base/digest.h"
#include "measure/index/capture.h"
#include "measure/index/key_mark.h"
#include "measure/index/layer_index.h"

namespace cloister::measure {

// For each regular file: begin, piece…, end. Reused from file to file. Not thread-safe.
class ContentScan {
 public:
  ContentScan(LayerIndex& index, const Limits& limits) : index_(index), limits_(limits) {}

  // `entry` has all but what the content tells; it must stay in place until end().
  void begin(Entry& entry);
  Status piece(ByteView bytes);
  Status end();

 private:
  // The kernel reads 256 bytes to find an interpreter: "#!", 253 of text, and a line end or NUL.
  static constexpr std::size_t kHead = 258;

  void decide();
  Status keep(ByteView content);
  void pack(ByteView content);

  LayerIndex& index_;
  const Limits& limits_;
  Entry* entry_ = nullptr;
  const source::Scanner* scanner_ = nullptr;  // of the language, when it is program text
  Sha256 hasher_;
  std::array<std::byte, kHead> head_{};
  std::size_t head_size_ = 0;
  std::uint64_t seen_ = 0;
  bool decided_ = false, elf_ = false, capturing_ = false, kept_ = false;
  Capture capture_;
  KeyMark key_mark_;
  std::uint64_t packed_ = 0;  // bytes in the pack
};

}  // namespace cloister::measure
