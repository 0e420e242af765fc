#include "sign/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>

namespace cloister::sign {
namespace {

struct EcdsaSignatureFree {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using EcdsaSignaturePtr = std::unique_ptr<ECDSA_SIG, EcdsaSignatureFree>;

Bytes der_of_signature(const ECDSA_SIG* signature) {
  const int size = i2d_ECDSA_SIG(signature, nullptr);
  Bytes out(static_cast<std::size_t>(std::max(size, 0)));
  unsigned char* to = raw(out.data());
  if (size > 0) i2d_ECDSA_SIG(signature, &to);
  return out;
}

}  // namespace

Bytes ecdsa_der(ByteView pair) {
  const auto half = pair.size() / 2;
  BnPtr r(BN_bin2bn(raw(pair.data()), static_cast<int>(half), nullptr));
  BnPtr s(BN_bin2bn(raw(pair.data() + half), static_cast<int>(pair.size() - half), nullptr));
  const EcdsaSignaturePtr signature(ECDSA_SIG_new());
  if (!signature || !r || !s) return {};
  ECDSA_SIG_set0(signature.get(), r.release(), s.release());
  return der_of_signature(signature.get());
}

std::optional<Bytes> ecdsa_pair(ByteView der, std::size_t number) {
  const unsigned char* at = raw(der.data());
  const EcdsaSignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  openssl_reason();
  if (!signature || at != raw(der.data()) + der.size()) return std::nullopt;
  Bytes out(2 * number);
  const int size = static_cast<int>(number);
  if (BN_is_negative(ECDSA_SIG_get0_r(signature.get())) != 0 ||
      BN_is_negative(ECDSA_SIG_get0_s(signature.get())) != 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw(out.data()), size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw(out.data() + number), size) != size)
    return std::nullopt;
  return out;
}

PkeyPtr ec_public_key(const char* curve, ByteView point) {
  Bytes octets{std::byte{4}};  // SEC 1: uncompressed
  octets.insert(octets.end(), point.begin(), point.end());
  const OpensslPtr<ossl_param_bld_st> build(OSSL_PARAM_BLD_new());
  if (!build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(),
                                       octets.size()) != 1)
    return nullptr;
  const OpensslPtr<ossl_param_st> parameters(OSSL_PARAM_BLD_to_param(build.get()));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  const bool good =
      parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  openssl_reason();
  return good ? PkeyPtr(key) : nullptr;
}

bool verify_ecdsa_pair(EVP_PKEY* key, ByteView message, ByteView pair, const char* digest) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
  const auto coordinate = static_cast<std::size_t>((EVP_PKEY_get_bits(key) + 7) / 8);
  if (pair.size() != 2 * coordinate) return false;
  const Bytes der = ecdsa_der(pair);
  const DigestContextPtr context(EVP_MD_CTX_new());
  const bool good = !der.empty() && context &&
                    EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key,
                                            nullptr) == 1 &&
                    EVP_DigestVerify(context.get(), raw(der.data()), der.size(),
                                     raw(message.data()), message.size()) == 1;
  openssl_reason();  // empties the queue
  return good;
}

}  // namespace cloister::sign
