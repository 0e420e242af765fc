// Owners of OpenSSL objects, and what OpenSSL says went wrong. For .cc files of this folder only.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace cloister::sign {

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using BnPtr = std::unique_ptr<BIGNUM, OpensslFree<BN_clear_free>>;
using BnContextPtr = std::unique_ptr<BN_CTX, OpensslFree<BN_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;

// The reason of the last error in this thread's queue, which is emptied; "" when there is none.
std::string openssl_reason();

}  // namespace cloister::sign
