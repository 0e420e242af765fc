// Manifests and blobs from a registry that follows the rules, and from one that does not.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

using Clock = std::chrono::steady_clock;

template <class T>
Error failure(Result<T> result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Error::internal("no failure") : std::move(result).error();
}

// Replaces the answer to GETs of manifests.
Fault manifest_fault(std::function<Reply(const Received&, Reply)> apply, int times = -1) {
  return {"", "/manifests/", times, std::move(apply)};
}

Fault status_fault(const std::string& path, int status, int times,
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {"", path, times, [=](const Received&, Reply) {
            Reply reply = error_reply(status, "TEST", "on purpose");
            reply.headers.insert(reply.headers.end(), headers.begin(), headers.end());
            return reply;
          }};
}

TEST(Pull, GetsAManifestByTagAndByDigest) {
  FakeRegistry registry;
  const Descriptor want = registry.add_manifest("ns/app", "latest", manifest_text());
  auto client = client_of(registry, "ns/app");
  const RawManifest by_tag = must(client->get_manifest("latest"));
  EXPECT_EQ(by_tag.text, manifest_text());
  EXPECT_EQ(by_tag.descriptor.digest, want.digest);
  EXPECT_EQ(by_tag.descriptor.size, want.size);
  EXPECT_EQ(by_tag.descriptor.media_type, media_type::kOciManifest);
  EXPECT_EQ(must(client->get_manifest(want.digest.str())).text, manifest_text());
  const std::string accept = registry.requests("GET", "/manifests/")[0].header("accept");
  for (std::string_view type : {media_type::kOciIndex, media_type::kOciManifest,
                                media_type::kDockerManifestList, media_type::kDockerManifest})
    EXPECT_NE(accept.find(type), std::string::npos) << type;
}

TEST(Pull, TheTransportResolvesAReference) {
  FakeRegistry registry;
  const Descriptor manifest = registry.add_manifest("app", "v1", manifest_text());
  const Descriptor blob = registry.add_blob("app", "layer");
  auto transport =
      make_registry_transport(client_of(registry, "app"), ref_to(registry, "app", "v1"));
  EXPECT_EQ(must(transport->root()).descriptor.digest, manifest.digest);
  EXPECT_EQ(must(transport->manifest(manifest)).text, manifest_text());
  EXPECT_EQ(content_of(*must(transport->blob(blob))), "layer");
  Descriptor lying = manifest;
  lying.size += 1;
  EXPECT_EQ(failure(transport->manifest(lying)).code(), Code::corrupt);
}

TEST(Pull, WhatDoesNotExistIsNamed) {
  FakeRegistry registry;
  auto client = client_of(registry, "ns/app");
  const Error error = failure(client->get_manifest("v9"));
  EXPECT_EQ(error.code(), Code::not_found);
  EXPECT_NE(error.what().find(registry.name() + "/ns/app:v9"), std::string::npos) << error.what();
  EXPECT_NE(error.details().at(0).find("MANIFEST_UNKNOWN"), std::string::npos);
  EXPECT_FALSE(error.hint().empty());
  const Descriptor absent{"x", sha256("absent"), 6, std::nullopt, {}};
  EXPECT_EQ(failure(client->get_blob(absent)).code(), Code::not_found);
  EXPECT_FALSE(must(client->has_blob(absent)));
  EXPECT_FALSE(must(client->head_manifest("v9")));
}

TEST(Pull, AManifestWithAnotherDigestIsCorrupt) {
  FakeRegistry registry;
  const Descriptor manifest = registry.add_manifest("app", "latest", manifest_text("a"));
  registry.inject(manifest_fault([](const Received&, Reply reply) {
    reply.body = manifest_text("b");
    return reply;
  }));
  const Error error = failure(client_of(registry, "app")->get_manifest(manifest.digest.str()));
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_NE(error.details().at(0).find(sha256(manifest_text("b")).str()), std::string::npos);
  EXPECT_NE(error.details().at(0).find(manifest.digest.str()), std::string::npos);
}

