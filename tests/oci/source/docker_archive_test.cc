// docker-archives in the forms that Docker, Podman and skopeo write.
#include "base/inflate.h"
#include "oci/source/open.h"
#include "tests/oci/fixtures.h"
#include "tests/oci/source/tar_file.h"

namespace cloister::oci {
namespace {

std::string docker_config(const std::vector<std::string>& layers) {
  std::string ids;
  for (const std::string& layer : layers)
    ids += cat(ids.empty() ? "" : ",", "\"", sha256(layer).str(), "\"");
  return cat(R"({"os":"linux","architecture":"amd64","config":{"Cmd":["/start"]},"rootfs":)",
             R"({"type":"layers","diff_ids":[)", ids, "]}}");
}

std::string docker_entry(const std::string& config, const std::string& tags,
                         const std::vector<std::string>& layers) {
  std::string names;
  for (const std::string& layer : layers) names += cat(names.empty() ? "" : ",", "\"", layer, "\"");
  return cat(R"({"Config":")", config, R"(","RepoTags":)", tags, R"(,"Layers":[)", names, "]}");
}

class DockerArchive : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ImageTransport>> open(std::string_view rest = "") {
    CL_TRY(const ImageRef ref, parse_image_ref(cat("docker-archive:", file_.native(), rest)));
    return open_docker_archive(ref, limits_);
  }
  Result<RawManifest> root(std::string_view rest = "") {
    CL_TRY(auto transport, open(rest));
    return transport->root();
  }
  // The layers' contents, verified against the manifest.
  Result<std::vector<std::string>> layers(std::string_view rest = "") {
    CL_TRY(auto transport, open(rest));
    CL_TRY(const RawManifest raw, transport->root());
    CL_TRY(const ImageManifest manifest, parse_image_manifest(raw.text, limits_));
    std::vector<std::string> out;
    for (const Descriptor& layer : manifest.layers) {
      CL_TRY(auto source, transport->blob(layer));
      VerifySource verified(*source, layer.digest, layer.size, "layer");
      CL_TRY(const Bytes bytes, read_all(verified, 1 << 20, "layer"));
      out.emplace_back(as_text(bytes));
    }
    return out;
  }
  void write_classic(const std::string& tags = R"(["app:1"])") {
    write_tar(file_,
              {{"aaa/layer.tar", one_},
               {"aaa/VERSION", "1.0"},
               {"bbb/layer.tar", two_},
               {config_name_, config_},
               {"manifest.json",
                "[" + docker_entry(config_name_, tags, {"aaa/layer.tar", "bbb/layer.tar"}) + "]"}});
  }

  Limits limits_;
  ScratchDirectory scratch_;
  fs::path file_ = scratch_ / "image.tar";
  const std::string one_ = std::string(1000, 'a'), two_ = std::string(513, 'b');
  const std::string config_ = docker_config({one_, two_});
  const std::string config_name_ = sha256(config_).hex() + ".json";
};

TEST_F(DockerArchive, OfTheClassicFormIsRead) {
  write_classic();
  const auto raw = root();
  ASSERT_TRUE(raw.has_value()) << raw.error().what();
  const auto manifest = parse_image_manifest(raw->text, limits_);
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->config.digest, sha256(config_));
  ASSERT_EQ(manifest->layers.size(), 2U);
  EXPECT_EQ(manifest->layers[0].digest, sha256(one_));  // the diffID
  EXPECT_EQ(manifest->layers[0].media_type, media_type::kOciLayer);
  EXPECT_EQ(*layers(), (std::vector<std::string>{one_, two_}));
  EXPECT_EQ(sha256(raw->text), raw->descriptor.digest);
}

TEST_F(DockerArchive, OfTheContentAddressedFormIsTheSameImage) {
  write_classic();
  const Digest classic = root()->descriptor.digest;
  const std::string a = "blobs/sha256/" + sha256(one_).hex(),
                    b = "blobs/sha256/" + sha256(two_).hex(),
                    c = "blobs/sha256/" + sha256(config_).hex();
  write_tar(file_, {{a, one_},
                    {b, two_},
                    {c, config_},
                    {"oci-layout", "{}"},
                    {"index.json", "{}"},
                    {"manifest.json", "[" + docker_entry(c, "null", {a, b}) + "]"}});
  EXPECT_EQ(root()->descriptor.digest, classic);
  EXPECT_EQ(*layers(), (std::vector<std::string>{one_, two_}));
}

TEST_F(DockerArchive, FollowsLinksWithinItself) {
  write_tar(file_,
            {{"sha/one.tar", one_},
             {"aaa/layer.tar", "", "../sha/one.tar", ""},
             {"ccc/layer.tar", "", "../aaa/layer.tar", ""},
             {"bbb/layer.tar", "", "", "ccc/layer.tar"},
             {"c.json", docker_config({one_, one_})},
             {"manifest.json",
              "[" + docker_entry("c.json", "null", {"ccc/layer.tar", "bbb/layer.tar"}) + "]"}});
  EXPECT_EQ(*layers(), (std::vector<std::string>{one_, one_}));
}

TEST_F(DockerArchive, FollowsNoLinkThatLeadsOutOrRound) {
  write_text(scratch_ / "outside", one_);
  const std::vector<std::string> targets = {
      "../../outside", "../outside",     (scratch_ / "outside").native(),
      "layer.tar",     "../b/layer.tar", ""};
  for (const std::string& target : targets) {
    write_tar(file_,
              {{"a/layer.tar", "", target.empty() ? "." : target, ""},
               {"b/layer.tar", "", "../a/layer.tar", ""},
               {"c.json", docker_config({one_})},
               {"manifest.json", "[" + docker_entry("c.json", "null", {"a/layer.tar"}) + "]"}});
    EXPECT_EQ(code_of(root()), Code::corrupt) << target;
  }
}

