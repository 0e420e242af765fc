// Every kind of key that verifiers of images accept, and those they do not.
#include "sign/image/image_key.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

constexpr ImageKeyKind kKinds[] = {ImageKeyKind::ecdsa_p256, ImageKeyKind::ecdsa_p384,
                                   ImageKeyKind::ed25519, ImageKeyKind::rsa};

Bytes key_file(const std::string& name) {
  return must(read_file(source_dir() / "testdata/sign" / name, 1 << 20));
}

TEST(ImageKey, SignsAndVerifiesWithEveryKind) {
  for (const ImageKeyKind kind : kKinds) {
    SCOPED_TRACE(image_key_kind_name(kind));
    const ImageKey key = must(ImageKey::generate(kind));
    EXPECT_EQ(key.public_key().kind(), kind);
    const Bytes signature = must(key.sign(as_bytes("message")));
    EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signature));
    EXPECT_FALSE(key.public_key().verify(as_bytes("massage"), signature));
    EXPECT_FALSE(key.public_key().verify(as_bytes("message"), {}));
    Bytes damaged = signature;
    damaged.back() ^= std::byte{1};
    EXPECT_FALSE(key.public_key().verify(as_bytes("message"), damaged));
    const ImageKey other = must(ImageKey::generate(kind));
    EXPECT_FALSE(other.public_key().verify(as_bytes("message"), signature));
  }
}

TEST(ImageKey, IsWrittenAndReadBack) {
  for (const ImageKeyKind kind : kKinds) {
    SCOPED_TRACE(image_key_kind_name(kind));
    const ImageKey key = must(ImageKey::generate(kind));
    const Secret plain = must(key.to_pem(std::nullopt));
    const Secret sealed = must(key.to_pem(Secret("secret")));
    EXPECT_NE(sealed.text().find("ENCRYPTED PRIVATE KEY"), std::string::npos);
    const ImageKey again = must(ImageKey::from_pem(plain.bytes(), {}, "'k'"));
    const PassphraseSource secret = [] { return std::optional<Secret>("secret"); };
    const ImageKey opened = must(ImageKey::from_pem(sealed.bytes(), secret, "'k'"));
    EXPECT_EQ(again.public_key().spki(), key.public_key().spki());
    EXPECT_EQ(opened.public_key().fingerprint(), key.public_key().fingerprint());
    const ImagePublicKey half =
        must(ImagePublicKey::from_pem(as_bytes(key.public_key().pem()), "'p'"));
    EXPECT_TRUE(half.verify(as_bytes("m"), must(again.sign(as_bytes("m")))));
  }
}

TEST(ImageKey, RefusesAWrongPassphrase) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ecdsa_p256));
  const Secret sealed = must(key.to_pem(Secret("secret")));
  const PassphraseSource wrong = [] { return std::optional<Secret>("guess"); };
  const auto read = ImageKey::from_pem(sealed.bytes(), wrong, "'k'");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().what(), "key 'k' cannot be decrypted: wrong passphrase");
}

TEST(ImageKey, ReadsSec1AndPkcs1) {
  EXPECT_EQ(must(ImageKey::from_pem(key_file("ec.pem"), {}, "'k'")).public_key().kind(),
            ImageKeyKind::ecdsa_p256);
  EXPECT_EQ(must(ImageKey::from_pem(key_file("rsa-2048.pem"), {}, "'k'")).public_key().kind(),
            ImageKeyKind::rsa);
  EXPECT_EQ(must(ImageKey::from_pem(key_file("sgx-pkcs1.pem"), {}, "'k'")).public_key().kind(),
            ImageKeyKind::rsa);
}

TEST(ImageKey, RefusesKeysThatVerifiersDoNotKnow) {
  const auto pss = ImageKey::from_pem(key_file("rsa-pss.pem"), {}, "'k'");
  ASSERT_FALSE(pss.has_value());
  EXPECT_EQ(pss.error().what(), "key 'k' cannot sign images");
  const auto half = ImageKey::from_pem(key_file("sgx-public.pem"), {}, "'k'");
  ASSERT_FALSE(half.has_value());
  EXPECT_EQ(half.error().what(), "key 'k' is a public key; signing needs the private one");
  EXPECT_FALSE(ImageKey::from_pem(as_bytes("nothing"), {}, "'k'").has_value());
}

TEST(ImagePublicKey, SaysWhatIsWrong) {
  const auto whole = ImagePublicKey::from_pem(key_file("ec.pem"), "'k'");
  ASSERT_FALSE(whole.has_value());
  EXPECT_EQ(whole.error().what(), "key 'k' is a private key; verifying needs the public one");
  EXPECT_FALSE(ImagePublicKey::from_pem({}, "'k'").has_value());
  EXPECT_FALSE(ImagePublicKey::from_pem(Bytes(2 << 20), "'k'").has_value());
  const auto junk = ImagePublicKey::from_pem(
      as_bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "'k'");
  ASSERT_FALSE(junk.has_value());
  EXPECT_EQ(junk.error().code(), Code::invalid);
}

TEST(ImagePublicKey, RefusesASmallRsaKey) {
  // RSA with 1024 bits, made with openssl genrsa 1024.
  constexpr char kSmall[] =
      "-----BEGIN PUBLIC KEY-----\n"
      "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCz86BxiR0+84NNZBt6TUJcwaF9\n"
      "/Ws/+e522rAbXJIYqOOj1If6ah0fjcR+EKbDq1qHw8YZmiLUXGhSSMK6p9ijUEhn\n"
      "ZrHoRSCcS5HR6Dj5PKZJgeLTnOQmT4flC3WoHz6d3lKSB9RXs4rpvXKzzsLud1I5\n"
      "8UMxiLnromxtbt04OQIDAQAB\n"
      "-----END PUBLIC KEY-----\n";
  const auto read = ImagePublicKey::from_pem(as_bytes(kSmall), "'k'");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().what(), "key 'k' has the wrong size");
  ASSERT_EQ(read.error().details().size(), 1U);
  EXPECT_EQ(read.error().details()[0], "got RSA with 1024 bits, want at least 2048");
}

TEST(ImageKeyKind, HasNames) {
  for (const ImageKeyKind kind : kKinds)
    EXPECT_EQ(parse_image_key_kind(image_key_kind_name(kind)), kind);
  EXPECT_EQ(parse_image_key_kind("dsa"), std::nullopt);
}

}  // namespace
}  // namespace cloister::sign
