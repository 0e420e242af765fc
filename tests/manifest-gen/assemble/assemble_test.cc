// The added layer and the image around it.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/inflate.h"
#include "base/json.h"
#include "base/text.h"
#include "manifest-gen/assemble/assemble.h"
#include "manifest-gen/assemble/layer_tree.h"
#include "manifest-gen/assemble/paths.h"
#include "oci/archive/tar_reader.h"
#include "tests/manifest-gen/assemble/loader_builder.h"
#include "tests/measure/runtime/memory_root.h"
#include "tests/measure/runtime/standin.h"

namespace cloister::manifest {
namespace {

using namespace measure::test;

constexpr char kConfig[] =
    R"({"architecture":"amd64","os":"linux","x-custom":{"b":1,"a":2},)"
    R"("config":{"User":"redis","Cmd":["redis-server"],"Entrypoint":["/entry.sh"],)"
    R"("Env":["PATH=/bin"],"Healthcheck":{"Test":["CMD","true"]},"WorkingDir":"/data",)"
    R"("Labels":{"vendor":"us","org.opencontainers.image.licenses":"BSD-3-Clause OR MIT"},)"
    R"("ArgsEscaped":true,"OnBuild":null},)"
    R"("rootfs":{"type":"layers","diff_ids":[)"
    R"("sha256:0000000000000000000000000000000000000000000000000000000000000000"]},)"
    R"("history":[{"created_by":"base"},{"created_by":"env","empty_layer":true}]})";

// Everything that assemble() needs, alive.
struct Scene {
  oci::Image base;
  MemoryRoot image;
  std::shared_ptr<const measure::Rootfs> rootfs;
  measure::Runtime runtime;
  Launch launch;
  Closure closure;
  GeneratedManifest manifest;
  std::vector<std::pair<std::string, std::string>> labels;
  bool with_direct = false;
  Seconds created{std::chrono::seconds(1700000000)};
  std::string config = kConfig;

  Scene() {
    MemoryRoot source;
    const Bytes loader = test::Loader().build();
    add_libraries(add_gramine(source, kDebianPlace, as_text(loader)));
    add_package(source, "gramine", "1.9");
    source.file("usr/share/doc/gramine/copyright", "LGPL");
    std::vector<measure::RuntimeSource> sources = {source.source("/somewhere/runtime")};
    auto found = measure::discover_runtime(std::move(sources), Limits());
    EXPECT_TRUE(found.has_value());
    runtime = std::move(*found);

    image.directory("proc").directory("sys").directory("dev").directory("tmp", 01777);
    base.name = "docker.io/library/redis:7";
    base.manifest.media_type = oci::media_type::kOciManifest;
    base.manifest.layers.emplace_back();
    base.manifest.layers[0].media_type = oci::media_type::kOciLayerGzip;
    base.manifest.layers[0].size = 77;
    base.manifest_descriptor.digest = sha256("base manifest");
    launch.workdir = "/data";
    launch.uid = 999;
    launch.gid = 998;
    launch.missing_directories = {"/data"};
    manifest.text = "libos.entrypoint = \"/bin/redis\"\n";
    add_member("libc.so.6", runtime.glibc.at("libc.so.6"));
    closure.members.emplace_back();
    closure.members.back().real_path = "/bin/redis";
    closure.members.back().paths = {"/bin/redis"};
  }

  void add_member(const std::string& name, const measure::RuntimeFile& file) {
    Member member;
    member.real_path = cat(kRuntimeGlibcDir, "/", name);
    member.paths = {member.real_path};
    member.from_runtime = true;
    member.runtime_name = name;
    member.sha256 = file.sha256;
    closure.members.push_back(std::move(member));
  }

