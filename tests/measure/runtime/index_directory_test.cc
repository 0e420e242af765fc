// A directory as a layer: only what matters, and never out of it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/text.h"
#include "measure/runtime/runtime.h"
#include "tests/measure/runtime/standin.h"

namespace cloister::measure {
namespace {

namespace fs = std::filesystem;
using namespace test;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> paths_of(const IndexedLayer& layer) {
  std::vector<std::string> out;
  for (const Entry& entry : layer.index->entries) out.push_back(entry.path);
  return out;
}

Result<Runtime> discover(const std::string& directory) {
  CL_TRY(IndexedLayer layer, index_runtime_directory(directory, Limits()));
  std::vector<IndexedLayer> layers;
  layers.push_back(std::move(layer));
  CL_TRY(Rootfs rootfs, Rootfs::merge(std::move(layers), Limits()));
  std::vector<RuntimeSource> sources(1);
  sources[0].name = directory;
  sources[0].rootfs = std::make_shared<const Rootfs>(std::move(rootfs));
  return discover_runtime(std::move(sources), Limits());
}

TEST(RuntimeDirectory, OnlyRuntimeFilesAreIndexedInOrder) {
  const ScratchDirectory scratch;
  const fs::path root = scratch.path();
  write(root / "gramine/libsysdb.so", "db");
  write(root / "gramine/sgx/libpal.so", "pal");
  write(root / "etc/shadow", "secret");
  write(root / "gramine/notes.txt", "no");
  fs::create_symlink("usr/lib", root / "lib");
  const auto layer = index_runtime_directory(root, Limits());
  ASSERT_TRUE(layer.has_value());
  EXPECT_EQ(paths_of(*layer),
            (std::vector<std::string>{"gramine", "gramine/libsysdb.so", "gramine/sgx",
                                      "gramine/sgx/libpal.so", "lib"}));
  EXPECT_EQ(layer->index->entries[3].sha256, sha256("pal"));
  EXPECT_EQ(layer->index->entries[4].link_target, "usr/lib");
  const auto content = layer->content->read(layer->index->entries[3], 100);
  ASSERT_TRUE(content.has_value());
  EXPECT_EQ(as_text(*content), "pal");
  EXPECT_EQ(layer->content->read(layer->index->entries[3], 2).error().code(), Code::limit);
}

TEST(RuntimeDirectory, LinksAreNotFollowed) {
  const ScratchDirectory scratch, outside;
  const fs::path root = scratch.path();
  write(fs::path(outside.path()) / "loader", "outside");
  write(root / "gramine/libsysdb.so", "db");
  fs::create_symlink(outside.path(), root / "gramine/sgx");
  fs::create_symlink(root, root / "usr");
  const auto layer = index_runtime_directory(root, Limits());
  ASSERT_TRUE(layer.has_value());
  for (const Entry& entry : layer->index->entries) {
    EXPECT_NE(entry.path, "gramine/sgx/loader");
    if (entry.path == "gramine/sgx" || entry.path == "usr") {
      EXPECT_EQ(entry.type, FileType::symlink);
    }
  }
}

TEST(RuntimeDirectory, AFileThatBecameALinkIsNotRead) {
  const ScratchDirectory scratch;
  const fs::path root = scratch.path();
  write(root / "gramine/libsysdb.so", "db");
  write(root / "elsewhere", "db");
  const auto layer = index_runtime_directory(root, Limits());
  ASSERT_TRUE(layer.has_value());
  const Entry& entry = layer->index->entries.back();
  ASSERT_TRUE(layer->content->read(entry, 100).has_value());
  fs::remove(root / "gramine/libsysdb.so");
  fs::create_symlink("../elsewhere", root / "gramine/libsysdb.so");
  EXPECT_FALSE(layer->content->read(entry, 100).has_value());
}

TEST(RuntimeDirectory, PipesAndDevicesArePassedOver) {
  const ScratchDirectory scratch;
  const fs::path root = scratch.path();
  fs::create_directories(root / "gramine/sgx");
  ASSERT_EQ(mkfifo((root / "gramine/sgx/loader").c_str(), 0600), 0);
  const auto layer = index_runtime_directory(root, Limits());
  ASSERT_TRUE(layer.has_value());
  EXPECT_EQ(paths_of(*layer), (std::vector<std::string>{"gramine", "gramine/sgx"}));
}

TEST(RuntimeDirectory, AbsentDirectoryIsAnErrorWithAHint) {
  const auto layer = index_runtime_directory("/nonexistent/runtime", Limits());
  ASSERT_FALSE(layer.has_value());
  EXPECT_EQ(layer.error().code(), Code::io);
  EXPECT_FALSE(layer.error().hint().empty());
}

TEST(RuntimeDirectory, LargeFileIsALimit) {
  const ScratchDirectory scratch;
  write(fs::path(scratch.path()) / "libsysdb.so", std::string(5000, 'x'));
  Limits limits;
  limits.libpal_bytes = 4096;
  EXPECT_EQ(index_runtime_directory(scratch.path(), limits).error().code(), Code::limit);
}

TEST(RuntimeDirectory, TheWholeSystemIsQuick) {
  const auto start = std::chrono::steady_clock::now();
  const auto layer = index_runtime_directory("/usr", Limits());
  if (!layer.has_value()) GTEST_SKIP() << "/usr cannot be read: " << layer.error().what();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_LT(layer->index->entries.size(), 2000U);
}

TEST(RuntimeDirectory, StandInIsFoundFromEveryDirectoryOnTheWay) {
  const std::string& root = standin_runtime();
  if (root.empty()) GTEST_SKIP() << "the stand-in runtime needs gcc";
  const auto whole = discover(root);
  ASSERT_TRUE(whole.has_value()) << whole.error().what();
  EXPECT_TRUE(whole->missing.empty()) << join(whole->missing, "; ");
  EXPECT_EQ(whole->version, "1.9");
  EXPECT_TRUE(whole->layout_from_runtime);
  EXPECT_EQ(whole->layout, sgx::LayoutConstants());
  EXPECT_EQ(whole->licenses.size(), 3U);
  EXPECT_TRUE(whole->direct_libpal.has_value());
  EXPECT_TRUE(whole->glibc.contains("libm.so.6"));
  EXPECT_FALSE(whole->glibc.contains("crti.o"));
  EXPECT_FALSE(whole->glibc.contains("libra_tls_attest.so"));

  const auto prefix = discover(root + "/usr");
  ASSERT_TRUE(prefix.has_value()) << prefix.error().what();
  EXPECT_EQ(prefix->version, "1.9");
  EXPECT_NE(prefix->version_evidence.find("METADATA"), std::string::npos);
  EXPECT_TRUE(prefix->missing.empty()) << join(prefix->missing, "; ");

  // The directory itself holds no version.
  const auto bare = discover(root + "/usr/lib/x86_64-linux-gnu/gramine");
  ASSERT_FALSE(bare.has_value());
  EXPECT_EQ(bare.error().code(), Code::unsupported);
}

}  // namespace
}  // namespace cloister::measure
