// What is written as a docker-archive: inflated layers, the same configuration, the same bytes.
#include "oci/source/open.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class WriteDockerArchive : public ::testing::Test {
 protected:
  // Two distinct tars, one of them twice, and a configuration that fits.
  WriteDockerArchive() {
    const std::vector<std::string> tars = {"tar one", "tar two", "tar one"};
    std::string ids;
    ImageManifest manifest;
    manifest.media_type = media_type::kOciManifest;
    for (const std::string& tar : tars) {
      ids += cat(ids.empty() ? "" : ",", "\"", sha256(tar).str(), "\"");
      manifest.layers.push_back(image_.add(media_type::kOciLayer, tar));
    }
    config_ = cat(R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[)",
                  ids, "]}}");
    manifest.config = image_.config = image_.add(media_type::kOciConfig, config_);
    image_.layers = manifest.layers;
    image_.manifest.text = write_image_manifest(manifest);
    image_.manifest.descriptor = image_.add(media_type::kOciManifest, image_.manifest.text);
  }
  Status write(const std::string& name, const std::string& tag = "docker.io/library/app:1") {
    return write_docker_archive_file(content_of(image_), (scratch_ / name).native(), tag,
                                     context_.write());
  }

  ScratchDirectory scratch_;
  TestContext context_;
  TestImage image_;
  std::string config_;
};

TEST_F(WriteDockerArchive, ReadsBackAsTheSameImage) {
  ASSERT_TRUE(write("sub/a.tar").has_value());
  const auto ref =
      parse_image_ref("docker-archive:" + (scratch_ / "sub/a.tar").native() + ":app:1");
  auto transport = open_docker_archive(*ref, context_.limits);
  ASSERT_TRUE(transport.has_value()) << transport.error().what();
  const auto raw = (*transport)->root();
  ASSERT_TRUE(raw.has_value()) << raw.error().what();
  EXPECT_EQ(raw->text, image_.manifest.text);  // plain layers: even the manifest is the same
}

TEST_F(WriteDockerArchive, IsTheSameEachTime) {
  ASSERT_TRUE(write("a.tar").has_value());
  ASSERT_TRUE(write("b.tar").has_value());
  EXPECT_EQ(read_text(scratch_ / "a.tar"), read_text(scratch_ / "b.tar"));
}

TEST_F(WriteDockerArchive, RefusesALayerThatIsNotItsDiffId) {
  config_ = std::string(config_);
  image_.blobs[image_.layers[1].digest] = "tar 2wo";
  EXPECT_EQ(code_of(write("a.tar")), Code::corrupt);
  EXPECT_FALSE(fs::exists(scratch_ / "a.tar"));
  EXPECT_EQ(count_files(scratch_.path()), 0U);
}

TEST_F(WriteDockerArchive, IsNoDirectory) {
  fs::create_directory(scratch_ / "d");
  EXPECT_EQ(code_of(write("d")), Code::invalid);
}

}  // namespace
}  // namespace cloister::oci
