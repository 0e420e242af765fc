// Layouts in tar files of all dialects, made with libarchive.
#include "oci/source/open.h"
#include "tests/oci/fixtures.h"
#include "tests/oci/source/tar_file.h"

namespace cloister::oci {
namespace {

Members layout_members(const TestImage& image, const std::string& prefix = "") {
  Members members = {{prefix + "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"}};
  for (const auto& [digest, content] : image.blobs)
    members.push_back({prefix + "blobs/sha256/" + digest.hex(), content});
  Descriptor entry = image.manifest.descriptor;
  entry.annotations["org.opencontainers.image.ref.name"] = "app";
  members.push_back({prefix + "index.json", make_index({entry})});
  return members;
}

class Archive : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ImageTransport>> open(std::string_view tag = ":app",
                                               const Limits& limits = {}) {
    CL_TRY(const ImageRef ref, parse_image_ref(cat("oci-archive:", file_.native(), tag)));
    return open_archive(ref, limits);
  }
  // Reads everything of the image, comparing.
  void expect_whole() {
    auto transport = open();
    ASSERT_TRUE(transport.has_value())
        << transport.error().what() << join(transport.error().details(), "; ");
    const auto raw = (*transport)->root();
    ASSERT_TRUE(raw.has_value()) << raw.error().what();
    EXPECT_EQ(raw->text, image_.manifest.text);
    for (const Descriptor& layer : image_.layers) {
      auto source = (*transport)->blob(layer);
      ASSERT_TRUE(source.has_value()) << source.error().what();
      const auto bytes = read_all(**source, 1 << 30, "layer");
      ASSERT_TRUE(bytes.has_value()) << bytes.error().what();
      EXPECT_EQ(as_text(*bytes), image_.blobs[layer.digest]);
    }
  }

  ScratchDirectory scratch_;
  fs::path file_ = scratch_ / "image.tar";
  // Sizes around the block of 512 bytes, where an offset would go wrong.
  TestImage image_ = make_image({.layers = {"", "x", std::string(511, 'a'), std::string(512, 'b'),
                                            std::string(513, 'c'), std::string(1 << 20, 'd')}});
};

TEST_F(Archive, IsReadInEveryDialectOfTar) {
  for (int format :
       {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
    write_tar(file_, layout_members(image_), {.format = format});
    expect_whole();
  }
  write_tar(file_, layout_members(image_),
            {.format = ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, .long_records = true});
  expect_whole();
}

TEST_F(Archive, IsReadCompressed) {
  for (int filter : {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD}) {
    write_tar(file_, layout_members(image_), {.filter = filter});
    expect_whole();
  }
  write_tar(file_, layout_members(image_), {.filter = ARCHIVE_FILTER_XZ});
  EXPECT_EQ(code_of(open()), Code::unsupported);
  write_tar(file_, layout_members(image_), {.filter = ARCHIVE_FILTER_BZIP2});
  EXPECT_EQ(code_of(open()), Code::unsupported);
}

TEST_F(Archive, MayNameItsMembersWithALeadingDot) {
  write_tar(file_, layout_members(image_, "./"));
  expect_whole();
}

TEST_F(Archive, TakesTheLaterOfTwoMembersOfOneName) {
  Members members = layout_members(image_);
  members.insert(members.begin(), TarMember{"index.json", "{ an older one"});
  write_tar(file_, members);
  expect_whole();
}

TEST_F(Archive, IsReadByTarAsWell) {
  const fs::path layout = scratch_ / "layout";
  write_test_layout(layout, image_, "app");
  for (std::string_view flags : {"", "--format=gnu --sparse", "--format=pax", "--gzip"}) {
    ASSERT_EQ(
        std::system(
            cat("tar -C ", layout.native(), " ", flags, " -cf ", file_.native(), " .").c_str()),
        0);
    expect_whole();
  }
}

TEST_F(Archive, MayBeReadByManyThreads) {
  for (int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
    write_tar(file_, layout_members(image_), {.filter = filter});
    auto transport = open();
    ASSERT_TRUE(transport.has_value());
    ThreadPool pool(4);
    EXPECT_TRUE(pool.for_each(image_.layers.size() * 4,
                              [&](std::size_t i) -> Status {
                                const Descriptor& layer = image_.layers[i % image_.layers.size()];
                                CL_TRY(auto source, (*transport)->blob(layer));
                                VerifySource verified(*source, layer.digest, layer.size, "layer");
                                CL_CHECK(drain(verified));
                                return {};
                              })
                    .has_value());
  }
}

TEST_F(Archive, SaysThatABlobIsMissing) {
  Members members = layout_members(image_);
  const std::string name = "blobs/sha256/" + image_.layers[1].digest.hex();
  std::erase_if(members, [&](const auto& m) { return m.name == name; });
  write_tar(file_, members);
  auto transport = open();
  ASSERT_TRUE(transport.has_value());
  EXPECT_EQ(code_of((*transport)->blob(image_.layers[1])), Code::not_found);
}

TEST_F(Archive, ShorterThanItSaysIsCorrupt) {
  for (int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
    write_tar(file_, layout_members(image_), {.filter = filter});
    const auto whole = fs::file_size(file_);
    for (const auto size : {whole / 2, whole / 3, whole / 10}) {
      write_tar(file_, layout_members(image_), {.filter = filter});
      fs::resize_file(file_, size);
      EXPECT_EQ(code_of(open()), Code::corrupt) << filter << " " << size;
    }
  }
}

TEST_F(Archive, OfGarbageIsRefused) {
  write_text(file_, std::string(100000, '\x5a'));
  EXPECT_EQ(code_of(open()), Code::corrupt);
  write_text(file_, "");
  EXPECT_FALSE(open().has_value());
  write_tar(file_, {{"index.json", "garbage"}});
  auto transport = open();
  ASSERT_TRUE(transport.has_value());
  EXPECT_EQ(code_of((*transport)->root()), Code::corrupt);
}

TEST_F(Archive, BoundsItsIndex) {
  Limits limits;
  limits.manifest_bytes = 1000;
  write_tar(file_, {{"index.json", std::string(1001, ' ')}});
  EXPECT_EQ(code_of(open(":app", limits)), Code::limit);
}

TEST_F(Archive, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(code_of(open()), Code::not_found);
  write_tar(file_, {{"manifest.json", "[]"}, {"repositories", "{}"}});
  const auto docker = open();
  ASSERT_EQ(code_of(docker), Code::invalid);
  EXPECT_NE(docker.error().hint().find("docker-archive:"), std::string::npos);
  write_tar(file_, {{"readme", "hello"}});
  EXPECT_EQ(code_of(open()), Code::invalid);
  file_ = scratch_.path();
  const auto directory = open();
  ASSERT_EQ(code_of(directory), Code::invalid);
  EXPECT_NE(directory.error().hint().find("oci:"), std::string::npos);
  file_ = "/dev/null";
  EXPECT_EQ(code_of(open()), Code::invalid);
}

}  // namespace
}  // namespace cloister::oci
