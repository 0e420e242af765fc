// What is stated of an enclave of AWS Nitro, and each question that is asked of it.
#include "sign/image/nitro_checks.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "measure/nitro/eif.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"
#include "tests/sign/nitro/nitro_pki.h"

namespace cloister::sign {
namespace {

using measure::nitro::Pcr;

Pcr filled(std::uint8_t byte) {
  Pcr out;
  out.fill(std::byte{byte});
  return out;
}

NitroMeasurement some_enclave() {
  NitroMeasurement out;
  out.platform = "linux/amd64";
  out.pcr0 = filled(0xa0);
  out.pcr1 = filled(0xa1);
  out.pcr2 = filled(0xa2);
  out.kernel_version = "6.6.38";
  out.eif = sha256(std::string_view("eif"));
  out.kernel = sha256(std::string_view("kernel"));
  out.init = sha256(std::string_view("init"));
  out.nsm = sha256(std::string_view("nsm"));
  out.command_line = "console=ttyS0";
  out.document = sha256(std::string_view("document"));
  out.files = 7;
  out.files_digest = sha256(std::string_view("files"));
  out.base_uri = "reg.example/app:1";
  out.base_digest = sha256(std::string_view("base"));
  out.generator_version = "1.2.3";
  return out;
}

std::string names_of(const std::vector<Check>& checks, bool passed) {
  std::string out;
  for (const Check& check : checks)
    if (check.passed == passed) out += check.name + "\n";
  return out;
}

TEST(NitroMeasurementTest, IsReadAsItWasWritten) {
  const NitroMeasurement enclave = some_enclave();
  EXPECT_EQ(must(parse_nitro_measurement(encode_nitro_measurement(enclave), {})), enclave);
  NitroMeasurement full = enclave;
  full.pcr8 = filled(0xa8);
  full.nsm.reset();
  full.base_uri.clear();
  const std::string text = encode_nitro_measurement(full);
  EXPECT_EQ(must(parse_nitro_measurement(text, {})), full);
  EXPECT_NE(text.find("\"tee\":\"nitro\",\"image\":"), std::string::npos);
  EXPECT_NE(text.find(cat("\"pcr8\":\"", hex(filled(0xa8)), "\"")), std::string::npos);
  EXPECT_FALSE(full == enclave);
}

// Without each member that must be there, and with another kind of value in its place.
TEST(NitroMeasurementTest, WantsEveryMember) {
  const Json whole = Json::parse(encode_nitro_measurement(some_enclave()));
  for (const char* name : {"/tee",
                           "/image",
                           "/nitro",
                           "/manifest",
                           "/trustedFiles",
                           "/base",
                           "/generator",
                           "/nitro/pcr0",
                           "/nitro/pcr1",
                           "/nitro/pcr2",
                           "/nitro/eif",
                           "/nitro/kernel",
                           "/nitro/kernel/version",
                           "/nitro/init",
                           "/nitro/init/digest",
                           "/nitro/commandLine",
                           "/base/digest",
                           "/trustedFiles/count",
                           "/manifest/digest",
                           "/generator/version"}) {
    const Json::json_pointer at{std::string(name)};
    Json without = whole;
    without.at(at.parent_pointer()).erase(at.back());
    EXPECT_FALSE(parse_nitro_measurement(without.dump(), {}).has_value()) << name;
    Json other = whole;
    other.at(at) = true;
    EXPECT_FALSE(parse_nitro_measurement(other.dump(), {}).has_value()) << name;
  }
}

TEST(NitroMeasurementTest, RefusesOtherRegisters) {
  const Json whole = Json::parse(encode_nitro_measurement(some_enclave()));
  for (const std::string& text : {std::string(94, 'a'), std::string(96, 'A'), std::string(96, 'g'),
                                  std::string(98, 'a'), std::string()}) {
    for (const char* name : {"pcr0", "pcr8"}) {
      Json other = whole;
      other["nitro"][name] = text;
      EXPECT_EQ(parse_nitro_measurement(other.dump(), {}).error().code(), Code::corrupt) << text;
    }
  }
  Json snp = whole;
  snp["tee"] = "snp";
  EXPECT_EQ(parse_nitro_measurement(snp.dump(), {}).error().code(), Code::unsupported);
  EXPECT_EQ(parse_nitro_measurement("[]", {}).error().code(), Code::corrupt);
}

TEST(NitroChecksTest, AllHoldForWhatIsStated) {
  NitroEvidence evidence;
  evidence.stated = some_enclave();
  evidence.measured = some_enclave();
  EXPECT_EQ(names_of(check_nitro_evidence(evidence), true), "guest-files\npcrs\neif-signature\n");
  EXPECT_TRUE(all_passed(check_nitro_claim(evidence, some_enclave())));
}

TEST(NitroChecksTest, EachRegisterCounts) {
  for (Pcr NitroMeasurement::*pcr :
       {&NitroMeasurement::pcr0, &NitroMeasurement::pcr1, &NitroMeasurement::pcr2}) {
    NitroEvidence evidence;
    evidence.stated = some_enclave();
    evidence.measured = some_enclave();
    (*evidence.measured).*pcr = filled(1);
    EXPECT_EQ(names_of(check_nitro_evidence(evidence), false), "pcrs\n");
    NitroMeasurement claim = some_enclave();
    claim.*pcr = filled(1);
    EXPECT_EQ(names_of(check_nitro_claim(evidence, claim), false), "attested-guest\n");
  }
}

TEST(NitroChecksTest, EachFileCounts) {
  for (Digest NitroMeasurement::*digest :
       {&NitroMeasurement::eif, &NitroMeasurement::kernel, &NitroMeasurement::init}) {
    NitroEvidence evidence;
    evidence.stated = some_enclave();
    evidence.measured = some_enclave();
    (*evidence.measured).*digest = sha256(std::string_view("other"));
    EXPECT_EQ(names_of(check_nitro_evidence(evidence), false), "guest-files\n");
  }
  NitroEvidence evidence;
  evidence.stated = some_enclave();
  evidence.measured = some_enclave();
  evidence.measured->nsm.reset();
  EXPECT_EQ(names_of(check_nitro_evidence(evidence), false), "guest-files\n");
}

TEST(NitroChecksTest, NothingHoldsForWhatCannotBeMeasured) {
  NitroEvidence evidence;
  evidence.stated = some_enclave();
  evidence.problem = "no file";
  const auto checks = check_nitro_evidence(evidence);
  EXPECT_EQ(names_of(checks, true), "");
  EXPECT_EQ(checks.front().found, "no file");
}

// The section of a file that another implementation signed, and its PCR0.
class NitroSignatureTest : public testing::Test {
 protected:
  NitroSignatureTest() {
    const Bytes file = must(read_file(source_dir() / "testdata/nitro-eif/signed.eif", 1 << 20));
    MemorySource source(file);
    const auto eif = must(measure::nitro::read_eif(source, {}, "signed.eif"));
    evidence.signature = must(parse_eif_signature(*eif.signature));
    evidence.stated = some_enclave();
    evidence.stated.pcr0 = eif.pcr0;
    evidence.stated.pcr8 = evidence.signature->pcr8();
    evidence.measured = evidence.stated;
  }
  std::string failed() const { return names_of(check_nitro_evidence(evidence), false); }
  NitroEvidence evidence;
};

TEST_F(NitroSignatureTest, HoldsOverThisImage) {
  EXPECT_EQ(failed(), "");
  evidence.stated.pcr0 = evidence.measured->pcr0 = filled(9);
  EXPECT_EQ(failed(), "eif-signature\n");
}

TEST_F(NitroSignatureTest, IsThereWhereItIsStated) {
  evidence.signature.reset();
  evidence.measured->pcr8.reset();
  EXPECT_EQ(failed(), "pcrs\neif-signature\n");
}

TEST_F(NitroSignatureTest, IsStatedWhereItIsThere) {
  evidence.stated.pcr8.reset();
  EXPECT_EQ(failed(), "pcrs\neif-signature\n");
}

TEST_F(NitroSignatureTest, ThatCannotBeReadIsNone) {
  evidence.signature.reset();
  evidence.measured->pcr8.reset();
  evidence.stated.pcr8.reset();
  evidence.signature_problem = "no COSE";
  EXPECT_EQ(failed(), "eif-signature\n");
}

TEST(QuotedNitro, IsTheEnclaveOfTheImage) {
  NitroMeasurement enclave = some_enclave();
  NitroDocumentParts parts;
  parts.pcrs = {{0, filled(0xa0)}, {1, filled(0xa1)}, {2, filled(0xa2)}, {3, filled(0x33)}};
  const auto read = [&] {
    return Quote(must(parse_nitro_document(encode_nitro_document(parts), {})));
  };
  EXPECT_TRUE(all_passed(check_quoted_nitro(read(), enclave)));
  enclave.pcr8 = filled(0xa8);
  EXPECT_EQ(names_of(check_quoted_nitro(read(), enclave), false), "quote-image\nquote-pcrs\n");
  parts.pcrs[8] = filled(0xa8);
  EXPECT_TRUE(all_passed(check_quoted_nitro(read(), enclave)));
  for (const std::uint8_t number : std::vector<std::uint8_t>{0, 1, 2, 8}) {
    NitroDocumentParts changed = parts;
    changed.pcrs[number] = filled(0x5a);
    std::swap(parts, changed);
    EXPECT_FALSE(all_passed(check_quoted_nitro(read(), enclave))) << unsigned{number};
    std::swap(parts, changed);
  }
  const auto other = check_quoted_nitro(SnpReport(), enclave);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(other.front().found, "the quote is of a SEV-SNP guest");
}

}  // namespace
}  // namespace cloister::sign
