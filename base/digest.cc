#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace cloister {
namespace {

// OpenSSL 3 looks an algorithm up by name on every use unless it was fetched once.
const EVP_MD* md_sha256() {
  static EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}

// A digest that silently stayed empty would be a lie; without SHA-256 nothing here makes sense.
void require(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

std::string Digest::hex() const {
  return cloister::hex(std::span<const std::byte>(bytes));
}
std::string Digest::str() const {
  return "sha256:" + hex();
}

Result<Digest> Digest::parse_hex(std::string_view text) {
  const bool lower =
      std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
  auto bytes = unhex(text);
  if (!bytes || bytes->size() != 32 || !lower)
    return Error::corrupt(cat("not a SHA-256 digest: ", quote(text.substr(0, 100))));
  Digest d;
  std::copy(bytes->begin(), bytes->end(), d.bytes.begin());
  return d;
}

Result<Digest> Digest::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (text.starts_with("sha512:") || text.starts_with("sha384:"))
    return Error::unsupported(
        cat("digest algorithm of ", quote(text.substr(0, 100)), " is not sha256"));
  if (!text.starts_with(kPrefix))
    return Error::corrupt(cat("not a digest: ", quote(text.substr(0, 100))))
        .hint("a digest is written sha256: followed by 64 lower-case hex digits");
  return parse_hex(text.substr(kPrefix.size()));
}

struct Sha256::Impl {
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  ~Impl() { EVP_MD_CTX_free(ctx); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  require(impl_->ctx != nullptr && EVP_DigestInit_ex2(impl_->ctx, md_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(impl_->ctx, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest d;
  unsigned size = 0;
  require(EVP_DigestFinal_ex(impl_->ctx, raw(d.bytes.data()), &size) == 1 &&
          size == d.bytes.size());
  require(EVP_DigestInit_ex2(impl_->ctx, md_sha256(), nullptr) == 1);
  return d;
}

Digest sha256(ByteView bytes) {
  Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

Digest hmac_sha256(ByteView key, ByteView message) {
  Digest d;
  std::size_t size = 0;
  require(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                    raw(message.data()), message.size(), raw(d.bytes.data()), d.bytes.size(),
                    &size) != nullptr &&
          size == d.bytes.size());
  return d;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<Bytes> random_bytes(std::size_t size) {
  Bytes out(size);
  if (RAND_bytes(raw(out.data()), static_cast<int>(size)) != 1)
    return Error::internal("the operating system gave no random bytes");
  return out;
}

}  // namespace cloister

std::size_t std::hash<cloister::Digest>::operator()(const cloister::Digest& d) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, d.bytes.data(), sizeof value);  // already uniformly distributed
  return value;
}
