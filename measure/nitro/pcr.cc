#include "measure/nitro/pcr.h"

namespace cloister::measure::nitro {

Pcr extended(const Digest384& content) {
  const Digest384 initial{};
  Sha384 hasher;
  hasher.update(initial);
  hasher.update(content);
  return hasher.finish();
}

Pcr certificate_pcr(ByteView der) {
  return extended(sha384(der));
}

}  // namespace cloister::measure::nitro
