// Files with AMD's certificates and lists, known by their contents.
#include "sign/quote/snp_collateral.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/amd_pki.h"

namespace cloister::sign {
namespace {

const AmdPki& test_amd_pki() {
  static const AmdPki made;
  return made;
}
Bytes test_amd_list() {
  return test_amd_pki().revocation_list({}, {});
}
std::string as_pem(ByteView der, std::string_view label) {
  std::string out = cat("-----BEGIN ", label, "-----\n");
  const std::string text = base64(der);
  for (std::size_t at = 0; at < text.size(); at += 64) out += cat(text.substr(at, 64), "\n");
  return cat(out, "-----END ", label, "-----\n");
}

TEST(SnpCollateral, TakesDerAndPemInAnyMixture) {
  SnpCollateral out;
  EXPECT_TRUE(must(out.add(test_amd_pki().ask().der(), Limits())));
  EXPECT_TRUE(must(out.add(test_amd_list(), Limits())));
  EXPECT_EQ(out.certificates.size(), 1U);
  EXPECT_EQ(out.lists.size(), 1U);
  const std::string text =
      cat("# a chain\n", as_pem(test_amd_pki().ask().der(), "CERTIFICATE"),
          as_pem(test_amd_list(), "X509 CRL"), as_pem(test_amd_pki().ark().der(), "CERTIFICATE"));
  EXPECT_TRUE(must(out.add(as_bytes(text), Limits())));
  EXPECT_EQ(out.certificates.size(), 3U);
  EXPECT_EQ(out.lists.size(), 2U);
  EXPECT_TRUE(out.lists[1].is_signed_by(test_amd_pki().ark()));
}

TEST(SnpCollateral, PassesOverWhatIsNeither) {
  SnpCollateral out;
  for (const std::string_view other : {"", "{}", "0200", "-----BEGIN PUBLIC KEY-----\n"})
    EXPECT_FALSE(must(out.add(as_bytes(other), Limits())));
  Bytes longer = test_amd_pki().ask().der();
  longer.push_back(std::byte{0});
  EXPECT_FALSE(must(out.add(longer, Limits())));
  EXPECT_TRUE(out.certificates.empty());
}

// One directory may prove quotes of every manufacturer.
TEST(SnpCollateral, PassesOverIntelsJson) {
  SnpCollateral all;
  const std::string bundle =
      R"({"tcb_info_issuer_chain":"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"})";
  const auto known = all.add(as_bytes(bundle), Limits());
  ASSERT_TRUE(known.has_value()) << known.error().what();
  EXPECT_FALSE(*known);
  EXPECT_FALSE(must(all.add(as_bytes(" \r\n\t" + bundle), Limits())));
}

TEST(SnpCollateral, DamagedPemIsAnError) {
  const std::string list = as_pem(test_amd_list(), "X509 CRL"),
                    one = as_pem(test_amd_pki().ask().der(), "CERTIFICATE");
  SnpCollateral out;
  for (const std::string& bad :
       {list.substr(0, list.size() / 2), one.substr(0, one.size() / 2),
        std::string("-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n"),
        std::string("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")}) {
    const auto added = out.add(as_bytes(bad), Limits());
    ASSERT_FALSE(added.has_value()) << bad;
    EXPECT_EQ(added.error().code(), Code::corrupt);
  }
}

TEST(SnpCollateral, IsBounded) {
  Limits few;
  few.certificates = 2;
  SnpCollateral out;
  std::string text;
  for (int i = 0; i < 3; ++i) text += as_pem(test_amd_list(), "X509 CRL");
  auto added = out.add(as_bytes(text), few);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code(), Code::limit);
  few.collateral_files = 1;
  EXPECT_TRUE(must(out.add(test_amd_list(), few)));
  added = out.add(test_amd_list(), few);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code(), Code::limit);
}

// As a host lays it out: entries, an entry of zeros, contents.
Bytes as_table(const std::vector<std::pair<std::string, Bytes>>& entries) {
  ByteWriter out;
  std::uint32_t at = static_cast<std::uint32_t>(24 * (entries.size() + 1));
  for (const auto& [guid, content] : entries) {
    out.bytes(*unhex(guid));
    out.u32(at);
    out.u32(static_cast<std::uint32_t>(content.size()));
    at += static_cast<std::uint32_t>(content.size());
  }
  out.zeros(24);
  for (const auto& entry : entries) out.bytes(entry.second);
  return out.take();
}
constexpr const char* kAskGuid = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr const char* kArkGuidMixed =
    "a406b4c003a85249"
    "97433fb6014cd0ae";
constexpr const char* kOtherGuid = "000102030405060708090a0b0c0d0e0f";

TEST(SnpCollateral, TakesTheTableThatComesWithAReport) {
  Bytes bytes =
      as_table({{kAskGuid, test_amd_pki().ask().der()},
                {kOtherGuid, to_bytes("something of the host's own")},
                {kArkGuidMixed, to_bytes(as_pem(test_amd_pki().ark().der(), "CERTIFICATE"))}});
  bytes.resize(16384);  // buffers are whole pages
  SnpCollateral out;
  EXPECT_TRUE(must(out.add(bytes, Limits())));
  ASSERT_EQ(out.certificates.size(), 2U);
  EXPECT_EQ(out.certificates[1].common_name(), "ARK-Milan");
  SnpCollateral mixed;
  EXPECT_TRUE(must(mixed.add(as_table({{kArkGuidMixed, test_amd_pki().ark().der()}}), Limits())));
  EXPECT_EQ(mixed.certificates.size(), 1U);
}

TEST(SnpCollateral, ATableThatPointsOutsideIsNone) {
  const Bytes good = as_table({{kAskGuid, test_amd_pki().ask().der()}});
  SnpCollateral out;
  for (const std::size_t size : {std::size_t{10}, std::size_t{30}, good.size() - 1}) {
    Bytes cut = good;
    cut.resize(size);
    EXPECT_FALSE(must(out.add(cut, Limits()))) << size;
  }
  Bytes far = good;
  std::fill(far.begin() + 16, far.begin() + 24, std::byte{0xff});
  EXPECT_FALSE(must(out.add(far, Limits())));
  EXPECT_FALSE(must(out.add(as_table({{kOtherGuid, test_amd_pki().ask().der()}}), Limits())));
  EXPECT_TRUE(out.certificates.empty());
}

}  // namespace
}  // namespace cloister::sign