TEST_F(DockerArchive, KeepsCompressedLayersAsTheyAre) {
  // A zstd frame with one raw block of one byte, and its content.
  const std::string frame("\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00x", 10);
  for (const std::string& name :
       {std::string("l/layer.tar"), "blobs/sha256/" + sha256(frame).hex()}) {
    write_tar(file_, {{name, frame},
                      {"c.json", docker_config({"x"})},
                      {"manifest.json", "[" + docker_entry("c.json", "null", {name}) + "]"}});
    const auto raw = root();
    ASSERT_TRUE(raw.has_value()) << raw.error().what();
    const auto manifest = parse_image_manifest(raw->text, limits_);
    EXPECT_EQ(manifest->layers[0].media_type, media_type::kOciLayerZstd);
    EXPECT_EQ(manifest->layers[0].digest, sha256(frame));
    EXPECT_EQ(*layers(), std::vector<std::string>{frame});
  }
}

TEST_F(DockerArchive, ThatIsCompressedAsAWholeIsRead) {
  write_classic();
  ASSERT_EQ(std::system(cat("gzip ", file_.native()).c_str()), 0);
  file_ += ".gz";
  EXPECT_EQ(*layers(), (std::vector<std::string>{one_, two_}));
}

TEST_F(DockerArchive, AsksWhichOfSeveralImages) {
  const std::string other = docker_config({two_});
  write_tar(file_, {{"one.tar", one_},
                    {"two.tar", two_},
                    {"c.json", config_},
                    {"d.json", other},
                    {"manifest.json",
                     cat("[",
                         docker_entry("c.json", R"(["app:1","docker.io/library/app:2"])",
                                      {"one.tar", "two.tar"}),
                         ",", docker_entry("d.json", R"(["localhost/other:latest"])", {"two.tar"}),
                         "]")}});
  const auto which = root();
  ASSERT_EQ(code_of(which), Code::usage);
  EXPECT_EQ(which.error().details()[0], "there are: @0 'app:1', @1 'localhost/other:latest'");
  const Digest first = root(":app:1")->descriptor.digest;
  for (std::string_view same : {":docker.io/library/app:1", ":app:2", ":@0"})
    EXPECT_EQ(root(same)->descriptor.digest, first) << same;
  EXPECT_EQ(root("@" + first.str())->descriptor.digest, first);
  EXPECT_EQ(layers(":localhost/other")->size(), 1U);
  EXPECT_EQ(layers(":@1")->size(), 1U);
  for (std::string_view absent : {":app", ":app:3", ":@2", ":@99999999999999999999"})
    EXPECT_NE(code_of(root(absent)), Code::internal) << absent;
  EXPECT_EQ(code_of(root(":app")), Code::not_found);
  EXPECT_EQ(code_of(root(":@2")), Code::not_found);
  EXPECT_EQ(code_of(root(":@x")), Code::usage);
  EXPECT_EQ(code_of(root("@" + sha256("other").str())), Code::not_found);
}

TEST_F(DockerArchive, SaysWhatIsMissing) {
  const auto with = [&](const Members& members) {
    write_tar(file_, members);
    return root();
  };
  const std::string manifest = "[" + docker_entry("c.json", "null", {"one.tar", "two.tar"}) + "]";
  EXPECT_EQ(code_of(with({{"manifest.json", "[]"}})), Code::not_found);
  EXPECT_EQ(code_of(with({{"manifest.json", "{}"}})), Code::corrupt);
  EXPECT_EQ(code_of(with({{"manifest.json", "[{}]"}})), Code::corrupt);
  EXPECT_EQ(code_of(with({{"manifest.json", manifest}})), Code::corrupt);
  EXPECT_EQ(code_of(with({{"manifest.json", manifest}, {"c.json", config_}, {"one.tar", one_}})),
            Code::corrupt);
  EXPECT_EQ(code_of(with({{"manifest.json", manifest},
                          {"c.json", docker_config({one_})},
                          {"one.tar", one_},
                          {"two.tar", two_}})),
            Code::corrupt);
  const auto oci = with({{"oci-layout", "{}"}, {"index.json", "{}"}});
  ASSERT_EQ(code_of(oci), Code::invalid);
  EXPECT_NE(oci.error().hint().find("oci-archive:"), std::string::npos);
  EXPECT_EQ(code_of(with({{"readme", "x"}})), Code::invalid);
}

TEST_F(DockerArchive, ComparesAConfigurationWithItsName) {
  write_tar(file_, {{config_name_, docker_config({one_, two_}) + " "},
                    {"one.tar", one_},
                    {"two.tar", two_},
                    {"manifest.json",
                     "[" + docker_entry(config_name_, "null", {"one.tar", "two.tar"}) + "]"}});
  EXPECT_EQ(code_of(root()), Code::corrupt);
}

TEST_F(DockerArchive, BoundsItsDocumentsAndItsNames) {
  write_classic();
  limits_.manifest_bytes = 100;
  EXPECT_EQ(code_of(root()), Code::limit);
  limits_ = {};
  limits_.layers = 1;
  EXPECT_EQ(code_of(root()), Code::limit);
  limits_ = {};
  Members members;
  for (int i = 0; i < 18; ++i) members.push_back({std::string(1000000, 'n') + cat(i)});
  write_tar(file_, members, {.format = ARCHIVE_FORMAT_TAR_GNUTAR});
  EXPECT_EQ(code_of(root()), Code::limit);
}

}  // namespace
}  // namespace cloister::oci
