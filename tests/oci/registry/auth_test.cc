// Who is let in, with what, and where credentials are (not) sent.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

using Auth = FakeRegistry::Auth;

Error failure(Result<RawManifest> result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Error::internal("no failure") : std::move(result).error();
}

std::string unescaped(const Received& request) {
  return query_value(request.query.empty() ? request.body : request.query, "scope");
}

TEST(Auth, AnOpenRegistryGetsNoCredentials) {
  FakeRegistry registry;
  registry.add_manifest("app", "latest", manifest_text());
  (void)must(client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest"));
  for (const Received& request : registry.server().received())
    EXPECT_EQ(request.header("authorization"), "");
}

TEST(Auth, BasicSendsUserAndPassword) {
  FakeRegistry registry;
  registry.auth = Auth::basic;
  registry.add_manifest("app", "latest", manifest_text());
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  EXPECT_EQ(must(client->get_manifest("latest")).text, manifest_text());
  (void)must(client->get_manifest("latest"));
  EXPECT_EQ(registry.count("GET", "/v2/"), 3);  // one greeting, two manifests, no second 401
}

TEST(Auth, RefusalsSayWhatToDo) {
  FakeRegistry registry;
  registry.auth = Auth::basic;
  registry.add_manifest("app", "latest", manifest_text());
  const Error nobody = failure(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(nobody.code(), Code::unauthorized);
  EXPECT_NE(nobody.hint().find("cloister login " + registry.name()), std::string::npos);
  Credentials wrong = user_credentials();
  wrong.password = "wrong";
  const Error refused =
      failure(client_of(registry, "app", Access::pull, wrong)->get_manifest("latest"));
  EXPECT_EQ(refused.code(), Code::unauthorized);
  EXPECT_NE(refused.hint().find("credentials that were found"), std::string::npos);
  EXPECT_NE(refused.details().at(0).find("UNAUTHORIZED"), std::string::npos);
}

TEST(Auth, BearerTokensAreFetchedOnceAndShared) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.add_manifest("app", "latest", manifest_text());
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i)
        if (client->get_manifest("latest").has_value()) ++good;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 12);
  ASSERT_EQ(registry.count("GET", "/token"), 1);
  const Received asked = registry.requests("GET", "/token")[0];
  EXPECT_EQ(unescaped(asked), "repository:app:pull");
  EXPECT_EQ(query_value(asked.query, "account"), "user");
}

TEST(Auth, AnonymousTokensNeedNoCredentials) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.anonymous_tokens = true;
  registry.add_manifest("app", "latest", manifest_text());
  (void)must(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(registry.requests("GET", "/token")[0].header("authorization"), "");
}

TEST(Auth, ARefusedTokenIsUnauthorized) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  Credentials wrong = user_credentials();
  wrong.password = "wrong";
  const Error error =
      failure(client_of(registry, "app", Access::pull, wrong)->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::unauthorized);
  EXPECT_NE(error.details().at(0).find("incorrect username or password"), std::string::npos);
}

TEST(Auth, PushAsksForThePushScopeAndTheMountSource) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  RegistryOptions options = quick_options();
  options.mount_from = "base/image";
  auto client = client_of(registry, "app", Access::push, user_credentials(), options);
  EXPECT_FALSE(must(client->head_manifest("latest")));
  EXPECT_EQ(unescaped(registry.requests("GET", "/token")[0]),
            "repository:app:pull,push repository:base/image:pull");
}

TEST(Auth, TheMountScopeIsGivenUpWhenRefused) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.refused_scope = "base/image";
  RegistryOptions options = quick_options();
  options.mount_from = "base/image";
  auto client = client_of(registry, "app", Access::push, user_credentials(), options);
  EXPECT_FALSE(must(client->head_manifest("latest")));
  EXPECT_EQ(unescaped(registry.requests("GET", "/token").back()), "repository:app:pull,push");
}

