// Any text as a guest document, by both readers: what a verifier accepts is written in no other
// way, and the first process understands the same.
#include <cstdint>
#include <cstdlib>

#include "tests/manifest-gen/guest/init/same_guest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloister;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  struct guest guest {};
  const bool taken = test::read_guest_text(text, &guest);
  const auto document = manifest::parse_guest_document(text, Limits());
  if (document.has_value() && (manifest::encode_guest_document(*document) != text || !taken ||
                               !test::same_guest(guest, *document)))
    std::abort();
  forget_guests();
  return 0;
}
