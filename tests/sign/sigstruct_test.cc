#include "sign/sgx/sigstruct.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

SgxKey key() {
  const auto pem = read_file(source_dir() / "testdata/sign/sgx-pkcs1.pem", 1 << 20);
  auto out = SgxKey::from_pem(*pem, {}, "'k'");
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

Sigstruct sample() {
  measure::sgx::EnclaveParams params;
  params.isvprodid = 0x1234;
  params.isvsvn = 7;
  return make_sigstruct(params, sha256("enclave"), *parse_date("2016-01-09"));
}

Sigstruct signed_sample() {
  Sigstruct s = sample();
  const auto status = sign_sigstruct(s, key());
  EXPECT_TRUE(status.has_value()) << status.error().what();
  return s;
}

std::uint32_t u32_at(const Bytes& bytes, std::size_t offset) {
  ByteReader in(bytes);
  in.seek(offset);
  return in.u32();
}

TEST(Sigstruct, FieldsAreWhereTheManualPutsThem) {
  const Bytes bytes = encode_sigstruct(sample());
  ASSERT_EQ(bytes.size(), kSigstructSize);
  EXPECT_EQ(hex(ByteView(bytes).first(44)),
            "06000000e10000000000010000000000000000000901162001010000600000006000000001000000"
            "00000000");
  EXPECT_EQ(u32_at(bytes, 512), 3U);
  EXPECT_EQ(u32_at(bytes, 904), 0xffffffffU);
  EXPECT_EQ(u32_at(bytes, 928), 4U);
  EXPECT_EQ(u32_at(bytes, 936), 3U);
  EXPECT_EQ(u32_at(bytes, 952), 0xfff9ff1bU);
  EXPECT_EQ(hex(ByteView(bytes).subspan(960, 32)), sha256("enclave").hex());
  EXPECT_EQ(u32_at(bytes, 1024), 0x00071234U);
}

TEST(Sigstruct, ReadsBackWhatItWrote) {
  Sigstruct s = signed_sample();
  s.type = 0x80000000;
  s.vendor = 0x8086;
  s.swdefined = 0x01020304;
  s.cet_attributes = 1;
  s.cet_attributes_mask = 3;
  s.isv_family_id.fill(std::byte{5});
  s.isv_ext_prod_id.fill(std::byte{6});
  const auto again = parse_sigstruct(encode_sigstruct(s));
  ASSERT_TRUE(again.has_value()) << again.error().what();
  EXPECT_EQ(*again, s);
}

TEST(Sigstruct, ASignedOneChecks) {
  const Sigstruct s = signed_sample();
  const auto status = check_sigstruct(s);
  EXPECT_TRUE(status.has_value()) << status.error().what();
  EXPECT_EQ(s.mrsigner(), sha256(key().modulus_le()));
}

TEST(Sigstruct, AnyChangeOfWhatIsSignedIsNoticed) {
  const Bytes good = encode_sigstruct(signed_sample());
  for (const std::size_t at : {12,  16,  20,  40,  128,  511,  516,  899,  900,  904,  908, 912,
                               928, 944, 960, 991, 1008, 1024, 1026, 1040, 1423, 1424, 1807}) {
    Bytes bytes = good;
    bytes[at] ^= std::byte{1};
    const auto parsed = parse_sigstruct(bytes);
    ASSERT_TRUE(parsed.has_value()) << at;
    const auto status = check_sigstruct(*parsed);
    ASSERT_FALSE(status.has_value()) << at;
    EXPECT_EQ(status.error().code(), Code::policy) << at;
  }
}

TEST(Sigstruct, NamesTheQuotientThatIsWrong) {
  Sigstruct s = signed_sample();
  s.q1[0] ^= std::byte{1};
  EXPECT_NE(check_sigstruct(s).error().what().find("q1"), std::string::npos);
  s = signed_sample();
  s.q2[383] ^= std::byte{1};
  EXPECT_NE(check_sigstruct(s).error().what().find("q2"), std::string::npos);
}

TEST(Sigstruct, HostileKeysAreRefused) {
  EXPECT_EQ(check_sigstruct(sample()).error().code(), Code::policy);  // never signed: N = 0
  Sigstruct s = signed_sample();
  s.exponent = 65537;
  EXPECT_FALSE(check_sigstruct(s).has_value());
  s = signed_sample();
  s.modulus[0] = std::byte{0};  // even
  EXPECT_FALSE(check_sigstruct(s).has_value());
  s = signed_sample();
  s.modulus[383] = std::byte{1};  // short
  EXPECT_FALSE(check_sigstruct(s).has_value());
  s = signed_sample();
  s.signature.fill(std::byte{0xff});  // not below the modulus
  EXPECT_FALSE(check_sigstruct(s).has_value());
  s.signature.fill(std::byte{0});
  EXPECT_FALSE(check_sigstruct(s).has_value());
}

TEST(Sigstruct, FixedAndReservedBytesAreChecked) {
  const Bytes good = encode_sigstruct(signed_sample());
  for (const std::size_t at : {0, 11, 24, 39, 44, 127, 910, 911, 992, 1007, 1028, 1039}) {
    Bytes bytes = good;
    bytes[at] ^= std::byte{0x10};
    const auto parsed = parse_sigstruct(bytes);
    ASSERT_FALSE(parsed.has_value()) << at;
    EXPECT_EQ(parsed.error().code(), Code::corrupt) << at;
  }
}

TEST(Sigstruct, ADateThatIsNotDecimalIsCorrupt) {
  Bytes bytes = encode_sigstruct(sample());
  for (std::size_t at = 20; at < 24; ++at) {
    Bytes bad = bytes;
    bad[at] = std::byte{0x0a};
    EXPECT_FALSE(parse_sigstruct(bad).has_value()) << at;
    bad[at] = std::byte{0xa0};
    EXPECT_FALSE(parse_sigstruct(bad).has_value()) << at;
  }
}

TEST(Sigstruct, OnlyItsExactSizeIsRead) {
  Bytes bytes = encode_sigstruct(sample());
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(parse_sigstruct(bytes).has_value());
  bytes.resize(kSigstructSize - 1);
  EXPECT_FALSE(parse_sigstruct(bytes).has_value());
  EXPECT_FALSE(parse_sigstruct({}).has_value());
}

TEST(Sigstruct, WhatIsSignedAreTheTwoRanges) {
  const Sigstruct s = signed_sample();
  const Bytes all = encode_sigstruct(s), data = signing_data(s);
  ASSERT_EQ(data.size(), 256U);
  EXPECT_TRUE(std::equal(data.begin(), data.begin() + 128, all.begin()));
  EXPECT_TRUE(std::equal(data.begin() + 128, data.end(), all.begin() + 900));
}

// SIGSTRUCTs that other tools made, where a checkout of the vectors lies beside the project.
TEST(Sigstruct, ChecksThoseOfOthers) {
  const fs::path folder = source_dir() / "../shared/vectors/quotes/sigstruct";
  if (!fs::exists(folder)) GTEST_SKIP() << "no shared vectors";
  for (const char* name : {"sig1.sigstruct.bin", "test_enclave.sig"}) {
    const auto bytes = read_file(folder / name, 1 << 20);
    ASSERT_TRUE(bytes.has_value());
    const auto parsed = parse_sigstruct(*bytes);
    ASSERT_TRUE(parsed.has_value()) << name << ": " << parsed.error().what();
    const auto status = check_sigstruct(*parsed);
    EXPECT_TRUE(status.has_value()) << name << ": " << status.error().what();
    EXPECT_EQ(encode_sigstruct(*parsed), *bytes);
    EXPECT_EQ(format_date(parsed->date), *name == 's' ? "2016-01-09" : "2016-12-14");
  }
}

}  // namespace
}  // namespace cloister::sign
