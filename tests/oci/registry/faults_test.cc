// The scripted fault registry: each fault of a table is met by pulling a whole image into a store
// and by pushing it. Either all bytes arrive, or the error names the cause and no tag points to a
// part.
#include <gtest/gtest.h>

#include <functional>

#include "base/text.h"
#include "oci/registry/mirrors.h"
#include "oci/store/store.h"
#include "oci/write/destinations.h"
#include "tests/oci/fixtures.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

std::string bytes(std::size_t size, char first) {
  std::string out(size, first);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] + i % 13);
  return out;
}

std::function<Reply(const Received&, Reply)> refusal(int code, std::string text = "on purpose") {
  return [=](const Received&, Reply) { return error_reply(code, "TEST", text); };
}

Reply hung_up(const Received&, Reply reply) {
  reply.raw = "HTTP/1.1 ";
  return reply;
}

Reply cut_in_the_middle(const Received&, Reply reply) {
  reply.cut_after = reply.body.size() / 2;
  return reply;
}

Reply one_bit_off(const Received&, Reply reply) {
  if (!reply.body.empty()) reply.body[reply.body.size() / 2] ^= 1;
  return reply;
}

Reply web_page(const Received&, Reply reply) {
  reply.status = 200;
  reply.headers = {{"Content-Type", "text/html"}};
  reply.body = "<!DOCTYPE html><title>Sign in to the network</title>";
  return reply;
}

Reply to_itself(const Received& request, Reply reply) {
  reply.status = 307;
  reply.headers = {{"Location", request.path}};
  return reply;
}