  Result<AssembledImage> run(const Limits& limits = {}) {
    rootfs = image.merge();
    CL_TRY(base.config, oci::parse_image_config(config, Limits()));
    const AssembleInput input{.base = base,
                              .rootfs = *rootfs,
                              .runtime = runtime,
                              .launch = launch,
                              .closure = closure,
                              .manifest = manifest,
                              .sigstruct = to_bytes("sigstruct"),
                              .mrenclave = sha256("enclave"),
                              .mrsigner = sha256("signer"),
                              .with_direct = with_direct,
                              .created = created,
                              .labels = labels,
                              .generator = "cloister 0.1.0",
                              .base_name = base.name,
                              .provenance = "{}"};
    return assemble(input, limits);
  }
};

struct Unpacked {
  std::vector<oci::TarEntry> entries;
  std::map<std::string, std::string> content;
  const oci::TarEntry* find(std::string_view path) const {
    for (const auto& entry : entries)
      if (entry.path == path) return &entry;
    return nullptr;
  }
};

Bytes inflate(const Bytes& layer) {
  MemorySource source(layer);
  auto inflated = read_all(*make_inflater(Compression::gzip, source), 1 << 26, "layer");
  EXPECT_TRUE(inflated.has_value());
  return std::move(*inflated);
}

Unpacked unpack(const AssembledImage& image) {
  const Bytes tar = inflate(image.layer);
  MemorySource source(tar);
  const Limits limits;
  auto reader = oci::open_tar(source, limits);
  EXPECT_TRUE(reader.has_value());
  Unpacked out;
  while (true) {
    auto entry = (*reader)->next();
    EXPECT_TRUE(entry.has_value());
    if (!entry.has_value() || *entry == nullptr) break;
    out.entries.push_back(**entry);
    std::string& text = out.content[out.entries.back().path];
    EXPECT_TRUE((*reader)
                    ->content([&](ByteView piece) -> Status {
                      text += as_text(piece);
                      return {};
                    })
                    .has_value());
  }
  return out;
}

std::vector<std::string> paths_of(const Unpacked& layer) {
  std::vector<std::string> out;
  for (const auto& entry : layer.entries) out.push_back(entry.path);
  return out;
}

TEST(Assemble, LayerHoldsTheRuntimeAndNothingElse) {
  Scene scene;
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value()) << image.error().what();
  const Unpacked layer = unpack(*image);
  EXPECT_EQ(paths_of(layer),
            (std::vector<std::string>{"data/",
                                      "gramine/",
                                      "gramine/app_files/",
                                      "gramine/app_files/entrypoint.manifest",
                                      "gramine/app_files/entrypoint.manifest.sgx",
                                      "gramine/app_files/entrypoint.sig",
                                      "gramine/ld.so",
                                      "gramine/lib/",
                                      "gramine/lib/libc.so.6",
                                      "gramine/lib/libprotobuf-c.so.1",
                                      "gramine/libsysdb.so",
                                      "gramine/runtime/",
                                      "gramine/runtime/glibc/",
                                      "gramine/runtime/glibc/libc.so.6",
                                      "gramine/sgx/",
                                      "gramine/sgx/libpal.so",
                                      "gramine/sgx/loader",
                                      "gramine/share/",
                                      "gramine/share/licenses/",
                                      "gramine/share/licenses/NOTICE",
                                      "gramine/share/licenses/gramine.copyright"}));
  EXPECT_EQ(layer.content.at("gramine/app_files/entrypoint.manifest.sgx"), scene.manifest.text);
  EXPECT_EQ(layer.content.at("gramine/app_files/entrypoint.manifest"), scene.manifest.text);
  EXPECT_EQ(layer.content.at("gramine/app_files/entrypoint.sig"), "sigstruct");
  EXPECT_EQ(layer.content.at("gramine/runtime/glibc/libc.so.6"),
            "ELF of usr/lib/x86_64-linux-gnu/gramine/runtime/glibc/libc.so.6");
  EXPECT_EQ(layer.content.at("gramine/lib/libc.so.6"), "ELF of usr/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_NE(layer.content.at("gramine/sgx/loader").find("/gramine/ld.so"), std::string::npos);
  EXPECT_EQ(image->layer_files, 12U);
  for (const auto& entry : layer.entries) {
    EXPECT_EQ(entry.mtime, 1700000000) << entry.path;
    EXPECT_EQ(entry.uid, entry.path == "data/" ? 999U : 0U) << entry.path;
    EXPECT_EQ(entry.gid, entry.path == "data/" ? 998U : 0U) << entry.path;
  }
  EXPECT_EQ(layer.find("gramine/sgx/loader")->mode, 0755U);
  EXPECT_EQ(layer.find("gramine/libsysdb.so")->mode, 0755U);
  EXPECT_EQ(layer.find("gramine/app_files/entrypoint.sig")->mode, 0644U);
  EXPECT_EQ(layer.find("gramine/")->mode, 0755U);
}

TEST(Assemble, DigestsDescribeTheBytes) {
  Scene scene;
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(image->layer_descriptor.digest, sha256(image->layer));
  EXPECT_EQ(image->layer_descriptor.size, image->layer.size());
  EXPECT_EQ(image->layer_diff_id, sha256(inflate(image->layer)));
  EXPECT_EQ(image->config_descriptor.digest, sha256(image->config));
  EXPECT_EQ(image->manifest_descriptor.digest, sha256(image->manifest_text));
  const auto manifest = oci::parse_image_manifest(image->manifest_text, Limits());
  ASSERT_TRUE(manifest.has_value());
  ASSERT_EQ(manifest->layers.size(), 2U);
  EXPECT_EQ(manifest->layers[0].size, 77U);
  EXPECT_EQ(manifest->layers[1].digest, image->layer_descriptor.digest);
  EXPECT_EQ(manifest->config.digest, image->config_descriptor.digest);
}

TEST(Assemble, SameInputGivesSameBytes) {
  Scene one, two;
  const auto first = one.run(), second = two.run();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->layer, second->layer);
  EXPECT_EQ(first->config, second->config);
  EXPECT_EQ(first->manifest_text, second->manifest_text);
  // RFC 1952: no name, no time, unknown system.
  EXPECT_EQ(hex(ByteView(first->layer).first(10)), "1f8b08000000000000ff");
}

TEST(Assemble, TheDateIsInTheBytes) {
  Scene one, two;
  two.created += std::chrono::days(1);
  const auto first = one.run(), second = two.run();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(first->layer_diff_id, second->layer_diff_id);
}

TEST(Assemble, DirectModeAddsItsLoaderAsALink) {
  Scene scene;
  scene.with_direct = true;
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const Unpacked layer = unpack(*image);
  ASSERT_NE(layer.find("gramine/direct/libpal.so"), nullptr);
  ASSERT_NE(layer.find("gramine/direct/loader"), nullptr);
  EXPECT_EQ(layer.find("gramine/direct/loader")->link_target, "libpal.so");
  EXPECT_NE(image->config.find("docker run --entrypoint /gramine/direct/loader IMAGE "
                               "/gramine/direct/libpal.so init /gramine/app_files/entrypoint"),
            std::string::npos);
  scene.runtime.direct_libpal.reset();
  EXPECT_EQ(scene.run().error().code(), Code::unresolved);
}

TEST(Assemble, DirectoriesTheBaseHasAreLeftAlone) {
  Scene scene;
  scene.image.directory("srv", 02775).link("var/run", "../run").directory("run");
  scene.launch.workdir = "/srv/a/b";
  scene.launch.missing_directories = {"/srv/a/b", "/tmp", "/var/run/app"};
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const Unpacked layer = unpack(*image);
  EXPECT_EQ(layer.find("srv/"), nullptr);
  EXPECT_EQ(layer.find("tmp/"), nullptr);
  EXPECT_EQ(layer.find("var/run/app/"), nullptr);
  ASSERT_NE(layer.find("srv/a/"), nullptr);
  EXPECT_EQ(layer.find("srv/a/")->uid, 0U);
  EXPECT_EQ(layer.find("srv/a/b/")->uid, 999U);
  ASSERT_NE(layer.find("run/app/"), nullptr);
}

TEST(Assemble, ScratchGetsItsMountPoints) {
  Scene scene;
  scene.image = MemoryRoot();
  scene.launch.workdir = "/";
  scene.launch.missing_directories = {"/proc", "/sys", "/dev", "/tmp"};
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value()) << image.error().what();
  const Unpacked layer = unpack(*image);
  ASSERT_NE(layer.find("proc/"), nullptr);
  EXPECT_EQ(layer.find("proc/")->mode, 0755U);
  EXPECT_EQ(layer.find("tmp/")->mode, 01777U);
  EXPECT_EQ(layer.find("tmp/")->uid, 0U);
}

