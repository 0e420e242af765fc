// Owners of OpenSSL objects, and what OpenSSL says went wrong. For the .cc files of this folder.
#pragma once

#include <memory>
#include <string>

// OpenSSL's types, without its headers.
struct bio_st;
struct bignum_st;
struct bignum_ctx;
struct evp_pkey_st;
struct evp_pkey_ctx_st;
struct evp_md_ctx_st;
struct pkcs8_priv_key_info_st;
struct X509_algor_st;
struct X509_sig_st;
struct ossl_param_st;
struct ossl_param_bld_st;

namespace cloister::sign {

struct OpensslDelete {
  void operator()(bio_st* object) const;
  void operator()(bignum_st* object) const;  // wiped: it may be half a key
  void operator()(bignum_ctx* object) const;
  void operator()(evp_pkey_st* object) const;
  void operator()(evp_pkey_ctx_st* object) const;
  void operator()(evp_md_ctx_st* object) const;
  void operator()(pkcs8_priv_key_info_st* object) const;
  void operator()(X509_algor_st* object) const;
  void operator()(X509_sig_st* object) const;
  void operator()(ossl_param_st* object) const;
  void operator()(ossl_param_bld_st* object) const;
};
template <class T>
using OpensslPtr = std::unique_ptr<T, OpensslDelete>;

using BioPtr = OpensslPtr<bio_st>;
using BnPtr = OpensslPtr<bignum_st>;
using BnContextPtr = OpensslPtr<bignum_ctx>;
using PkeyPtr = OpensslPtr<evp_pkey_st>;
using PkeyContextPtr = OpensslPtr<evp_pkey_ctx_st>;
using DigestContextPtr = OpensslPtr<evp_md_ctx_st>;

// The reason of the last error in this thread's queue, which is emptied; "" when there is none.
std::string openssl_reason();

}  // namespace cloister::sign
