#include "sign/key.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

Bytes pem(const std::string& name) {
  auto file = read_file(source_dir() / "testdata/sign" / name, 1 << 20);
  EXPECT_TRUE(file.has_value()) << name;
  return file.has_value() ? std::move(*file) : Bytes();
}

PassphraseSource always(std::string text, int* asked = nullptr) {
  return [=]() -> Result<std::optional<Secret>> {
    if (asked != nullptr) ++*asked;
    return std::optional<Secret>(text);
  };
}

const PassphraseSource kNone = []() -> Result<std::optional<Secret>> { return std::nullopt; };

Bytes modulus() {
  return SgxKey::from_pem(pem("sgx-pkcs1.pem"), {}, "'k'")->modulus_le();
}

TEST(SgxKey, ReadsEveryFormOfOneKey) {
  int asked = 0;
  for (const char* name : {"sgx-pkcs1.pem", "sgx-pkcs8.pem"}) {
    const auto key = SgxKey::from_pem(pem(name), always("secret", &asked), "'k'");
    ASSERT_TRUE(key.has_value()) << name << ": " << key.error().what();
    EXPECT_EQ(key->modulus_le(), modulus()) << name;
    EXPECT_EQ(asked, 0) << name;
  }
  for (const char* name :
       {"sgx-pkcs1-encrypted.pem", "sgx-pkcs8-pbkdf2.pem", "sgx-pkcs8-scrypt.pem"}) {
    asked = 0;
    const auto key = SgxKey::from_pem(pem(name), always("secret", &asked), "'k'");
    ASSERT_TRUE(key.has_value()) << name << ": " << key.error().what();
    EXPECT_EQ(key->modulus_le(), modulus()) << name;
    EXPECT_EQ(asked, 1) << name;
  }
}

TEST(SgxKey, TellsAWrongPassphraseFromAMissingOne) {
  for (const char* name :
       {"sgx-pkcs1-encrypted.pem", "sgx-pkcs8-pbkdf2.pem", "sgx-pkcs8-scrypt.pem"}) {
    int asked = 0;
    const auto wrong = SgxKey::from_pem(pem(name), always("Secret", &asked), "'k'");
    ASSERT_FALSE(wrong.has_value()) << name;
    EXPECT_EQ(wrong.error().code(), Code::invalid);
    EXPECT_NE(wrong.error().what().find("wrong passphrase"), std::string::npos)
        << name << ": " << wrong.error().what();
    EXPECT_EQ(asked, 1) << name;
    for (const auto& source : {kNone, PassphraseSource()}) {
      const auto missing = SgxKey::from_pem(pem(name), source, "'k'");
      ASSERT_FALSE(missing.has_value()) << name;
      EXPECT_NE(missing.error().what().find("no passphrase was given"), std::string::npos)
          << name << ": " << missing.error().what();
    }
  }
}

TEST(SgxKey, PassesOnWhyThereIsNoPassphrase) {
  const auto key = SgxKey::from_pem(
      pem("sgx-pkcs8-scrypt.pem"),
      []() -> Result<std::optional<Secret>> { return Error::cancelled(); }, "'k'");
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code(), Code::cancelled);
}

TEST(SgxKey, AnAbsurdlyLongPassphraseIsWrong) {
  const auto key =
      SgxKey::from_pem(pem("sgx-pkcs8-scrypt.pem"), always(std::string(100000, 'x')), "'k'");
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code(), Code::invalid);
}

TEST(SgxKey, SaysWhatIsWrongWithAnotherKey) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"rsa-2048.pem", "size"},
      {"exponent-65537.pem", "exponent"},
      {"ec.pem", "not an RSA key"},
      {"rsa-pss.pem", "not an RSA key"},
      {"sgx-public.pem", "public key"}};
  for (const auto& [name, word] : cases) {
    const auto key = SgxKey::from_pem(pem(name), {}, "'k'");
    ASSERT_FALSE(key.has_value()) << name;
    EXPECT_EQ(key.error().code(), Code::invalid) << name;
    EXPECT_NE(key.error().what().find(word), std::string::npos) << key.error().what();
  }
  const auto exponent = SgxKey::from_pem(pem("exponent-65537.pem"), {}, "'k'");
  EXPECT_EQ(exponent.error().details().at(0), "got 65537, want 3");
  const auto size = SgxKey::from_pem(pem("rsa-2048.pem"), {}, "'k'");
  EXPECT_EQ(size.error().details().at(0), "got 2048 bits, want 3072");
}

TEST(SgxKey, RefusesWhatIsNoPem) {
  const Bytes whole = pem("sgx-pkcs1.pem");
  for (const Bytes& bytes :
       {Bytes(), to_bytes("hello"), to_bytes("-----BEGIN RSA PRIVATE KEY-----\n"),
        Bytes(100000, std::byte{0}), Bytes(whole.begin(), whole.begin() + 1000)}) {
    const auto key = SgxKey::from_pem(bytes, always("x"), "'k'");
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code(), Code::invalid);
  }
}

TEST(SgxKey, GeneratesWhatItAccepts) {
  const auto key = SgxKey::generate();
  ASSERT_TRUE(key.has_value()) << key.error().what();
  const auto plain = key->to_pem(std::nullopt);
  ASSERT_TRUE(plain.has_value());
  EXPECT_TRUE(plain->text().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = SgxKey::from_pem(plain->bytes(), {}, "'k'");
  ASSERT_TRUE(again.has_value()) << again.error().what();
  EXPECT_EQ(again->modulus_le(), key->modulus_le());
  EXPECT_NE(again->modulus_le(), modulus());
}

TEST(SgxKey, WritesAnEncryptedKeyThatNeedsItsPassphrase) {
  const auto key = SgxKey::from_pem(pem("sgx-pkcs1.pem"), {}, "'k'");
  const auto text = key->to_pem(Secret("correct horse"));
  ASSERT_TRUE(text.has_value()) << text.error().what();
  EXPECT_TRUE(text->text().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
  const auto again = SgxKey::from_pem(text->bytes(), always("correct horse"), "'k'");
  ASSERT_TRUE(again.has_value()) << again.error().what();
  EXPECT_EQ(again->modulus_le(), modulus());
  EXPECT_FALSE(SgxKey::from_pem(text->bytes(), always("correct horsf"), "'k'").has_value());
  EXPECT_FALSE(key->to_pem(Secret("")).has_value());
}

TEST(SgxKey, ThePublicHalfIsTheOneThatOpensslWrote) {
  const auto key = SgxKey::from_pem(pem("sgx-pkcs1.pem"), {}, "'k'");
  EXPECT_EQ(*key->public_pem(), as_text(pem("sgx-public.pem")));
}

TEST(SgxKey, SignaturesAreDeterministic) {
  const auto key = SgxKey::from_pem(pem("sgx-pkcs1.pem"), {}, "'k'");
  const Bytes data = to_bytes("data");
  const auto first = key->sign(data), second = key->sign(data);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->size(), 384U);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *key->sign(to_bytes("date")));
}

}  // namespace
}  // namespace cloister::sign