TEST(Pull, AContradictingContentDigestIsCorrupt) {
  FakeRegistry registry;
  const Descriptor manifest = registry.add_manifest("app", "latest", manifest_text());
  registry.inject(manifest_fault([](const Received&, Reply reply) {
    reply.headers = {{"Docker-Content-Digest", sha256("other").str()}};
    return reply;
  }));
  EXPECT_EQ(failure(client_of(registry, "app")->get_manifest(manifest.digest.str())).code(),
            Code::corrupt);
}

TEST(Pull, ManifestsHaveASizeLimit) {
  FakeRegistry registry;
  std::string text = manifest_text();
  const auto padded = [&](std::size_t size) { return text + std::string(size - text.size(), ' '); };
  registry.add_manifest("app", "fits", padded(4 << 20));
  registry.add_manifest("app", "large", padded((4 << 20) + 1));
  auto client = client_of(registry, "app");
  EXPECT_EQ(must(client->get_manifest("fits")).descriptor.size, 4U << 20);
  const Error error = failure(client->get_manifest("large"));
  EXPECT_EQ(error.code(), Code::limit);
  EXPECT_NE(error.what().find("too large"), std::string::npos) << error.what();
}

TEST(Pull, AWebPageIsNoManifest) {
  FakeRegistry registry;
  registry.add_manifest("app", "typed", "<html><body>Sign in</body></html>",
                        "text/html; charset=utf-8");
  registry.add_manifest("app", "untyped", "\n<!DOCTYPE html><title>x</title>", "application/json");
  for (const char* tag : {"typed", "untyped"}) {
    const Error error = failure(client_of(registry, "app")->get_manifest(tag));
    EXPECT_EQ(error.code(), Code::corrupt);
    EXPECT_NE(error.what().find("web page"), std::string::npos) << error.what();
  }
}

TEST(Pull, TheDocumentDecidesItsType) {
  FakeRegistry registry;
  const std::string untyped = R"({"schemaVersion":2,"config":{},"layers":[]})";
  registry.add_manifest("app", "plain", manifest_text(), "text/plain; charset=utf-8");
  registry.add_manifest("app", "served", untyped, media_type::kDockerManifest);
  registry.add_manifest("app", "shape", untyped, "application/octet-stream");
  registry.add_manifest("app", "index", R"({"schemaVersion":2,"manifests":[]})", "");
  auto client = client_of(registry, "app");
  const auto type = [&](const char* tag) {
    return must(client->get_manifest(tag)).descriptor.media_type;
  };
  EXPECT_EQ(type("plain"), media_type::kOciManifest);
  EXPECT_EQ(type("served"), media_type::kDockerManifest);
  EXPECT_EQ(type("shape"), media_type::kOciManifest);
  EXPECT_EQ(type("index"), media_type::kOciIndex);
}

TEST(Pull, ContradictingTypesAreRefused) {
  FakeRegistry registry;
  registry.add_manifest("app", "twofaced", manifest_text(), media_type::kOciIndex);
  registry.add_manifest("app", "foreign", R"({"mediaType":"application/x-helm"})",
                        "application/x-helm");
  registry.add_manifest("app", "schema1", R"({"schemaVersion":1,"fsLayers":[]})",
                        "application/vnd.docker.distribution.manifest.v1+prettyjws");
  registry.add_manifest("app", "array", "[]");
  registry.add_manifest("app", "broken", "{");
  auto client = client_of(registry, "app");
  EXPECT_EQ(failure(client->get_manifest("twofaced")).code(), Code::corrupt);
  EXPECT_EQ(failure(client->get_manifest("foreign")).code(), Code::unsupported);
  EXPECT_EQ(failure(client->get_manifest("schema1")).code(), Code::unsupported);
  EXPECT_EQ(failure(client->get_manifest("array")).code(), Code::corrupt);
  EXPECT_EQ(failure(client->get_manifest("broken")).code(), Code::corrupt);
}

