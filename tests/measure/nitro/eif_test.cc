#include "measure/nitro/eif.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "tests/base/must.h"
#include "tests/base/pieces_source.h"
#include "tests/measure/nitro/test_eif.h"

namespace cloister::measure::nitro {
namespace {

const Limits kBounds;

Result<Eif> read_bytes(ByteView bytes, const Limits& limits = kBounds) {
  MemorySource source(bytes);
  return read_eif(source, limits, "'x.eif'");
}

std::string refusal(const Bytes& bytes, const Limits& limits = kBounds) {
  const auto eif = read_bytes(bytes, limits);
  return eif.has_value() ? "read" : eif.error().what();
}

Json vectors() {
  return must(parse_json(as_text(eif_vector("vectors.json")), kBounds, "vectors.json"));
}

TEST(Eif, HasTheRegistersThatAnotherImplementationComputes) {
  const Json expected = vectors().at("two_ramdisks");
  for (const char* name : {"unsigned.eif", "signed.eif"}) {
    const Eif eif = must(read_bytes(eif_vector(name)));
    EXPECT_EQ(hex(eif.pcr0), expected.at("PCR0")) << name;
    EXPECT_EQ(hex(eif.pcr1), expected.at("PCR1")) << name;
    EXPECT_EQ(hex(eif.pcr2), expected.at("PCR2")) << name;
  }
}

TEST(Eif, SaysWhatItHolds) {
  const Bytes bytes = eif_vector("signed.eif");
  const Eif eif = must(read_bytes(bytes));
  EXPECT_EQ(eif.size, bytes.size());
  EXPECT_EQ(eif.header.version, 4);
  EXPECT_FALSE(eif.arm64());
  EXPECT_EQ(eif.command_line,
            "reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on");
  EXPECT_TRUE(eif.metadata.starts_with("{\"ImageName\":\"cloister-test\""));
  ASSERT_TRUE(eif.signature.has_value());
  EXPECT_EQ(eif.signature->size(), 1814U);
  const Json inputs = vectors().at("inputs");
  const std::pair<EifSectionType, const char*> sections[] = {
      {EifSectionType::kernel, "kernel.bin"},      {EifSectionType::command_line, "cmdline.txt"},
      {EifSectionType::metadata, "metadata.json"}, {EifSectionType::ramdisk, "ramdisk0.bin"},
      {EifSectionType::ramdisk, "ramdisk1.bin"},
  };
  ASSERT_EQ(eif.sections.size(), 6U);
  for (std::size_t i = 0; i < std::size(sections); ++i) {
    EXPECT_EQ(eif.sections[i].type, sections[i].first) << i;
    EXPECT_EQ(eif.sections[i].sha256.hex(), inputs.at(sections[i].second)) << i;
  }
  EXPECT_EQ(eif.sections[5].type, EifSectionType::signature);
  EXPECT_FALSE(must(read_bytes(eif_vector("unsigned.eif"))).signature.has_value());
}

TEST(Eif, WithoutASecondRamdiskTheApplicationIsNothing) {
  TestEif eif;
  eif.sections.pop_back();
  EXPECT_EQ(hex(must(read_bytes(eif.bytes())).pcr2),
            vectors().at("one_ramdisk").at("PCR2").get<std::string>());
}

TEST(Eif, OnlyWhatRunsIsMeasured) {
  TestEif eif;
  const Eif before = must(read_bytes(eif.bytes()));
  eif.header.default_memory = 1;
  eif.sections[2].content = R"({"ImageName":"other"})";
  eif.sections.push_back({EifSectionType::signature, "anything"});
  const Eif after = must(read_bytes(eif.bytes()));
  EXPECT_EQ(before.pcr0, after.pcr0);
  EXPECT_EQ(before.pcr1, after.pcr1);
  EXPECT_EQ(before.pcr2, after.pcr2);
  for (const std::size_t measured : {0U, 1U, 3U, 4U}) {
    TestEif changed;
    changed.sections[measured].content += "x";
    const Eif other = must(read_bytes(changed.bytes()));
    EXPECT_NE(other.pcr0, before.pcr0) << measured;
    EXPECT_EQ(other.pcr1 != before.pcr1, measured != 4) << measured;
    EXPECT_EQ(other.pcr2 != before.pcr2, measured == 4) << measured;
  }
}

TEST(Eif, OrderIsThatOfTheFile) {
  TestEif eif;
  const Eif before = must(read_bytes(eif.bytes()));
  std::swap(eif.sections[0], eif.sections[1]);
  EXPECT_NE(must(read_bytes(eif.bytes())).pcr0, before.pcr0);
  std::swap(eif.sections[0], eif.sections[1]);
  std::swap(eif.sections[2], eif.sections[3]);
  EXPECT_EQ(must(read_bytes(eif.bytes())).pcr0, before.pcr0);
}

TEST(Eif, OlderVersionsHaveNoMetadata) {
  TestEif eif;
  eif.sections.erase(eif.sections.begin() + 2);
  EXPECT_EQ(refusal(eif.bytes()), "the enclave image has no metadata");
  eif.header.version = 3;
  EXPECT_EQ(must(read_bytes(eif.bytes())).metadata, "");
}

TEST(Eif, PiecesAreTheWhole) {
  const Bytes bytes = eif_vector("signed.eif");
  for (const std::size_t piece : {1U, 7U, 4096U}) {
    PiecesSource source(bytes, piece);
    EXPECT_EQ(must(read_eif(source, kBounds, "'x.eif'")).pcr0, must(read_bytes(bytes)).pcr0);
  }
}

TEST(Eif, EveryPrefixIsRefused) {
  const Bytes bytes = TestEif().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto eif = read_bytes(ByteView(bytes).first(size));
    ASSERT_FALSE(eif.has_value()) << size;
    EXPECT_EQ(eif.error().code(), Code::corrupt);
  }
}

TEST(Eif, EveryBitCounts) {
  const Bytes bytes = TestEif().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= std::byte{0x10};
    EXPECT_FALSE(read_bytes(changed).has_value()) << i;
  }
}

