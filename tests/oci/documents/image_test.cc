#include "oci/documents/image.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cloister::oci {
namespace {

const std::string kA = "sha256:" + std::string(64, 'a');
const std::string kB = "sha256:" + std::string(64, 'b');
const std::string kConfig =
    cat(R"({"mediaType":")", media_type::kOciConfig, R"(","digest":")", kA, R"(","size":2})");
const std::string kLayer =
    cat(R"({"mediaType":")", media_type::kOciLayerGzip, R"(","digest":")", kB, R"(","size":3})");

std::string manifest_with(std::string_view config, std::string_view layers,
                          std::string_view more = "") {
  return cat(R"({"schemaVersion":2,)", more, R"("config":)", config, R"(,"layers":[)", layers,
             "]}");
}

template <class T>
Code code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Code::internal : result.error().code();
}

Code manifest_refused(std::string_view text) {
  return code_of(parse_image_manifest(text, Limits()));
}
Code config_refused(std::string_view text) {
  return code_of(parse_image_config(text, Limits()));
}

TEST(Descriptor, ReadsItsMembers) {
  const Json json = {{"mediaType", "x/y"},
                     {"digest", kA},
                     {"size", 7},
                     {"platform", {{"os", "linux"}, {"architecture", "arm64"}, {"variant", "v8"}}},
                     {"annotations", {{"k", "v"}}},
                     {"urls", {"http://x"}},
                     {"unknown", 1}};
  auto d = parse_descriptor(json);
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->size, 7U);
  EXPECT_EQ(d->platform->str(), "linux/arm64/v8");
  EXPECT_EQ(d->annotations.at("k"), "v");
  EXPECT_EQ(parse_descriptor(to_json(*d))->platform->str(), "linux/arm64/v8");
}

TEST(Descriptor, TakesNullForAbsent) {
  auto d = parse_descriptor(Json{{"digest", kA},
                                 {"size", 0},
                                 {"mediaType", nullptr},
                                 {"platform", nullptr},
                                 {"annotations", nullptr}});
  ASSERT_TRUE(d.has_value());
  EXPECT_EQ(d->media_type, "");
  EXPECT_FALSE(d->platform.has_value());
}

TEST(Descriptor, RefusesWhatItCannotTrust) {
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}, {"size", -1}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}, {"size", INT64_MIN}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}, {"size", UINT64_MAX}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}, {"size", 1.5}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}, {"size", "1"}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", kA}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"size", 1}})), Code::corrupt);
  EXPECT_EQ(code_of(parse_descriptor(Json{{"digest", "sha256:../../etc"}, {"size", 1}})),
            Code::corrupt);
  EXPECT_EQ(
      code_of(parse_descriptor(Json{{"digest", "sha512:" + std::string(128, 'a')}, {"size", 1}})),
      Code::unsupported);
  EXPECT_EQ(code_of(parse_descriptor(Json::array())), Code::corrupt);
}