TEST(Pull, HeadDescribesAManifest) {
  FakeRegistry registry;
  const Descriptor manifest = registry.add_manifest("app", "latest", manifest_text());
  auto client = client_of(registry, "app");
  const auto head = must(client->head_manifest("latest"));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->digest, manifest.digest);
  EXPECT_EQ(head->size, manifest.size);
  // A registry whose HEAD lacks the digest, or does not exist, is asked again.
  for (const int status : {200, 405}) {
    FakeRegistry poor;
    poor.add_manifest("app", "latest", manifest_text());
    poor.inject({"HEAD", "/manifests/", -1, [status](const Received&, Reply) {
                   Reply reply;
                   reply.status = status;
                   return reply;
                 }});
    EXPECT_EQ(must(client_of(poor, "app")->head_manifest("latest"))->digest, manifest.digest);
    EXPECT_FALSE(must(client_of(poor, "app")->head_manifest("absent")));
  }
}

TEST(Pull, StreamsABlob) {
  FakeRegistry registry;
  const std::string content(2'000'000, 'b');
  const Descriptor blob = registry.add_blob("app", content);
  auto client = client_of(registry, "app");
  EXPECT_TRUE(must(client->has_blob(blob)));
  EXPECT_EQ(content_of(*must(client->get_blob(blob))), content);
}

TEST(Pull, ABlobOfAnotherSizeIsCorrupt) {
  FakeRegistry registry;
  Descriptor blob = registry.add_blob("app", "content");
  blob.size = 8;
  const Error error = failure(client_of(registry, "app")->get_blob(blob));
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_NE(error.details().at(0).find("got 7 bytes, want 8"), std::string::npos);
  EXPECT_FALSE(must(client_of(registry, "app")->has_blob(blob)));
}

TEST(Pull, ABlobThatBreaksOffIsNotComplete) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", std::string(100'000, 'x'));
  registry.inject({"GET", "/blobs/", -1, [](const Received&, Reply reply) {
                     reply.cut_after = 5000;
                     return reply;
                   }});
  auto source = must(client_of(registry, "app")->get_blob(blob));
  const Error error = drain(*source).error();
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.details().back().find("of 100000 bytes of blob"), std::string::npos);
}

TEST(Pull, ABlobThatIsAWebPageIsRefused) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", "content");
  registry.inject({"GET", "/blobs/", -1, [](const Received&, Reply) {
                     Reply reply;
                     reply.headers = {{"Content-Type", "text/html"}};
                     reply.body = "<html>";
                     return reply;
                   }});
  EXPECT_NE(failure(client_of(registry, "app")->get_blob(blob)).what().find("web page"),
            std::string::npos);
}

TEST(Redirect, StorageGetsNoCredentials) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::basic;
  const Descriptor blob = registry.add_blob("app", "content");
  HttpServer storage([](const Received&) {
    Reply reply;
    reply.body = "content";
    return reply;
  });
  registry.inject({"GET", "/blobs/", -1, [&](const Received&, Reply reply) {
                     if (reply.status != 200) return reply;
                     reply.status = 307;
                     reply.headers = {{"Location", storage.url("/bucket?sig=1")}};
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  EXPECT_EQ(content_of(*must(client->get_blob(blob))), "content");
  ASSERT_EQ(storage.received().size(), 1U);
  EXPECT_EQ(storage.received()[0].header("authorization"), "");
  EXPECT_EQ(storage.received()[0].query, "sig=1");
}

TEST(Redirect, WithinTheRegistryCredentialsStay) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::basic;
  const Descriptor blob = registry.add_blob("app", "content");
  (void)registry.add_blob("other", "content");
  registry.inject(
      {"GET", "/v2/app/blobs/", -1, [&](const Received& request, Reply reply) {
         if (reply.status != 200) return reply;
         reply.status = 302;
         reply.headers = {
             {"Location", "../../other/blobs/" + request.path.substr(request.path.rfind('/') + 1)}};
         return reply;
       }});
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  EXPECT_EQ(content_of(*must(client->get_blob(blob))), "content");
}

TEST(Redirect, CredentialsDoNotComeBack) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::basic;
  const Descriptor blob = registry.add_blob("app", "content");
  HttpServer bounce([&](const Received& request) {
    Reply reply;
    reply.status = 302;
    reply.headers = {{"Location", registry.server().url(request.path + "/back")}};
    return reply;
  });
  registry.inject({"GET", "/blobs/", -1, [&](const Received& request, Reply reply) {
                     if (request.path.ends_with("/back")) return error_reply(404, "X", "x");
                     reply.status = 302;
                     reply.headers = {{"Location", bounce.url(request.path)}};
                     return reply;
                   }});
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  EXPECT_FALSE(client->get_blob(blob).has_value());
  const auto back = registry.requests("GET", "/back");
  ASSERT_FALSE(back.empty());
  for (const Received& request : back) EXPECT_EQ(request.header("authorization"), "");
}

