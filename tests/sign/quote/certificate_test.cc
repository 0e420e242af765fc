// Certificates, revocation lists and chains, apart from what any maker of processors does with
// them.
#include "sign/quote/certificate.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/sign/quote/intel_pki.h"

namespace cloister::sign {
namespace {

const Limits kBounds;

Seconds at(std::string_view time) {
  return must(parse_rfc3339(time));
}

const TestValidity kYear{at("2025-01-01T00:00:00Z"), at("2025-12-31T23:59:59Z")};

struct Authority {
  TestKey key;
  Certificate certificate;
  explicit Authority(const std::string& name)
      : certificate(must(
            Certificate::parse_der(make_certificate({name, name, 1, kYear, true, {}}, key, key)))) {
  }
  Certificate issue(const std::string& name, const TestKey& to, bool ca = false,
                    std::uint64_t serial = 2) const {
    return must(Certificate::parse_der(
        make_certificate({name, certificate.common_name(), serial, kYear, ca, {}}, to, key)));
  }
};

TEST(Certificate, SaysWhatItHolds) {
  const Authority root("A Root");
  const TestKey key;
  const Certificate leaf = root.issue("A Leaf", key, false, 0x80ff);
  EXPECT_EQ(leaf.common_name(), "A Leaf");
  EXPECT_EQ(hex(leaf.serial()), "80ff");
  EXPECT_EQ(leaf.not_before(), kYear.from);
  EXPECT_EQ(leaf.not_after(), kYear.to);
  EXPECT_EQ(leaf.issuer(), root.certificate.subject());
  EXPECT_FALSE(leaf.may_issue());
  EXPECT_TRUE(root.certificate.may_issue());
  EXPECT_TRUE(root.certificate.is_self_issued());
  EXPECT_FALSE(leaf.is_self_issued());
  EXPECT_EQ(hex(ByteView(leaf.spki()).last(64)), hex(key.point()));
}

TEST(Certificate, IsValidFromItsFirstToItsLastSecond) {
  const Certificate one = Authority("A Root").certificate;
  EXPECT_FALSE(one.is_valid_at(kYear.from - std::chrono::seconds(1)));
  EXPECT_TRUE(one.is_valid_at(kYear.from));
  EXPECT_TRUE(one.is_valid_at(kYear.to));
  EXPECT_FALSE(one.is_valid_at(kYear.to + std::chrono::seconds(1)));
}

TEST(Certificate, IsSignedByItsIssuerAlone) {
  const Authority root("A Root"), namesake("A Root"), other("Another Root");
  const TestKey key;
  const Certificate leaf = root.issue("A Leaf", key);
  EXPECT_TRUE(leaf.is_signed_by(root.certificate));
  EXPECT_FALSE(leaf.is_signed_by(namesake.certificate));
  EXPECT_FALSE(leaf.is_signed_by(other.certificate));
  EXPECT_FALSE(leaf.is_signed_by(leaf));
  // One that may not issue has issued nothing.
  const Certificate below = must(
      Certificate::parse_der(make_certificate({"Below", "A Leaf", 3, kYear, false, {}}, key, key)));
  EXPECT_FALSE(below.is_signed_by(leaf));
}

TEST(Certificate, OtherBytesAreNone) {
  const Bytes good = Authority("A Root").certificate.der();
  for (std::size_t size = 0; size < good.size(); size += 7)
    EXPECT_EQ(Certificate::parse_der(ByteView(good).first(size)).error().code(), Code::corrupt);
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Certificate::parse_der(longer).error().code(), Code::corrupt);
}

TEST(Certificate, PemIsReadWithWhatStandsAroundIt) {
  const Authority root("A Root"), second("Another Root");
  const std::string pem = cat("subject=…\n", pem_certificate(root.certificate.der()), "\nand\n",
                              pem_certificate(second.certificate.der()), std::string(1, '\0'));
  const auto read = must(Certificate::parse_pem(pem, kBounds));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].der(), root.certificate.der());
  EXPECT_EQ(read[1].der(), second.certificate.der());
  EXPECT_EQ(Certificate::parse_pem("nothing", kBounds).error().code(), Code::corrupt);
  EXPECT_EQ(Certificate::parse_pem(pem.substr(0, 200), kBounds).error().code(), Code::corrupt);
  Limits one;
  one.certificates = 1;
  EXPECT_EQ(Certificate::parse_pem(pem, one).error().code(), Code::limit);
  EXPECT_EQ(
      Certificate::parse_pem("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", kBounds)
          .error()
          .code(),
      Code::corrupt);
}

TEST(Certificate, ExtensionsAreFoundByName) {
  const IntelPki pki;
  const auto leaf = must(Certificate::parse_der(pki.pck_chain(ChainOrder::leaf_first).front()));
  const Bytes oid = *unhex("2a864886f84d010d01");
  ASSERT_TRUE(leaf.extension(oid).has_value());
  EXPECT_EQ(*leaf.extension(oid), encode_pck_extension(pki.platform));
  EXPECT_FALSE(leaf.extension(*unhex("2a864886f84d010d02")).has_value());
  EXPECT_FALSE(leaf.extension({}).has_value());
}

