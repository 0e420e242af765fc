#include "base/sha384.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace cloister {
namespace {

// Fetched once: OpenSSL 3 looks an algorithm up by name on every use otherwise.
const EVP_MD* md_sha384() {
  static EVP_MD* md = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  return md;
}

// A measurement that silently stayed empty would be a lie.
void require_hashed(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

struct Sha384::Impl {
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(ctx); }
};

Sha384::Sha384() : impl_(std::make_unique<Impl>()) {
  require_hashed(impl_->ctx != nullptr &&
                 EVP_DigestInit_ex2(impl_->ctx, md_sha384(), nullptr) == 1);
}
Sha384::~Sha384() = default;
Sha384::Sha384(Sha384&&) noexcept = default;
Sha384& Sha384::operator=(Sha384&&) noexcept = default;

void Sha384::update(ByteView bytes) {
  require_hashed(EVP_DigestUpdate(impl_->ctx, bytes.data(), bytes.size()) == 1);
}

Sha384Digest Sha384::finish() {
  Sha384Digest out{};
  unsigned size = 0;
  require_hashed(EVP_DigestFinal_ex(impl_->ctx, raw(out.data()), &size) == 1 && size == out.size());
  require_hashed(EVP_DigestInit_ex2(impl_->ctx, md_sha384(), nullptr) == 1);
  return out;
}

Sha384Digest sha384(ByteView bytes) {
  Sha384 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace cloister