Reply come_back_later(const Received&, Reply) {
  Reply reply = error_reply(429, "TOOMANYREQUESTS", "slow down");
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

Reply without_length(const Received&, Reply reply) {
  reply.chunked = true;
  return reply;
}

// Trickles a first byte and falls silent.
Reply silent(const Received&, Reply reply) {
  reply.drip = std::chrono::milliseconds(600);
  return reply;
}

struct Case {
  const char* name;
  Fault fault;
  const char* error = nullptr;  // what it says; null: survived
};

std::string all_of(const Error& error) {
  return cat(error.what(), " | ", join(error.details(), " | "), " | ", trace_of(error));
}

Reply shorter_without_length(const Received&, Reply reply) {
  reply.chunked = true;
  reply.body.resize(reply.body.size() / 2);
  return reply;
}

Reply longer_without_length(const Received&, Reply reply) {
  reply.chunked = true;
  reply.body += "more";
  return reply;
}

// A registry, an image, a store: everything that a pull or a push needs.
class Faults : public testing::Test {
 protected:
  Faults() {
    image_ = make_image({.layers = {bytes(400'000, 'a'), bytes(300'000, 'A'), bytes(10, '0')}});
    options_ = quick_options();
    options_.time_outs.low_speed_seconds = 1;
    options_.retry.longest_pause = std::chrono::milliseconds(20);
  }

  Status pull(FakeRegistry& registry, Store& store) {
    CL_TRY(auto client, RegistryClient::open(ref_to(registry, "app"), Access::pull,
                                             user_credentials(), options_, limits_, {}));
    ImageRef ref;
    ref.registry = ref_to(registry, "app");
    const auto transport = make_registry_transport(client, ref.registry);
    CL_TRY(const Image image, resolve_image(ref, *transport, store, context_.fetch()));
    return fetch_layers(image, *transport, store, context_.fetch());
  }

  Status pull_from(const std::vector<const FakeRegistry*>& places, Store& store) {
    std::vector<PullSource> sources;
    for (const FakeRegistry* place : places) sources.push_back({ref_to(*place, "app"), false});
    const auto transport =
        make_mirrored_transport(std::move(sources), [this](const PullSource& source) {
          return RegistryClient::open(source.ref, Access::pull, {}, options_, limits_, {});
        });
    ImageRef ref;
    ref.registry = ref_to(*places.back(), "app");
    CL_TRY(const Image image, resolve_image(ref, *transport, store, context_.fetch()));
    return fetch_layers(image, *transport, store, context_.fetch());
  }

  Status push(FakeRegistry& registry) {
    CL_TRY(auto client, RegistryClient::open(ref_to(registry, "app"), Access::push,
                                             user_credentials(), options_, limits_, {}));
    return push_image(content_of(image_), *client, "latest", "", context_.write());
  }

  void fill(FakeRegistry& registry) const {
    for (const auto& [digest, content] : image_.blobs) (void)registry.add_blob("app", content);
    registry.add_manifest("app", "latest", image_.manifest.text);
  }

  void expect(const Case& one, const Status& status) {
    SCOPED_TRACE(one.name);
    if (one.error == nullptr) {
      EXPECT_TRUE(status.has_value()) << all_of(status.error());
      return;
    }
    ASSERT_FALSE(status.has_value());
    EXPECT_NE(all_of(status.error()).find(one.error), std::string::npos) << all_of(status.error());
    EXPECT_FALSE(status.error().hint().empty()) << all_of(status.error());
  }

  TestImage image_;
  RegistryOptions options_;
  Limits limits_;
  TestContext context_;
};

TEST_F(Faults, OfAPull) {
  const Case cases[] = {
      {"500 twice", {"GET", "", 2, refusal(500)}},
      {"503 for ever", {"GET", "/blobs/", -1, refusal(503)}, "failed on blob"},
      {"408 once", {"GET", "/manifests/", 1, refusal(408)}},
      {"429 with Retry-After", {"GET", "/blobs/", 2, come_back_later}},
      {"429 for ever", {"GET", "/blobs/", -1, come_back_later}, "limits requests"},
      {"hangs up twice", {"GET", "/blobs/", 2, hung_up}},
      {"hangs up for ever", {"GET", "/manifests/", -1, hung_up}, "broke"},
      {"cut in the middle", {"GET", "/blobs/", 2, cut_in_the_middle}},
      {"no length", {"GET", "/blobs/", -1, without_length}},
      {"a manifest without a length", {"GET", "/manifests/", -1, without_length}},
      {"one bit off", {"GET", "/blobs/", -1, one_bit_off}, "does not match its digest"},
      {"a web page", {"GET", "/blobs/", -1, web_page}, "web page"},
      {"a web page as manifest", {"GET", "/manifests/", -1, web_page}, "web page"},
      {"redirects without end", {"GET", "/blobs/", -1, to_itself}, "redirects without end"},
      {"silence", {"GET", "/blobs/", -1, silent}, "stopped answering"},
      {"longer than announced",
       {"GET", "/blobs/", -1, longer_without_length},
       "longer than its descriptor"},
      {"another length",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.body += "more";
          return reply;
        }},
       "does not have the size"},
      {"an announced length that does not come",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.body.resize(reply.body.size() / 3);
          reply.announced = reply.body.size() * 3;
          reply.cut_after = reply.body.size();
          return reply;
        }},
       "size"},
      {"404", {"GET", "/blobs/", -1, refusal(404)}, "does not exist"},
      {"403", {"GET", "/blobs/", -1, refusal(403)}, "not authorised"},
      {"no TLS, no HTTP",
       {"GET", "/manifests/", -1,
        [](const Received&, Reply reply) {
          reply.raw = "SSH-2.0-OpenSSH_9.2\r\n";
          return reply;
        }},
       "does not answer in HTTP"},
      {"headers without end",
       {"GET", "/manifests/", -1,
        [](const Received&, Reply reply) {
          for (int i = 0; i < 1000; ++i) reply.headers.emplace_back(cat("X-", i), "x");
          return reply;
        }},
       "headers"},
      {"a header of a megabyte",
       {"GET", "/manifests/", -1,
        [](const Received&, Reply reply) {
          reply.headers.emplace_back("X-Long", std::string(1 << 20, 'x'));
          return reply;
        }},
       "headers"},
  };
  for (const Case& one : cases) {
    const ScratchDirectory scratch;
    FakeRegistry registry;
    registry.auth = FakeRegistry::Auth::bearer;
    fill(registry);
    registry.inject(one.fault);
    Store store = must(Store::open(scratch / "s"));
    const Status done = pull(registry, store);
    expect(one, done);
    for (const auto& [digest, content] : image_.blobs)
      EXPECT_TRUE(!done.has_value() || store.has_blob(digest, content.size())) << one.name;
  }
}