TEST(Eif, BytesAfterTheLastSectionAreRefused) {
  Bytes bytes = TestEif().bytes();
  bytes.push_back(std::byte{0});
  EXPECT_EQ(refusal(bytes), "the enclave image has bytes after its last section");
}

TEST(Eif, SectionsStandWhereTheyMay) {
  const auto with = [](std::vector<TestSection> sections) {
    TestEif eif;
    eif.sections = std::move(sections);
    return refusal(eif.bytes());
  };
  const TestSection kernel{EifSectionType::kernel, "k"}, line{EifSectionType::command_line, "c"},
      metadata{EifSectionType::metadata, "{}"}, ramdisk{EifSectionType::ramdisk, "r"},
      signature{EifSectionType::signature, "s"};
  EXPECT_EQ(with({kernel, line, metadata}), "read");
  EXPECT_EQ(with({metadata, kernel, ramdisk, line}), "read");
  EXPECT_EQ(with({kernel, kernel, line, metadata}), "the enclave image has a second kernel");
  EXPECT_EQ(with({kernel, line, line, metadata}), "the enclave image has a second cmdline");
  EXPECT_EQ(with({kernel, line, metadata, metadata}), "the enclave image has a second metadata");
  EXPECT_EQ(with({kernel, line, metadata, signature, signature}),
            "the enclave image has a second signature");
  EXPECT_EQ(with({ramdisk, kernel, line, metadata}),
            "a ramdisk of the enclave image stands before its kernel");
  EXPECT_EQ(with({line, metadata}), "the enclave image has no kernel");
  EXPECT_EQ(with({kernel, metadata}), "the enclave image has no cmdline");
  EXPECT_EQ(with({kernel, line, metadata, {EifSectionType(6), "x"}}),
            "a section is of no known type: 6");
}

TEST(Eif, ASectionHasOneSize) {
  TestEif eif;
  Bytes bytes = eif.bytes();
  bytes[kEifHeaderSize + 11] ^= std::byte{1};
  EXPECT_EQ(refusal(with_crc(bytes)), "the enclave image gives a kernel two sizes");
}

TEST(Eif, ReachesItsLimits) {
  TestEif eif;
  Limits small;
  small.eif_bytes = eif.bytes().size() - 1;
  EXPECT_EQ(must(read_bytes(eif.bytes())).size, eif.bytes().size());
  EXPECT_EQ(read_bytes(eif.bytes(), small).error().code(), Code::limit);

  small = {};
  small.guest_document_bytes = 12;  // the command line has 13
  EXPECT_EQ(read_bytes(eif.bytes(), small).error().code(), Code::limit);

  eif.sections.push_back({EifSectionType::signature, std::string(kEifMaxSignature, 's')});
  EXPECT_EQ(refusal(eif.bytes()), "read");
  eif.sections.back().content += "s";
  EXPECT_EQ(read_bytes(eif.bytes()).error().code(), Code::limit);

  // What is said is believed only as far as bytes come.
  EifHeader huge;
  huge.sections = {{548, 1ULL << 33}, {548 + 12 + (1ULL << 33), 1}};
  EXPECT_EQ(read_bytes(encode_eif_header(huge)).error().code(), Code::corrupt);
}

TEST(Eif, FailuresOfTheSourceStayWhatTheyAre) {
  const Bytes bytes = TestEif().bytes();
  PiecesSource source(ByteView(bytes).first(600), 64, Error::unavailable("gone"));
  EXPECT_EQ(read_eif(source, kBounds, "'x.eif'").error().code(), Code::unavailable);
}

TEST(Pcr, OfACertificate) {
  EXPECT_EQ(hex(certificate_pcr({})), vectors().at("one_ramdisk").at("PCR2").get<std::string>());
}

}  // namespace
}  // namespace cloister::measure::nitro
