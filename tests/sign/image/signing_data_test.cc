// What is carried to a key that is elsewhere, and what comes back.
#include "sign/image/signing_data.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::sign {
namespace {

SigningData two_messages() {
  SigningData data{"reg.example/app:1", {}};
  data.add({false, sha256("image"), "", "payload", std::nullopt});
  data.add({true, sha256("image"), "urn:p", std::string("DSSEv1 \0x", 9), std::nullopt});
  return data;
}

SigningData signed_by(const ImageKey& key) {
  SigningData data = two_messages();
  for (SigningItem& item : data.items) item.signature = must(key.sign(as_bytes(item.message)));
  return data;
}

TEST(SigningData, IsWrittenAndReadBack) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ed25519));
  for (const SigningData& data : {two_messages(), signed_by(key)}) {
    const std::string text = encode_signing_data(data);
    const SigningData again = must(parse_signing_data(text, Limits(), "'f'"));
    EXPECT_EQ(encode_signing_data(again), text);
    ASSERT_EQ(again.items.size(), 2U);
    EXPECT_EQ(again.items[1].message, data.items[1].message);
    EXPECT_EQ(again.items[1].predicate_type, "urn:p");
    EXPECT_EQ(again.items[0].signature, data.items[0].signature);
  }
}

TEST(SigningData, HasEachMessageOnce) {
  SigningData data = two_messages();
  data.add(data.items[0]);
  EXPECT_EQ(data.items.size(), 2U);
}

TEST(SigningData, GivesItsSignaturesAsAKey) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ecdsa_p256));
  const SigningData given = signed_by(key);
  ASSERT_TRUE(check_signing_data(two_messages(), given, key.public_key(), "'f'").has_value());
  const ImageKey elsewhere =
      must(ImageKey::external(signed_elsewhere(given, key.public_key().pem(), "'f'")));
  EXPECT_EQ(must(elsewhere.sign(as_bytes("payload"))), *given.items[0].signature);
  EXPECT_EQ(elsewhere.sign(as_bytes("other")).error().what(),
            "'f' has no signature of what is to be signed");
  EXPECT_FALSE(elsewhere.to_pem(std::nullopt).has_value());
}

TEST(SigningData, SaysWhichSignatureIsMissingOrWrong) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::ed25519));
  const auto refused = [&](const SigningData& given, const ImageKey& by) {
    const auto checked = check_signing_data(two_messages(), given, by.public_key(), "'f'");
    return checked.has_value() ? std::string() : checked.error().what();
  };
  SigningData given = signed_by(key);
  given.items[1].signature.reset();
  EXPECT_EQ(refused(given, key), "'f' lacks a signature");
  given = signed_by(key);
  given.items[1].message += "x";
  EXPECT_EQ(refused(given, key), "'f' is not about what is to be signed now");
  given = signed_by(key);
  given.items[1].signature = given.items[0].signature;
  EXPECT_EQ(refused(given, key), "a signature in 'f' does not verify");
  const ImageKey other = must(ImageKey::generate(ImageKeyKind::ed25519));
  EXPECT_EQ(refused(signed_by(key), other), "a signature in 'f' does not verify");
}

TEST(SigningData, RefusesWhatIsMalformed) {
  const std::string good = encode_signing_data(two_messages());
  ASSERT_TRUE(parse_signing_data(good, Limits(), "'f'").has_value());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"schemaVersion\": 1", "\"schemaVersion\": 2"},
      {"\"schemaVersion\": 1", "\"schemaVersion\": \"1\""},
      {"\"simple-signing\"", "\"gpg\""},
      {"\"simple-signing\"", "null"},
      {"\"subject\": \"sha256:", "\"subject\": \"md5:"},
      {"\"subject\"", "\"object\""},
      {"\"bytes\": \"", "\"bytes\": \"*"},
      {"\"bytes\"", "\"signature\": \"*\", \"bytes\""},
      {"\"messages\"", "\"letters\""},
      {"\"image\": \"", "\"image\": 1, \"x\": \""}};
  for (const auto& [from, to] : changes) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const auto parsed = parse_signing_data(text, Limits(), "'f'");
    ASSERT_FALSE(parsed.has_value()) << from << " → " << to;
    EXPECT_FALSE(parsed.error().hint().empty()) << from << " → " << to;
  }
  for (const char* text : {"", "[]", "1", "null", "{}", R"({"schemaVersion":1,"messages":[1]})",
                           R"({"schemaVersion":1,"messages":{}})"})
    EXPECT_FALSE(parse_signing_data(text, Limits(), "'f'").has_value()) << text;
  std::string many = R"({"schemaVersion":1,"messages":[1)";
  for (int i = 0; i < 300; ++i) many += ",1";
  EXPECT_EQ(parse_signing_data(many + "]}", Limits(), "'f'").error().code(), Code::limit);
}

TEST(ExternalKey, IsVerifiedBeforeItIsBelieved) {
  const ImageKey key = must(ImageKey::generate(ImageKeyKind::rsa));
  const auto answering = [&](Bytes answer) {
    return must(ImageKey::external(
        {key.public_key().pem(), "'hsm'", [answer](ByteView) -> Result<Bytes> { return answer; }}));
  };
  const Bytes good = must(key.sign(as_bytes("m")));
  EXPECT_EQ(must(answering(good).sign(as_bytes("m"))), good);
  for (const Bytes& wrong : {Bytes(), Bytes(384), Bytes(5000), must(key.sign(as_bytes("n")))}) {
    const auto made = answering(wrong).sign(as_bytes("m"));
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().what(), "the signature by 'hsm' does not verify");
    EXPECT_FALSE(made.error().hint().empty());
  }
  EXPECT_FALSE(ImageKey::external({"no key", "'hsm'", nullptr}).has_value());
}

}  // namespace
}  // namespace cloister::sign
