// The files of a virtual machine as an artifact, and artifacts that are none.
#include "cmd/guest/guest_files.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "oci/documents/image.h"
#include "tests/base/must.h"

#include <nlohmann/json.hpp>

namespace cloister::cmd {
namespace {

GuestBlob blob(GuestFile file, std::uint32_t vcpus = 0) {
  const std::string title = guest_file_title(file, vcpus);
  return {file, title, sha256(title), title.size()};
}

// Of a guest with all that there may be.
std::vector<GuestBlob> all_blobs() {
  return {blob(GuestFile::kernel),      blob(GuestFile::initrd),       blob(GuestFile::firmware),
          blob(GuestFile::disk),        blob(GuestFile::command_line), blob(GuestFile::document),
          blob(GuestFile::measurement), blob(GuestFile::id_block, 1),  blob(GuestFile::id_auth, 1),
          blob(GuestFile::id_block, 2), blob(GuestFile::id_auth, 2),   blob(GuestFile::launch),
          blob(GuestFile::libvirt)};
}

oci::ImageManifest manifest_of(const std::vector<GuestBlob>& blobs) {
  return make_guest_artifact(blobs, {}).manifest;
}

// Of which a label says that it is for SEV-SNP.
oci::Image image_of(oci::ImageManifest manifest) {
  oci::Image out;
  out.manifest = std::move(manifest);
  out.config = must(oci::parse_image_config(make_guest_artifact({}, {}).config_text, Limits()));
  return out;
}

Code artifact_refusal(const oci::ImageManifest& manifest) {
  const auto files = guest_blobs(image_of(manifest));
  return files.has_value() ? Code::internal : files.error().code();
}

// Tools for artifacts make files of these names.
TEST(GuestFiles, HaveTheseNames) {
  std::string titles;
  for (const GuestBlob& one : all_blobs()) titles += one.title + " ";
  EXPECT_EQ(titles,
            "vmlinuz initrd.img OVMF.fd root.img cmdline guest.conf measurement.json "
            "id-block-1.bin id-auth-1.bin id-block-2.bin id-auth-2.bin launch.sh libvirt.xml ");
}

TEST(GuestFiles, ComeBackFromTheManifest) {
  GuestConfigFacts facts;
  facts.created = Seconds(std::chrono::seconds(1'700'000'000));
  facts.labels = {{"io.cloister.tee", "snp"}, {"odd", "\xff\n"}};
  const GuestArtifact artifact = make_guest_artifact(all_blobs(), facts);
  EXPECT_EQ(artifact.manifest_descriptor.digest, sha256(artifact.manifest_text));
  EXPECT_EQ(artifact.config_descriptor.digest, sha256(artifact.config_text));
  const auto manifest = must(oci::parse_image_manifest(artifact.manifest_text, Limits()));
  EXPECT_TRUE(is_guest(manifest));
  const std::vector<GuestBlob> files = must(guest_blobs(image_of(manifest)));
  ASSERT_EQ(files.size(), all_blobs().size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].file, all_blobs()[i].file);
    EXPECT_EQ(files[i].title, all_blobs()[i].title);
    EXPECT_EQ(files[i].digest, all_blobs()[i].digest);
    EXPECT_EQ(files[i].size, all_blobs()[i].size);
  }
  EXPECT_EQ(find_blob(files, GuestFile::id_auth, 2)->title, "id-auth-2.bin");
  EXPECT_EQ(find_blob(files, GuestFile::id_auth)->title, "id-auth-1.bin");
  EXPECT_EQ(find_blob(files, GuestFile::id_auth, 3), nullptr);
  EXPECT_EQ(make_guest_artifact(all_blobs(), facts).manifest_text, artifact.manifest_text);
}

TEST(GuestFiles, HaveAConfigLikeAnImages) {
  GuestConfigFacts facts;
  facts.created = Seconds(std::chrono::seconds(0));
  facts.labels = {{"a", "b"}};
  const auto config = nlohmann::json::parse(make_guest_artifact(all_blobs(), facts).config_text);
  EXPECT_EQ(config.at("os"), "linux");
  EXPECT_EQ(config.at("architecture"), "amd64");
  EXPECT_EQ(config.at("created"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(config.at("config").at("Labels").at("a"), "b");
  EXPECT_EQ(config.at("rootfs").at("diff_ids").size(), all_blobs().size());
  EXPECT_EQ(config.at("rootfs").at("diff_ids")[0], sha256("vmlinuz").str());
}

TEST(GuestFiles, AnImageIsNoGuest) {
  oci::ImageManifest image;
  image.config.media_type = oci::media_type::kOciConfig;
  EXPECT_FALSE(is_guest(image));
}

TEST(GuestFiles, WhatAGuestNeedsIsThere) {
  const auto without = [](GuestFile file) {
    std::vector<GuestBlob> blobs = all_blobs();
    std::erase_if(blobs, [&](const GuestBlob& one) { return one.file == file; });
    return artifact_refusal(manifest_of(blobs));
  };
  for (const GuestFile file :
       {GuestFile::kernel, GuestFile::initrd, GuestFile::firmware, GuestFile::command_line,
        GuestFile::document, GuestFile::measurement, GuestFile::launch, GuestFile::libvirt})
    EXPECT_EQ(without(file), Code::corrupt) << guest_file_title(file);
  for (const GuestFile file : {GuestFile::disk, GuestFile::id_block, GuestFile::id_auth})
    EXPECT_EQ(without(file), Code::internal) << guest_file_title(file);
  EXPECT_EQ(artifact_refusal({}), Code::corrupt);
}

TEST(GuestFiles, NoneComesTwice) {
  for (const GuestBlob& again : all_blobs()) {
    std::vector<GuestBlob> blobs = all_blobs();
    blobs.push_back(again);
    blobs.back().digest = sha256("other");
    EXPECT_EQ(artifact_refusal(manifest_of(blobs)), Code::corrupt) << again.title;
  }
}

// Whoever pulls them writes them under their titles.
TEST(GuestFiles, TitlesAreOursAlone) {
  for (std::size_t i = 0; i < all_blobs().size(); ++i) {
    const std::string own = all_blobs()[i].title;
    for (const std::string& title :
         {std::string(), std::string("."), std::string(".."), "../" + own, "/" + own, "x/" + own,
          own + "/", own + "/x", own + " ", " " + own, own + "\n", own + std::string(1, '\0'),
          own + "~", std::string("launch.sh2"), std::string("/etc/passwd")}) {
      std::vector<GuestBlob> blobs = all_blobs();
      blobs[i].title = title;
      EXPECT_EQ(artifact_refusal(manifest_of(blobs)), Code::corrupt) << title;
    }
    oci::ImageManifest untitled = manifest_of(all_blobs());
    untitled.layers[i].annotations.clear();
    EXPECT_EQ(artifact_refusal(untitled), Code::corrupt) << own;
  }
  std::vector<GuestBlob> swapped = all_blobs();
  std::swap(swapped[0].title, swapped[1].title);
  EXPECT_EQ(artifact_refusal(manifest_of(swapped)), Code::corrupt);
}

TEST(GuestFiles, NumbersOfProcessorsAreNumbers) {
  const auto titled = [](const char* title) {
    std::vector<GuestBlob> blobs = all_blobs();
    blobs[7].title = title;
    return artifact_refusal(manifest_of(blobs));
  };
  for (const char* title : {"id-block-9.bin", "id-block-9999.bin"})
    EXPECT_EQ(titled(title), Code::internal) << title;
  for (const char* title :
       {"id-block.bin", "id-block-.bin", "id-block-0.bin", "id-block-01.bin", "id-block-1",
        "id-block-1.bin.bin", "id-block--1.bin", "id-block-1x.bin", "id-block-12345.bin",
        "id-block-../1.bin", "id-block-1/.bin", "id-auth-1.bin", "id-block-2.bin", "id-block"})
    EXPECT_EQ(titled(title), Code::corrupt) << title;
}

TEST(GuestFiles, UnknownTypesAreRefused) {
  for (const char* type : {"", "application/vnd.cloister.guest.kernel.v2",
                           "application/vnd.oci.image.layer.v1.tar+gzip"}) {
    oci::ImageManifest manifest = manifest_of(all_blobs());
    manifest.layers[0].media_type = type;
    EXPECT_EQ(artifact_refusal(manifest), Code::unsupported) << type;
  }
}

}  // namespace
}  // namespace cloister::cmd
