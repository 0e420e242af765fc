// What is said of an enclave image file, hostile ones among them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/report/eif.h"
#include "tests/base/must.h"
#include "tests/measure/nitro/test_eif.h"

namespace cloister::cmd {
namespace {

using measure::nitro::Eif;
using measure::nitro::EifSectionType;
using measure::nitro::TestEif;

const Limits kEifLimits;

Eif eif_of(const Bytes& bytes) {
  MemorySource source(bytes);
  return must(measure::nitro::read_eif(source, kEifLimits, "'x.eif'"));
}

TEST(EifReport, OfASignedFile) {
  const Eif eif = eif_of(measure::nitro::eif_vector("signed.eif"));
  const sign::EifSignature signature = must(sign::parse_eif_signature(*eif.signature));
  const std::string text = eif_text({eif, &signature, nullptr, kEifLimits, false});
  EXPECT_EQ(text,
            cat("pcr0             ", hex(eif.pcr0), "\n",  //
                "pcr1             ", hex(eif.pcr1), "\n",  //
                "pcr2             ", hex(eif.pcr2), "\n",  //
                "pcr8             ", hex(signature.pcr8()),
                "\n"
                "signature        ES384, valid\n"
                "certificate      'cloister test', sha256 ",
                sha256(signature.certificate.der()).hex(),
                "\n"
                "valid            2026-11-23T21:36:22Z to 2126-10-30T21:36:22Z: nitro-cli starts "
                "it only then\n"
                "architecture     x86-64\n"
                "command line     reboot=k panic=30 pci=off nomodules console=ttyS0 "
                "random.trust_cpu=on\n"));
  const Json json = must(
      parse_json(eif_json({eif, &signature, nullptr, kEifLimits, true}), kEifLimits, "report"));
  EXPECT_EQ(json.at("pcr8"), hex(signature.pcr8()));
  EXPECT_EQ(json.at("signature").at("valid"), true);
  EXPECT_EQ(json.at("sections").size(), 6U);
  EXPECT_EQ(json.at("metadata").at("ImageName"), "cloister-test");
}

TEST(EifReport, ASignatureThatDoesNotCountSaysWhy) {
  const Eif eif = eif_of(measure::nitro::eif_vector("signed.eif"));
  const sign::EifSignature signature = must(sign::parse_eif_signature(*eif.signature));
  const Status checked = sign::check_eif_signature(signature, {});
  ASSERT_FALSE(checked.has_value());
  const EifReport report{eif, &signature, &checked.error(), kEifLimits, false};
  EXPECT_NE(eif_text(report).find("signature        ES384, NOT VALID\n"), std::string::npos);
  const Json json = must(parse_json(eif_json(report), kEifLimits, "report"));
  EXPECT_EQ(json.at("signature").at("problem"), "the image's signature is over another image");
}

TEST(EifReport, ExplainsHeaderSectionsAndMetadata) {
  const Eif eif = eif_of(measure::nitro::eif_vector("unsigned.eif"));
  const std::string text = eif_text({eif, nullptr, nullptr, kEifLimits, true});
  EXPECT_NE(text.find("signature        none\n"), std::string::npos);
  EXPECT_NE(text.find("crc32            0xf3c91da\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n548           4400          kernel     d4ab784ecfde"), std::string::npos)
      << text;
  EXPECT_NE(text.find("metadata (not measured)\n{\n  \"ImageName\": \"cloister-test\",\n"),
            std::string::npos)
      << text;
}

TEST(EifReport, NothingActsOnTheTerminal) {
  TestEif hostile;
  hostile.sections[1].content = "a\x1b[31m\n\xff";
  for (const char* metadata :
       {"{\"a\\n\\\\\":\"\xe2\x80\xae\xc2\x9b\"}", "no \x1b JSON", "{\"a\":\"\xff\"}", ""}) {
    hostile.sections[2].content = metadata;
    const Eif eif = eif_of(hostile.bytes());
    const EifReport report{eif, nullptr, nullptr, kEifLimits, true};
    const std::string text = eif_text(report);
    EXPECT_TRUE(is_utf8(text)) << metadata;
    for (const char c : text) ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
    const std::string json = eif_json(report);
    EXPECT_TRUE(is_utf8(json));
    EXPECT_TRUE(parse_json(json, kEifLimits, "report").has_value()) << json;
  }
}

}  // namespace
}  // namespace cloister::cmd
