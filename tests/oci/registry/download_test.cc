// Blobs whose transfer breaks: continued with the right bytes, or given up with the reason.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + (i / 7 + i) % 23);
  return out;
}

Fault cut(std::size_t after, int times) {
  return {"GET", "/blobs/", times, [after](const Received&, Reply reply) {
            reply.cut_after = after;
            return reply;
          }};
}

Error download_failure(FakeRegistry& registry, const Descriptor& blob, std::uint64_t offset = 0,
                       RegistryOptions options = quick_options()) {
  auto source = client_of(registry, "app", Access::pull, {}, options)->get_blob(blob, offset);
  if (!source.has_value()) return std::move(source).error();
  auto drained = drain(**source);
  EXPECT_FALSE(drained.has_value());
  return drained.has_value() ? Error::internal("no failure") : std::move(drained).error();
}

TEST(Download, GoesOnWhereItBroke) {
  for (const bool ranges : {true, false}) {
    FakeRegistry registry;
    registry.ranges = ranges;
    const std::string content = pattern(1'000'000);
    const Descriptor blob = registry.add_blob("app", content);
    registry.inject(cut(400'000, 1));
    EXPECT_EQ(content_of(*must(client_of(registry, "app")->get_blob(blob))), content);
    const auto requests = registry.requests("GET", "/blobs/");
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_TRUE(requests[1].header("range").starts_with("bytes=")) << requests[1].header("range");
  }
}

TEST(Download, SurvivesManyBreaksThatAchieveSomething) {
  FakeRegistry registry;
  const std::string content = pattern(2'000'000);
  const Descriptor blob = registry.add_blob("app", content);
  registry.inject(cut(150'000, -1));
  EXPECT_EQ(content_of(*must(client_of(registry, "app")->get_blob(blob))), content);
  EXPECT_GT(registry.count("GET", "/blobs/"), 12);
}

TEST(Download, GivesUpWhereBreaksAchieveNothing) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", pattern(1'000'000));
  registry.inject(cut(10, -1));
  const Error error = download_failure(registry, blob);
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.what().find("broke"), std::string::npos) << error.what();
  EXPECT_EQ(registry.count("GET", "/blobs/"), 3);  // connection_tries
}

TEST(Download, HasAMostOfBreaks) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", pattern(2'000'000));
  registry.inject(cut(100'000, -1));
  RegistryOptions options = quick_options();
  options.retry.most_breaks = 4;
  auto source = must(client_of(registry, "app", Access::pull, {}, options)->get_blob(blob));
  EXPECT_EQ(drain(*source).error().code(), Code::unavailable);
  EXPECT_EQ(registry.count("GET", "/blobs/"), 5);
}

TEST(Download, BeginsAtAnOffset) {
  FakeRegistry registry;
  const std::string content = pattern(200'000);
  const Descriptor blob = registry.add_blob("app", content);
  auto client = client_of(registry, "app");
  EXPECT_EQ(content_of(*must(client->get_blob(blob, 150'000))), content.substr(150'000));
  EXPECT_EQ(registry.requests("GET", "/blobs/")[0].header("range"), "bytes=150000-");
}

TEST(Download, AnEarlyEndWithoutALengthIsABreak) {
  FakeRegistry registry;
  const std::string content = pattern(300'000);
  const Descriptor blob = registry.add_blob("app", content);
  registry.inject({"GET", "/blobs/", 1, [](const Received&, Reply reply) {
                     reply.chunked = true;
                     reply.body.resize(100'000);
                     return reply;
                   }});
  EXPECT_EQ(content_of(*must(client_of(registry, "app")->get_blob(blob))), content);
  FakeRegistry truncated;
  const Descriptor same = truncated.add_blob("app", content);
  truncated.ranges = false;
  truncated.inject({"GET", "/blobs/", -1, [](const Received&, Reply reply) {
                      reply.chunked = true;
                      reply.body.resize(100'000);
                      return reply;
                    }});
  const Error error = download_failure(truncated, same);
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.what().find("ended too early"), std::string::npos) << error.what();
}

TEST(Download, AnotherRangeThanAskedForIsCorrupt) {
  for (const char* range :
       {"bytes 5-999999/1000000", "bytes 400000-999999/999999", "400000-", ""}) {
    FakeRegistry registry;
    const Descriptor blob = registry.add_blob("app", pattern(1'000'000));
    registry.inject({"GET", "/blobs/", -1, [range](const Received&, Reply reply) {
                       for (auto& [name, value] : reply.headers)
                         if (name == "Content-Range") value = range;
                       return reply;
                     }});
    const Error error = download_failure(registry, blob, 400'000);
    EXPECT_EQ(error.code(), Code::corrupt) << range;
  }
}

TEST(Download, ABlobShorterThanItsBeginningIsCorrupt) {
  FakeRegistry registry;
  Descriptor blob = registry.add_blob("app", pattern(1000));
  blob.size = 5000;
  const Error error = download_failure(registry, blob, 2000);
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_NE(error.what().find("size"), std::string::npos) << error.what();
}

TEST(Download, ASignedStorageUrlIsAskedForAnew) {
  FakeRegistry registry;
  const std::string content = pattern(500'000);
  const Descriptor blob = registry.add_blob("app", content);
  int served = 0;
  HttpServer storage([&](const Received& request) {
    Reply reply;
    reply.body = content;
    if (request.query != cat("once=", ++served)) reply.status = 403;  // each URL is good once
    if (served == 1) reply.cut_after = 200'000;
    return reply;
  });
  int given = 0;
  registry.inject({"GET", "/blobs/", -1, [&](const Received&, Reply reply) {
                     reply.status = 307;
                     reply.headers = {{"Location", storage.url(cat("/blob?once=", ++given))}};
                     return reply;
                   }});
  EXPECT_EQ(content_of(*must(client_of(registry, "app")->get_blob(blob))), content);
  EXPECT_EQ(served, 2);
}

TEST(Download, ATokenThatRanOutIsRenewed) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  const std::string content = pattern(500'000);
  const Descriptor blob = registry.add_blob("app", content);
  registry.inject(cut(200'000, 1));
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  auto source = must(client->get_blob(blob));
  registry.revoke_tokens();
  EXPECT_EQ(content_of(*source), content);
  EXPECT_EQ(registry.count("GET", "/token"), 2);
}

TEST(Download, ACrawlingServerIsGivenUp) {
  FakeRegistry registry;
  const Descriptor blob = registry.add_blob("app", pattern(100'000));
  registry.inject({"GET", "/blobs/", -1, [](const Received&, Reply reply) {
                     reply.drip = std::chrono::milliseconds(20);  // a byte each time
                     return reply;
                   }});
  RegistryOptions options = quick_options();
  options.time_outs.low_speed_seconds = 1;
  options.retry.connection_tries = 1;
  const Error error = download_failure(registry, blob, 0, options);
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.what().find("stopped answering"), std::string::npos) << error.what();
}

TEST(Download, ATricklingHeadHasATotal) {
  FakeRegistry registry;
  registry.add_manifest("app", "latest", manifest_text());
  registry.inject({"GET", "/manifests/", -1, [](const Received&, Reply reply) {
                     reply.headers.emplace_back("X-Padding", std::string(10'000, 'x'));
                     reply.drip = std::chrono::milliseconds(20);
                     return reply;
                   }});
  RegistryOptions options = quick_options();
  options.time_outs.answer_ms = 500;
  options.retry.connection_tries = 1;
  auto manifest = client_of(registry, "app", Access::pull, {}, options)->get_manifest("latest");
  ASSERT_FALSE(manifest.has_value());
  EXPECT_EQ(manifest.error().code(), Code::unavailable);
}

}  // namespace
}  // namespace cloister::oci