TEST(Auth, IdentityTokensArePosted) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.identity_token = "refresh&me=1";
  registry.add_manifest("app", "latest", manifest_text());
  Credentials credentials;
  credentials.identity_token = registry.identity_token;
  (void)must(client_of(registry, "app", Access::pull, credentials)->get_manifest("latest"));
  EXPECT_EQ(registry.count("POST", "/token"), 1);
  EXPECT_EQ(registry.count("GET", "/token"), 0);
}

TEST(Auth, IdentityTokensFallBackToGetWherePostIsUnknown) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.oauth_post = false;
  registry.add_manifest("app", "latest", manifest_text());
  Credentials credentials = user_credentials();
  credentials.identity_token = "refresh-me";
  (void)must(client_of(registry, "app", Access::pull, credentials)->get_manifest("latest"));
  EXPECT_EQ(registry.count("POST", "/token"), 1);
  EXPECT_EQ(registry.count("GET", "/token"), 1);
}

TEST(Auth, RegistryTokensAreUsedAsTheyAre) {
  FakeRegistry registry;
  registry.add_manifest("app", "latest", manifest_text());
  Credentials credentials;
  credentials.registry_token = "ready-made";
  (void)must(client_of(registry, "app", Access::pull, credentials)->get_manifest("latest"));
  EXPECT_EQ(registry.requests("GET", "/manifests/")[0].header("authorization"),
            "Bearer ready-made");
  credentials.registry_token = "two\r\nlines";
  EXPECT_EQ(
      failure(client_of(registry, "app", Access::pull, credentials)->get_manifest("latest")).code(),
      Code::invalid);
}

TEST(Auth, ARevokedTokenIsRenewedOnce) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.add_manifest("app", "latest", manifest_text());
  auto client = client_of(registry, "app", Access::pull, user_credentials());
  (void)must(client->get_manifest("latest"));
  registry.revoke_tokens();
  (void)must(client->get_manifest("latest"));
  EXPECT_EQ(registry.count("GET", "/token"), 2);
  // Where no token ever satisfies, it ends.
  registry.inject({"GET", "/manifests/", -1, [](const Received&, Reply) {
                     Reply reply = error_reply(401, "DENIED", "no");
                     reply.headers = {{"WWW-Authenticate", "Bearer realm=\"x\""}};
                     return reply;
                   }});
  EXPECT_FALSE(client->get_manifest("latest").has_value());
  EXPECT_LE(registry.count("GET", "/token"), 3);
}

TEST(Auth, AMissingScopeNamedByTheRegistryIsAskedFor) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.add_manifest("app", "latest", manifest_text());
  int refusals = 0;
  registry.inject(
      {"GET", "/manifests/", 1, [&](const Received&, Reply) {
         ++refusals;
         Reply reply = error_reply(401, "UNAUTHORIZED", "more");
         reply.headers = {
             {"WWW-Authenticate", cat("Bearer realm=\"", registry.server().url("/token"),
                                      "\",service=\"fake service\",scope=\"repository:extra:pull"
                                      "\",error=\"insufficient_scope\"")}};
         return reply;
       }});
  (void)must(client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest"));
  EXPECT_EQ(refusals, 1);
  EXPECT_EQ(unescaped(registry.requests("GET", "/token").back()),
            "repository:app:pull repository:extra:pull");
}

TEST(Auth, MalformedTokensAreRefused) {
  for (const char* body : {"", "{}", "[]", "<html>sign in</html>", R"({"token":""})",
                           R"({"token":5})", R"({"token":"a b"})", R"({"token":"a\r\nX: y"})"}) {
    FakeRegistry registry;
    registry.auth = Auth::bearer;
    registry.inject({"GET", "/token", -1, [body](const Received&, Reply reply) {
                       reply.status = 200;
                       reply.body = body;
                       return reply;
                     }});
    const Error error = failure(
        client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest"));
    EXPECT_EQ(error.code(), Code::corrupt) << body << ": " << error.what();
  }
}

TEST(Auth, AMegabyteIsNoToken) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  registry.inject({"GET", "/token", -1, [](const Received&, Reply reply) {
                     reply.body = R"({"token":")" + std::string(2 << 20, 'x') + "\"}";
                     reply.status = 200;
                     return reply;
                   }});
  EXPECT_EQ(
      failure(client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest"))
          .code(),
      Code::limit);
}