// Whatever a mirror does, the image comes, from the registry behind it, with the right bytes; small
// layers, and one that is large enough to be continued.
TEST_F(Faults, OfAMirror) {
  image_ = make_image({.layers = {bytes(1'500'000, 'a'), bytes(300'000, 'A'), bytes(10, '0')}});
  const Case cases[] = {
      {"one bit off", {"GET", "/blobs/", -1, one_bit_off}},
      {"longer", {"GET", "/blobs/", -1, longer_without_length}},
      {"shorter", {"GET", "/blobs/", -1, shorter_without_length}},
      {"another length",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.body += "more";
          return reply;
        }}},
      {"nothing at all",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.body.clear();
          return reply;
        }}},
      {"cut for ever",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.cut_after = 10;
          return reply;
        }}},
      {"wrong, then cut",
       {"GET", "/blobs/", -1,
        [](const Received&, Reply reply) {
          reply.body[0] ^= 1;
          reply.cut_after = reply.body.size() - 1;
          return reply;
        }}},
      {"503", {"GET", "/blobs/", -1, refusal(503)}},
      {"404", {"GET", "/blobs/", -1, refusal(404)}},
      {"silence", {"GET", "/blobs/", -1, silent}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const ScratchDirectory scratch;
    FakeRegistry mirror, own;
    fill(mirror);
    fill(own);
    mirror.inject(one.fault);
    Store store = must(Store::open(scratch / "s"));
    const Status done = pull_from({&mirror, &own}, store);
    EXPECT_TRUE(done.has_value()) << all_of(done.error());
    for (const Descriptor& layer : image_.layers)
      EXPECT_TRUE(store.read_blob(layer, 1 << 30).has_value());
    EXPECT_GT(mirror.count("GET", ""), 0);
  }
}

TEST_F(Faults, OfAllPlacesAreToldTogether) {
  const ScratchDirectory scratch;
  FakeRegistry mirror, own;
  for (FakeRegistry* place : {&mirror, &own}) {
    fill(*place);
    place->inject({"GET", "/blobs/", -1, one_bit_off});
  }
  Store store = must(Store::open(scratch / "s"));
  const Status done = pull_from({&mirror, &own}, store);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), Code::corrupt);
  EXPECT_NE(all_of(done.error()).find("another place: "), std::string::npos)
      << all_of(done.error());
}

TEST_F(Faults, OfAPush) {
  const Case cases[] = {
      {"500 once", {"", "", 1, refusal(500)}},
      {"500 when opening", {"POST", "", 2, refusal(500), true}},
      {"503 for ever", {"PATCH", "", -1, refusal(503), true}, "failed on the upload"},
      {"429 with Retry-After", {"PATCH", "", 2, come_back_later, true}},
      {"hangs up while sending", {"PATCH", "", 2, hung_up, true}},
      {"hangs up when all is sent", {"PATCH", "", 2, hung_up}},
      {"hangs up at the end", {"PUT", "/uploads/", 2, hung_up}},
      {"hangs up at the manifest", {"PUT", "/manifests/", 2, hung_up}},
      {"no HEAD", {"HEAD", "", -1, refusal(405)}},
      {"a HEAD without a length",
       {"HEAD", "", -1,
        [](const Received&, Reply reply) {
          reply.chunked = true;
          return reply;
        }}},
      {"403", {"POST", "", -1, refusal(403, "read only")}, "read only"},
      {"413", {"PATCH", "", -1, refusal(413), true}, "too large"},
      {"507", {"PUT", "/uploads/", -1, refusal(507, "disk full"), true}, "disk full"},
      {"no such upload", {"PATCH", "", -1, refusal(404), true}, "lost the upload"},
      {"a refused manifest",
       {"PUT", "/manifests/", -1, refusal(400, "bad manifest")},
       "bad manifest"},
      {"redirects an upload", {"POST", "", -1, to_itself}, "redirects"},
      {"silence", {"PUT", "/manifests/", -1, silent}, "stopped answering"},
  };
  for (const Case& one : cases) {
    FakeRegistry registry;
    registry.auth = FakeRegistry::Auth::bearer;
    registry.inject(one.fault);
    const Status done = push(registry);
    expect(one, done);
    // The tag is last: where it is, all is.
    const bool tagged = !registry.manifest("app", "latest").empty();
    EXPECT_TRUE(tagged || !done.has_value()) << one.name;
    for (const Descriptor& blob : content_of(image_).blobs)
      EXPECT_TRUE(!tagged || registry.has_blob("app", blob.digest)) << one.name;
  }
}

