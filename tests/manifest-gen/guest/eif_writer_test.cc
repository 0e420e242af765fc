#include "manifest-gen/guest/eif_writer.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/guest/eif_metadata.h"
#include "tests/base/must.h"
#include "tests/base/pieces_source.h"
#include "tests/measure/nitro/test_eif.h"

namespace cloister::manifest {
namespace {

using measure::nitro::Eif;
using measure::nitro::eif_vector;
using measure::nitro::EifSectionType;
using measure::nitro::TestEif;

const Limits kBounds;

class EifWriterTest : public testing::Test {
 protected:
  EifWriterTest() {
    std::string pattern = (fs::temp_directory_path() / "cloister-eif-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~EifWriterTest() override {
    std::error_code error;
    fs::remove_all(directory_, error);
  }
  TempFile file() const { return must(TempFile::create(directory_)); }

  // The sections of a file, each as a source of its own.
  struct Parts {
    std::vector<Bytes> bytes;
    std::vector<std::unique_ptr<Source>> sources;
    EifPart part(const Bytes& content) {
      sources.push_back(std::make_unique<PiecesSource>(content, 1000));
      return {sources.back().get(), content.size()};
    }
  };
  static Eif read(ByteView bytes) {
    MemorySource source(bytes);
    return must(measure::nitro::read_eif(source, kBounds, "'x.eif'"));
  }
  static Bytes content_of(const Bytes& file, const measure::nitro::EifSection& section) {
    const auto from = file.begin() + static_cast<std::ptrdiff_t>(section.extent.offset + 12);
    return {from, from + static_cast<std::ptrdiff_t>(section.extent.size)};
  }
  // Written again from what is in `file`.
  static Status rewrite(const Bytes& file, TempFile& out, bool with_signature = true) {
    const Eif eif = read(file);
    std::vector<Bytes> contents;
    for (const auto& section : eif.sections)
      if (section.type == EifSectionType::kernel || section.type == EifSectionType::ramdisk)
        contents.push_back(content_of(file, section));
    Parts parts;
    EifContents all{parts.part(contents.at(0)), eif.command_line, eif.metadata, {}};
    for (std::size_t i = 1; i < contents.size(); ++i)
      all.ramdisks.push_back(parts.part(contents[i]));
    all.arm64 = eif.arm64();
    if (with_signature) all.signature = eif.signature;
    return write_eif(all, kBounds, out);
  }
  static Bytes written(const TempFile& file) { return must(read_file(file.path(), 1 << 20)); }

 private:
  fs::path directory_;
};

TEST_F(EifWriterTest, WritesWhatAnotherImplementationWrites) {
  for (const char* name : {"unsigned.eif", "signed.eif"}) {
    const Bytes vector = eif_vector(name);
    TempFile out = file();
    ASSERT_TRUE(rewrite(vector, out).has_value()) << name;
    EXPECT_EQ(written(out), vector) << name;
  }
}

TEST_F(EifWriterTest, ASignatureIsAddedAndReplaced) {
  const Bytes vector = eif_vector("signed.eif");
  TempFile out = file();
  ASSERT_TRUE(rewrite(vector, out, false).has_value());
  const Eif eif = read(vector);
  // Larger, smaller, and at last the right one: each time a whole file with the same registers.
  for (const Bytes& signature : {Bytes(5000), Bytes(1), *eif.signature}) {
    ASSERT_TRUE(put_eif_signature(read(written(out)), signature, out).has_value());
    const Eif now = read(written(out));
    EXPECT_EQ(*now.signature, signature);
    EXPECT_EQ(now.pcr0, eif.pcr0);
  }
  EXPECT_EQ(written(out), vector);
}

TEST_F(EifWriterTest, ASignatureInTheMiddleIsNotReplaced) {
  TestEif eif;
  eif.sections.insert(eif.sections.begin() + 2, {EifSectionType::signature, "s"});
  TempFile out = file();
  ASSERT_TRUE(out.write(eif.bytes()).has_value());
  const Status put = put_eif_signature(read(eif.bytes()), to_bytes("t"), out);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code(), Code::unsupported);
  EXPECT_EQ(written(out), eif.bytes());
}

TEST_F(EifWriterTest, Arm64IsAFlag) {
  TestEif eif;
  eif.header.flags = measure::nitro::kEifArm64;
  TempFile out = file();
  ASSERT_TRUE(rewrite(eif.bytes(), out).has_value());
  EXPECT_EQ(written(out), eif.bytes());
}

TEST_F(EifWriterTest, APartOfAnotherSizeIsNoticed) {
  for (const std::uint64_t said : {3U, 5U}) {
    Parts parts;
    const Bytes kernel = to_bytes("four");
    EifContents contents{parts.part(kernel), "c", "{}", {}};
    contents.kernel.size = said;
    TempFile out = file();
    const Status written = write_eif(contents, kBounds, out);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code(), Code::conflict);
  }
  Parts parts;
  PiecesSource broken({}, 1, Error::io("unplugged"));
  TempFile out = file();
  EXPECT_EQ(write_eif({{&broken, 4}, "c", "{}", {}}, kBounds, out).error().code(), Code::io);
}

TEST_F(EifWriterTest, ReachesItsLimits) {
  Parts parts;
  const Bytes some = to_bytes("four");
  const auto refused = [&](EifContents contents, const Limits& limits = kBounds) {
    TempFile out = file();
    const Status status = write_eif(contents, limits, out);
    return status.has_value() ? std::optional<Code>() : status.error().code();
  };
  const auto sound = [&] { return EifContents{parts.part(some), "c", "{}", {}}; };
  EXPECT_EQ(refused(sound()), std::nullopt);
  EifContents contents = sound();
  contents.command_line = std::string("a\0b", 3);
  EXPECT_EQ(refused(contents), Code::invalid);
  contents = sound();
  contents.command_line.assign(kBounds.command_line_bytes, 'a');
  EXPECT_EQ(refused(contents), std::nullopt);
  contents = sound();
  contents.command_line.assign(kBounds.command_line_bytes + 1, 'a');
  EXPECT_EQ(refused(contents), Code::limit);
  contents = sound();
  contents.signature = Bytes(measure::nitro::kEifMaxSignature + 1);
  EXPECT_EQ(refused(contents), Code::limit);
  contents = sound();
  for (int i = 0; i < 29; ++i) contents.ramdisks.push_back(parts.part(some));
  EXPECT_EQ(refused(contents), std::nullopt);
  contents = sound();
  for (int i = 0; i < 30; ++i) contents.ramdisks.push_back(parts.part(some));
  EXPECT_EQ(refused(contents), Code::limit);
  contents = sound();
  contents.kernel.size = ~0ULL;
  EXPECT_EQ(refused(contents), Code::limit);
  Limits small;
  small.eif_bytes = 548 + 3 * 12 + 4 + 1 + 1;
  EXPECT_EQ(refused(sound(), small), Code::limit);
  ++small.eif_bytes;
  EXPECT_EQ(refused(sound(), small), std::nullopt);
  small = {};
  small.guest_document_bytes = 1;
  EXPECT_EQ(refused(sound(), small), Code::limit);
}

TEST(EifMetadata, HasTheFieldsOfAwsInTheirOrder) {
  EifMetadata metadata;
  metadata.image_name = "cloister-test";
  metadata.image_version = "1.0";
  metadata.build_tool_version = "0";
  metadata.kernel_version = "6.12";
  const Bytes vector = eif_vector("unsigned.eif");
  MemorySource source(vector);
  EXPECT_EQ(eif_metadata_json(metadata),
            must(measure::nitro::read_eif(source, kBounds, "vector")).metadata);
}

TEST(EifMetadata, HostileNamesStayNames) {
  EifMetadata metadata;
  metadata.image_name = "a\"},\"x\":{\"\n";
  metadata.custom = {{"base", "redis@sha256:00"}, {"a\"b", "\xff"}};
  const std::string json = eif_metadata_json(metadata);
  EXPECT_NE(json.find(R"("ImageName":"a\"},\"x\":{\"\n",)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("CustomMetadata":{"base":"redis@sha256:00","a\"b":)"), std::string::npos)
      << json;
  EXPECT_TRUE(is_utf8(json));
}

}  // namespace
}  // namespace cloister::manifest
