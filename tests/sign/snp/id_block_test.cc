#include "sign/snp/id_block.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "sign/ecdsa.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

#include <nlohmann/json.hpp>

namespace cloister::sign {
namespace {

fs::path launch_data() {
  return source_dir() / "testdata/snp-launch";
}
Bytes launch_file(const char* name) {
  return must(read_file(launch_data() / name, 1 << 20));
}
// What another implementation made of the ID block.
nlohmann::json id_block_vector() {
  const auto text = must(read_text_file(launch_data() / "vectors.json", 1 << 20));
  return nlohmann::json::parse(text).at("id_block");
}
Bytes other_block() {
  return *unhex(id_block_vector().at("id_block_hex").get<std::string>());
}
Bytes other_auth() {
  return *unbase64(trim(as_text(launch_file("id-auth.b64"))));
}
// The public half alone; asked to sign, it answers with `signature`.
SnpIdKey public_half(const char* name, Bytes signature = {}) {
  ExternalKey key;
  key.public_pem = std::string(as_text(launch_file(name)));
  key.name = "'outside'";
  key.sign = [signature](ByteView) -> Result<Bytes> { return signature; };
  return must(SnpIdKey::external(std::move(key)));
}

SnpIdBlock sample_block() {
  SnpIdBlock block;
  block.launch_digest.fill(std::byte{0xaa});
  block.family_id.fill(std::byte{0xbb});
  block.image_id.fill(std::byte{0xcc});
  block.guest_svn = 0x01020304;
  block.policy.bits = 0x0807060504030201;
  return block;
}
const SnpIdKey& id_key() {
  static const SnpIdKey key = must(SnpIdKey::generate());
  return key;
}
const SnpIdKey& author_key() {
  static const SnpIdKey key = must(SnpIdKey::generate());
  return key;
}
SnpIdAuth sample_auth(bool with_author = true) {
  return must(sign_snp_id_block(sample_block(), id_key(), with_author ? &author_key() : nullptr));
}
std::string check_of(const SnpIdAuth& auth, const SnpIdBlock& block) {
  const auto status = check_snp_id_auth(auth, block);
  if (status.has_value()) return "good";
  EXPECT_EQ(status.error().code(), Code::policy);
  return status.error().what();
}
std::string auth_failure(const Bytes& bytes) {
  const auto parsed = parse_snp_id_auth(bytes);
  if (parsed.has_value()) return "parsed";
  EXPECT_EQ(parsed.error().code(), Code::corrupt);
  return parsed.error().what();
}

constexpr const char* kBlockWrong = "the ID block's signature does not match it";
constexpr const char* kAuthorWrong = "the author's signature does not match the ID key";

TEST(SnpIdBlock, IsWrittenAsElsewhere) {
  const auto vector = id_block_vector();
  SnpIdBlock block;
  const Bytes digest = *unhex(vector.at("launch_digest").get<std::string>());
  std::copy(digest.begin(), digest.end(), block.launch_digest.begin());
  EXPECT_EQ(encode_snp_id_block(block), other_block());
  EXPECT_EQ(must(parse_snp_id_block(other_block())), block);
}

TEST(SnpIdBlock, FieldsAreWhereTheSpecificationPutsThem) {
  const std::string text = hex(ByteView(encode_snp_id_block(sample_block())));
  std::string want;
  for (int i = 0; i < 48; ++i) want += "aa";
  for (int i = 0; i < 16; ++i) want += "bb";
  for (int i = 0; i < 16; ++i) want += "cc";
  EXPECT_EQ(text, want + "01000000" + "04030201" + "0102030405060708");
  EXPECT_EQ(must(parse_snp_id_block(encode_snp_id_block(sample_block()))), sample_block());
}

TEST(SnpIdBlock, OfAnotherSizeOrVersionIsNone) {
  Bytes bytes = other_block();
  bytes.push_back({});
  EXPECT_EQ(parse_snp_id_block(bytes).error().what(), "not an ID block");
  bytes.resize(95);
  EXPECT_EQ(parse_snp_id_block(bytes).error().what(), "not an ID block");
  bytes = other_block();
  bytes[0x50] = std::byte{2};
  EXPECT_EQ(parse_snp_id_block(bytes).error().what(), "not an ID block: wrong version");
}

TEST(SnpIdAuth, ChecksOneMadeElsewhere) {
  const auto vector = id_block_vector();
  const SnpIdAuth auth = must(parse_snp_id_auth(other_auth()));
  const SnpIdBlock block = must(parse_snp_id_block(other_block()));
  EXPECT_EQ(check_of(auth, block), "good");
  EXPECT_EQ(hex(snp_key_digest(auth.id_key)), vector.at("id_key_digest").get<std::string>());
  EXPECT_EQ(hex(snp_key_digest(auth.author->key)),
            vector.at("author_key_digest").get<std::string>());
  EXPECT_EQ(public_half("id-key.pub.pem").point(), auth.id_key);
  EXPECT_EQ(public_half("author-key.pub.pem").point(), auth.author->key);
  EXPECT_EQ(encode_snp_id_auth(auth), other_auth());
}

TEST(SnpIdAuth, ReadsBackWhatItWrote) {
  for (const bool author : {true, false}) {
    const SnpIdAuth auth = sample_auth(author);
    EXPECT_EQ(auth.author.has_value(), author);
    EXPECT_EQ(must(parse_snp_id_auth(encode_snp_id_auth(auth))), auth);
    EXPECT_EQ(check_of(auth, sample_block()), "good");
  }
}

TEST(SnpIdAuth, AnyChangeIsNoticed) {
  for (const std::size_t at : {0U, 47U, 48U, 79U, 84U, 95U}) {
    Bytes bytes = encode_snp_id_block(sample_block());
    bytes[at] ^= std::byte{1};
    EXPECT_EQ(check_of(sample_auth(), must(parse_snp_id_block(bytes))), kBlockWrong) << at;
  }
  SnpIdAuth auth = sample_auth();
  auth.signature[95] ^= std::byte{1};
  EXPECT_EQ(check_of(auth, sample_block()), kBlockWrong);
  auth = sample_auth();
  auth.id_key[0] ^= std::byte{1};  // no longer on the curve
  EXPECT_EQ(check_of(auth, sample_block()), kBlockWrong);
  auth = sample_auth();
  auth.author->signature[0] ^= std::byte{1};
  EXPECT_EQ(check_of(auth, sample_block()), kAuthorWrong);
  auth = sample_auth();
  auth.author->key = id_key().point();
  EXPECT_EQ(check_of(auth, sample_block()), kAuthorWrong);
  EXPECT_EQ(check_of(SnpIdAuth{}, sample_block()), kBlockWrong);
  auth = sample_auth();
  auth.signature = {};
  EXPECT_EQ(check_of(auth, sample_block()), kBlockWrong);
}

TEST(SnpIdAuth, EveryReservedByteIsZero) {
  const Bytes good = encode_snp_id_auth(sample_auth());
  // The last of each kind of zeros, and the curves and algorithms.
  for (const std::size_t at :
       {0x0U,        0x4U,   0x8U,        0x3fU,        0x40U + 48, 0x40U + 143, 0x40U + 144,
        0x23fU,      0x240U, 0x244U + 48, 0x244U + 144, 0x643U,     0x644U,      0x67fU,
        0x680U + 71, 0x87fU, 0x880U,      0x884U + 143, 0xc83U,     0xc84U,      0xfffU}) {
    Bytes bytes = good;
    bytes[at] ^= std::byte{4};
    EXPECT_EQ(auth_failure(bytes).substr(0, 45), "not the authentication of an ID block: wrong ")
        << at;
  }
  Bytes shorter = good;
  shorter.pop_back();
  EXPECT_EQ(auth_failure(shorter), "not the authentication of an ID block");
  EXPECT_EQ(auth_failure({}), "not the authentication of an ID block");
}

TEST(SnpIdAuth, WithoutAnAuthorItsAlgorithmMayBeNone) {
  Bytes bytes = encode_snp_id_auth(sample_auth(false));
  bytes[4] = std::byte{0};
  const SnpIdAuth auth = must(parse_snp_id_auth(bytes));
  EXPECT_EQ(auth.author_algorithm, 0U);
  EXPECT_EQ(encode_snp_id_auth(auth), bytes);
  Bytes with = encode_snp_id_auth(sample_auth());
  with[4] = std::byte{0};
  EXPECT_EQ(auth_failure(with),
            "not the authentication of an ID block: wrong algorithm of the author key");
}

TEST(SnpIdKey, SurvivesPemWithAndWithoutPassphrase) {
  for (const bool sealed : {false, true}) {
    std::optional<Secret> passphrase;
    if (sealed) passphrase = Secret("secret");
    const Secret pem = must(id_key().to_pem(passphrase));
    const PassphraseSource source = []() -> Result<std::optional<Secret>> {
      return std::optional(Secret("secret"));
    };
    const SnpIdKey again = must(SnpIdKey::from_pem(pem.bytes(), source, "'k'"));
    EXPECT_EQ(again.point(), id_key().point());
    EXPECT_TRUE(verify_p384(again.point(), as_bytes("data"), must(again.sign(as_bytes("data")))));
  }
}

TEST(SnpIdKey, IsOnP384) {
  for (const char* name : {"sgx-pkcs1.pem", "ec.pem"}) {
    const auto key = SnpIdKey::from_pem(
        must(read_file(source_dir() / "testdata/sign" / name, 1 << 20)), {}, "'k'");
    ASSERT_FALSE(key.has_value()) << name;
    EXPECT_EQ(key.error().what(), "key 'k' cannot sign an ID block");
  }
}

TEST(SnpIdKey, BelievesNoOneOutside) {
  const Bytes message = encode_snp_id_block(sample_block());
  const SnpIdKey stranger = must(SnpIdKey::generate());
  const P384Pair signature = must(stranger.sign(message));
  for (const Bytes& answer : {ecdsa_der(signature), Bytes(signature.begin(), signature.end()),
                              Bytes(), Bytes(5000, std::byte{0x30})}) {
    const auto made = public_half("id-key.pub.pem", answer).sign(message);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().what(), "the signature by 'outside' does not verify");
  }
  ExternalKey key;
  key.public_pem = must(stranger.public_pem());
  key.name = "'outside'";
  key.sign = [&](ByteView) -> Result<Bytes> { return ecdsa_der(signature); };
  EXPECT_EQ(must(must(SnpIdKey::external(key)).sign(message)), signature);
}

TEST(EcdsaPair, IsOneSignatureWhoseNumbersFit) {
  P384Pair pair{};
  pair[47] = std::byte{1};
  pair[95] = std::byte{2};
  Bytes der = ecdsa_der(pair);
  EXPECT_EQ(hex(ByteView(der)), "3006020101020102");
  EXPECT_EQ(ecdsa_pair(der, 48), Bytes(pair.begin(), pair.end()));
  EXPECT_EQ(hex(ByteView(*ecdsa_pair(der, 1))), "0102");
  der.push_back({});
  EXPECT_EQ(ecdsa_pair(der, 48), std::nullopt);
  EXPECT_EQ(ecdsa_pair(*unhex("300702020100020101"), 1),
            std::nullopt);                                              // 256 in one byte
  EXPECT_EQ(ecdsa_pair(*unhex("30060201ff020101"), 48), std::nullopt);  // negative
  EXPECT_EQ(ecdsa_pair({}, 48), std::nullopt);
}

}  // namespace
}  // namespace cloister::sign
