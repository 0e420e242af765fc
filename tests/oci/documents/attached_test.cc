// The tags and documents by which something is attached to an image.
#include "oci/documents/attached.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "oci/documents/image.h"
#include "tests/base/must.h"

namespace cloister::oci {
namespace {

const Digest kImage = sha256("image");

TEST(AttachedTag, IsOfEitherConvention) {
  const std::string plain = "sha256-" + kImage.hex();
  EXPECT_EQ(referrers_tag(kImage), plain);
  EXPECT_EQ(cosign_tag(kImage, kSignatureSuffix), plain + ".sig");
  for (const char* suffix : {"", ".sig", ".att", ".sbom"})
    EXPECT_TRUE(is_attached_tag(plain + suffix)) << suffix;
  for (const std::string& tag : {plain + ".txt", plain + "0", std::string("sha256-12.sig"),
                                 std::string("latest"), std::string()})
    EXPECT_FALSE(is_attached_tag(tag)) << tag;
}

TEST(CosignConfig, IsAnImageConfigurationThatSaysNothing) {
  const Descriptor layer = describe("application/x", "payload");
  const std::string text = cosign_config({layer, layer});
  const std::string digest = cat("\"", layer.digest.str(), "\"");
  EXPECT_EQ(text, cat(R"({"architecture":"","created":"0001-01-01T00:00:00Z","history":[)",
                      R"({"created":"0001-01-01T00:00:00Z"}],"os":"","rootfs":{"type":"layers",)",
                      R"("diff_ids":[)", digest, ",", digest, R"(]},"config":{}})"));
}

TEST(Referrer, NamesItsSubjectAndItsKind) {
  const Descriptor layer = describe("application/x", "payload");
  const Descriptor subject = describe(media_type::kOciManifest, "image");
  const std::string text = write_referrer(layer, subject, {{"b", "2"}, {"a", "1"}});
  EXPECT_EQ(*must(subject_of(text, Limits())), subject.digest);
  const Descriptor entry =
      must(referrer_entry(describe(media_type::kOciManifest, text), text, Limits()));
  EXPECT_EQ(entry.artifact_type, "application/x");
  EXPECT_EQ(entry.annotations.at("a"), "1");
  const ImageManifest manifest = must(parse_image_manifest(text, Limits()));
  EXPECT_EQ(manifest.config.media_type, kEmptyMediaType);
  // The digest of "{}" that image-spec manifest.md names.
  EXPECT_EQ(manifest.config.digest.hex(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(manifest.config.size, 2U);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].digest, layer.digest);
}

}  // namespace
}  // namespace cloister::oci