TEST(Assemble, ResolvConfIsThereWhenTheManifestNeedsOne) {
  Scene scene;
  scene.manifest.manifest.table.put(kHostNamesKey, true);
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const Unpacked layer = unpack(*image);
  ASSERT_NE(layer.find("etc/resolv.conf"), nullptr);
  EXPECT_EQ(layer.find("etc/resolv.conf")->size, 0U);
  ASSERT_NE(layer.find("etc/"), nullptr) << "this base has none";

  Scene with_etc;
  with_etc.manifest.manifest.table.put(kHostNamesKey, true);
  with_etc.image.directory("private/etc", 0700).link("etc", "private/etc");
  const auto below = with_etc.run();
  ASSERT_TRUE(below.has_value());
  EXPECT_EQ(unpack(*below).find("etc/"), nullptr);
  EXPECT_EQ(unpack(*below).find("private/etc/"), nullptr);
  EXPECT_NE(unpack(*below).find("private/etc/resolv.conf"), nullptr);

  Scene with_file;
  with_file.manifest.manifest.table.put(kHostNamesKey, true);
  with_file.image.link("etc/resolv.conf", "../run/resolv.conf");
  const auto own = with_file.run();
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(unpack(*own).find("etc/resolv.conf"), nullptr);

  const auto unwanted = Scene().run();
  ASSERT_TRUE(unwanted.has_value());
  EXPECT_EQ(unpack(*unwanted).find("etc/resolv.conf"), nullptr);
}

