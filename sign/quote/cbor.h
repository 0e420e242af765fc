// CBOR (RFC 8949) from a stranger, one head at a time: libcbor's stream decoder, which allocates
// nothing; its tree loader would allocate what a head of nine bytes declares. And CBOR written,
// with every head as short as can be (4.2.1).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::sign {

enum class CborKind : std::uint8_t {
  failed,  // truncated, malformed, of indefinite length, or past the end
  uint,
  negative,
  bytes,
  text,
  array,
  map,
  tag,
  other,  // false, true, null, undefined, floating point
};

struct CborHead {
  CborKind kind = CborKind::failed;
  std::uint64_t number = 0;  // a number, how many items or pairs follow, or which tag
  ByteView bytes;            // contents of a byte or text string
};

// The items of an array or the pairs of a map that are still to come.
struct CborItems {
  std::uint64_t left = 0;
  bool until_break = false;  // of indefinite length
};

// Definite lengths only, but for begin(). After the first failure every read fails, as in
// ByteReader.
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : bytes_(bytes) {}

  CborHead next();
  // An item that must be of that kind; for array, map and tag `number` must be as given.
  CborHead expect(CborKind kind);
  void expect(CborKind kind, std::uint64_t number);
  // An array or a map, whose items or pairs follow one by one: while (more(items)) …
  CborItems begin(CborKind kind);
  bool more(CborItems& items);
  // One item with everything in it: no recursion, and in time of its bytes, whatever it declares.
  void skip();
  void fail() { ok_ = false; }

  bool ok() const { return ok_; }
  std::uint64_t offset() const { return offset_; }
  // ok and at the end, or `corrupt`: "`what` is truncated or malformed at byte N".
  Status finish(std::string_view what) const;

 private:
  ByteView bytes_;
  std::uint64_t offset_ = 0;
  bool ok_ = true;
};

// Appends items; who opens an array or a map appends what is in it. Appending never fails.
class CborWriter {
 public:
  void uint(std::uint64_t value);
  void negative(std::uint64_t value);  // -1 - value, as in CborHead
  void bytes(ByteView value);
  void text(std::string_view value);
  void array(std::uint64_t items);
  void map(std::uint64_t pairs);
  // An array of numbers, as Rust's serde writes a vector of bytes.
  void numbers(ByteView value);
  Bytes take() { return std::move(out_); }

 private:
  using Encode = std::size_t (*)(std::uint64_t, unsigned char*, std::size_t);
  void head(Encode encode, std::uint64_t value);
  Bytes out_;
};

}  // namespace cloister::sign
