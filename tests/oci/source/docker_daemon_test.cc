// A daemon that is a small server on a unix socket and gives out an archive that skopeo made.
#include <sys/stat.h>

#include "oci/source/docker_daemon.h"
#include "oci/store/stored_export.h"
#include "tests/base/http_server.h"
#include "tests/oci/fixtures.h"

namespace cloister::oci {
namespace {

class DockerDaemon : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ImageTransport>> open(std::string_view argument) {
    CL_TRY(const ImageRef ref, parse_image_ref(argument));
    CL_TRY(TempFile spool, TempFile::create(scratch_.path()));
    return open_docker_daemon(ref, {socket(), "test"}, std::move(spool), context_.limits,
                              context_.progress, CancelToken(&context_.cancelled));
  }
  std::string socket() const { return (scratch_ / "docker.sock").native(); }
  // A layout by us, the archive by skopeo.
  bool make_archive() {
    const fs::path layout = scratch_ / "layout";
    TestImage image = make_image(
        {.layers = {"tar one", "tar two"}, .layer_type = std::string(media_type::kOciLayer)});
    // diff_ids must be those of the tars
    std::string config = cat(R"({"os":"linux","architecture":"amd64","config":{},"rootfs":)",
                             R"({"type":"layers","diff_ids":[")", sha256("tar one").str(), R"(",")",
                             sha256("tar two").str(), R"("]}})");
    ImageManifest manifest;
    manifest.media_type = media_type::kOciManifest;
    manifest.config = config_ = image.add(media_type::kOciConfig, config);
    manifest.layers = image.layers;
    image.manifest.text = write_image_manifest(manifest);
    image.manifest.descriptor = image.add(media_type::kOciManifest, image.manifest.text);
    write_test_layout(layout, image, "app");
    return std::system(cat("skopeo --insecure-policy copy -q oci:", layout.native(),
                           ":app docker-archive:", (scratch_ / "app.tar").native(),
                           ":app:1 >/dev/null 2>&1")
                           .c_str()) == 0;
  }
  Reply serve(const Received& request) {
    for (std::string_view name : {"app:1", "reg.example:5000/team/app:1", "app:latest"})
      if (request.path == cat("/images/", name, "/get") ||
          request.path == cat("/images/", config_.digest.str(), "/get"))
        return archive();
    if (request.path == "/images/app:1/json")
      return answer(200, cat(R"({"Id":")", config_.digest.str(), R"(","RepoTags":["app:1"]})"));
    return answer(404, R"({"message":"No such image: nope:latest"})");
  }
  Reply archive() const {
    Reply reply = answer(200, read_text(scratch_ / "app.tar"));
    reply.cut_after = cut_;
    reply.chunked = true;
    return reply;
  }
  static Reply answer(int status, std::string body) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
  }

  ScratchDirectory scratch_;
  TestContext context_;
  Descriptor config_;
  std::optional<std::size_t> cut_;
};

TEST_F(DockerDaemon, GivesOutAnImage) {
  if (!make_archive()) GTEST_SKIP() << "skopeo is missing";
  const HttpServer daemon([this](const Received& r) { return serve(r); }, nullptr, socket());
  for (const std::string& name :
       {std::string("app:1"), std::string("app"), std::string("reg.example:5000/team/app:1"),
        config_.digest.str()}) {
    auto transport = open("docker-daemon:" + name);
    ASSERT_TRUE(transport.has_value()) << name << ": " << transport.error().what();
    const auto raw = (*transport)->root();
    ASSERT_TRUE(raw.has_value()) << raw.error().what();
    const auto manifest = parse_image_manifest(raw->text, Limits());
    ASSERT_TRUE(manifest.has_value());
    EXPECT_EQ(manifest->config.digest, config_.digest);
    auto layer = (*transport)->blob(manifest->layers[1]);
    ASSERT_TRUE(layer.has_value());
    EXPECT_EQ(as_text(*read_all(**layer, 100, "layer")), "tar two");
  }
  EXPECT_EQ(count_files(scratch_.path()), 3U);  // the spool files are gone: app.tar, layout, socket
}

TEST_F(DockerDaemon, ThatIsAskedAgainNeedNotExportAgain) {
  if (!make_archive()) GTEST_SKIP() << "skopeo is missing";
  const HttpServer daemon([this](const Received& r) { return serve(r); }, nullptr, socket());
  auto opened = Store::open(scratch_ / "store");
  ASSERT_TRUE(opened.has_value());
  Store& store = *opened;
  EXPECT_EQ(open_stored_export(store, config_.digest, context_.limits), nullptr);
  auto exported = open("docker-daemon:app:1");
  ASSERT_TRUE(exported.has_value());
  const ImageRef ref = *parse_image_ref("docker-daemon:app:1");
  const auto image = resolve_image(ref, **exported, store, context_.fetch());
  ASSERT_TRUE(image.has_value()) << image.error().what();
  EXPECT_EQ(open_stored_export(store, config_.digest, context_.limits), nullptr) << "no layers yet";
  ASSERT_TRUE(fetch_layers(*image, **exported, store, context_.fetch()).has_value());

  const auto id = daemon_image_id(ref, {socket(), "test"}, context_.limits, {});
  ASSERT_TRUE(id.has_value() && *id);
  EXPECT_EQ(**id, config_.digest);
  const auto kept = open_stored_export(store, **id, context_.limits);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->root()->text, (*exported)->root()->text);
  EXPECT_EQ(as_text(*read_all(**kept->blob(image->manifest.layers[1]), 100, "layer")), "tar two");

  fs::remove(store.blob_path(image->manifest.layers[0].digest));
  EXPECT_EQ(open_stored_export(store, **id, context_.limits), nullptr) << "a layer was pruned";
}