TEST(Certificate, VerifiesWhatItsKeySigned) {
  const Authority root("A Root");
  const Bytes message = to_bytes("message");
  auto signature = root.key.sign(message);
  EXPECT_TRUE(root.certificate.verify_ecdsa(message, signature, "SHA256"));
  EXPECT_FALSE(root.certificate.verify_ecdsa(message, signature, "SHA384"));
  EXPECT_FALSE(root.certificate.verify_ecdsa(to_bytes("massage"), signature, "SHA256"));
  EXPECT_FALSE(root.certificate.verify_ecdsa(message, ByteView(signature).first(63), "SHA256"));
  EXPECT_FALSE(root.certificate.verify_ecdsa(message, {}, "SHA256"));
  EXPECT_FALSE(root.certificate.verify_ecdsa(message, Bytes(64), "SHA256"));
  EXPECT_TRUE(verify_p256(root.key.point(), message, signature));
  signature[40] ^= std::byte{1};
  EXPECT_FALSE(verify_p256(root.key.point(), message, signature));
  EXPECT_FALSE(verify_p256(Bytes(64), message, signature));  // not on the curve
  EXPECT_FALSE(verify_p256(Bytes(63), message, signature));
}

TEST(RevocationList, RevokesWhatItsIssuerListed) {
  const Authority root("A Root"), other("Another Root");
  const TestKey key;
  const auto list =
      must(RevocationList::parse_der(make_revocation_list("A Root", root.key, kYear, {7, 300, 9})));
  EXPECT_TRUE(list.is_signed_by(root.certificate));
  EXPECT_FALSE(list.is_signed_by(other.certificate));
  EXPECT_TRUE(list.revokes(root.issue("A Leaf", key, false, 300)));
  EXPECT_TRUE(list.revokes(root.issue("A Leaf", key, false, 7)));
  EXPECT_FALSE(list.revokes(root.issue("A Leaf", key, false, 8)));
  EXPECT_FALSE(list.revokes(other.issue("A Leaf", key, false, 300)));
  EXPECT_EQ(list.this_update(), kYear.from);
  EXPECT_EQ(list.next_update(), kYear.to);
  EXPECT_TRUE(list.is_valid_at(kYear.to));
  EXPECT_FALSE(list.is_valid_at(kYear.to + std::chrono::seconds(1)));
  const auto empty =
      must(RevocationList::parse_der(make_revocation_list("A Root", root.key, kYear, {})));
  EXPECT_FALSE(empty.revokes(root.issue("A Leaf", key, false, 7)));
  const auto forged =
      must(RevocationList::parse_der(make_revocation_list("A Root", other.key, kYear, {})));
  EXPECT_FALSE(forged.is_signed_by(root.certificate));
}

TEST(RevocationList, OtherBytesAreNone) {
  const Authority root("A Root");
  Bytes good = make_revocation_list("A Root", root.key, kYear, {7});
  EXPECT_EQ(RevocationList::parse_der(ByteView(good).first(40)).error().code(), Code::corrupt);
  EXPECT_EQ(RevocationList::parse_der(root.certificate.der()).error().code(), Code::corrupt);
  good.push_back(std::byte{0});
  EXPECT_EQ(RevocationList::parse_der(good).error().code(), Code::corrupt);
}

TEST(ChainOf, GoesByIssuerAndNotByPosition) {
  const Authority root("A Root"), stranger("Another Root");
  const TestKey middle_key, leaf_key;
  const Certificate middle = root.issue("A Middle", middle_key, true);
  const Certificate leaf = must(Certificate::parse_der(
      make_certificate({"A Leaf", "A Middle", 4, kYear, false, {}}, leaf_key, middle_key)));
  for (const auto& candidates :
       {std::vector<Certificate>{leaf, stranger.certificate, root.certificate, middle},
        std::vector<Certificate>{middle, middle, root.certificate}}) {
    const auto chain = chain_of(leaf, candidates, kBounds);
    ASSERT_TRUE(chain.has_value());
    ASSERT_EQ(chain->size(), 3U);
    EXPECT_EQ((*chain)[1].der(), middle.der());
    EXPECT_EQ((*chain)[2].der(), root.certificate.der());
  }
  EXPECT_FALSE(chain_of(leaf, {middle}, kBounds).has_value());
  EXPECT_FALSE(chain_of(leaf, {root.certificate}, kBounds).has_value());
}

TEST(ChainOf, EndsWhereTheLimitIs) {
  // Two that issue each other: a circle without a root.
  const TestKey a, b;
  const Certificate first =
      must(Certificate::parse_der(make_certificate({"A", "B", 1, kYear, true, {}}, a, b)));
  const Certificate second =
      must(Certificate::parse_der(make_certificate({"B", "A", 2, kYear, true, {}}, b, a)));
  EXPECT_FALSE(chain_of(first, {first, second}, kBounds).has_value());
}

}  // namespace
}  // namespace cloister::sign
