#include "tests/base/tls_identity.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace cloister {
namespace {

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "test certificate: %s failed\n", what);
  std::abort();
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  require(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* self_signed(EVP_PKEY* key) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  const auto* name = reinterpret_cast<const unsigned char*>("cloister test");  // NOLINT
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, name, -1, -1,
                             0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  require(X509_sign(certificate, key, EVP_sha256()) > 0, "signing");
  return certificate;
}

}  // namespace

TlsIdentity::TlsIdentity() {
  std::string name = testing::TempDir() + "cloister-cert-XXXXXX";
  const int fd = mkstemp(name.data());
  require(fd >= 0, "mkstemp");
  file_ = name;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  require(key != nullptr, "EVP_EC_gen");
  X509* certificate = self_signed(key);
  FILE* out = fdopen(fd, "w");
  require(out != nullptr && PEM_write_X509(out, certificate) == 1, "PEM_write_X509");
  std::fclose(out);
  context_ = SSL_CTX_new(TLS_server_method());
  require(SSL_CTX_use_certificate(context_, certificate) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context_, key) == 1, "key");
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TlsIdentity::~TlsIdentity() {
  SSL_CTX_free(context_);
  std::error_code error;
  std::filesystem::remove(file_, error);
}

}  // namespace cloister