TEST_F(DockerDaemon, MayNameImagesOtherwise) {
  std::string body;
  int status = 200;
  const HttpServer daemon([&](const Received&) { return answer(status, body); }, nullptr, socket());
  const auto id = [&] {
    return daemon_image_id(*parse_image_ref("docker-daemon:app"), {socket(), "test"},
                           context_.limits, {});
  };
  const std::string hex(64, 'a');
  for (const std::string& text : {hex, "sha256:" + hex}) {  // Podman's and Docker's
    body = cat(R"({"Id":")", text, R"("})");
    EXPECT_EQ(id()->value().hex(), hex);
  }
  for (std::string_view text : {"", "[]", "{}", R"({"Id":7})", R"({"Id":"sha512:aa"})"}) {
    body = text;
    EXPECT_FALSE(id()->has_value()) << text;
  }
  status = 500;
  EXPECT_FALSE(id()->has_value());
  status = 404;
  EXPECT_EQ(code_of(id()), Code::not_found);
}

TEST_F(DockerDaemon, ThatHasNoSuchImageSaysSo) {
  const HttpServer daemon([this](const Received& r) { return serve(r); }, nullptr, socket());
  const auto transport = open("docker-daemon:nope");
  ASSERT_EQ(code_of(transport), Code::not_found);
  EXPECT_EQ(transport.error().details()[0], "No such image: nope:latest");
}

TEST_F(DockerDaemon, ThatBreaksOffIsUnavailable) {
  write_text(scratch_ / "app.tar", std::string(100000, 'x'));
  cut_ = 50000;
  const HttpServer daemon([this](const Received& r) { return serve(r); }, nullptr, socket());
  EXPECT_EQ(code_of(open("docker-daemon:app:1")), Code::unavailable);
  cut_.reset();
  EXPECT_EQ(code_of(open("docker-daemon:app:1")), Code::corrupt);  // not a tar
}

TEST_F(DockerDaemon, ThatFailsIsUnavailable) {
  const HttpServer daemon([](const Received&) { return answer(500, "no <html>"); }, nullptr,
                          socket());
  EXPECT_EQ(code_of(open("docker-daemon:app:1")), Code::unavailable);
}

TEST_F(DockerDaemon, CanBeMissing) {
  EXPECT_EQ(code_of(open("docker-daemon:app")), Code::not_found);
  write_text(socket(), "no socket");
  EXPECT_EQ(code_of(open("docker-daemon:app")), Code::unavailable);
  fs::remove(socket());
  {
    const HttpServer daemon([](const Received&) { return Reply{}; }, nullptr, socket());
  }
  EXPECT_EQ(code_of(open("docker-daemon:app")), Code::unavailable);  // a socket without a server
}

TEST_F(DockerDaemon, CanBeForbidden) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may use any socket";
  const HttpServer daemon([](const Received&) { return Reply{}; }, nullptr, socket());
  ::chmod(socket().c_str(), 0);
  EXPECT_EQ(code_of(open("docker-daemon:app")), Code::unauthorized);
}

TEST_F(DockerDaemon, IsFoundAsDockerAndPodmanFindIt) {
  EXPECT_EQ(*find_daemon_socket({{"DOCKER_HOST", "unix:///a/b.sock"}}), "/a/b.sock");
  EXPECT_EQ(*find_daemon_socket({{"CONTAINER_HOST", "unix:///c"}}), "/c");
  for (std::string_view other : {"tcp://1.2.3.4:2375", "ssh://host", "unix://", "/a/b.sock"})
    EXPECT_EQ(code_of(find_daemon_socket({{"DOCKER_HOST", std::string(other)}})),
              Code::unsupported);
  if (fs::exists("/var/run/docker.sock")) GTEST_SKIP() << "a Docker daemon is here";
  fs::create_directories(scratch_ / "podman");
  write_text(scratch_ / "podman/podman.sock", "");
  EXPECT_EQ(*find_daemon_socket({{"XDG_RUNTIME_DIR", scratch_.path().native()}}),
            (scratch_ / "podman/podman.sock").native());
}

}  // namespace
}  // namespace cloister::oci
