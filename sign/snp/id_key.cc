#include "sign/snp/id_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "sign/ecdsa.h"
#include "sign/openssl.h"

namespace cloister::sign {
namespace {

constexpr std::size_t kNumberSize = 48;  // bytes
constexpr const char* kIdKeyHint = "cloister keygen snp -o id.pem makes a suitable key";

Status require_p384(const EVP_PKEY* key, std::string_view what) {
  char group[64] = {};
  std::size_t size = 0;
  const bool curve = EVP_PKEY_is_a(key, "EC") == 1 &&
                     EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1;
  const std::string_view name(group, curve ? size : 0);
  if (name == "secp384r1" || name == "P-384") return {};
  const char* type = EVP_PKEY_get0_type_name(key);
  return Error::invalid(cat("key ", what, " cannot sign an ID block"))
      .detail(cat("got ", type == nullptr ? "another type" : type, curve ? " on " : "",
                  printable(name), ", want EC on P-384"))
      .hint(kIdKeyHint);
}

P384Pair to_pair(const Bytes& bytes) {
  P384Pair out{};
  std::copy_n(bytes.begin(), out.size(), out.begin());
  return out;
}

void store_coordinate(const EVP_PKEY* key, const char* name, std::byte* to) {
  BIGNUM* value = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key, name, &value) == 1;
  const BnPtr owned(value);
  constexpr int kSize = static_cast<int>(kNumberSize);
  // require_p384 has seen the curve: it fits, and nothing here can fail but memory.
  if (!known || BN_bn2binpad(owned.get(), raw(to), kSize) != kSize) std::abort();
}

}  // namespace

struct SnpIdKey::Impl {
  PkeyPtr key;  // of an external one the public half
  std::optional<ExternalKey> external;

  Result<Bytes> sign_der(ByteView data) const;
};

Result<Bytes> SnpIdKey::Impl::sign_der(ByteView data) const {
  if (external) return external->sign(data);
  const DigestContextPtr context(EVP_MD_CTX_new());
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, "SHA384", nullptr, nullptr, key.get(),
                            nullptr) != 1 ||
      EVP_DigestSign(context.get(), raw(out.data()), &size, raw(data.data()), data.size()) != 1)
    return Error::invalid("the key cannot sign; it may be damaged")
        .detail(openssl_reason())
        .hint(kIdKeyHint);
  out.resize(size);
  return out;
}

SnpIdKey::SnpIdKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SnpIdKey::SnpIdKey(SnpIdKey&&) noexcept = default;
SnpIdKey& SnpIdKey::operator=(SnpIdKey&&) noexcept = default;
SnpIdKey::~SnpIdKey() = default;

Result<SnpIdKey> SnpIdKey::from_pem(ByteView pem, const PassphraseSource& passphrase,
                                    std::string_view what) {
  CL_TRY(PkeyPtr key, read_private_pem(pem, passphrase, what, kIdKeyHint));
  CL_CHECK(require_p384(key.get(), what));
  return SnpIdKey(std::make_unique<Impl>(Impl{std::move(key), std::nullopt}));
}

Result<SnpIdKey> SnpIdKey::external(ExternalKey key) {
  CL_TRY(PkeyPtr half, read_public_pem(as_bytes(key.public_pem), key.name));
  CL_CHECK(require_p384(half.get(), key.name));
  return SnpIdKey(std::make_unique<Impl>(Impl{std::move(half), std::move(key)}));
}

Result<SnpIdKey> SnpIdKey::generate() {
  PkeyPtr key(EVP_EC_gen("P-384"));
  if (!key) return openssl_failure("generating a key");
  return SnpIdKey(std::make_unique<Impl>(Impl{std::move(key), std::nullopt}));
}

P384Pair SnpIdKey::point() const {
  P384Pair out{};
  store_coordinate(impl_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X, out.data());
  store_coordinate(impl_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, out.data() + kNumberSize);
  return out;
}

Result<P384Pair> SnpIdKey::sign(ByteView data) const {
  CL_TRY(const Bytes der, impl_->sign_der(data));
  if (const auto numbers = ecdsa_pair(der, kNumberSize)) {
    const P384Pair signature = to_pair(*numbers);
    if (verify_p384(point(), data, signature)) return signature;
  }
  if (!impl_->external)
    return Error::invalid("the key signs wrongly; its parts do not belong together")
        .hint(kIdKeyHint);
  return Error::invalid(cat("the signature by ", impl_->external->name, " does not verify"))
      .detail(cat("as ECDSA with SHA-384 in DER, over the ", data.size(), " bytes of the ID block"))
      .hint(
          "do the public key and the one that signed belong together, and is it over what this "
          "launch's --emit-signing-data gives?");
}

Result<Secret> SnpIdKey::to_pem(const std::optional<Secret>& passphrase) const {
  return write_private_pem(impl_->key.get(), passphrase);
}

Result<std::string> SnpIdKey::public_pem() const {
  return write_public_pem(impl_->key.get());
}

bool verify_p384(const P384Pair& point, ByteView data, const P384Pair& signature) {
  const PkeyPtr key = ec_public_key("P-384", point);
  return key && verify_ecdsa_pair(key.get(), data, signature, "SHA384");
}

}  // namespace cloister::sign