TEST(MediaTypes, KnowTheLayersThatCanBeRead) {
  EXPECT_EQ(layer_compression(media_type::kOciLayer), Compression::none);
  EXPECT_EQ(layer_compression(media_type::kDockerLayerGzip), Compression::gzip);
  EXPECT_EQ(layer_compression(media_type::kOciLayerZstd), Compression::zstd);
  EXPECT_FALSE(layer_compression("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  EXPECT_FALSE(layer_compression("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
  EXPECT_FALSE(layer_compression(""));
}

TEST(PlatformText, ParsesAndNormalises) {
  EXPECT_EQ(parse_platform("linux/amd64")->str(), "linux/amd64");
  EXPECT_EQ(parse_platform("linux/arm/v7")->str(), "linux/arm/v7");
  EXPECT_EQ(parse_platform("linux/x86_64")->str(), "linux/amd64");
  EXPECT_EQ(parse_platform("linux/aarch64")->str(), "linux/arm64");
  for (std::string_view text :
       {"", "linux", "/", "linux/", "/amd64", "a/b/c/d", "linux/am d", "linux/\n", "Linux/amd64"})
    EXPECT_EQ(code_of(parse_platform(text)), Code::usage) << text;
}

TEST(ImageManifest, ReadsOciAndDocker) {
  auto m =
      parse_image_manifest(manifest_with(kConfig, kLayer, R"("annotations":{"a":"b"},)"), Limits());
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->media_type, media_type::kOciManifest);
  ASSERT_EQ(m->layers.size(), 1U);
  EXPECT_EQ(m->layers[0].digest.str(), kB);
  EXPECT_EQ(m->annotations.at("a"), "b");
  const std::string type = cat(R"("mediaType":")", media_type::kDockerManifest, R"(",)");
  EXPECT_EQ(parse_image_manifest(manifest_with(kConfig, kLayer, type), Limits())->media_type,
            media_type::kDockerManifest);
}

TEST(ImageManifest, DerivesAMissingTypeFromItsShape) {
  const std::string docker =
      cat(R"({"mediaType":")", media_type::kDockerConfig, R"(","digest":")", kA, R"(","size":2})");
  EXPECT_EQ(parse_image_manifest(manifest_with(docker, kLayer), Limits())->media_type,
            media_type::kDockerManifest);
  const std::string bare =
      cat(R"({"config":)", kConfig, R"(,"layers":[]})");  // no schemaVersion either
  EXPECT_EQ(parse_image_manifest(bare, Limits())->media_type, media_type::kOciManifest);
}

TEST(ImageManifest, RefusesSchema1) {
  for (
      std::string_view text :
      {R"({"schemaVersion":1,"name":"x","fsLayers":[]})", R"({"fsLayers":[{"blobSum":"x"}]})",
       R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"})"})
    EXPECT_EQ(manifest_refused(text), Code::unsupported) << text;
}

TEST(ImageManifest, RefusesADocumentOfTwoKinds) {
  EXPECT_EQ(manifest_refused(manifest_with(kConfig, kLayer, R"("manifests":[],)")), Code::corrupt);
  const std::string index_type = cat(R"("mediaType":")", media_type::kOciIndex, R"(",)");
  EXPECT_EQ(manifest_refused(manifest_with(kConfig, kLayer, index_type)), Code::corrupt);
  EXPECT_EQ(code_of(parse_image_index(manifest_with(kConfig, kLayer), Limits())), Code::corrupt);
  EXPECT_EQ(manifest_refused(R"({"schemaVersion":2,"manifests":[]})"), Code::corrupt);
}

TEST(ImageManifest, RefusesWhatIsMalformed) {
  EXPECT_EQ(manifest_refused(""), Code::corrupt);
  EXPECT_EQ(manifest_refused("[]"), Code::corrupt);
  EXPECT_EQ(manifest_refused("{}"), Code::corrupt);
  EXPECT_EQ(manifest_refused("{\"config\":1,\"layers\":[]}"), Code::corrupt);
  EXPECT_EQ(manifest_refused(cat(R"({"config":)", kConfig, "}")), Code::corrupt);   // no layers
  EXPECT_EQ(manifest_refused(cat(R"({"layers":[)", kLayer, "]}")), Code::corrupt);  // no config
  EXPECT_EQ(manifest_refused(cat(R"({"config":)", kConfig, R"(,"layers":{}})")), Code::corrupt);
  EXPECT_EQ(manifest_refused(manifest_with(kConfig, "7")), Code::corrupt);
  EXPECT_EQ(manifest_refused(R"({"schemaVersion":3,"config":{},"layers":[]})"), Code::unsupported);
  EXPECT_EQ(manifest_refused(manifest_with(kConfig, kLayer, R"("mediaType":"text/html",)")),
            Code::unsupported);
}

TEST(ImageManifest, BoundsItsSize) {
  Limits limits;
  limits.layers = 2;
  EXPECT_TRUE(
      parse_image_manifest(manifest_with(kConfig, kLayer + "," + kLayer), limits).has_value());
  EXPECT_EQ(code_of(parse_image_manifest(
                manifest_with(kConfig, kLayer + "," + kLayer + "," + kLayer), limits)),
            Code::limit);
  const std::string text = manifest_with(kConfig, kLayer);
  limits.manifest_bytes = text.size();
  EXPECT_TRUE(parse_image_manifest(text, limits).has_value());
  limits.manifest_bytes = text.size() - 1;
  EXPECT_EQ(code_of(parse_image_manifest(text, limits)), Code::limit);
}

TEST(ImageManifest, NamesTheLayerThatIsBad) {
  const std::string bad = cat(R"({"mediaType":"x","digest":")", kA, R"(","size":-5})");
  auto m = parse_image_manifest(manifest_with(kConfig, kLayer + "," + bad), Limits());
  ASSERT_FALSE(m.has_value());
  ASSERT_FALSE(m.error().trace().empty());
  EXPECT_NE(m.error().trace()[0].find("layers[1]"), std::string::npos);
}

TEST(ImageManifest, IsWrittenCanonically) {
  ImageManifest m;
  m.media_type = media_type::kOciManifest;
  m.config = {std::string(media_type::kOciConfig), *Digest::parse(kA), 2, {}, {}};
  m.layers = {{std::string(media_type::kOciLayerGzip), *Digest::parse(kB), 3, {}, {{"k", "v"}}}};
  m.annotations = {{"b", "2"}, {"a", "1"}};
  const std::string text = write_image_manifest(m);
  EXPECT_EQ(text, cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciManifest,
                      R"(","config":)", kConfig, R"(,"layers":[{"mediaType":")",
                      media_type::kOciLayerGzip, R"(","digest":")", kB,
                      R"(","size":3,"annotations":{"k":"v"}}],"annotations":{"a":"1","b":"2"}})"));
  auto back = parse_image_manifest(text, Limits());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(write_image_manifest(*back), text);
}

