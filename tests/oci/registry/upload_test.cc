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

// The registry gets only the first `kept` bytes of a PATCH, and the connection is gone.
Fault cut_patch(std::size_t kept, int times, FakeRegistry& registry) {
  return {"PATCH", "/uploads/", times, [kept, &registry](const Received& request, Reply reply) {
            registry.truncate_upload(request.path.substr(request.path.rfind('/') + 1), kept);
            reply.raw = "HTTP/1.1 ";
            return reply;
          }};
}

// The registry takes nothing of a PATCH and says so.
Fault refuse_patch(FakeRegistry& registry, int times, std::function<Reply()> refusal) {
  return {"PATCH", "/uploads/", times, [&registry, refusal](const Received& request, Reply) {
            registry.truncate_upload(request.path.substr(request.path.rfind('/') + 1), 0);
            return refusal();
          }};
}

TEST(Upload, GoesOnWhereTheRegistryIs) {
  FakeRegistry registry;
  const std::string content(1'000'000, 'c');
  registry.inject(cut_patch(300'000, 1, registry));
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of(content), content);
  ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_TRUE(registry.has_blob("app", sha256(content)));
  EXPECT_EQ(registry.count("POST", "/uploads/"), 1);
  const auto patches = registry.requests("PATCH", "/uploads/");
  ASSERT_EQ(patches.size(), 2U);
  EXPECT_EQ(patches[0].header("content-range"), "");
  EXPECT_EQ(patches[1].header("content-range"), "300000-999999");
  EXPECT_EQ(patches[1].body.size(), 700'000U);
  EXPECT_EQ(pushed.reported, content.size());  // each byte once, though some were sent twice
}

TEST(Upload, BeginsAnewWhereTheRegistryCannotGoOn) {
  FakeRegistry registry;
  registry.upload_status = false;
  registry.inject(cut_patch(3, 2, registry));
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_EQ(pushed.opened, 3);
  EXPECT_EQ(registry.count("POST", "/uploads/"), 3);
}

TEST(Upload, ARegistryThatMiscountsIsNotBelievedTwice) {
  FakeRegistry registry;
  registry.inject(cut_patch(2, 1, registry));
  registry.inject({"GET", "/uploads/", -1, [](const Received&, Reply reply) {
                     for (auto& [name, value] : reply.headers)
                       if (name == "Range") value = "0-4";
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_TRUE(registry.has_blob("app", sha256("content")));
  EXPECT_EQ(registry.count("POST", "/uploads/"), 2);
}

TEST(Upload, IsDividedWhereTheWholeIsTooLarge) {
  FakeRegistry registry;
  registry.largest_body = 8 << 20;
  registry.least_chunk = 5 << 20;
  const std::string content(20 << 20, 'c');
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of(content), content);
  ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_TRUE(registry.has_blob("app", sha256(content)));
  const auto patches = registry.requests("PATCH", "/uploads/");
  ASSERT_EQ(patches.size(), 4U);  // the whole, and three pieces
  EXPECT_EQ(patches[1].header("content-range"), "0-8388607");
  EXPECT_EQ(patches[3].header("content-range"), "16777216-20971519");
  // A registry whose pieces must be larger than what it takes cannot be helped.
  FakeRegistry odd;
  odd.largest_body = 8 << 20;
  odd.least_chunk = 9 << 20;
  const Pushed refused =
      push(*client_of(odd, "app", Access::push), descriptor_of(content), content);
  ASSERT_FALSE(refused.status.has_value());
  EXPECT_EQ(refused.status.error().code(), Code::limit);
}

TEST(Upload, WaitsAsLongAsItIsTold) {
  FakeRegistry registry;
  registry.inject(refuse_patch(registry, 2, [] {
    Reply reply = error_reply(429, "TOOMANYREQUESTS", "slow down");
    reply.headers.push_back({"Retry-After", "7"});
    return reply;
  }));
  std::vector<std::chrono::milliseconds> pauses;
  RegistryOptions options = quick_options();
  options.retry.longest_pause = std::chrono::seconds(60);
  options.retry.sleep = [&](std::chrono::milliseconds time) -> Status {
    pauses.push_back(time);
    return {};
  };
  auto client = client_of(registry, "app", Access::push, {}, options);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_EQ(pauses, (std::vector<std::chrono::milliseconds>(2, std::chrono::seconds(7))));
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
  registry.inject(
      refuse_patch(registry, 1, [] { return error_reply(500, "UNKNOWN", "disk full"); }));
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  EXPECT_TRUE(pushed.status.has_value());
  EXPECT_EQ(pushed.opened, 2);
}

TEST(Upload, ATokenThatRunsOutInTheMiddleIsRenewed) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  registry.inject(refuse_patch(registry, 1, [&] {
    Reply reply = error_reply(401, "UNAUTHORIZED", "expired");
    reply.headers.push_back(
        {"WWW-Authenticate",
         cat("Bearer realm=\"", registry.server().url("/token"), "\",service=\"fake service\"")});
    return reply;
  }));
  auto client = client_of(registry, "app", Access::push, user_credentials());
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  EXPECT_TRUE(pushed.status.has_value()) << pushed.status.error().what();
  EXPECT_EQ(pushed.opened, 2);
  EXPECT_EQ(registry.count("GET", "/token"), 2);
}

TEST(Upload, GivesUpInTheEnd) {
  FakeRegistry registry;
  registry.inject(
      refuse_patch(registry, -1, [] { return error_reply(503, "UNAVAILABLE", "down"); }));
  auto client = client_of(registry, "app", Access::push);
  const Pushed pushed = push(*client, descriptor_of("content"), "content");
  ASSERT_FALSE(pushed.status.has_value());
  EXPECT_EQ(pushed.status.error().code(), Code::unavailable);
  EXPECT_EQ(registry.count("PATCH", "/uploads/"), 5);  // answer_tries
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
