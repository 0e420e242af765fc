// Layouts and archives as outputs: complete or absent, the same bytes each time, and readable by
// others.
#include <sys/wait.h>

#include "oci/source/open.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

Status read_back(std::string_view argument, const TestImage& image) {
  CL_TRY(const ImageRef ref, parse_image_ref(argument));
  const bool layout = ref.transport == Transport::layout;
  CL_TRY(auto transport, layout ? open_layout(ref, Limits()) : open_archive(ref, Limits()));
  CL_TRY(const RawManifest raw, transport->root());
  EXPECT_EQ(raw.text, image.manifest.text);
  for (const auto& [digest, content] : image.blobs) {
    const Descriptor blob = describe("x", content);
    CL_TRY(auto source, transport->blob(blob));
    VerifySource verified(*source, digest, content.size(), "blob");
    CL_CHECK(drain(verified));
  }
  return {};
}

ImageContent damaged(const TestImage& image, std::string_view instead) {
  ImageContent content = content_of(image);
  content.open = [&image, wrong = image.layers.back().digest, instead = std::string(instead)](
                     const Descriptor& d) -> Result<std::unique_ptr<Source>> {
    return std::make_unique<OwnedSource>(d.digest == wrong ? instead : image.blobs.at(d.digest));
  };
  return content;
}

class Write : public ::testing::Test {
 protected:
  ScratchDirectory scratch_;
  TestContext context_;
  TestImage image_ = make_image();
  std::string at(std::string_view name) const { return (scratch_ / name).native(); }
};

TEST_F(Write, MakesALayout) {
  for (const std::string name : {"new", "a/b/new", "slash/"}) {
    ASSERT_TRUE(write_layout(content_of(image_), at(name), "app", context_.write()).has_value())
        << name;
    const auto status = read_back(cat("oci:", at(name), ":app"), image_);
    EXPECT_TRUE(status.has_value()) << status.error().what();
  }
  EXPECT_EQ(count_files(scratch_ / "new"), 3U);  // nothing but blobs, index.json, oci-layout
  EXPECT_EQ(count_files(scratch_ / "new/blobs/sha256"), 5U);
  EXPECT_EQ(count_files(scratch_.path()), 3U);  // nothing beside it either
  EXPECT_EQ(context_.progress.actions[image_.layers[0].digest.hex().substr(0, 12)], "writing");
}

TEST_F(Write, MakesALayoutInAnEmptyDirectory) {
  fs::create_directory(scratch_ / "empty");
  EXPECT_TRUE(write_layout(content_of(image_), at("empty"), "", context_.write()).has_value());
  EXPECT_TRUE(read_back("oci:" + at("empty"), image_).has_value());
}

TEST_F(Write, KeepsTheOtherImagesOfALayout) {
  const TestImage other = make_image({.layers = {"layer one", "more"}});
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "one", context_.write()).has_value());
  ASSERT_TRUE(write_layout(content_of(other), at("l"), "two", context_.write()).has_value());
  EXPECT_EQ(context_.progress.outcomes[other.layers[0].digest.hex().substr(0, 12)],
            "already there");
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":one"), image_).has_value());
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":two"), other).has_value());
  ASSERT_TRUE(write_layout(content_of(other), at("l"), "one", context_.write()).has_value());
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":one"), other).has_value());
  EXPECT_EQ(parse_image_index(read_text(scratch_ / "l/index.json"), Limits())->manifests.size(),
            2U);
}

TEST_F(Write, LeavesNothingOfALayoutThatFailed) {
  for (std::string_view wrong : {"layer threE", "layer", "layer three and more"}) {
    EXPECT_EQ(code_of(write_layout(damaged(image_, wrong), at("x/l"), "app", context_.write())),
              Code::corrupt);
    EXPECT_EQ(count_files(scratch_ / "x"), 0U);
    EXPECT_EQ(
        code_of(write_archive(damaged(image_, wrong), at("x/a.tar"), "app", context_.write())),
        Code::corrupt);
    EXPECT_EQ(count_files(scratch_ / "x"), 0U);
  }
  context_.cancelled = true;
  EXPECT_EQ(code_of(write_layout(content_of(image_), at("x/l"), "app", context_.write())),
            Code::cancelled);
  EXPECT_EQ(code_of(write_archive(content_of(image_), at("x/a.tar"), "app", context_.write())),
            Code::cancelled);
  EXPECT_EQ(count_files(scratch_ / "x"), 0U);
}

TEST_F(Write, LeavesAnExistingOutputAsItWasWhenItFails) {
  const TestImage other = make_image({.layers = {"other"}});
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "app", context_.write()).has_value());
  ASSERT_TRUE(write_archive(content_of(image_), at("a.tar"), "app", context_.write()).has_value());
  const std::string index = read_text(scratch_ / "l/index.json"),
                    tar = read_text(scratch_ / "a.tar");
  EXPECT_EQ(code_of(write_layout(damaged(other, "?"), at("l"), "app", context_.write())),
            Code::corrupt);
  EXPECT_EQ(code_of(write_archive(damaged(other, "?"), at("a.tar"), "app", context_.write())),
            Code::corrupt);
  EXPECT_EQ(read_text(scratch_ / "l/index.json"), index);
  EXPECT_EQ(read_text(scratch_ / "a.tar"), tar);
  EXPECT_EQ(count_files(scratch_ / "l"), 3U);
  EXPECT_EQ(count_files(scratch_.path()), 2U);
}