TEST(Auth, UnusableRealmsGetNoCredentials) {
  for (const char* realm : {"", "nonsense", "/token", "file:///etc/passwd", "ftp://x/"}) {
    FakeRegistry registry;
    registry.auth = Auth::bearer;
    registry.realm = realm[0] == '\0' ? " " : realm;
    const Error error = failure(
        client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest"));
    EXPECT_EQ(error.code(), Code::corrupt) << realm;
  }
}

TEST(Auth, AnHttpsRegistryCannotNameAnHttpRealm) {
  TlsIdentity identity;
  FakeRegistry registry(&identity);
  HttpServer collector([](const Received&) { return Reply{}; });
  registry.auth = Auth::bearer;
  registry.realm = collector.url("/token");
  RegistryOptions options = quick_options();
  options.plain_http = false;
  options.ca_file = identity.certificate_file();
  const Error error = failure(client_of(registry, "app", Access::pull, user_credentials(), options)
                                  ->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::unsupported) << error.what();
  EXPECT_TRUE(collector.received().empty());
}

TEST(Auth, TheTokenServerCannotPassCredentialsOn) {
  FakeRegistry registry;
  registry.auth = Auth::bearer;
  HttpServer collector([](const Received&) {
    Reply reply;
    reply.body = R"({"token":"from-elsewhere"})";
    return reply;
  });
  registry.inject({"", "/token", -1, [&](const Received&, Reply reply) {
                     reply.status = 307;
                     reply.headers = {{"Location", collector.url("/steal")}};
                     return reply;
                   }});
  (void)client_of(registry, "app", Access::pull, user_credentials())->get_manifest("latest");
  for (const Received& request : collector.received())
    EXPECT_EQ(request.header("authorization"), "");
  // A posted identity token is in the body: it does not follow at all.
  const std::size_t before = collector.received().size();
  Credentials identity;
  identity.identity_token = "secret";
  EXPECT_FALSE(
      client_of(registry, "app", Access::pull, identity)->get_manifest("latest").has_value());
  EXPECT_EQ(collector.received().size(), before);
}

TEST(Auth, OtherSchemesAreNamed) {
  FakeRegistry registry;
  registry.inject({"", "", -1, [](const Received&, Reply) {
                     Reply reply = error_reply(401, "UNAUTHORIZED", "");
                     reply.headers = {{"WWW-Authenticate", "Negotiate"}};
                     return reply;
                   }});
  const Error error = failure(client_of(registry, "app")->get_manifest("latest"));
  EXPECT_EQ(error.code(), Code::unsupported);
  EXPECT_NE(error.what().find("'negotiate'"), std::string::npos) << error.what();
}

TEST(Auth, ARefusalWithoutChallengeIsUnauthorized) {
  FakeRegistry registry;
  registry.inject({"", "", -1, [](const Received&, Reply) {
                     Reply reply;
                     reply.status = 401;
                     return reply;
                   }});
  EXPECT_EQ(failure(client_of(registry, "app")->get_manifest("latest")).code(), Code::unauthorized);
}

TEST(Auth, LoopbackTriesTlsFirst) {
  TlsIdentity identity;
  FakeRegistry secure(&identity), plain;
  secure.add_manifest("app", "latest", manifest_text());
  plain.add_manifest("app", "latest", manifest_text());
  RegistryOptions options = quick_options();
  options.plain_http = false;
  (void)must(client_of(plain, "app", Access::pull, {}, options)->get_manifest("latest"));
  // A certificate that is not trusted is no reason to speak http.
  const Error untrusted =
      failure(client_of(secure, "app", Access::pull, {}, options)->get_manifest("latest"));
  EXPECT_EQ(untrusted.code(), Code::invalid);
  EXPECT_TRUE(secure.server().received().empty());
  options.tls_verify = false;
  (void)must(client_of(secure, "app", Access::pull, {}, options)->get_manifest("latest"));
}

}  // namespace
}  // namespace cloister::oci
