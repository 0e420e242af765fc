// Blobs and manifests on their way to a registry.
#include <gtest/gtest.h>

#include <atomic>

#include "base/text.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

Descriptor descriptor_of(const std::string& content) {
  return {
      std::string(media_type::kOciLayerGzip), sha256(content), content.size(), std::nullopt, {}};
}

// Owns what it reads.
class TextSource final : public Source {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)), inner_(as_bytes(text_)) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return inner_.read(out); }

 private:
  const std::string text_;
  MemorySource inner_;
};

struct Pushed {
  Status status;
  int opened = 0;
  std::uint64_t reported = 0;
};

Pushed push(RegistryClient& client, const Descriptor& descriptor, const std::string& content) {
  Pushed out;
  out.status = client.put_blob(
      descriptor,
      [&]() -> Result<std::unique_ptr<Source>> {
        ++out.opened;
        return std::unique_ptr<Source>(std::make_unique<TextSource>(content));
      },
      [&](std::size_t n) { out.reported += n; });
  return out;
}

TEST(Upload, PutsABlob) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1'000'000}}) {
    FakeRegistry registry;
    const std::string content(size, 'c');
    auto client = client_of(registry, "ns/app", Access::push);
    const Pushed pushed = push(*client, descriptor_of(content), content);
    ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
    EXPECT_EQ(pushed.reported, size);
    EXPECT_TRUE(registry.has_blob("ns/app", sha256(content)));
    EXPECT_TRUE(must(client->has_blob(descriptor_of(content))));
    EXPECT_EQ(registry.count("PATCH", "/uploads/"), 1);
  }
}

TEST(Upload, WorksWithATokenServer) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  auto client = client_of(registry, "app", Access::push, user_credentials());
  EXPECT_TRUE(push(*client, descriptor_of("content"), "content").status.has_value());
  EXPECT_EQ(registry.count("GET", "/token"), 1);
}

TEST(Upload, BeginsAnewAfterABreak) {
  for (const char* step : {"PATCH", "PUT"}) {
    FakeRegistry registry;
    registry.inject({step, "/uploads/", 2, [](const Received&, Reply reply) {
                       reply.raw = "HTTP/1.1 ";  // and gone
                       return reply;
                     }});
    if (std::string_view(step) == "PUT")  // the registry forgets what the lost answers confirmed
      registry.inject({"HEAD", "/blobs/", -1, [](const Received&, Reply) {
                         return error_reply(404, "BLOB_UNKNOWN", "");
                       }});
    auto client = client_of(registry, "app", Access::push);
    const Pushed pushed = push(*client, descriptor_of("content"), "content");
    ASSERT_TRUE(pushed.status.has_value()) << step << ": " << pushed.status.error().what();
    EXPECT_TRUE(registry.has_blob("app", sha256("content")));
    EXPECT_EQ(pushed.opened, std::string_view(step) == "PATCH" ? 3 : 2);
    EXPECT_EQ(registry.count("POST", "/uploads/"), pushed.opened);  // always a fresh upload
  }
}

TEST(Upload, ALostLastAnswerIsNoticed) {
  for (const int times : {1, -1}) {
    FakeRegistry registry;
    // The registry has the blob, but the answer never arrives; asked again, it knows no such
    // upload.
    registry.inject({"PUT", "/uploads/", times, [](const Received&, Reply reply) {
                       reply.raw = "HTTP/1.1 ";
                       return reply;
                     }});
    auto client = client_of(registry, "app", Access::push);
    const Pushed pushed = push(*client, descriptor_of("content"), "content");
    EXPECT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
    EXPECT_EQ(pushed.opened, 1);
  }
}

TEST(Upload, ServerTroubleInTheMiddleBeginsAnew) {
  FakeRegistry registry;
  registry.inject({"PATCH", "/uploads/", 1, [](const Received&, Reply) {
                     return error_reply(500, "UNKNOWN", "disk full");
                   }});
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  EXPECT_TRUE(pushed.status.has_value());
  EXPECT_EQ(pushed.opened, 2);
}

TEST(Upload, ATokenThatRunsOutInTheMiddleIsRenewed) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  registry.inject(
      {"PATCH", "/uploads/", 1, [&](const Received&, Reply) {
         Reply reply = error_reply(401, "UNAUTHORIZED", "expired");
         reply.headers.push_back(
             {"WWW-Authenticate", cat("Bearer realm=\"", registry.server().url("/token"),
                                      "\",service=\"fake service\"")});
         return reply;
       }});
  auto client = client_of(registry, "app", Access::push, user_credentials());
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  EXPECT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_EQ(pushed.opened, 2);
  EXPECT_EQ(registry.count("GET", "/token"), 2);
}

TEST(Upload, GivesUpInTheEnd) {
  FakeRegistry registry;
  registry.inject({"PATCH", "/uploads/", -1,
                   [](const Received&, Reply) { return error_reply(503, "UNAVAILABLE", "down"); }});
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_FALSE(pushed.status.has_value());
  EXPECT_EQ(pushed.status.error().code(), Code::unavailable);
  EXPECT_EQ(pushed.opened, 3);
}

TEST(Upload, RefusalsAreNotRepeated) {
  FakeRegistry registry;
  registry.inject({"POST", "/uploads/", -1,
                   [](const Received&, Reply) { return error_reply(403, "DENIED", "read only"); }});
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_FALSE(pushed.status.has_value());
  EXPECT_EQ(pushed.status.error().code(), Code::unauthorized);
  EXPECT_NE(pushed.status.error().details().at(0).find("DENIED: read only"), std::string::npos);
  EXPECT_EQ(registry.count("POST", "/uploads/"), 1);
}

