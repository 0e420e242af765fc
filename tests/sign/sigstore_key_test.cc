// Keys as cosign writes them: read with the right passphrase, and bounded whatever the file says.
#include "sign/sigstore_key.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "sign/image/image_key.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

Bytes sigstore_file(const std::string& name) {
  return must(read_file(source_dir() / "testdata/sign" / name, 1 << 20));
}

PassphraseSource passphrase(std::string text) {
  return [text]() -> Result<std::optional<Secret>> { return std::optional<Secret>(text); };
}

// A PEM file around any body.
Bytes sigstore_pem(std::string_view json,
                   std::string_view name = "ENCRYPTED SIGSTORE PRIVATE KEY") {
  const std::string body = base64(as_bytes(json));
  std::string out = cat("-----BEGIN ", name, "-----\n");
  for (std::size_t at = 0; at < body.size(); at += 64) out += cat(body.substr(at, 64), "\n");
  return to_bytes(cat(out, "-----END ", name, "-----\n"));
}

std::string with_scrypt(std::string_view n, std::string_view r, std::string_view p) {
  return cat(R"({"kdf":{"name":"scrypt","params":{"N":)", n, R"(,"r":)", r, R"(,"p":)", p,
             R"(},"salt":"AAAA"},"cipher":{"name":"nacl/secretbox","nonce":")", base64(Bytes(24)),
             R"("},"ciphertext":")", base64(Bytes(64)), R"("})");
}

TEST(SigstoreKey, OpensWhatCosignWrote) {
  const ImageKey key =
      must(ImageKey::from_pem(sigstore_file("cosign-encrypted.pem"), passphrase("secret"), "'k'"));
  const ImagePublicKey half =
      must(ImagePublicKey::from_pem(sigstore_file("cosign-public.pem"), "'p'"));
  EXPECT_EQ(key.public_key().spki(), half.spki());
  EXPECT_EQ(key.public_key().kind(), ImageKeyKind::ecdsa_p256);
  EXPECT_TRUE(half.verify(as_bytes("m"), must(key.sign(as_bytes("m")))));
}

TEST(SigstoreKey, HasAnOlderName) {
  std::string old(as_text(sigstore_file("cosign-encrypted.pem")));
  for (auto at = old.find("SIGSTORE"); at != std::string::npos; at = old.find("SIGSTORE"))
    old.replace(at, 8, "COSIGN");
  ASSERT_TRUE(is_sigstore_key(as_bytes(old)));
  EXPECT_TRUE(ImageKey::from_pem(as_bytes(old), passphrase("secret"), "'k'").has_value());
}

TEST(SigstoreKey, TellsAWrongPassphraseFromAMissingOne) {
  const Bytes pem = sigstore_file("cosign-encrypted.pem");
  const auto wrong = ImageKey::from_pem(pem, passphrase("Secret"), "'k'");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().what(), "key 'k' cannot be decrypted: wrong passphrase");
  const auto missing = ImageKey::from_pem(
      pem, []() -> Result<std::optional<Secret>> { return std::nullopt; }, "'k'");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().what(), "key 'k' is encrypted and no passphrase was given");
  const auto failed = ImageKey::from_pem(
      pem, []() -> Result<std::optional<Secret>> { return Error::cancelled(); }, "'k'");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code(), Code::cancelled);
}

// The memory and the steps of scrypt are the file's choice: an absurd one is refused before any is
// spent.
TEST(SigstoreKey, BoundsWhatTheFileMayAskFor) {
  const std::vector<std::array<const char*, 3>> absurd = {
      {"1073741824", "8", "1"},          {"65536", "1000000", "1"},
      {"65536", "8", "1000000"},         {"4611686018427387904", "8", "1"},
      {"2", "9223372036854775807", "2"}, {"4194304", "1", "1"}};
  for (const auto& p : absurd) {
    const auto opened =
        open_sigstore_key(sigstore_pem(with_scrypt(p[0], p[1], p[2])), Secret("x"), "'k'");
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), Code::limit) << p[0] << ", " << p[1] << ", " << p[2];
  }
}

TEST(SigstoreKey, RefusesWhatIsMalformed) {
  const std::string good = with_scrypt("1024", "8", "1");
  const auto opened = open_sigstore_key(sigstore_pem(good), Secret("x"), "'k'");
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().what().find("wrong passphrase"), std::string::npos);
  std::vector<std::string> bad = {"",
                                  "{}",
                                  "[]",
                                  "null",
                                  "{",
                                  good.substr(1),
                                  with_scrypt("1000", "8", "1"),
                                  with_scrypt("0", "8", "1"),
                                  with_scrypt("-1", "8", "1"),
                                  with_scrypt("1", "8", "1"),
                                  with_scrypt("\"1024\"", "8", "1"),
                                  with_scrypt("1024", "null", "1")};
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"scrypt", "argon2"},
      {"nacl/secretbox", "aes"},
      {"\"salt\":\"AAAA\"", "\"salt\":1"},
      {"\"salt\":\"AAAA\"", "\"x\":1"},
      {"\"AAAA\"", "\"A\""},
      {"\"nonce\":\"AA", "\"nonce\":\""},
      {"\"ciphertext\":\"AA", "\"x\":\"AA"}};
  for (const auto& [from, to] : changes) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    bad.push_back(text.replace(text.find(from), from.size(), to));
  }
  for (const std::string& text : bad) {
    const auto result = open_sigstore_key(sigstore_pem(text), Secret("x"), "'k'");
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().what().find("wrong passphrase"), std::string::npos) << text;
    EXPECT_FALSE(result.error().hint().empty()) << text;
  }
  const Bytes whole = sigstore_pem(good);
  for (std::size_t cut : {0U, 20U, 60U, 200U})
    EXPECT_FALSE(open_sigstore_key(ByteView(whole).first(cut), Secret("x"), "'k'").has_value());
}

}  // namespace
}  // namespace cloister::sign
