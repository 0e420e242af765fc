// The RSA part of SIGSTRUCT (Intel SDM vol. 3D, 37.14): signature S over signing_data() with
// modulus N and exponent 3, and two quotients that spare the processor long divisions:
//   q1 = floor(S² / N)      q2 = floor((S² mod N) · S / N)
// All four are 384 bytes, little-endian; OpenSSL hands the signature out big-endian.
//
// Trap: everything here comes from a file when checking: N may be zero, even or short.
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "base/text.h"
#include "sign/openssl.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::sign {
namespace {

using Number = std::array<std::byte, 384>;
constexpr int kModulusBits = 3072;

const unsigned char* raw(const std::byte* p) {
  return static_cast<const unsigned char*>(static_cast<const void*>(p));
}
unsigned char* raw(std::byte* p) {
  return static_cast<unsigned char*>(static_cast<void*>(p));
}

BnPtr number(const Number& bytes) {
  return BnPtr(BN_lebin2bn(raw(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}
bool store(const BIGNUM* value, Number& out) {
  return BN_bn2lebinpad(value, raw(out.data()), static_cast<int>(out.size())) ==
         static_cast<int>(out.size());
}

struct Quotients {
  Number q1{}, q2{};
};

// REQUIRES: 0 < N, S < N: then both quotients are below N and fit.
Result<Quotients> quotients(const Number& signature, const Number& modulus) {
  const BnContextPtr context(BN_CTX_new());
  const BnPtr s = number(signature), n = number(modulus), q(BN_new()), r(BN_new()), t(BN_new());
  Quotients out;
  if (!context || !s || !n || !q || !r || !t ||  //
      BN_sqr(t.get(), s.get(), context.get()) != 1 ||
      BN_div(q.get(), r.get(), t.get(), n.get(), context.get()) != 1 || !store(q.get(), out.q1) ||
      BN_mul(t.get(), r.get(), s.get(), context.get()) != 1 ||
      BN_div(q.get(), nullptr, t.get(), n.get(), context.get()) != 1 || !store(q.get(), out.q2))
    return Error::internal("computing q1 and q2 failed").detail(openssl_reason());
  return out;
}

PkeyPtr public_key(const BIGNUM* modulus, std::uint32_t exponent) {
  const OpensslPtr<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  const BnPtr e(BN_new());
  if (!build || !e || BN_set_word(e.get(), exponent) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  const OpensslPtr<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(build.get()));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return PkeyPtr(key);
}

bool signature_holds(const Sigstruct& sigstruct, EVP_PKEY* key) {
  Number big_endian = sigstruct.signature;
  std::reverse(big_endian.begin(), big_endian.end());
  const Bytes data = signing_data(sigstruct);
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* rsa = nullptr;  // owned by `context`
  const bool ok =
      context &&
      EVP_DigestVerifyInit_ex(context.get(), &rsa, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
      EVP_DigestVerify(context.get(), raw(big_endian.data()), big_endian.size(), raw(data.data()),
                       data.size()) == 1;
  (void)openssl_reason();  // a failed check leaves errors behind
  return ok;
}

}  // namespace

Status check_sigstruct(const Sigstruct& sigstruct) {
  if (sigstruct.exponent != 3)
    return Error::policy(cat("SIGSTRUCT has public exponent ", sigstruct.exponent, ", want 3"));
  const BnPtr n = number(sigstruct.modulus), s = number(sigstruct.signature);
  if (!n || !s) return Error::internal("out of memory");
  if (BN_num_bits(n.get()) != kModulusBits || BN_is_odd(n.get()) != 1)
    return Error::policy("SIGSTRUCT's modulus is not an RSA modulus of 3072 bits")
        .detail(BN_is_zero(n.get()) == 1 ? "it is zero: the SIGSTRUCT was never signed"
                                         : cat("got ", BN_num_bits(n.get()), " bits"));
  if (BN_cmp(s.get(), n.get()) >= 0)
    return Error::policy("SIGSTRUCT's signature is not below its modulus");
  const PkeyPtr key = public_key(n.get(), sigstruct.exponent);
  if (!key) return Error::policy("SIGSTRUCT's modulus is no RSA key").detail(openssl_reason());
  if (!signature_holds(sigstruct, key.get()))
    return Error::policy("SIGSTRUCT's signature does not match its content")
        .detail(cat("checked with the key inside, MRSIGNER ", sigstruct.mrsigner().hex()));
  CL_TRY(const Quotients want, quotients(sigstruct.signature, sigstruct.modulus));
  if (want.q1 != sigstruct.q1) return Error::policy("SIGSTRUCT's q1 is wrong");
  if (want.q2 != sigstruct.q2) return Error::policy("SIGSTRUCT's q2 is wrong");
  return {};
}

Status sign_sigstruct(Sigstruct& sigstruct, const SgxKey& key) {
  Sigstruct out = sigstruct;
  const Bytes modulus = key.modulus_le();
  std::copy(modulus.begin(), modulus.end(), out.modulus.begin());
  out.exponent = 3;
  CL_TRY(const Bytes signature, key.sign(signing_data(out)));
  std::copy(signature.rbegin(), signature.rend(), out.signature.begin());
  CL_TRY(const Quotients q, quotients(out.signature, out.modulus));
  out.q1 = q.q1;
  out.q2 = q.q2;
  // A key whose private half does not fit its public half would sign, wrongly; worse, a faulty
  // CRT signature gives the key away.
  auto checked = check_sigstruct(out);
  if (!checked.has_value())
    return Error::invalid("the key signs wrongly; its parts do not belong together")
        .detail(checked.error().what());
  sigstruct = out;
  return {};
}

}  // namespace cloister::sign
