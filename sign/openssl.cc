// The one place that frees OpenSSL objects, so that no error path leaks one; unique_ptr calls none
// of these for null.
#include "sign/openssl.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

namespace cloister::sign {

void OpensslDelete::operator()(bio_st* object) const {
  BIO_free_all(object);
}
void OpensslDelete::operator()(bignum_st* object) const {
  BN_clear_free(object);
}
void OpensslDelete::operator()(bignum_ctx* object) const {
  BN_CTX_free(object);
}
void OpensslDelete::operator()(evp_pkey_st* object) const {
  EVP_PKEY_free(object);
}
void OpensslDelete::operator()(evp_pkey_ctx_st* object) const {
  EVP_PKEY_CTX_free(object);
}
void OpensslDelete::operator()(evp_md_ctx_st* object) const {
  EVP_MD_CTX_free(object);
}
void OpensslDelete::operator()(pkcs8_priv_key_info_st* object) const {
  PKCS8_PRIV_KEY_INFO_free(object);
}
void OpensslDelete::operator()(X509_algor_st* object) const {
  X509_ALGOR_free(object);
}
void OpensslDelete::operator()(X509_sig_st* object) const {
  X509_SIG_free(object);
}
void OpensslDelete::operator()(ossl_param_st* object) const {
  OSSL_PARAM_free(object);
}
void OpensslDelete::operator()(ossl_param_bld_st* object) const {
  OSSL_PARAM_BLD_free(object);
}

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string out = reason == nullptr ? "" : reason;
  ERR_clear_error();
  return out;
}

}  // namespace cloister::sign