TEST(Assemble, AnythingAtGramineIsAConflict) {
  for (int kind = 0; kind < 3; ++kind) {
    Scene scene;
    if (kind == 0) scene.image.directory("gramine");
    if (kind == 1) scene.image.link("gramine", "elsewhere");
    if (kind == 2) scene.image.file("gramine");
    const auto image = scene.run();
    ASSERT_FALSE(image.has_value()) << kind;
    EXPECT_EQ(image.error().code(), Code::conflict) << kind;
    EXPECT_FALSE(image.error().hint().empty());
  }
}

TEST(Assemble, ConfigurationKeepsWhatItDoesNotChange) {
  Scene scene;
  scene.labels = {{"team", "blue"}, {"vendor", "you"}};
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const auto json = nlohmann::ordered_json::parse(image->config);
  EXPECT_EQ(json["x-custom"].dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(json.begin().key(), "architecture");
  const auto& config = json["config"];
  EXPECT_EQ(config["Entrypoint"].dump(),
            R"(["/gramine/sgx/loader","/gramine/sgx/libpal.so","init",)"
            R"("/gramine/app_files/entrypoint"])");
  EXPECT_FALSE(config.contains("Cmd"));
  EXPECT_EQ(config["User"], "redis");
  EXPECT_EQ(config["WorkingDir"], "/data");
  EXPECT_EQ(config["Env"].dump(), R"(["PATH=/bin"])");
  EXPECT_EQ(config["Healthcheck"]["Test"][0], "CMD");
  EXPECT_EQ(config["ArgsEscaped"], true);
  EXPECT_TRUE(config.contains("OnBuild"));
  EXPECT_EQ(json["created"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["rootfs"]["diff_ids"].size(), 2U);
  EXPECT_EQ(json["rootfs"]["diff_ids"][1], image->layer_diff_id.str());
  ASSERT_EQ(json["history"].size(), 3U);
  EXPECT_EQ(json["history"][2]["created_by"], "cloister build");
  const auto& labels = config["Labels"];
  EXPECT_EQ(labels["vendor"], "you");
  EXPECT_EQ(labels["team"], "blue");
  EXPECT_EQ(labels["io.cloister.mrenclave"], sha256("enclave").hex());
  EXPECT_EQ(labels["io.cloister.mrsigner"], sha256("signer").hex());
  EXPECT_EQ(labels["io.cloister.runtime.version"], "1.9");
  EXPECT_EQ(labels["org.opencontainers.image.base.name"], "docker.io/library/redis:7");
  EXPECT_EQ(labels["org.opencontainers.image.base.digest"], sha256("base manifest").str());
  EXPECT_EQ(labels["org.opencontainers.image.licenses"],
            "(BSD-3-Clause OR MIT) AND LGPL-3.0-or-later AND LGPL-2.1-or-later AND BSD-2-Clause");
  EXPECT_FALSE(labels.contains("io.cloister.direct"));
}

TEST(Assemble, BareConfigurationIsEnough) {
  Scene scene;
  scene.base.manifest.layers.clear();
  scene.config =
      R"({"architecture":"amd64","os":"linux","config":null,"rootfs":{"type":"layers","diff_ids":[]}})";
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value()) << image.error().what();
  const auto json = nlohmann::json::parse(image->config);
  EXPECT_EQ(json["rootfs"]["diff_ids"].size(), 1U);
  EXPECT_EQ(json["history"].size(), 1U);
  EXPECT_EQ(image->manifest.layers.size(), 1U);
}

TEST(Assemble, HistoryThatDoesNotCountTheLayersIsLeftAlone) {
  Scene scene;
  const std::string before = R"([{"created_by":"base"},)";
  scene.config.replace(scene.config.find(before), before.size(), "[");
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(nlohmann::json::parse(image->config)["history"].size(), 1U);
}

TEST(Assemble, LabelsThatStateMeasurementsCannotBeSet) {
  Scene scene;
  scene.labels = {{"io.cloister.mrenclave", "00"}};
  EXPECT_EQ(scene.run().error().code(), Code::invalid);
}

TEST(Assemble, FlavourFollowsTheBase) {
  Scene oci, docker;
  docker.base.manifest.media_type = oci::media_type::kDockerManifest;
  const auto first = oci.run(), second = docker.run();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->manifest_descriptor.media_type, oci::media_type::kOciManifest);
  EXPECT_EQ(first->layer_descriptor.media_type, oci::media_type::kOciLayerGzip);
  EXPECT_EQ(first->manifest.annotations.at("io.cloister.mrenclave"), sha256("enclave").hex());
  EXPECT_EQ(second->manifest_descriptor.media_type, oci::media_type::kDockerManifest);
  EXPECT_EQ(second->config_descriptor.media_type, oci::media_type::kDockerConfig);
  EXPECT_EQ(second->layer_descriptor.media_type, oci::media_type::kDockerLayerGzip);
  EXPECT_TRUE(second->manifest.annotations.empty());
  EXPECT_EQ(first->layer, second->layer);
}

