// Version 1 of everything we sign, as it was made once (testdata/sign/v1/make.sh): what people have
// published stays verifiable, whatever changes here.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "sign/image/bundle.h"
#include "sign/image/checks.h"
#include "sign/policy/checks.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::sign {
namespace {

constexpr const char* kMrenclave =
    "7a5982c51571e1ed1860e882ef47feda0994ef9bd79abef2aeca7e40843ba6a5";

std::string golden(const std::string& name) {
  return must(read_text_file((source_dir() / "testdata/sign/v1" / name).native(), 1U << 20));
}

Digest golden_image() {
  return must(Digest::parse(golden("image-digest").substr(0, 71)));
}

ImagePublicKey golden_key(const std::string& name) {
  return must(ImagePublicKey::from_pem(as_bytes(golden(name)), name));
}

class GoldenV1 : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(KeyTypes, GoldenV1,
                         testing::Values("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa"),
                         [](const auto& type) {
                           std::string name = type.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(GoldenV1, SignatureAndAttestationsVerify) {
  const std::string folder = cat(GetParam(), "/");
  const ImagePublicKey key = golden_key(folder + "public.pem");
  std::string base64_text = golden(folder + "signature.base64");
  while (base64_text.ends_with('\n')) base64_text.pop_back();
  const Check signature =
      check_signature(golden_image(), {{golden(folder + "payload.json"), *unbase64(base64_text)}},
                      {}, key, Limits());
  EXPECT_TRUE(signature.passed) << signature.found;

  const std::vector<DsseEnvelope> envelopes = {
      must(parse_dsse(golden(folder + "measurement.dsse.json"), Limits())),
      must(parse_dsse(golden(folder + "provenance.dsse.json"), Limits()))};
  const AttestationResult attestation = check_attestation(golden_image(), envelopes, key, Limits());
  ASSERT_TRUE(attestation.check.passed) << attestation.check.found;
  EXPECT_EQ(attestation.claim->mrenclave.hex(), kMrenclave);
  EXPECT_EQ(attestation.claim->isvsvn, 3);
  const auto provenance =
      check_provenance(golden_image(), golden("provenance.json"), envelopes, key, Limits());
  ASSERT_TRUE(provenance);
  EXPECT_TRUE(provenance->passed) << provenance->found;
}

TEST_P(GoldenV1, BundlesVerify) {
  const ImagePublicKey key = golden_key(cat(GetParam(), "/public.pem"));
  std::vector<DsseEnvelope> envelopes;
  const auto folder = source_dir() / "testdata/sign/v1";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().native();
    if (name.starts_with("bundle-"))
      envelopes.push_back(must(parse_bundle(golden(name), Limits())));
  }
  EXPECT_EQ(envelopes.size(), 13U);  // signature, measurement, provenance by each; and the rebuild
  EXPECT_TRUE(check_signature(golden_image(), {}, envelopes, key, Limits()).passed);
  EXPECT_TRUE(check_attestation(golden_image(), envelopes, key, Limits()).check.passed);
}

TEST(GoldenRebuild, Counts) {
  const auto envelope = must(parse_dsse(golden("rebuild.dsse.json"), Limits()));
  EXPECT_EQ(rebuilt_by(golden_image(), must(Digest::parse_hex(kMrenclave)), {envelope},
                       {{"rebuilder", golden_key("rebuilder.pem")}}, Limits()),
            std::vector<std::string>{"rebuilder"});
}

TEST(GoldenProvenance, IsReadWhole) {
  const Provenance provenance = must(parse_provenance(golden("provenance.json"), Limits()));
  EXPECT_EQ(provenance.platform, "linux/amd64");
  ASSERT_EQ(provenance.inputs.size(), 2U);
  EXPECT_EQ(encode_provenance(provenance).size(), golden("provenance.json").size());
}

}  // namespace
}  // namespace cloister::sign
