// What an enclave of AWS Nitro would say of itself, under a root of our own, for nitro.sh:
// nitro_document PCR0 PCR1 PCR2 NONCE DOCUMENT ROOT; registers in hex, the last two are files.
#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "tests/sign/nitro/nitro_pki.h"

namespace cloister::sign {
namespace {

Status write_document(char** words) {
  NitroDocumentParts parts;
  for (std::uint8_t number = 0; number < 3; ++number) {
    const auto bytes = unhex(words[number]);
    Digest384& to = parts.pcrs[number];
    if (!bytes || bytes->size() != to.size())
      return Error::usage(cat(quote(words[number]), " is no register"));
    std::copy(bytes->begin(), bytes->end(), to.begin());
  }
  parts.nonce = to_bytes(words[3]);
  CL_CHECK(write_file_atomic(words[4], encode_nitro_document(parts)));
  return write_file_atomic(words[5], nitro_test_root().der());
}

}  // namespace
}  // namespace cloister::sign

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const cloister::Status written = cloister::sign::write_document(argv + 1);
  if (written.has_value()) return 0;
  std::fprintf(stderr, "%s\n", written.error().what().c_str());
  return 1;
}