TEST(Identity, ComparesWithWhatWasDeclared) {
  const std::string index = R"({"schemaVersion":2,"manifests":[]})";
  EXPECT_EQ(identify_document(index, "", Limits())->media_type, media_type::kOciIndex);
  EXPECT_EQ(identify_document(index, media_type::kDockerManifestList, Limits())->media_type,
            media_type::kDockerManifestList);
  EXPECT_EQ(identify_document(index, "text/plain", Limits())->media_type, media_type::kOciIndex);
  EXPECT_EQ(code_of(identify_document(index, media_type::kOciManifest, Limits())), Code::corrupt);
  const std::string typed =
      manifest_with(kConfig, kLayer, cat(R"("mediaType":")", media_type::kOciManifest, R"(",)"));
  EXPECT_EQ(code_of(identify_document(typed, media_type::kOciIndex, Limits())), Code::corrupt);
  EXPECT_EQ(identify_document(typed, media_type::kDockerManifest, Limits())->media_type,
            media_type::kOciManifest);
}

TEST(ImageIndex, TakesNullAsGoWritesAnEmptyOne) {
  auto index = parse_image_index(R"({"schemaVersion":2,"manifests":null})", Limits());
  ASSERT_TRUE(index.has_value());
  EXPECT_TRUE(index->manifests.empty());
}

TEST(ImageIndex, BoundsItsEntries) {
  Limits limits;
  limits.index_manifests = 1;
  EXPECT_EQ(code_of(parse_image_index(cat(R"({"manifests":[)", kLayer, ",", kLayer, "]}"), limits)),
            Code::limit);
}

// --- configuration ---

std::string config_with(std::string_view members) {
  return cat(R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[")", kA,
             R"("]})", members.empty() ? "" : ",", members, "}");
}

