// The files of a guest as an artifact: which it must have depends on the hardware in its label.
#include "cmd/guest/guest_files.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

std::vector<GuestBlob> blobs_of(const std::vector<GuestFile>& files) {
  std::vector<GuestBlob> out;
  for (const GuestFile file : files) {
    const std::string title = guest_file_title(file);
    out.push_back({file, title, sha256(title), title.size()});
  }
  return out;
}

const std::vector<GuestFile> kNitroFiles = {GuestFile::eif, GuestFile::document,
                                            GuestFile::measurement};
const std::vector<GuestFile> kSnpFiles = {
    GuestFile::kernel,   GuestFile::initrd,      GuestFile::firmware, GuestFile::command_line,
    GuestFile::document, GuestFile::measurement, GuestFile::launch,   GuestFile::libvirt};

oci::Image artifact_of(const std::vector<GuestFile>& files, Tee tee) {
  const GuestArtifact made = make_guest_artifact(blobs_of(files), {{}, {}, tee});
  oci::Image out;
  out.manifest = made.manifest;
  out.config = must(oci::parse_image_config(made.config_text, {}));
  return out;
}

std::string problem_of(const oci::Image& image) {
  const auto blobs = guest_blobs(image);
  return blobs.has_value() ? "none" : blobs.error().what();
}

TEST(GuestArtifact, AreReadAsTheyWereWritten) {
  for (const Tee tee : {Tee::snp, Tee::nitro}) {
    const auto& files = tee == Tee::nitro ? kNitroFiles : kSnpFiles;
    const oci::Image image = artifact_of(files, tee);
    EXPECT_TRUE(is_guest(image.manifest));
    EXPECT_EQ(must(guest_tee(image)), tee);
    const std::vector<GuestBlob> blobs = must(guest_blobs(image));
    ASSERT_EQ(blobs.size(), files.size());
    for (const GuestBlob& want : blobs_of(files)) {
      const GuestBlob* found = find_blob(blobs, want.file);
      ASSERT_NE(found, nullptr) << want.title;
      EXPECT_EQ(found->digest, want.digest);
      EXPECT_EQ(found->size, want.size);
    }
  }
}

TEST(GuestArtifact, EachThatMustBeThereIsMissed) {
  for (const Tee tee : {Tee::snp, Tee::nitro}) {
    const auto& files = tee == Tee::nitro ? kNitroFiles : kSnpFiles;
    for (std::size_t i = 0; i < files.size(); ++i) {
      std::vector<GuestFile> others = files;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_EQ(problem_of(artifact_of(others, tee)),
                cat("the guest has no file '", guest_file_title(files[i]), "'"));
    }
  }
}

TEST(GuestArtifact, ThoseOfOtherHardwareDoNotBelong) {
  std::vector<GuestFile> files = kNitroFiles;
  files.push_back(GuestFile::firmware);
  EXPECT_EQ(problem_of(artifact_of(files, Tee::nitro)),
            "a guest for nitro has a file 'OVMF.fd', which is none of its own");
  files = kSnpFiles;
  files.push_back(GuestFile::eif);
  EXPECT_EQ(problem_of(artifact_of(files, Tee::snp)),
            "a guest for snp has a file 'app.eif', which is none of its own");
  files = kNitroFiles;
  files.push_back(GuestFile::eif);
  EXPECT_EQ(problem_of(artifact_of(files, Tee::nitro)), "the guest has two files 'app.eif'");
}

TEST(GuestArtifact, TheLabelNamesKnownHardware) {
  for (const std::string label : {"sgx", "tdx", ""}) {
    oci::Image image = artifact_of(kNitroFiles, Tee::nitro);
    image.config.config.labels["io.cloister.tee"] = label;
    EXPECT_EQ(guest_blobs(image).error().code(), Code::unsupported) << label;
  }
  oci::Image image = artifact_of(kNitroFiles, Tee::nitro);
  image.config.config.labels.clear();
  EXPECT_EQ(guest_tee(image).error().code(), Code::unsupported);
  // Who gives another one in words of --label does not change what it is for.
  const GuestArtifact made =
      make_guest_artifact(blobs_of(kNitroFiles), {{}, {{"io.cloister.tee", "snp"}}, Tee::nitro});
  image.config = must(oci::parse_image_config(made.config_text, {}));
  EXPECT_EQ(must(guest_tee(image)), Tee::nitro);
}

}  // namespace
}  // namespace cloister::cmd
