#include "sign/quote/encoding.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace cloister::sign {
namespace {

bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without white space; nothing when there is a byte that text has not.
std::optional<std::string> squeezed(std::string_view file) {
  std::string out;
  for (const char c : file) {
    if (is_white(c)) continue;
    if (c <= 0x20 || c > 0x7e) return std::nullopt;
    out += c;
  }
  return out;
}

std::optional<Bytes> decode_hex_text(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return unhex(text);
}

std::optional<Bytes> decode_base64_text(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  return unbase64(text);
}

// As quotes (versions 3 to 5) and SEV-SNP reports (2 to 5) do.
bool begins_as_evidence(const Bytes& bytes) {
  return bytes.size() > 1 && bytes[0] >= std::byte{2} && bytes[0] <= std::byte{5} &&
         bytes[1] == std::byte{0};
}

}  // namespace

Result<Bytes> decode_evidence(ByteView file, const Limits& limits) {
  Bytes out;
  if (file.size() > 4 * limits.quote_bytes)
    return Error::limit(cat("a quote of ", file.size(), " bytes"))
        .detail(cat("want no more than ", limits.quote_bytes));
  const auto text = squeezed(as_text(file));
  if (!text) {
    out.assign(file.begin(), file.end());
  } else {
    auto from_hex = decode_hex_text(*text);
    auto from_base64 = decode_base64_text(*text);
    const bool both = from_hex && from_base64;
    if (both && begins_as_evidence(*from_base64) && !begins_as_evidence(*from_hex))
      from_hex.reset();
    if (!from_hex && !from_base64)
      return Error::corrupt("text that is neither hex nor base64").hint("is it a quote at all?");
    out = from_hex ? std::move(*from_hex) : std::move(*from_base64);
  }
  if (out.empty()) return Error::corrupt("a quote of no bytes");
  if (out.size() > limits.quote_bytes)
    return Error::limit(cat("a quote of ", out.size(), " bytes"))
        .detail(cat("want no more than ", limits.quote_bytes));
  return out;
}

}  // namespace cloister::sign
