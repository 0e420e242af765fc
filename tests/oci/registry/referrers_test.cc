// What is attached to a manifest, at registries with and without the referrers API.
#include <gtest/gtest.h>

#include "base/text.h"
#include "oci/documents/attached.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

RawManifest signature_of(const Digest& subject, const std::string& note) {
  RawManifest raw;
  raw.text =
      cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciManifest,
          R"(","artifactType":"text/x-)", note, R"(","config":{"mediaType":"a/b","digest":")",
          sha256("{}").str(), R"(","size":2},"layers":[],"subject":{"mediaType":")",
          media_type::kOciManifest, R"(","digest":")", subject.str(), R"(","size":1}})");
  raw.descriptor.media_type = media_type::kOciManifest;
  raw.descriptor.digest = sha256(raw.text);
  raw.descriptor.size = raw.text.size();
  return raw;
}

Reply index_reply(const std::vector<Digest>& manifests, const std::string& next = "") {
  std::string entries;
  for (const Digest& digest : manifests)
    entries += cat(entries.empty() ? "" : ",", R"({"mediaType":")", media_type::kOciManifest,
                   R"(","digest":")", digest.str(), R"(","size":3})");
  Reply reply;
  reply.body = cat(R"({"schemaVersion":2,"mediaType":")", media_type::kOciIndex,
                   R"(","manifests":[)", entries, "]}");
  reply.headers = {{"Content-Type", std::string(media_type::kOciIndex)}};
  if (!next.empty()) reply.headers.emplace_back("Link", cat("<", next, ">; rel=\"next\""));
  return reply;
}

const Digest kSubject = sha256("subject");

TEST(Referrers, AreListedByTheApiPageByPage) {
  FakeRegistry registry;
  registry.inject({"GET", "/referrers/", -1, [](const Received& request, Reply) {
                     return request.query.empty()
                                ? index_reply({sha256("1")}, request.path + "?page=2")
                                : index_reply({sha256("2")});
                   }});
  const auto listed = client_of(registry, "app")->referrers(kSubject);
  ASSERT_TRUE(listed.has_value()) << listed.error().what();
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[1].digest, sha256("2"));
}

TEST(Referrers, ARegistryWithTheApiNeedsNoFallbackTag) {
  FakeRegistry registry;
  registry.referrers = true;
  const auto client = client_of(registry, "app", Access::push);
  const RawManifest signature = signature_of(kSubject, "note");
  ASSERT_TRUE(client->put_referrer(signature, kSubject).has_value());
  EXPECT_EQ(registry.manifest("app", referrers_tag(kSubject)), "");
  const auto listed = client->referrers(kSubject);
  ASSERT_TRUE(listed.has_value()) << listed.error().what();
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().digest, signature.descriptor.digest);
}

TEST(Referrers, AListWithoutEndIsRefused) {
  FakeRegistry registry;
  registry.inject({"GET", "/referrers/", -1, [](const Received& request, Reply) {
                     return index_reply({}, request.path + "?again");
                   }});
  EXPECT_EQ(client_of(registry, "app")->referrers(kSubject).error().code(), Code::limit);
}

TEST(Referrers, AreListedUnderTheFallbackTagWithoutTheApi) {
  FakeRegistry registry;
  auto client = client_of(registry, "app", Access::push);
  EXPECT_TRUE(client->referrers(kSubject)->empty());
  const RawManifest one = signature_of(kSubject, "one"), two = signature_of(kSubject, "two");
  for (const RawManifest* raw : {&one, &two, &one})
    ASSERT_TRUE(client->put_referrer(*raw, kSubject).has_value());
  const auto listed = client->referrers(kSubject);
  ASSERT_TRUE(listed.has_value()) << listed.error().what();
  ASSERT_EQ(listed->size(), 2U);
  EXPECT_EQ((*listed)[0].digest, one.descriptor.digest);
  EXPECT_EQ((*listed)[1].artifact_type, "text/x-two");
  EXPECT_NE(registry.manifest("app", referrers_tag(kSubject)), "");
}

TEST(Referrers, AWebPageInPlaceOfTheApiIsNoAnswer) {
  FakeRegistry registry;
  registry.inject({"GET", "/referrers/", -1, [](const Received&, Reply) {
                     Reply page;
                     page.headers = {{"Content-Type", "text/html"}};
                     page.body = "<html>";
                     return page;
                   }});
  EXPECT_TRUE(client_of(registry, "app")->referrers(kSubject)->empty());
}

TEST(Referrers, NeedNoFallbackWhereTheRegistryTookNote) {
  for (const bool says_so : {true, false}) {
    FakeRegistry registry;
    if (says_so)
      registry.inject({"PUT", "/manifests/", -1, [](const Received&, Reply reply) {
                         reply.headers.emplace_back("OCI-Subject", kSubject.str());
                         return reply;
                       }});
    else
      registry.inject(
          {"GET", "/referrers/", -1, [](const Received&, Reply) { return index_reply({}); }});
    auto client = client_of(registry, "app", Access::push);
    ASSERT_TRUE(client->put_referrer(signature_of(kSubject, "x"), kSubject).has_value());
    EXPECT_EQ(registry.manifest("app", referrers_tag(kSubject)), "");
    EXPECT_EQ(registry.count("GET", "/referrers/"), says_so ? 0 : 1);
  }
}

// Somebody else's list takes the place of ours: the second look shows that, and both are kept.
TEST(Referrers, AreNotLostInARace) {
  FakeRegistry registry;
  auto client = client_of(registry, "app", Access::push);
  int looks = 0;
  registry.inject({"GET", referrers_tag(kSubject), -1, [&looks](const Received&, Reply reply) {
                     return ++looks == 2 ? index_reply({sha256("other")}) : reply;
                   }});
  ASSERT_TRUE(client->put_referrer(signature_of(kSubject, "x"), kSubject).has_value());
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(client->referrers(kSubject)->size(), 2U);
}

TEST(Referrers, TransportsFindCosignsTagsToo) {
  FakeRegistry registry;
  const std::string tag = referrers_tag(kSubject) + ".att";
  registry.add_manifest("app", tag, manifest_text());
  const auto transport =
      make_registry_transport(client_of(registry, "app"), ref_to(registry, "app"));
  const auto attached = transport->attached(kSubject);
  ASSERT_TRUE(attached.has_value()) << attached.error().what();
  ASSERT_EQ(attached->size(), 1U);
  EXPECT_EQ((*attached)[0].tag, tag);
}

}  // namespace
}  // namespace cloister::oci
