#include "base/sha384.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace cloister {
namespace {

// OpenSSL 3 looks an algorithm up by name on every use unless it was fetched once.
const EVP_MD* md_sha384() {
  static EVP_MD* md = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  return md;
}

// As in digest.cc: a digest that silently stayed empty would be a lie.
void require_sha384(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

struct Sha384::Impl {
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(ctx); }
};

Sha384::Sha384() : impl_(std::make_unique<Impl>()) {
  require_sha384(impl_->ctx != nullptr &&
                 EVP_DigestInit_ex2(impl_->ctx, md_sha384(), nullptr) == 1);
}
Sha384::~Sha384() = default;
Sha384::Sha384(Sha384&&) noexcept = default;
Sha384& Sha384::operator=(Sha384&&) noexcept = default;

void Sha384::update(ByteView bytes) {
  require_sha384(EVP_DigestUpdate(impl_->ctx, bytes.data(), bytes.size()) == 1);
}

Digest384 Sha384::finish() {
  Digest384 digest{};
  unsigned size = 0;
  require_sha384(EVP_DigestFinal_ex(impl_->ctx, raw(digest.data()), &size) == 1 &&
                 size == digest.size());
  require_sha384(EVP_DigestInit_ex2(impl_->ctx, md_sha384(), nullptr) == 1);
  return digest;
}

Digest384 sha384(ByteView bytes) {
  Sha384 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace cloister
