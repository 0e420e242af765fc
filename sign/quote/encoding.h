// Quotes and reports come as they are, or as text: tools and documents pass them on in hex or
// base64.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::sign {

// The bytes of a quote or report of which `file` is
//   raw     anything that has a byte which is no printable ASCII and no white space: a quote begins
//           with its version, a number below 10 and a zero, so that no raw one is text;
//   hex     digits of either case, white space anywhere, perhaps "0x" in front;
//   base64  either alphabet (RFC 4648 §4, §5), white space anywhere, padding optional.
// Text that could be both hex and base64 is what then begins with a version (2 to 5) and a zero;
// when both do or neither does, hex. `corrupt` for other text and for nothing, `limit` for more
// than limits.quote_bytes.
Result<Bytes> decode_evidence(ByteView file, const Limits& limits);

}  // namespace cloister::sign
