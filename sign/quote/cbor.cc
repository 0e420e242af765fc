#include "sign/quote/cbor.h"

#include <cbor.h>

#include "base/text.h"

namespace cloister::sign {
namespace {

CborHead& head_of(void* context) {
  return *static_cast<CborHead*>(context);
}
void set(void* context, CborKind kind, std::uint64_t number) {
  head_of(context) = {kind, number, {}};
}
template <class T, CborKind kind>
void on_number(void* context, T value) {
  set(context, kind, static_cast<std::uint64_t>(value));
}
template <CborKind kind>
void on_string(void* context, cbor_data data, std::size_t size) {
  head_of(context) = {kind, size, std::as_bytes(std::span(data, size))};
}
template <class T>
void on_other(void* context, T) {
  set(context, CborKind::other, 0);
}
void on_simple(void* context) {
  set(context, CborKind::other, 0);
}
void on_indefinite(void* context) {
  set(context, CborKind::failed, 0);
}

cbor_callbacks callbacks() {
  cbor_callbacks on = cbor_empty_callbacks;
  on.uint8 = on_number<std::uint8_t, CborKind::uint>;
  on.uint16 = on_number<std::uint16_t, CborKind::uint>;
  on.uint32 = on_number<std::uint32_t, CborKind::uint>;
  on.uint64 = on_number<std::uint64_t, CborKind::uint>;
  on.negint8 = on_number<std::uint8_t, CborKind::negative>;
  on.negint16 = on_number<std::uint16_t, CborKind::negative>;
  on.negint32 = on_number<std::uint32_t, CborKind::negative>;
  on.negint64 = on_number<std::uint64_t, CborKind::negative>;
  on.byte_string = on_string<CborKind::bytes>;
  on.string = on_string<CborKind::text>;
  on.array_start = on_number<std::uint64_t, CborKind::array>;
  on.map_start = on_number<std::uint64_t, CborKind::map>;
  on.tag = on_number<std::uint64_t, CborKind::tag>;
  on.float2 = on_other<float>;
  on.float4 = on_other<float>;
  on.float8 = on_other<double>;
  on.boolean = on_other<bool>;
  on.undefined = on.null = on_simple;
  on.byte_string_start = on.string_start = on_indefinite;
  on.indef_array_start = on.indef_map_start = on.indef_break = on_indefinite;
  return on;
}

}  // namespace

CborHead CborReader::next() {
  static const cbor_callbacks kCallbacks = callbacks();
  CborHead head;
  if (!ok_) return head;
  const ByteView rest = bytes_.subspan(offset_);
  const cbor_decoder_result read =
      cbor_stream_decode(raw(rest.data()), rest.size(), &kCallbacks, &head);
  if (read.status != CBOR_DECODER_FINISHED || head.kind == CborKind::failed) {
    fail();
    return {};
  }
  offset_ += read.read;
  return head;
}

CborHead CborReader::expect(CborKind kind) {
  const CborHead head = next();
  if (head.kind == kind) return head;
  fail();
  return {};
}

void CborReader::expect(CborKind kind, std::uint64_t number) {
  if (expect(kind).number != number) fail();
}

CborItems CborReader::begin(CborKind kind) {
  const std::byte indefinite{kind == CborKind::map ? std::uint8_t{0xbf} : std::uint8_t{0x9f}};
  if (ok_ && offset_ < bytes_.size() && bytes_[offset_] == indefinite) {
    ++offset_;
    return {0, true};
  }
  return {expect(kind).number, false};
}

bool CborReader::more(CborItems& items) {
  constexpr std::byte kBreak{0xff};
  if (!ok_) return false;
  if (!items.until_break) return items.left > 0 && items.left-- > 0;
  if (offset_ == bytes_.size() || bytes_[offset_] != kBreak) return true;
  ++offset_;
  return false;
}

void CborReader::skip() {
  // How many items are still to come. Each takes a byte at least, so that a larger number is a lie.
  for (std::uint64_t pending = 1; ok_ && pending > 0; --pending) {
    const CborHead head = next();
    const std::uint64_t left = bytes_.size() - offset_;
    if (head.kind == CborKind::tag) ++pending;
    if (head.kind != CborKind::array && head.kind != CborKind::map) continue;
    if (head.number > left) return fail();
    pending += head.kind == CborKind::map ? 2 * head.number : head.number;
    if (pending - 1 > left) return fail();
  }
}

Status CborReader::finish(std::string_view what) const {
  if (ok_ && offset_ == bytes_.size()) return {};
  return Error::corrupt(cat(what, " is truncated or malformed at byte ", offset_));
}

void CborWriter::head(Encode encode, std::uint64_t value) {
  unsigned char buffer[9];
  const std::size_t size = encode(value, buffer, sizeof buffer);
  const auto bytes = std::as_bytes(std::span(buffer, size));
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void CborWriter::uint(std::uint64_t value) {
  head(cbor_encode_uint, value);
}
void CborWriter::negative(std::uint64_t value) {
  head(cbor_encode_negint, value);
}
void CborWriter::bytes(ByteView value) {
  head(cbor_encode_bytestring_start, value.size());
  out_.insert(out_.end(), value.begin(), value.end());
}
void CborWriter::text(std::string_view value) {
  head(cbor_encode_string_start, value.size());
  const ByteView view = as_bytes(value);
  out_.insert(out_.end(), view.begin(), view.end());
}
void CborWriter::array(std::uint64_t items) {
  head(cbor_encode_array_start, items);
}
void CborWriter::map(std::uint64_t pairs) {
  head(cbor_encode_map_start, pairs);
}
void CborWriter::numbers(ByteView value) {
  array(value.size());
  for (const std::byte one : value) uint(static_cast<std::uint64_t>(one));
}

}  // namespace cloister::sign