TEST(Assemble, LibraryPathOfTheImageDoesNotReachTheLoader) {
  Scene plain, with_path;
  const std::string before = R"("PATH=/bin")";
  with_path.config.replace(with_path.config.find(before), before.size(),
                           R"("PATH=/bin","LD_LIBRARY_PATH=/lib")");
  const auto tag = [](const AssembledImage& image) {
    return std::to_integer<int>(
        as_bytes(unpack(image).content.at("gramine/sgx/loader"))[test::kDynamic + 2 * 16]);
  };
  const auto first = plain.run(), second = with_path.run();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(tag(*first), 29) << "DT_RUNPATH";
  EXPECT_EQ(tag(*second), 15) << "DT_RPATH";
}

TEST(Assemble, NoticeNamesVersionsAndTheModificationButNoLocalPath) {
  Scene scene;
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const std::string notice = unpack(*image).content.at("gramine/share/licenses/NOTICE");
  EXPECT_NE(notice.find("Modified on 2023-11-14 by cloister 0.1.0: /gramine/sgx/loader"),
            std::string::npos)
      << notice;
  EXPECT_NE(notice.find("gramine, version 1.9, from a local directory"), std::string::npos);
  EXPECT_EQ(notice.find("/somewhere"), std::string::npos);
}

TEST(Assemble, ClosureThatDoesNotFitTheRuntimeIsInternal) {
  Scene scene;
  scene.closure.members[0].sha256 = sha256("other");
  EXPECT_EQ(scene.run().error().code(), Code::internal);
}

