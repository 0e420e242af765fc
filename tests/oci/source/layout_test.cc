#include <sys/stat.h>

#include "oci/source/open.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class Layout : public ::testing::Test {
 protected:
  void SetUp() override { write_test_layout(directory_, image_, "app"); }
  Result<std::unique_ptr<ImageTransport>> open(std::string_view rest) {
    CL_TRY(const ImageRef ref, parse_image_ref(cat("oci:", directory_.native(), rest)));
    return open_layout(ref, Limits());
  }
  Result<RawManifest> root(std::string_view rest) {
    CL_TRY(auto transport, open(rest));
    return transport->root();
  }
  fs::path blob(const Digest& digest) { return directory_ / "blobs" / "sha256" / digest.hex(); }

  ScratchDirectory scratch_;
  fs::path directory_ = scratch_ / "layout";
  TestImage image_ = make_image();
};

TEST_F(Layout, GivesTheImageOfAName) {
  const auto raw = root(":app");
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ(raw->text, image_.manifest.text);
  EXPECT_EQ(raw->descriptor.digest, image_.manifest.descriptor.digest);
  EXPECT_EQ(raw->descriptor.media_type, media_type::kOciManifest);
  auto transport = open(":app");
  ASSERT_TRUE(transport.has_value());
  auto source = (*transport)->blob(image_.layers[1]);
  ASSERT_TRUE(source.has_value());
  const auto bytes = read_all(**source, 100, "layer");
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(as_text(*bytes), "layer two");
}

TEST_F(Layout, NeedsNoNameForAnOnlyImage) {
  EXPECT_TRUE(root("").has_value());
}

TEST_F(Layout, AsksForANameAmongSeveral) {
  Descriptor a = image_.manifest.descriptor, b = a;
  a.annotations["org.opencontainers.image.ref.name"] = "b7";
  b.annotations["org.opencontainers.image.ref.name"] = "a7";
  write_text(directory_ / "index.json", make_index({a, b}));
  const auto raw = root("");
  ASSERT_EQ(code_of(raw), Code::usage);
  EXPECT_EQ(raw.error().details()[0], "there are: 'a7', 'b7'");
  EXPECT_TRUE(root(":a7").has_value());
}

TEST_F(Layout, SaysWhichNamesThereAre) {
  const auto raw = root(":nope");
  ASSERT_EQ(code_of(raw), Code::not_found);
  EXPECT_EQ(raw.error().details()[0], "there are: 'app'");
}

TEST_F(Layout, FindsADigestThatTheIndexDoesNotList) {
  const TestImage other = make_image({.layers = {"x"}});
  write_text(blob(other.manifest.descriptor.digest), other.manifest.text);
  const auto raw = root("@" + other.manifest.descriptor.digest.str());
  ASSERT_TRUE(raw.has_value());
  EXPECT_EQ(raw->text, other.manifest.text);
  EXPECT_TRUE(root(":other-name@" + image_.manifest.descriptor.digest.str()).has_value());
  EXPECT_EQ(code_of(root("@sha256:" + std::string(64, '0'))), Code::not_found);
}

TEST_F(Layout, RefusesBlobsThatAreNotWhatTheyAreCalled) {
  write_text(blob(image_.manifest.descriptor.digest), make_image({.layers = {"x"}}).manifest.text);
  EXPECT_EQ(code_of(root(":app")), Code::corrupt);
  write_text(blob(image_.manifest.descriptor.digest), std::string((4 << 20) + 1, ' '));
  EXPECT_EQ(code_of(root(":app")), Code::limit);
  fs::remove(blob(image_.manifest.descriptor.digest));
  EXPECT_EQ(code_of(root(":app")), Code::not_found);
}

TEST_F(Layout, DoesNotWaitForAPipe) {
  fs::remove(blob(image_.manifest.descriptor.digest));
  ASSERT_EQ(::mkfifo(blob(image_.manifest.descriptor.digest).c_str(), 0600), 0);
  EXPECT_EQ(code_of(root(":app")), Code::not_found);
  fs::remove(directory_ / "index.json");
  ASSERT_EQ(::mkfifo((directory_ / "index.json").c_str(), 0600), 0);
  EXPECT_EQ(code_of(open(":app")), Code::corrupt);
}

TEST_F(Layout, RefusesAnIndexOfGarbage) {
  for (std::string_view garbage :
       {"", "{", "[]", "\xff",
        R"({"manifests":[{"digest":"sha256:../../../etc/passwd","size":1}]})"}) {
    write_text(directory_ / "index.json", garbage);
    EXPECT_EQ(code_of(root(":app")), Code::corrupt) << garbage;
  }
  write_text(directory_ / "index.json", R"({"schemaVersion":2,"manifests":[]})");
  EXPECT_EQ(code_of(root("")), Code::not_found);
}

TEST_F(Layout, RefusesAnotherVersion) {
  write_text(directory_ / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  EXPECT_EQ(code_of(open(":app")), Code::unsupported);
  write_text(directory_ / "oci-layout", "{}");
  EXPECT_EQ(code_of(open(":app")), Code::corrupt);
}

TEST_F(Layout, SaysWhatIsWrongWithAPath) {
  EXPECT_EQ(code_of(open("/nowhere:app")), Code::not_found);
  EXPECT_EQ(code_of(open("/blobs")), Code::invalid);
  const auto file = open("/index.json");
  ASSERT_EQ(code_of(file), Code::invalid);
  EXPECT_NE(file.error().hint().find("oci-archive:"), std::string::npos);
  fs::create_directories(scratch_ / "a:b");
  const auto colon = parse_image_ref(cat("oci:", (scratch_ / "a:b").native()));
  ASSERT_TRUE(colon.has_value());
  const auto opened = open_layout(*colon, Limits());
  ASSERT_EQ(code_of(opened), Code::invalid);
  EXPECT_NE(opened.error().hint().find("colon"), std::string::npos);
}

}  // namespace
}  // namespace cloister::oci