TEST(Redirect, HasAnEnd) {
  FakeRegistry registry;
  registry.inject({"GET", "/manifests/", -1, [](const Received& request, Reply reply) {
                     reply.status = 302;
                     reply.headers = {{"Location", request.path}};
                     return reply;
                   }});
  const Error error = failure(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_EQ(registry.count("GET", "/manifests/"), 11);
}

TEST(Redirect, NeverLeavesTls) {
  TlsIdentity identity;
  FakeRegistry registry(&identity);
  HttpServer plain([](const Received&) { return Reply{}; });
  registry.inject({"GET", "/manifests/", -1, [&](const Received&, Reply reply) {
                     reply.status = 302;
                     reply.headers = {{"Location", plain.url("/")}};
                     return reply;
                   }});
  RegistryOptions options = quick_options();
  options.plain_http = false;
  options.ca_file = identity.certificate_file();
  const Error error =
      failure(client_of(registry, "app", Access::pull, {}, options)->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::unsupported) << error.what();
  EXPECT_TRUE(plain.received().empty());
}

TEST(Redirect, UnusableTargetsAreErrors) {
  for (const char* target : {"", "file:///etc/passwd", "http://user:pw@127.0.0.1/", "ftp://x/"}) {
    FakeRegistry registry;
    registry.inject({"GET", "/manifests/", -1, [&](const Received&, Reply reply) {
                       reply.status = 302;
                       reply.headers.clear();
                       if (*target != '\0') reply.headers = {{"Location", target}};
                       return reply;
                     }});
    EXPECT_EQ(failure(client_of(registry, "app")->get_manifest("latest")).code(), Code::corrupt)
        << target;
  }
}

TEST(Redirect, TroubleOfTheStorageIsNotOurCredentials) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", "content");
  HttpServer storage([](const Received&) {
    Reply reply;
    reply.status = 403;
    reply.body = "<Error><Code>ExpiredToken</Code></Error>";
    return reply;
  });
  registry.inject({"GET", "/blobs/", -1, [&](const Received&, Reply reply) {
                     reply.status = 307;
                     reply.headers = {{"Location", storage.url("/")}};
                     return reply;
                   }});
  const Error error = failure(client_of(registry, "app")->get_blob(blob));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.what().find("storage host"), std::string::npos) << error.what();
}

TEST(Retry, TemporaryStatusesAreTriedAgain) {
  for (int status : {408, 429, 500, 502, 503, 504}) {
    FakeRegistry registry;
    registry.add_manifest("app", "latest", manifest_text());
    registry.inject(status_fault("/manifests/", status, 2, {{"Retry-After", "0"}}));
    EXPECT_TRUE(client_of(registry, "app")->get_manifest("latest").has_value()) << status;
    EXPECT_EQ(registry.count("GET", "/manifests/"), 3);
  }
}

TEST(Retry, LastingTroubleIsUnavailable) {
  FakeRegistry registry;
  registry.inject(status_fault("/manifests/", 503, -1));
  const Error error = failure(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.details().at(0).find("503: TEST: on purpose"), std::string::npos);
  EXPECT_EQ(registry.count("GET", "/manifests/"), 5);
}

TEST(Retry, FinalAnswersAreNot) {
  for (int status : {400, 401, 403, 404}) {
    FakeRegistry registry;
    registry.inject(status_fault("/manifests/", status, -1));
    EXPECT_FALSE(client_of(registry, "app")->get_manifest("latest").has_value());
    EXPECT_EQ(registry.count("GET", "/manifests/"), 1) << status;
  }
}

TEST(Retry, BrokenConnectionsAreTriedAgain) {
  FakeRegistry registry;
  registry.add_manifest("app", "latest", manifest_text());
  registry.inject(manifest_fault(
      [](const Received&, Reply reply) {
        reply.cut_after = 10;
        return reply;
      },
      2));
  EXPECT_EQ(must(client_of(registry, "app")->get_manifest("latest")).text, manifest_text());
}

