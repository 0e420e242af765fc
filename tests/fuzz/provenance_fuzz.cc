// How an image says it was built: a label, written by whoever made the image.
#include <cstdint>
#include <cstdlib>

#include "cmd/build_record.h"
#include "sign/image/rebuild.h"

using namespace cloister;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)sign::parse_rebuild(text, Limits());
  const auto record = cmd::parse_build_record(text, Limits());
  if (!record.has_value()) return 0;
  // What was read is written so that it is read again, as the same.
  const std::string again = cmd::encode_build_record(*record);
  const auto back = cmd::parse_build_record(again, Limits());
  if (!back.has_value() || cmd::encode_build_record(*back) != again) std::abort();
  return 0;
}