TEST_F(Faults, ARedirectToAnotherHostIsFollowedWithoutCredentials) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  fill(registry);
  const HttpServer storage([&](const Received& request) {
    Reply reply;
    for (const auto& [digest, content] : image_.blobs)
      if (request.path == "/" + digest.hex()) reply.body = content;
    return reply;
  });
  registry.inject(
      {"GET", "/blobs/", -1, [&](const Received& request, Reply reply) {
         if (reply.status != 200) return reply;
         reply.status = 307;
         reply.headers = {
             {"Location", storage.url("/" + request.path.substr(request.path.size() - 64))}};
         return reply;
       }});
  const ScratchDirectory scratch;
  Store store = must(Store::open(scratch / "s"));
  const Status done = pull(registry, store);
  ASSERT_TRUE(done.has_value()) << all_of(done.error());
  EXPECT_EQ(storage.received().size(), image_.layers.size() + 1);
  for (const Received& request : storage.received()) EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(Faults, ALoopbackRegistryCannotNameAPublicRealmInHttp) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  registry.realm = "http://collector.example/token";
  fill(registry);
  const ScratchDirectory scratch;
  Store store = must(Store::open(scratch / "s"));
  const Status done = pull(registry, store);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), Code::unsupported) << all_of(done.error());
  EXPECT_NE(all_of(done.error()).find("without TLS"), std::string::npos);
}

TEST_F(Faults, ATokenThatNoHeaderCouldCarryIsRefused) {
  FakeRegistry registry;
  registry.auth = FakeRegistry::Auth::bearer;
  registry.inject({"GET", "/token", -1, [](const Received&, Reply reply) {
                     reply.status = 200;
                     reply.body = cat(R"({"token":")", std::string(900 << 10, 'x'), "\"}");
                     return reply;
                   }});
  const ScratchDirectory scratch;
  Store store = must(Store::open(scratch / "s"));
  EXPECT_EQ(pull(registry, store).error().code(), Code::limit);
}

TEST_F(Faults, AsManyLayersComeAtOnceAsAllowed) {
  std::vector<std::string> layers;
  for (char c = 'a'; c < 'i'; ++c) layers.push_back(bytes(1000, c));
  image_ = make_image({.layers = layers});
  for (const unsigned parallel : {1U, 3U}) {
    FakeRegistry registry;
    fill(registry);
    // Each answer takes a moment, in which the others may begin.
    registry.inject({"GET", "/blobs/", -1, [](const Received&, Reply reply) {
                       reply.delay = std::chrono::milliseconds(60);
                       return reply;
                     }});
    const ScratchDirectory scratch;
    Store store = must(Store::open(scratch / "s"));
    auto client = client_of(registry, "app");
    ImageRef ref;
    ref.registry = ref_to(registry, "app");
    const auto transport = make_registry_transport(client, ref.registry);
    const Image image = must(resolve_image(ref, *transport, store, context_.fetch()));
    FetchContext context{limits_, context_.pool,          context_.progress,
                         {},      {"linux", "amd64", ""}, parallel};
    const int before = registry.server().connections();
    ASSERT_TRUE(fetch_layers(image, *transport, store, context).has_value());
    // Connections are kept: there are as many as transfers ran at one time, one of them older.
    EXPECT_EQ(registry.server().connections() - before, static_cast<int>(parallel) - 1);
  }
}

}  // namespace
}  // namespace cloister::oci
