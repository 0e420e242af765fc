// The merged tree against what `umoci unpack` makes of the same image on disk: every path, type,
// mode, owner, size, content, link target and device. Real images come from the OCI layout named by
// CLOISTER_CORPUS; images of hostile or unusual layers are made here. Skipped without umoci.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "oci/documents/descriptor.h"
#include "tests/measure/index/index_tar.h"
#include "tests/oci/archive/tar_builder.h"

namespace cloister::measure {
namespace {

using testing::TarBuilder;

bool have_umoci() {
  return std::system("umoci --version >/dev/null 2>&1") == 0;
}  // NOLINT

class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "cloister-umoci-XXXXXX").native();
    path = ::mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code error;
    fs::remove_all(path, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path path;
};

fs::path blob_path(const fs::path& layout, const std::string& digest) {
  return layout / "blobs" / "sha256" / digest.substr(7);
}

Json load_json(const fs::path& path) {
  auto text = read_text_file(path, 8 << 20);
  EXPECT_TRUE(text.has_value()) << path;
  auto json = parse_json(*text, {}, "test document");
  EXPECT_TRUE(json.has_value());
  return std::move(*json);
}

Result<Rootfs> merge_layout(const fs::path& layout, const std::string& tag) {
  std::string digest;
  const Json index = load_json(layout / "index.json");
  for (const Json& m : index["manifests"])
    if (m["annotations"]["org.opencontainers.image.ref.name"] == tag) digest = m["digest"];
  const Json manifest = load_json(blob_path(layout, digest));
  std::vector<IndexedLayer> layers;
  for (const Json& layer : manifest["layers"]) {
    const fs::path path = blob_path(layout, layer["digest"]);
    const Compression compression = *oci::layer_compression(layer["mediaType"].get<std::string>());
    CL_TRY(const auto source, FileSource::open(path));
    CL_TRY(LayerIndex indexed, index_layer(*source, compression, std::nullopt, {}, {}));
    layers.push_back({std::make_shared<const LayerIndex>(std::move(indexed)), nullptr});
  }
  return Rootfs::merge(std::move(layers), {});
}

// One line per file.
std::string describe(const Node& node) {
  const Entry& e = *node.entry;
  std::string out = cat("mode ", e.mode, " owner ", e.uid, ":", e.gid);
  switch (e.type) {
    case FileType::regular:
    case FileType::hardlink:
      return cat("file ", out, " ", e.size, " ", e.sha256.hex());
    case FileType::directory:
      return cat("dir ", out);
    case FileType::symlink:
      return cat("link ", e.uid, ":", e.gid, " ", e.link_target);
    case FileType::fifo:
      return cat("fifo ", out);
    case FileType::char_device:
      return cat("char ", out, " ", e.device_major, ",", e.device_minor);
    case FileType::block_device:
      break;
  }
  return cat("block ", out, " ", e.device_major, ",", e.device_minor);
}

std::string describe(const fs::path& path) {
  struct stat s {};
  EXPECT_EQ(::lstat(path.c_str(), &s), 0) << path;
  const std::string out = cat("mode ", s.st_mode & 07777U, " owner ", s.st_uid, ":", s.st_gid);
  const std::string device = cat(" ", major(s.st_rdev), ",", minor(s.st_rdev));
  switch (s.st_mode & S_IFMT) {
    case S_IFREG: {
      const auto bytes = read_file(path, 1U << 30);
      EXPECT_TRUE(bytes.has_value());
      return cat("file ", out, " ", s.st_size, " ", sha256(*bytes).hex());
    }
    case S_IFDIR:
      return cat("dir ", out);
    case S_IFLNK:
      return cat("link ", s.st_uid, ":", s.st_gid, " ", fs::read_symlink(path).native());
    case S_IFIFO:
      return cat("fifo ", out);
    case S_IFCHR:
      return cat("char ", out, device);
    default:
      return cat("block ", out, device);
  }
}

using Listing = std::map<std::string, std::string>;

Listing list_tree(const Rootfs& rootfs) {
  Listing out;
  rootfs.walk([&](const Node& node) { out[node.path()] = describe(node); });
  return out;
}

Listing list_directory(const fs::path& root) {
  Listing out{{"/", describe(root)}};
  for (const auto& item : fs::recursive_directory_iterator(root))
    out[item.path().native().substr(root.native().size())] = describe(item.path());
  return out;
}

// umoci's exit status; the bundle is at `bundle`.
int umoci_unpack(const fs::path& layout, const std::string& tag, const fs::path& bundle) {
  const std::string command = cat("umoci unpack --image '", layout.native(), ":", tag, "' '",
                                  bundle.native(), "' >'", bundle.native(), ".log' 2>&1");
  return std::system(command.c_str());  // NOLINT: fixed text and temporary paths
}

void expect_same(const Listing& ours, const Listing& theirs) {
  int shown = 0;
  for (const auto& [path, text] : theirs) {
    const auto at = ours.find(path);
    if (at != ours.end() && at->second == text) continue;
    if (++shown > 20) break;
    ADD_FAILURE() << printable(path) << "\n  umoci: " << text
                  << "\n  ours:  " << (at == ours.end() ? "absent" : at->second);
  }
  for (const auto& [path, text] : ours)
    if (theirs.count(path) == 0 && ++shown <= 20)
      ADD_FAILURE() << printable(path) << "\n  umoci: absent\n  ours:  " << text;
}

class UmociCorpus : public ::testing::TestWithParam<const char*> {};

TEST_P(UmociCorpus, UnpacksTheSameTree) {
  const char* corpus = std::getenv("CLOISTER_CORPUS");  // NOLINT: single-threaded test
  if (corpus == nullptr) GTEST_SKIP() << "CLOISTER_CORPUS names no OCI layout";
  if (!have_umoci() || ::geteuid() != 0) GTEST_SKIP() << "needs umoci, and root for owners";
  const Scratch scratch;
  ASSERT_EQ(umoci_unpack(corpus, GetParam(), scratch.path / "b"), 0);
  const auto rootfs = merge_layout(corpus, GetParam());
  ASSERT_TRUE(rootfs.has_value()) << rootfs.error().what();
  const Listing ours = list_tree(*rootfs), theirs = list_directory(scratch.path / "b/rootfs");
  EXPECT_EQ(ours.size(), rootfs->file_count() + 1);
  expect_same(ours, theirs);
  RecordProperty("files", static_cast<int>(ours.size()));
}

INSTANTIATE_TEST_SUITE_P(Images, UmociCorpus,
                         ::testing::Values("redis", "redis-sh", "nginx", "python", "busybox",
                                           "musl", "static"));

// umoci does not read zstd; the same layers under another compression are the same tree.
TEST(ZstdCorpus, IsTheSameTreeAsGzip) {
  const char* corpus = std::getenv("CLOISTER_CORPUS");  // NOLINT: single-threaded test
  if (corpus == nullptr) GTEST_SKIP() << "CLOISTER_CORPUS names no OCI layout";
  for (const std::string name : {"redis", "python"}) {
    const auto gzip = merge_layout(corpus, name), zstd = merge_layout(corpus, name + "-zstd");
    ASSERT_TRUE(gzip.has_value() && zstd.has_value());
    EXPECT_GT(gzip->file_count(), 100U);
    EXPECT_TRUE(list_tree(*gzip) == list_tree(*zstd)) << name;
  }
}

// An image of layers made by hand.
void write_layout(const fs::path& layout, const std::vector<std::string>& tars) {
  const auto blob = [&](const std::string& text) {
    EXPECT_TRUE(make_directories(layout / "blobs/sha256").has_value());
    const Digest digest = sha256(text);
    EXPECT_TRUE(write_file_atomic(blob_path(layout, digest.str()), as_bytes(text)).has_value());
    return Json{{"digest", digest.str()}, {"size", text.size()}};
  };
  Json config{{"architecture", "amd64"}, {"os", "linux"}, {"config", Json::object()}};
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", Json::array()}};
  Json manifest{{"schemaVersion", 2}, {"layers", Json::array()}};
  for (const std::string& tar : tars) {
    Json layer = blob(tar);
    config["rootfs"]["diff_ids"].push_back(layer["digest"]);
    layer["mediaType"] = oci::media_type::kOciLayer;
    manifest["layers"].push_back(layer);
  }
  manifest["config"] = blob(config.dump());
  manifest["config"]["mediaType"] = oci::media_type::kOciConfig;
  Json entry = blob(manifest.dump());
  entry["mediaType"] = oci::media_type::kOciManifest;
  entry["annotations"] = {{"org.opencontainers.image.ref.name", "t"}};
  const Json index{{"schemaVersion", 2}, {"manifests", Json::array({entry})}};
  EXPECT_TRUE(write_file_atomic(layout / "index.json", as_bytes(index.dump())).has_value());
  EXPECT_TRUE(
      write_file_atomic(layout / "oci-layout", as_bytes("{\"imageLayoutVersion\":\"1.0.0\"}"))
          .has_value());
}

struct Case {
  const char* name;
  std::vector<std::string> tars;
  bool refused = false;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::string base() {
  return TarBuilder()
      .dir("./")
      .dir("usr")
      .dir("usr/lib")
      .symlink("lib", "usr/lib")
      .file("usr/lib/a", "a")
      .hardlink("usr/lib/b", "usr/lib/a")
      .dir("d")
      .dir("d/sub")
      .file("d/sub/x", "x")
      .file("d/y", "y")
      .file("f", "f")
      .str();
}

std::vector<Case> cases() {
  std::vector<Case> out;
  const auto add = [&](const char* name, const TarBuilder& top, bool refused = false) {
    out.push_back({name, {base(), top.str()}, refused});
  };
  add("whiteout", TarBuilder().file("d/.wh.sub").file(".wh.f"));
  add("whiteout_of_nothing", TarBuilder().file(".wh.nothing").file("d/.wh.nor"));
  add("whiteout_keeps_other_hard_link", TarBuilder().file("usr/lib/.wh.a"));
  add("opaque_first", TarBuilder().dir("d", 0700).file("d/.wh..wh..opq").file("d/new", "n"));
  add("opaque_last", TarBuilder().dir("d", 0700).file("d/new", "n").file("d/.wh..wh..opq"));
  add("opaque_with_sub", TarBuilder().dir("d").dir("d/sub").file("d/sub/z").file("d/.wh..wh..opq"));
  add("whiteout_then_same_name", TarBuilder().file("d/.wh.sub").dir("d/sub", 0711).file("d/sub/n"));
  add("same_name_then_whiteout", TarBuilder().dir("d/sub", 0711).file("d/sub/n").file("d/.wh.sub"));
  add("directory_to_file", TarBuilder().file("d", "now a file"));
  add("file_to_directory", TarBuilder().dir("f").file("f/in", "1"));
  add("directory_to_link", TarBuilder().symlink("d", "usr"));
  add("link_to_directory", TarBuilder().dir("lib").file("lib/own", "o"));
  add("below_a_link", TarBuilder().file("lib/c", "c").file("lib/.wh.a"));
  add("below_a_dangling_link", TarBuilder().symlink("dang", "not/there").file("dang/x", "1"));
  add("below_an_absolute_link", TarBuilder().symlink("abs", "/usr/lib").file("abs/q", "1"));
  add("below_a_link_out", TarBuilder().symlink("out", "../../../usr").file("out/q", "1"));
  add("below_a_file", TarBuilder().file("f/x", "1"), true);
  add("below_a_loop", TarBuilder().symlink("l1", "l2").symlink("l2", "l1").file("l1/x", "1"), true);
  add("missing_parents", TarBuilder().file("p/q/r", "1"));
  add("whiteout_in_missing_parent", TarBuilder().file("p/q/.wh.r"));
  add("duplicates", TarBuilder().file("dup", "1").file("dup", "22").dir("f").file("f", "again"));
  add("hard_link_to_lower", TarBuilder().hardlink("d/h", "usr/lib/a"));
  add("hard_link_through_link", TarBuilder().hardlink("d/h", "lib/a"));
  add("hard_link_to_link", TarBuilder().hardlink("d/h", "lib"));
  add("hard_link_then_whiteout", TarBuilder().hardlink("d/h", "f").file(".wh.f"));
  add("hard_link_replaces", TarBuilder().hardlink("f", "usr/lib/a"));
  add("hard_link_to_nothing", TarBuilder().hardlink("d/h", "nothing"), true);
  add("hard_link_before_its_target", TarBuilder().hardlink("h", "late").file("late", "1"), true);
  add("hard_link_to_directory", TarBuilder().hardlink("h", "d"), true);
  add("names_to_be_cleaned", TarBuilder().file("./d//y", "2").file("/f", "3").file("d/../g", "4"));
  add("modes", TarBuilder()
                   .dir("d", 02775)
                   .file("suid", "s", 04755)
                   .add({.name = "own", .uid = 12, .gid = 34}));
  add("fifo", TarBuilder().add({.name = "pipe", .type = '6', .mode = 0600}));
  return out;
}

class UmociLayers : public ::testing::TestWithParam<Case> {};

TEST_P(UmociLayers, UnpackToTheSameTree) {
  if (!have_umoci() || ::geteuid() != 0) GTEST_SKIP() << "needs umoci, and root for owners";
  const Scratch scratch;
  write_layout(scratch.path / "l", GetParam().tars);
  const int status = umoci_unpack(scratch.path / "l", "t", scratch.path / "b");
  const auto ours = testing::merge_tars(GetParam().tars);
  if (GetParam().refused) {
    EXPECT_NE(status, 0);
    ASSERT_FALSE(ours.has_value());
    EXPECT_EQ(ours.error().code(), Code::corrupt);
    return;
  }
  ASSERT_EQ(status, 0) << *read_text_file(scratch.path / "b.log", 1 << 20);
  ASSERT_TRUE(ours.has_value()) << ours.error().what();
  expect_same(list_tree(*ours), list_directory(scratch.path / "b/rootfs"));
}

INSTANTIATE_TEST_SUITE_P(Made, UmociLayers, ::testing::ValuesIn(cases()),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace cloister::measure