TEST(Upload, ContentThatIsNotWhatItSaysIsRefused) {
  FakeRegistry registry;
  auto client = client_of(registry, "app", Access::push);
  const Pushed other = push(*client, descriptor_of("content"), "cOntent");
  ASSERT_FALSE(other.status.has_value());
  EXPECT_EQ(other.status.error().code(), Code::invalid);  // the registry says DIGEST_INVALID
  const Pushed shorter = push(*client, descriptor_of("content"), "con");
  ASSERT_FALSE(shorter.status.has_value());
  EXPECT_EQ(shorter.status.error().code(), Code::corrupt);
  EXPECT_FALSE(registry.has_blob("app", sha256("content")));
}

TEST(Upload, TheRegistrysDigestMustBeOurs) {
  FakeRegistry registry;
  registry.inject({"PUT", "", -1, [](const Received&, Reply reply) {
                     reply.headers = {{"Docker-Content-Digest", sha256("other").str()}};
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::push);
  EXPECT_EQ(push(*client, descriptor_of("content"), "content").status.error().code(),
            Code::corrupt);
  const RawManifest manifest{
      {std::string(media_type::kOciManifest), sha256(manifest_text()), 1, std::nullopt, {}},
      manifest_text()};
  EXPECT_EQ(client->put_manifest("latest", manifest).error().code(), Code::corrupt);
}

TEST(Upload, AnotherHostsLocationGetsNoCredentials) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::basic;
  HttpServer storage([](const Received& request) {
    Reply reply;
    reply.status = request.method == "PATCH" ? 202 : 201;
    return reply;
  });
  registry.inject({"POST", "/uploads/", -1, [&](const Received&, Reply reply) {
                     if (reply.status == 202)
                       reply.headers = {{"Location", storage.url("/put?a=b")}};
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::push, user_credentials());
  EXPECT_TRUE(push(*client, descriptor_of("content"), "content").status.has_value());
  ASSERT_EQ(storage.received().size(), 2U);
  for (const Received& request : storage.received()) EXPECT_EQ(request.header("authorization"), "");
  EXPECT_TRUE(storage.received()[1].query.starts_with("a=b&digest=sha256%3A"));
}

TEST(Upload, AMissingLocationIsAnError) {
  FakeRegistry registry;
  registry.inject({"POST", "/uploads/", -1, [](const Received&, Reply reply) {
                     reply.headers.clear();
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::push);
  EXPECT_EQ(push(*client, descriptor_of("content"), "content").status.error().code(),
            Code::corrupt);
}

TEST(Mount, TakesABlobOver) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("base/image", "content");
  auto client = client_of(registry, "app", Access::push);
  EXPECT_TRUE(must(client->mount_blob(blob, "base/image")));
  EXPECT_TRUE(registry.has_blob("app", blob.digest));
  EXPECT_EQ(registry.count("DELETE", ""), 0);
}

TEST(Mount, AnUploadOpenedInsteadIsCancelled) {
  FakeRegistry registry;
  registry.mounts = false;
  const Descriptor blob = registry.add_blob("base/image", "content");
  auto client = client_of(registry, "app", Access::push);
  EXPECT_FALSE(must(client->mount_blob(blob, "base/image")));
  EXPECT_EQ(registry.count("DELETE", "/uploads/"), 1);
}

TEST(Mount, ARefusalIsNoError) {
  for (const int status : {400, 403, 404, 405}) {
    FakeRegistry registry;
    registry.inject({"POST", "/uploads/", -1, [status](const Received&, Reply) {
                       return error_reply(status, "DENIED", "");
                     }});
    auto client = client_of(registry, "app", Access::push);
    EXPECT_FALSE(must(client->mount_blob(descriptor_of("content"), "base/image"))) << status;
  }
}

TEST(PutManifest, KeepsBytesAndType) {
  FakeRegistry registry;
  const RawManifest manifest{{std::string(media_type::kDockerManifest),
                              sha256(manifest_text()),
                              manifest_text().size(),
                              std::nullopt,
                              {}},
                             manifest_text()};
  auto client = client_of(registry, "app", Access::push);
  ASSERT_TRUE(client->put_manifest("v1", manifest).has_value());
  EXPECT_EQ(registry.manifest("app", "v1"), manifest_text());
  EXPECT_EQ(registry.requests("PUT", "/manifests/v1")[0].header("content-type"),
            media_type::kDockerManifest);
}

TEST(PutManifest, IsTriedAgain) {
  FakeRegistry registry;
  registry.inject(
      {"PUT", "/manifests/", 2, [](const Received&, Reply) { return error_reply(502, "X", ""); }});
  const RawManifest manifest{{std::string(media_type::kOciManifest),
                              sha256(manifest_text()),
                              manifest_text().size(),
                              std::nullopt,
                              {}},
                             manifest_text()};
  EXPECT_TRUE(client_of(registry, "app", Access::push)->put_manifest("v1", manifest).has_value());
}

TEST(PutManifest, AMissingBlobIsTold) {
  FakeRegistry registry;
  registry.inject({"PUT", "/manifests/", -1, [](const Received&, Reply) {
                     return error_reply(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
                   }});
  const RawManifest manifest{{std::string(media_type::kOciManifest),
                              sha256(manifest_text()),
                              manifest_text().size(),
                              std::nullopt,
                              {}},
                             manifest_text()};
  const Status status = client_of(registry, "app", Access::push)->put_manifest("v1", manifest);
  ASSERT_FALSE(status.has_value());
  EXPECT_NE(status.error().details().at(0).find("MANIFEST_BLOB_UNKNOWN"), std::string::npos);
}

}  // namespace
}  // namespace cloister::oci
