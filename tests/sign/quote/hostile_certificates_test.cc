// Certificates and revocation lists that are well signed and yet must not count: lists of a part of
// what is revoked, and keys whose only use is to keep a verifier busy.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>

#include "base/text.h"
#include "sign/quote/certificate.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

const TestQuote kHostileQuote{3, test_enclave()};

using CrlOwner = std::shared_ptr<X509_CRL>;

Bytes crl_der(X509_CRL* crl) {
  Bytes out(static_cast<std::size_t>(i2d_X509_CRL(crl, nullptr)));
  unsigned char* at = raw(out.data());
  i2d_X509_CRL(crl, &at);
  return out;
}

std::shared_ptr<X509_EXTENSION> extension_of(const char* oid, bool critical, ByteView value) {
  const std::shared_ptr<ASN1_OBJECT> name(OBJ_txt2obj(oid, 1), ASN1_OBJECT_free);
  const std::shared_ptr<ASN1_OCTET_STRING> octets(ASN1_OCTET_STRING_new(), ASN1_OCTET_STRING_free);
  ASN1_OCTET_STRING_set(octets.get(), raw(value.data()), static_cast<int>(value.size()));
  return {X509_EXTENSION_create_by_OBJ(nullptr, name.get(), critical ? 1 : 0, octets.get()),
          X509_EXTENSION_free};
}

// `list` with one extension more, of the list or of its first entry, signed anew.
Bytes extended_list(const Bytes& list, const TestKey& key, const char* oid, bool critical,
                    std::string_view value_hex, bool of_entry = false) {
  const unsigned char* at = raw(list.data());
  const CrlOwner crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(list.size())), X509_CRL_free);
  const auto extension = extension_of(oid, critical, *unhex(value_hex));
  if (of_entry)
    X509_REVOKED_add_ext(sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), 0), extension.get(),
                         -1);
  else
    X509_CRL_add_ext(crl.get(), extension.get(), -1);
  X509_CRL_sign(crl.get(), key.get(), EVP_sha256());
  return crl_der(crl.get());
}

// What a verifier answers whose list of PCK certificates is a full one that revokes the quote's,
// and a later `list`.
std::string answer_beside(const IntelPki& pki, const Bytes& list) {
  IntelPki revoking = pki;
  revoking.revoked_by_ca = {IntelPki::kPckSerial};
  revoking.pck_list.from -= std::chrono::hours(24);
  IntelCollateral collateral = revoking.collateral();
  collateral.revocation_lists.push_back(must(RevocationList::parse_der(list)));
  std::vector<std::string> names;
  for (const Check& check : verify_intel_quote(pki.parsed(kHostileQuote), collateral, pki.roots(),
                                               {}, pki.now(), Limits())
                                .checks)
    if (!check.passed) names.push_back(check.name);
  return join(names, " ");
}

TEST(RevocationList, OneOfAPartOfWhatIsRevokedProvesNothing) {
  IntelPki pki;
  EXPECT_EQ(answer_beside(pki, pki.pck_crl()), "") << "a later full list counts";
  // delta CRL indicator 1; issuing distribution point: some reasons, an indirect list; unknown.
  constexpr const char* kDelta = "2.5.29.27";
  constexpr const char* kPoint = "2.5.29.28";
  EXPECT_EQ(answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, kDelta, true, "020101")),
            "quote-revocation");
  EXPECT_EQ(answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, kDelta, false, "020101")),
            "quote-revocation");
  for (const char* scope : {"3004830201fe", "30038401ff", "30038201ff", "30038501ff"})
    EXPECT_EQ(answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, kPoint, true, scope)),
              "quote-revocation")
        << scope;
  EXPECT_EQ(answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, "1.2.3.4", true, "0500")),
            "quote-revocation");
  EXPECT_EQ(answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, "1.2.3.4", false, "0500")),
            "")
      << "what is not critical may be passed over";
  pki.revoked_by_ca = {77};
  EXPECT_EQ(
      answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, "1.2.3.4", true, "0500", true)),
      "quote-revocation");
  EXPECT_EQ(
      answer_beside(pki, extended_list(pki.pck_crl(), pki.ca_key, "1.2.3.4", false, "0500", true)),
      "");
}

using KeyOwner = std::shared_ptr<EVP_PKEY>;

KeyOwner rsa_of(int bits) {
  const std::shared_ptr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr),
                                              EVP_PKEY_CTX_free);
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits);
  EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 4);  // a key is sooner made of small primes
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen(context.get(), &key);
  return {key, EVP_PKEY_free};
}