TEST(ImageConfig, ReadsItsMembers) {
  const std::string text = config_with(
      R"("created":"2023-11-14T22:13:20.5+01:00","config":{"User":"redis","Env":["A=1","B=2"],"Entrypoint":["/e"],)"
      R"("Cmd":["c"],"WorkingDir":"/w","Volumes":{"/b":{},"/a":{}},"ExposedPorts":{"6379/tcp":{}},"Labels":{"l":"v"},)"
      R"("StopSignal":"SIGTERM","Healthcheck":{"Test":["CMD","x"]}})");
  auto c = parse_image_config(text, Limits());
  ASSERT_TRUE(c.has_value()) << c.error().what();
  EXPECT_EQ(c->platform().str(), "linux/amd64");
  EXPECT_EQ(format_rfc3339(*c->created), "2023-11-14T21:13:20Z");
  EXPECT_EQ(c->config.env, (std::vector<std::string>{"A=1", "B=2"}));
  EXPECT_EQ(c->config.volumes, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(c->config.stop_signal, "SIGTERM");
  EXPECT_TRUE(c->config.has_healthcheck);
  EXPECT_EQ(c->diff_ids.size(), 1U);
  EXPECT_EQ(c->raw, text);
}

TEST(ImageConfig, TakesNullEverywhere) {
  auto c = parse_image_config(
      R"({"os":null,"architecture":null,"created":null,"rootfs":{"type":null,"diff_ids":null},"history":null,)"
      R"("config":{"User":null,"Env":null,"Entrypoint":null,"Cmd":null,"WorkingDir":null,"Volumes":null,)"
      R"("ExposedPorts":null,"Labels":null,"StopSignal":null,"Healthcheck":null,"OnBuild":null}})",
      Limits());
  ASSERT_TRUE(c.has_value()) << c.error().what();
  EXPECT_TRUE(c->diff_ids.empty());
  EXPECT_EQ(c->platform().str(), "unknown/unknown");
  EXPECT_TRUE(parse_image_config(config_with(R"("config":null)"), Limits()).has_value());
  EXPECT_TRUE(parse_image_config(config_with(""), Limits()).has_value());
}

TEST(ImageConfig, TakesTheZeroTimeAsAbsent) {
  for (std::string_view created : {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", ""})
    EXPECT_FALSE(
        parse_image_config(config_with(cat(R"("created":")", created, "\"")), Limits())->created)
        << created;
  EXPECT_EQ(
      parse_image_config(config_with(R"("created":"1970-01-01T00:00:00Z")"), Limits())->created,
      Seconds{});
  EXPECT_EQ(config_refused(config_with(R"("created":"yesterday")")), Code::corrupt);
}

TEST(ImageConfig, TakesAStringAsOneWord) {
  auto c =
      parse_image_config(config_with(R"("config":{"Entrypoint":"/start","Cmd":""})"), Limits());
  ASSERT_TRUE(c.has_value());
  EXPECT_EQ(c->config.entrypoint, std::vector<std::string>{"/start"});
}

TEST(ImageConfig, KnowsADisabledHealthcheck) {
  EXPECT_FALSE(
      parse_image_config(config_with(R"("config":{"Healthcheck":{"Test":["NONE"]}})"), Limits())
          ->config.has_healthcheck);
  EXPECT_FALSE(parse_image_config(config_with(R"("config":{"Healthcheck":{}})"), Limits())
                   ->config.has_healthcheck);
}

TEST(ImageConfig, RefusesWhatCannotBeStarted) {
  EXPECT_EQ(config_refused(config_with(R"("config":{"Entrypoint":["/bin/a\u0000b"]})")),
            Code::corrupt);
  EXPECT_EQ(config_refused(config_with(R"("config":{"Env":["A=\u0000"]})")), Code::corrupt);
  EXPECT_EQ(config_refused(config_with(R"("config":{"Env":[1]})")), Code::corrupt);
  EXPECT_EQ(config_refused(config_with(R"("config":{"Env":{"A":"1"}})")), Code::corrupt);
  EXPECT_EQ(config_refused(config_with(R"("config":[])")), Code::corrupt);
  EXPECT_EQ(config_refused("[]"), Code::corrupt);
  EXPECT_EQ(config_refused("{}"), Code::corrupt);  // no rootfs
  EXPECT_EQ(config_refused(R"({"rootfs":{"type":"squash","diff_ids":[]}})"), Code::unsupported);
  EXPECT_EQ(config_refused(R"({"rootfs":{"diff_ids":["x"]}})"), Code::corrupt);
}

TEST(ImageConfig, BoundsItsSize) {
  Limits limits;
  limits.layers = 0;
  EXPECT_EQ(code_of(parse_image_config(config_with(""), limits)), Code::limit);
  limits.config_bytes = 4;
  EXPECT_EQ(code_of(parse_image_config(config_with(""), limits)), Code::limit);
}

// --- select_platform ---

Descriptor entry(std::string_view platform, char id) {
  Descriptor d;
  d.media_type = media_type::kOciManifest;
  d.digest = *Digest::parse("sha256:" + std::string(64, id));
  const auto parts = split(platform, '/');
  if (!platform.empty())
    d.platform = Platform{std::string(parts[0]), std::string(parts[1]),
                          parts.size() > 2 ? std::string(parts[2]) : ""};
  return d;
}

char chosen(std::vector<Descriptor> entries, std::string_view want) {
  auto d = select_platform({std::string(media_type::kOciIndex), std::move(entries), {}},
                           *parse_platform(want));
  return d.has_value() ? d->digest.hex()[0] : '-';
}

TEST(SelectPlatform, PrefersTheExactVariant) {
  EXPECT_EQ(chosen({entry("linux/arm64", 'a'), entry("linux/amd64", 'b')}, "linux/amd64"), 'b');
  EXPECT_EQ(chosen({entry("linux/amd64/v3", 'a'), entry("linux/amd64", 'b')}, "linux/amd64"), 'b');
  EXPECT_EQ(chosen({entry("linux/amd64/v3", 'a'), entry("linux/amd64/v2", 'b')}, "linux/amd64"),
            'a');
  EXPECT_EQ(chosen({entry("linux/amd64", 'a'), entry("linux/amd64/v3", 'b')}, "linux/amd64/v3"),
            'b');
  EXPECT_EQ(chosen({entry("linux/amd64/v1", 'a')}, "linux/amd64"), 'a');
  EXPECT_EQ(chosen({entry("linux/arm64/v8", 'a')}, "linux/arm64"), 'a');
  EXPECT_EQ(chosen({entry("linux/arm64", 'a')}, "linux/arm64/v8"), 'a');
  EXPECT_EQ(chosen({entry("linux/arm/v6", 'a')}, "linux/arm/v7"), '-');
  EXPECT_EQ(chosen({entry("windows/amd64", 'a')}, "linux/amd64"), '-');
}

TEST(SelectPlatform, NeverTakesAnAttestation) {
  Descriptor attestation = entry("unknown/unknown", 'a');
  EXPECT_EQ(chosen({attestation}, "linux/amd64"), '-');
  Descriptor disguised = entry("linux/amd64", 'a');
  disguised.annotations["vnd.docker.reference.type"] = "attestation-manifest";
  EXPECT_EQ(chosen({disguised, entry("linux/amd64", 'b')}, "linux/amd64"), 'b');
  Descriptor sbom = entry("", 'a');
  sbom.media_type = "application/spdx+json";
  EXPECT_EQ(chosen({sbom}, "linux/amd64"), '-');
}

TEST(SelectPlatform, TakesAnOnlyEntryThatNamesNoPlatform) {
  EXPECT_EQ(chosen({entry("linux/arm64", 'a'), entry("", 'b')}, "linux/amd64"), 'b');
  EXPECT_EQ(chosen({entry("", 'a'), entry("linux/amd64", 'b')}, "linux/amd64"), 'b');
  EXPECT_EQ(chosen({entry("", 'a'), entry("", 'b')}, "linux/amd64"), '-');
}

TEST(SelectPlatform, NamesThePlatformsThereAre) {
  auto d = select_platform(
      {"",
       {entry("linux/s390x", 'a'), entry("linux/arm64/v8", 'b'), entry("unknown/unknown", 'c')},
       {}},
      {"linux", "amd64", ""});
  ASSERT_FALSE(d.has_value());
  EXPECT_EQ(d.error().code(), Code::not_found);
  ASSERT_EQ(d.error().details().size(), 1U);
  EXPECT_EQ(d.error().details()[0], "there are: linux/arm64/v8, linux/s390x");
  EXPECT_NE(d.error().hint().find("--platform linux/arm64/v8"), std::string::npos);
}

}  // namespace
}  // namespace cloister::oci