TEST_F(Write, MendsABlobOfTheWrongSize) {
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "app", context_.write()).has_value());
  fs::resize_file(scratch_ / "l/blobs/sha256" / image_.layers[0].digest.hex(), 2);
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "app", context_.write()).has_value());
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":app"), image_).has_value());
}

TEST_F(Write, RefusesPlacesThatHoldSomethingElse) {
  fs::create_directory(scratch_ / "home");
  write_text(scratch_ / "home/thesis.txt", "years of work");
  EXPECT_EQ(code_of(write_layout(content_of(image_), at("home"), "app", context_.write())),
            Code::invalid);
  EXPECT_EQ(count_files(scratch_ / "home"), 1U);
  EXPECT_EQ(code_of(write_archive(content_of(image_), at("home"), "app", context_.write())),
            Code::invalid);
  EXPECT_EQ(
      code_of(write_layout(content_of(image_), at("home/thesis.txt"), "app", context_.write())),
      Code::io);
  EXPECT_EQ(
      code_of(write_archive(content_of(image_), at("home/thesis.txt/a"), "app", context_.write())),
      Code::io);
  EXPECT_EQ(read_text(scratch_ / "home/thesis.txt"), "years of work");
}

TEST_F(Write, TakesTwoWritersOfOneNewLayout) {
  const TestImage images[] = {make_image({.layers = {"one", "shared"}}),
                              make_image({.layers = {"two", "shared"}})};
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      TestContext own;  // the parent's threads are not in the child
      const bool ok =
          write_layout(content_of(images[i]), at("l"), cat("t", i), own.write()).has_value();
      ::_exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":t0"), images[0]).has_value());
  EXPECT_TRUE(read_back(cat("oci:", at("l"), ":t1"), images[1]).has_value());
  EXPECT_EQ(count_files(scratch_.path()), 1U);
}

TEST_F(Write, MakesTheSameArchiveEachTime) {
  ASSERT_TRUE(write_archive(content_of(image_), at("a.tar"), "app", context_.write()).has_value());
  ImageContent turned = content_of(image_);
  std::reverse(turned.blobs.begin(), turned.blobs.end());
  ASSERT_TRUE(write_archive(turned, at("b/c.tar"), "app", context_.write()).has_value());
  const std::string tar = read_text(scratch_ / "a.tar");
  EXPECT_EQ(tar, read_text(scratch_ / "b/c.tar"));
  EXPECT_TRUE(read_back(cat("oci-archive:", at("a.tar"), ":app"), image_).has_value());
  EXPECT_EQ(tar.size() % 512, 0U);
  // Nothing of the time or the user of this machine.
  if (have_program("tar")) {
    const std::string command = cat("tar --numeric-owner --full-time --utc -tvf ", at("a.tar"),
                                    " | grep -qv '0/0 .*1970-01-01 00:00:00'");
    EXPECT_NE(std::system(command.c_str()), 0);
    EXPECT_EQ(
        std::system(cat("test \"$(tar -tf ", at("a.tar"), " | tail -1)\" = index.json").c_str()),
        0);
    EXPECT_EQ(
        std::system(cat("test \"$(tar -tf ", at("a.tar"), " | head -1)\" = oci-layout").c_str()),
        0);
  }
}

TEST_F(Write, ReplacesAnArchive) {
  write_text(scratch_ / "a.tar", "old");
  ASSERT_TRUE(write_archive(content_of(image_), at("a.tar"), "", context_.write()).has_value());
  EXPECT_TRUE(read_back("oci-archive:" + at("a.tar"), image_).has_value());
}

TEST_F(Write, SatisfiesSkopeo) {
  if (!have_program("skopeo")) GTEST_SKIP() << "skopeo is not installed";
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "app", context_.write()).has_value());
  ASSERT_TRUE(write_archive(content_of(image_), at("a.tar"), "app", context_.write()).has_value());
  int n = 0;
  for (const std::string& from :
       {"oci:" + at("l") + ":app", "oci-archive:" + at("a.tar") + ":app"}) {
    EXPECT_EQ(std::system(cat("skopeo inspect --raw ", from, " | cmp - ", at("l/blobs/sha256/"),
                              image_.manifest.descriptor.digest.hex())
                              .c_str()),
              0);
    const std::string to = at(cat("copy", n++));
    EXPECT_EQ(std::system(cat("skopeo --insecure-policy copy -q --preserve-digests ", from,
                              " oci:", to, ":again")
                              .c_str()),
              0);
    EXPECT_TRUE(read_back(cat("oci:", to, ":again"), image_).has_value());
  }
  // And what skopeo writes is read.
  EXPECT_EQ(std::system(cat("skopeo --insecure-policy copy -q --preserve-digests oci:", at("l"),
                            ":app oci-archive:", at("s.tar"), ":app")
                            .c_str()),
            0);
  EXPECT_TRUE(read_back(cat("oci-archive:", at("s.tar"), ":app"), image_).has_value());
}

TEST_F(Write, SatisfiesUmoci) {
  if (!have_program("umoci")) GTEST_SKIP() << "umoci is not installed";
  ASSERT_TRUE(write_layout(content_of(image_), at("l"), "app", context_.write()).has_value());
  EXPECT_EQ(std::system(cat("umoci stat --image ", at("l"), ":app >/dev/null").c_str()), 0);
  EXPECT_EQ(std::system(cat("test \"$(umoci list --layout ", at("l"), ")\" = app").c_str()), 0);
}

}  // namespace
}  // namespace cloister::oci