// P-256 under another description: the curve is written out, so that it may be any curve.
KeyOwner written_out_key() {
  const std::shared_ptr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr),
                                              EVP_PKEY_CTX_free);
  EVP_PKEY_keygen_init(context.get());
  EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.get(), NID_X9_62_prime256v1);
  EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_EXPLICIT_CURVE);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen(context.get(), &key);
  return {key, EVP_PKEY_free};
}

// A root with this key: the certificate of a root of the tests, with another key, signed anew.
Certificate root_with(const KeyOwner& key) {
  const Bytes der = IntelPki().pck_chain(ChainOrder::root_first).front();
  const unsigned char* at = raw(der.data());
  const std::shared_ptr<X509> x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())),
                                   X509_free);
  X509_set_pubkey(x509.get(), key.get());
  X509_sign(x509.get(), key.get(), EVP_sha256());
  Bytes out(static_cast<std::size_t>(i2d_X509(x509.get(), nullptr)));
  unsigned char* to = raw(out.data());
  i2d_X509(x509.get(), &to);
  return must(Certificate::parse_der(out));
}

TEST(Certificate, KeysOfNoManufacturerSignNothing) {
  const Certificate plain = root_with({EVP_EC_gen("P-384"), EVP_PKEY_free});
  EXPECT_TRUE(plain.is_signed_by(plain));
  const Certificate amds = root_with(rsa_of(4096));
  EXPECT_TRUE(amds.is_signed_by(amds));
  const Certificate larger = root_with(rsa_of(4104));
  EXPECT_FALSE(larger.is_signed_by(larger)) << "time that whoever sends the quote spends for us";
  const Certificate other = root_with(written_out_key());
  EXPECT_FALSE(other.is_signed_by(other)) << "RFC 5480, 2.1.1";
}

// A certificate in PEM that is encrypted: OpenSSL asks the terminal, or else the standard input,
// for a pass phrase. Whoever verifies a stranger's quote must not be asked for one.
TEST(Certificate, NobodyIsAskedForAPassPhrase) {
  const Bytes der = IntelPki().pck_chain(ChainOrder::root_first).front();
  const unsigned char* at = raw(der.data());
  const std::shared_ptr<X509> x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())),
                                   X509_free);
  constexpr std::string_view kPhrase = "a phrase";
  const std::shared_ptr<BIO> out(BIO_new(BIO_s_mem()), BIO_free);
  const auto encode = [](const void* object, unsigned char** to) {
    return i2d_X509(static_cast<const X509*>(object), to);
  };
  ASSERT_EQ(PEM_ASN1_write_bio(encode, PEM_STRING_X509, out.get(), x509.get(), EVP_aes_128_cbc(),
                               raw(as_bytes(kPhrase).data()), static_cast<int>(kPhrase.size()),
                               nullptr, nullptr),
            1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  const std::string pem(text, static_cast<std::size_t>(size));
  ASSERT_NE(pem.find("ENCRYPTED"), std::string::npos);

  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const std::string typed = cat(kPhrase, "\n");
  ASSERT_EQ(::write(pipe_ends[1], typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  close(pipe_ends[1]);
  const int input = dup(0);
  dup2(pipe_ends[0], 0);
  close(pipe_ends[0]);
  const auto read_in = Certificate::parse_pem(pem, Limits());
  char untouched[64];
  const ssize_t left = ::read(0, untouched, sizeof untouched);
  dup2(input, 0);
  close(input);
  ASSERT_FALSE(read_in.has_value());
  EXPECT_EQ(read_in.error().code(), Code::corrupt);
  EXPECT_EQ(left, static_cast<ssize_t>(typed.size()));
}

// PCK certificates are issued anew for the same key.
TEST(IntelQuote, AnExpiredPckBesideAValidOneDoesNoHarm) {
  const IntelPki pki;
  IntelPki old = pki;
  old.pck.to = pki.now() - std::chrono::hours(24);
  TestQuote unnamed = kHostileQuote;
  unnamed.certification = CertificationType::ppid_plain;
  IntelCollateral collateral = old.collateral(true);
  for (const Bytes& one : pki.pck_chain(ChainOrder::leaf_first))
    ASSERT_TRUE(must(add_collateral(collateral, one, Limits())));
  EXPECT_TRUE(
      verify_intel_quote(pki.parsed(unnamed), collateral, pki.roots(), {}, pki.now(), Limits())
          .genuine());
}

}  // namespace
}  // namespace cloister::sign
