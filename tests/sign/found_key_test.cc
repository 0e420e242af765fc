#include "sign/found_key.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "sign/image/image_key.h"
#include "sign/key.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

std::string key_text(const std::string& name) {
  return must(read_text_file(source_dir() / "testdata/sign" / name, 1 << 20));
}

std::vector<FoundKey> found_in(std::string_view text) {
  return find_private_keys(as_bytes(text));
}

// Every line after a prefix, and with another end.
std::string relined(const std::string& text, std::string_view before, std::string_view after) {
  std::string out;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) out += cat(before, line, after);
  return out;
}

TEST(FoundKey, KnowsAnEnclaveKeyInEveryPlainForm) {
  const Digest print =
      must(SgxKey::from_pem(as_bytes(key_text("sgx-pkcs1.pem")), {}, "'k'")).fingerprint();
  const std::string pkcs8 = key_text("sgx-pkcs8.pem");
  const auto first = pkcs8.find('\n') + 1, last = pkcs8.rfind("-----END");
  std::string body = relined(pkcs8.substr(first, last - first), "", "");
  const Bytes der = *unbase64(body);
  for (const std::string& text :
       {key_text("sgx-pkcs1.pem"), pkcs8, std::string(as_text(der)), relined(pkcs8, "    ", "\n"),
        relined(pkcs8, "", "\r\n"), cat("{\"key\": \"", relined(pkcs8, "", "\\n"), "\"}"),
        cat("\"", relined(pkcs8, "", "\\\\n"), "\""), relined(pkcs8, "  '", "',\n"),
        cat(std::string(5000, 'x'), pkcs8, std::string(5000, 'x'))}) {
    const auto found = found_in(text);
    ASSERT_EQ(found.size(), 1U) << text.substr(0, 100);
    EXPECT_EQ(found[0].fingerprint, print);
    EXPECT_TRUE(found[0].sgx);
  }
}

TEST(FoundKey, TellsOtherKeysFromEnclaveKeys) {
  for (const char* name : {"rsa-2048.pem", "exponent-65537.pem", "ec.pem"}) {
    const auto found = found_in(key_text(name));
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_FALSE(found[0].sgx) << name;
  }
  const auto ec = must(ImageKey::from_pem(as_bytes(key_text("ec.pem")), {}, "'k'"));
  EXPECT_EQ(found_in(key_text("ec.pem"))[0].fingerprint, ec.public_key().fingerprint());
}

TEST(FoundKey, FindsSeveralInOneFile) {
  const auto found =
      found_in(cat(key_text("sgx-public.pem"), key_text("ec.pem"), key_text("sgx-pkcs1.pem")));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_FALSE(found[0].sgx);
  EXPECT_TRUE(found[1].sgx);
}

TEST(FoundKey, PassesOverWhatIsNoKeyInTheClear) {
  for (const char* name : {"sgx-public.pem", "cosign-public.pem", "sgx-pkcs1-encrypted.pem",
                           "sgx-pkcs8-scrypt.pem", "cosign-encrypted.pem"})
    EXPECT_TRUE(found_in(key_text(name)).empty()) << name;
  const std::string whole = key_text("sgx-pkcs8.pem");
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN PRIVATE KEY-----"), whole.substr(0, 1000),
        std::string("-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----\n")})
    EXPECT_TRUE(found_in(text).empty()) << text;
}

// A file of a MiB that is made to be slow is not.
TEST(FoundKey, IsLinear) {
  for (const std::string_view piece :
       {"-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----A-----END ",
        "-----BEGIN PRIVATE KEY", "-"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += piece;
    EXPECT_TRUE(found_in(text).empty());
  }
}

}  // namespace
}  // namespace cloister::sign