TEST(Assemble, TooManyLayersAreALimit) {
  Scene scene;
  Limits limits;
  limits.layers = 1;
  EXPECT_EQ(scene.run(limits).error().code(), Code::limit);
}

TEST(Assemble, NamesBeyondAsciiAndLongOnesSurvive) {
  Scene scene;
  const std::string name = "d\xc3\xa4t\xc3\xa4", longer(200, 'x');
  scene.launch.workdir = cat("/", name, "/", longer);
  scene.launch.missing_directories = {scene.launch.workdir};
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value()) << image.error().what();
  const Unpacked layer = unpack(*image);
  EXPECT_NE(layer.find(cat(name, "/")), nullptr);
  EXPECT_NE(layer.find(cat(name, "/", longer, "/")), nullptr);
}

TEST(Assemble, TarListsTheLayer) {
  if (!has_program("tar")) GTEST_SKIP() << "needs tar";
  Scene scene;
  const auto image = scene.run();
  ASSERT_TRUE(image.has_value());
  const ScratchDirectory scratch;
  const std::string file = scratch.path() + "/layer.tar.gz";
  std::ofstream(file, std::ios::binary) << as_text(image->layer);
  FILE* pipe =
      popen(("LC_ALL=C TZ=UTC tar --numeric-owner -tvzf '" + file + "' 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string out;
  std::array<char, 512> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  EXPECT_EQ(pclose(pipe), 0) << out;
  EXPECT_TRUE(out.starts_with("drwxr-xr-x 999/998 ")) << out;
  EXPECT_NE(out.find("-rwxr-xr-x 0/0 "), std::string::npos) << out;
  EXPECT_NE(out.find("2023-11-14 22:13 gramine/sgx/loader\n"), std::string::npos) << out;
}

TEST(AbsentDirectories, AreResolvedInsideTheBase) {
  MemoryRoot root;
  root.directory("a").link("abs", "/a").link("up", "../../a").link("dangling", "/new/place");
  root.link("loop", "loop").file("file");
  const auto rootfs = root.merge();
  const Limits limits;
  const auto absent = [&](std::string_view path) {
    return absent_directories(*rootfs, path, limits);
  };
  EXPECT_EQ(*absent("/a"), std::vector<std::string>{});
  EXPECT_EQ(*absent("/"), std::vector<std::string>{});
  EXPECT_EQ(*absent("/a/b/c"), (std::vector<std::string>{"/a/b", "/a/b/c"}));
  EXPECT_EQ(*absent("/abs/b"), std::vector<std::string>{"/a/b"});
  EXPECT_EQ(*absent("/up/b"), std::vector<std::string>{"/a/b"});
  EXPECT_EQ(*absent("/dangling"), (std::vector<std::string>{"/new", "/new/place"}));
  EXPECT_EQ(absent("/loop/x").error().code(), Code::conflict);
  EXPECT_EQ(absent("/file/x").error().code(), Code::conflict);
}

}  // namespace
}  // namespace cloister::manifest