TEST(Retry, TheGreetingAndTheTokenToo) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  registry.add_manifest("app", "latest", manifest_text());
  registry.inject(status_fault("/token", 502, 2));
  registry.inject(
      {"GET", "", 1, [](const Received&, Reply) { return error_reply(503, "X", "x"); }});
  EXPECT_TRUE(client_of(registry, "app", Access::pull, user_credentials())
                  ->get_manifest("latest")
                  .has_value());
}

TEST(Retry, AnInterruptEndsTheWaiting) {
  FakeRegistry registry;
  registry.inject(status_fault("/manifests/", 429, -1, {{"Retry-After", "60"}}));
  RegistryOptions options = quick_options();
  options.retry.longest_pause = std::chrono::seconds(60);
  std::atomic<bool> flag = false;
  auto client = client_of(registry, "app", Access::pull, {}, options, CancelToken(&flag));
  std::thread interrupter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    flag = true;
  });
  const auto begun = Clock::now();
  const Error error = failure(client->get_manifest("latest"));
  interrupter.join();
  EXPECT_EQ(error.code(), Code::cancelled);
  EXPECT_LT(Clock::now() - begun, std::chrono::milliseconds(1200));
}

TEST(RegistryError, WordsOfServersAreBoundedAndEscaped) {
  FakeRegistry registry;
  registry.inject(manifest_fault([](const Received&, Reply) {
    Reply reply;
    reply.status = 400;
    std::string errors;
    for (int i = 0; i < 50; ++i)
      errors += cat(i > 0 ? "," : "", R"({"code":"C","message":"\u001b[31m)",
                    std::string(5000, 'm'), "\"}");
    reply.body = cat(R"({"errors":[)", errors.substr(0, 30'000), "]}");
    reply.body = R"({"errors":[{"code":"C","message":"\u001b[31mred)" + std::string(5000, 'm') +
                 R"("},{"code":"D"},{"code":"E"},{"code":"F"}]})";
    return reply;
  }));
  const Error error = failure(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::invalid);
  const std::string detail = error.details().at(0);
  EXPECT_EQ(detail.find('\x1b'), std::string::npos);
  EXPECT_NE(detail.find("\\x1b[31mred"), std::string::npos) << detail;
  EXPECT_LT(detail.size(), 1000U);
  EXPECT_EQ(detail.find("F"), std::string::npos);
}

TEST(RegistryError, AHugeErrorBodyIsCut) {
  FakeRegistry registry;
  registry.inject(manifest_fault([](const Received&, Reply) {
    Reply reply;
    reply.status = 404;
    reply.body = std::string(10 << 20, 'e');
    return reply;
  }));
  EXPECT_EQ(failure(client_of(registry, "app")->get_manifest("latest")).code(), Code::not_found);
}

TEST(Endpoint, NothingListeningIsNamed) {
  std::string name;
  {
    HttpServer gone([](const Received&) { return Reply{}; });
    name = gone.authority("localhost");
  }
  for (const bool plain : {true, false}) {
    RegistryOptions options = quick_options();
    options.plain_http = plain;
    auto client = RegistryClient::open({name, "app", "latest", std::nullopt}, Access::pull, {},
                                       options, Limits{}, {});
    const Error error =
        client.has_value() ? failure((*client)->get_manifest("latest")) : std::move(client).error();
    EXPECT_EQ(error.code(), Code::unavailable);
    EXPECT_NE(error.what().find("connection refused"), std::string::npos) << error.what();
    EXPECT_NE(error.what().find(name), std::string::npos) << error.what();
  }
}

TEST(Endpoint, ImpossibleNamesAreRefused) {
  for (const char* name : {"", "a b", "user@host", "host/path", "host?x"})
    EXPECT_EQ(RegistryClient::open({name, "app", "latest", std::nullopt}, Access::pull, {},
                                   quick_options(), Limits{}, {})
                  .error()
                  .code(),
              Code::usage)
        << name;
}

}  // namespace
}  // namespace cloister::oci
