// registries.conf, mirrors, certs.d and proxies: where a request really goes.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "oci/registry/certificates.h"
#include "oci/registry/mirrors.h"
#include "oci/registry/registries_conf.h"
#include "tests/oci/registry/test_client.h"

namespace cloister::oci {
namespace {

std::vector<RegistryRule> rules(const std::string& text) {
  return must(parse_registries_conf(text, Limits{}, "registries.conf"));
}

RegistryRef ref(const std::string& text) {
  return must(parse_registry_ref(text));
}

std::vector<std::string> pulled_from(const std::string& conf, const std::string& name) {
  std::vector<std::string> out;
  for (const PullSource& source : must(pull_sources(rules(conf), ref(name))))
    out.push_back(source.ref.str() + (source.insecure ? " insecure" : ""));
  return out;
}

using Names = std::vector<std::string>;

TEST(RegistriesConf, WithoutARuleNothingChanges) {
  EXPECT_EQ(pulled_from("", "r.io/app:1"), Names{"r.io/app:1"});
  EXPECT_EQ(pulled_from("[[registry]]\nlocation = 'q.io'\ninsecure = true", "r.io/app:1"),
            Names{"r.io/app:1"});
}

TEST(RegistriesConf, TheLongestPrefixThatEndsAtAComponentWins) {
  const std::string conf =
      "[[registry]]\nprefix = 'r.io'\nlocation = 'host.example'\n"
      "[[registry]]\nprefix = 'r.io/ns/'\nlocation = 'ns.example/deep'\n"
      "[[registry]]\nprefix = 'r.io/ns/app'\nlocation = 'app.example/one'\n";
  EXPECT_EQ(pulled_from(conf, "r.io/x:1"), Names{"host.example/x:1"});
  EXPECT_EQ(pulled_from(conf, "r.io/nsx/app:1"), Names{"host.example/nsx/app:1"});
  EXPECT_EQ(pulled_from(conf, "r.io/ns/b:1"), Names{"ns.example/deep/b:1"});
  EXPECT_EQ(pulled_from(conf, "r.io/ns/app:1"), Names{"app.example/one:1"});
  EXPECT_EQ(pulled_from(conf, "r.io/ns/apple:1"), Names{"ns.example/deep/apple:1"});
  EXPECT_EQ(pulled_from(conf, "xr.io/ns:1"), Names{"xr.io/ns:1"});
}

TEST(RegistriesConf, AStarStandsForSubdomains) {
  const std::string conf = "[[registry]]\nprefix = '*.example.com'\ninsecure = true\n";
  EXPECT_EQ(pulled_from(conf, "a.example.com/app:1"), Names{"a.example.com/app:1 insecure"});
  EXPECT_EQ(pulled_from(conf, "a.b.example.com:5000/app:1"),
            Names{"a.b.example.com:5000/app:1 insecure"});
  EXPECT_EQ(pulled_from(conf, "example.com/app:1"), Names{"example.com/app:1"});
  EXPECT_EQ(pulled_from(conf, "aexample.com/app:1"), Names{"aexample.com/app:1"});
}

TEST(RegistriesConf, MirrorsComeFirstAndKeepTagAndDigest) {
  const std::string conf =
      "[[registry]]\nlocation = 'docker.io'\n"
      "[[registry.mirror]]\nlocation = 'localhost:5000/hub'\ninsecure = true\n"
      "[[registry.mirror]]\nlocation = 'd.example'\npull-from-mirror = 'digest-only'\n"
      "[[registry.mirror]]\nlocation = 't.example'\npull-from-mirror = 'tag-only'\n";
  EXPECT_EQ(pulled_from(conf, "redis:7"),
            (Names{"localhost:5000/hub/library/redis:7 insecure", "t.example/library/redis:7",
                   "docker.io/library/redis:7"}));
  const std::string digest = "@" + sha256("x").str();
  EXPECT_EQ(pulled_from(conf, "redis" + digest),
            (Names{"localhost:5000/hub/library/redis" + digest + " insecure",
                   "d.example/library/redis" + digest, "docker.io/library/redis" + digest}));
  const std::string only =
      "[[registry]]\nlocation = 'r.io'\nmirror-by-digest-only = true\n"
      "[[registry.mirror]]\nlocation = 'd.example'\n";
  EXPECT_EQ(pulled_from(only, "r.io/app:1"), Names{"r.io/app:1"});
}

TEST(RegistriesConf, ABlockedRegistryIsRefusedBothWays) {
  const auto conf = rules("[[registry]]\nprefix = 'r.io/bad'\nblocked = true");
  const auto pull = pull_sources(conf, ref("r.io/bad/app:1"));
  ASSERT_FALSE(pull.has_value());
  EXPECT_EQ(pull.error().code(), Code::policy);
  EXPECT_NE(pull.error().details().at(0).find("registries.conf"), std::string::npos);
  EXPECT_EQ(push_source(conf, ref("r.io/bad/app:1")).error().code(), Code::policy);
  EXPECT_TRUE(push_source(conf, ref("r.io/good:1")).has_value());
}

TEST(RegistriesConf, APushGoesWhereItsNameSays) {
  const auto conf = rules("[[registry]]\nprefix = 'r.io'\nlocation = 'q.io'\ninsecure = true");
  const PullSource source = must(push_source(conf, ref("r.io/app:1")));
  EXPECT_EQ(source.ref.str(), "r.io/app:1");
  EXPECT_TRUE(source.insecure);
}

TEST(RegistriesConf, WhatCannotBeMeantIsAnError) {
  for (const char* text :
       {"registry = 1", "registry = [1]", "[registry]\nlocation = 'r.io'",
        "[[registry]]\ninsecure = true", "[[registry]]\nlocation = 1",
        "[[registry]]\nlocation = 'r.io'\ninsecure = 'yes'",
        "[[registry]]\nlocation = 'https://r.io'", "[[registry]]\nlocation = 'r.io'\nmirror = 1",
        "[[registry]]\nlocation = 'r.io'\n[[registry.mirror]]\ninsecure = true",
        "[[registry]]\nlocation = 'r.io'\n[[registry.mirror]]\nlocation = 'm.io'\n"
        "pull-from-mirror = 'x'",
        "[[registry", "[registries.block]\nregistries = ['r.io']"})
    EXPECT_FALSE(parse_registries_conf(text, Limits{}, "f").has_value()) << text;
  for (const char* location : {"UPPER/x", "nohost", "m.io//x", "m.io/a b"}) {
    const auto conf = rules(cat("[[registry]]\nprefix = 'r.io'\nlocation = '", location, "'"));
    EXPECT_FALSE(pull_sources(conf, ref("r.io/app:1")).has_value()) << location;
  }
}

class ConfFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "cloister-conf-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string write(const std::string& name, const std::string& text) const {
    const fs::path path = directory_ / name;
    EXPECT_TRUE(make_directories(path.parent_path()).has_value());
    EXPECT_TRUE(write_file_atomic(path, as_bytes(text)).has_value());
    return path;
  }
  std::string path(const std::string& name) const { return directory_ / name; }
  fs::path directory_;
};

TEST_F(ConfFiles, DropInsChangeTheMainFileByPrefix) {
  write("main.conf", "[[registry]]\nlocation = 'a.io'\n[[registry]]\nlocation = 'b.io'\n");
  write("system.d/10.conf", "[[registry]]\nlocation = 'a.io'\ninsecure = true\n");
  write("user.d/20.conf", "[[registry]]\nlocation = 'a.io'\nblocked = true\n");
  write("user.d/ignored.txt", "no TOML at all [");
  const auto read =
      must(read_registries_conf({{path("missing.conf"), path("main.conf"), path("never.conf")},
                                 {path("missing.d"), path("system.d"), path("user.d")}},
                                Limits{}));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(find_rule(read, ref("a.io/x"))->blocked);
  EXPECT_FALSE(find_rule(read, ref("a.io/x"))->insecure);
  EXPECT_FALSE(find_rule(read, ref("b.io/x"))->blocked);
  EXPECT_EQ(find_rule(read, ref("c.io/x")), nullptr);
}

TEST(RegistriesConfPathsOf, TheEnvironment) {
  const auto usual = registries_conf_paths({{"HOME", "/h"}});
  EXPECT_EQ(usual.files,
            (Names{"/h/.config/containers/registries.conf", "/etc/containers/registries.conf"}));
  EXPECT_EQ(usual.directories, (Names{"/etc/containers/registries.conf.d",
                                      "/h/.config/containers/registries.conf.d"}));
  const auto named = registries_conf_paths({{"HOME", "/h"}, {"CONTAINERS_REGISTRIES_CONF", "/n"}});
  EXPECT_EQ(named.files, Names{"/n"});
  EXPECT_TRUE(named.directories.empty());
}

// ---- mirrors

std::unique_ptr<ImageTransport> mirrored(std::vector<const FakeRegistry*> places) {
  std::vector<PullSource> sources;
  for (const FakeRegistry* place : places) sources.push_back({ref_to(*place, "app"), false});
  return make_mirrored_transport(std::move(sources), [](const PullSource& source) {
    return RegistryClient::open(source.ref, Access::pull, {}, quick_options(), Limits{}, {});
  });
}

TEST(Mirrors, TheFirstThatHasItIsUsed) {
  FakeRegistry empty, full, own;
  for (FakeRegistry* registry : {&full, &own})
    registry->add_manifest("app", "latest", manifest_text());
  const Descriptor blob = full.add_blob("app", "layer");
  auto transport = mirrored({&empty, &full, &own});
  EXPECT_EQ(must(transport->root()).text, manifest_text());
  EXPECT_EQ(content_of(*must(transport->blob(blob))), "layer");
  EXPECT_EQ(empty.count("GET", "/blobs/"), 0);  // it was left at the manifest
  EXPECT_TRUE(own.server().received().empty());
}

TEST(Mirrors, TheRegistryItselfIsTheLastResort) {
  FakeRegistry broken, own;
  own.add_manifest("app", "latest", manifest_text());
  broken.inject({"", "", -1, [](const Received&, Reply) { return error_reply(503, "X", "down"); }});
  auto transport = mirrored({&broken, &own});
  EXPECT_EQ(must(transport->root()).text, manifest_text());
}

TEST(Mirrors, WhenAllFailTheErrorIsTheRegistrysOwn) {
  FakeRegistry mirror, own;
  auto transport = mirrored({&mirror, &own});
  const auto root = transport->root();
  ASSERT_FALSE(root.has_value());
  EXPECT_EQ(root.error().code(), Code::not_found);
  EXPECT_NE(root.error().what().find(own.name()), std::string::npos);
  EXPECT_NE(root.error().details().back().find("mirror '" + mirror.name()), std::string::npos);
}

TEST(Mirrors, AMirrorWithOtherBytesIsPassedOver) {
  FakeRegistry liar, own;
  const Descriptor manifest = own.add_manifest("app", "latest", manifest_text());
  liar.inject({"GET", "/manifests/", -1, [](const Received&, Reply reply) {
                 reply.status = 200;
                 reply.body = manifest_text("other");
                 return reply;
               }});
  auto transport = mirrored({&liar, &own});
  EXPECT_EQ(must(transport->manifest(manifest)).text, manifest_text());
}

// ---- certs.d

TEST_F(ConfFiles, CertificatesAreFoundByHostAndPort) {
  write("first/r.io:5000/ca.crt", "CA-1");
  write("first/r.io:5000/other.crt", "CA-2");
  write("first/r.io:5000/me.cert", "CERT");
  write("first/r.io:5000/me.key", "KEY");
  write("second/r.io:5000/ca.crt", "never");
  write("second/q.io:443/ca.crt", "CA-3");
  const auto find = [&](const char* url) {
    return must(find_certificates({path("first"), path("second")}, *http::parse_url(url)));
  };
  const http::HostTls found = find("https://r.io:5000/");
  EXPECT_EQ(found.ca_pem, "CA-1\nCA-2\n");
  EXPECT_EQ(found.client_certificate, path("first/r.io:5000/me.cert"));
  EXPECT_EQ(found.client_key, path("first/r.io:5000/me.key"));
  EXPECT_EQ(find("https://q.io/").ca_pem, "CA-3\n");
  EXPECT_EQ(find("https://r.io/").ca_pem, "");
}

TEST_F(ConfFiles, HalfAClientCertificateIsAnError) {
  write("d/r.io/me.cert", "CERT");
  const auto found = find_certificates({path("d")}, *http::parse_url("https://r.io/"));
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().what().find("me.key"), std::string::npos);
}

TEST_F(ConfFiles, ThePrivateCaOfARegistryIsTrusted) {
  TlsIdentity identity;
  FakeRegistry registry(&identity);
  registry.add_manifest("app", "latest", manifest_text());
  RegistryOptions options = quick_options();
  options.plain_http = false;
  options.certificate_directories = {path("certs.d")};
  const auto before = client_of(registry, "app", Access::pull, {}, options)->get_manifest("latest");
  ASSERT_FALSE(before.has_value());
  EXPECT_NE(before.error().hint().find("certs.d/" + registry.name()), std::string::npos);
  write(cat("certs.d/", registry.name(), "/ca.crt"),
        must(read_text_file(identity.certificate_file(), 1 << 20)));
  (void)must(client_of(registry, "app", Access::pull, {}, options)->get_manifest("latest"));
}

TEST_F(ConfFiles, AnInsecureRegistryMayHaveAnyCertificateOrNone) {
  TlsIdentity identity;
  FakeRegistry secure(&identity), plain;
  RegistryOptions options = quick_options();
  options.plain_http = false;
  options.insecure = true;
  for (FakeRegistry* registry : {&secure, &plain}) {
    registry->add_manifest("app", "latest", manifest_text());
    (void)must(client_of(*registry, "app", Access::pull, {}, options)->get_manifest("latest"));
  }
}

// ---- proxies

TEST(Proxy, HttpGoesThroughItAndLoopbackDoesNot) {
  FakeRegistry registry;
  registry.add_manifest("app", "latest", manifest_text());
  HttpServer proxy([&](const Received& request) {
    Reply reply;
    if (request.path.find("/manifests/") != std::string::npos) reply.body = manifest_text();
    return reply;
  });
  RegistryOptions options = quick_options();
  options.proxies.http = proxy.url("");
  const auto client_at = [&](const std::string& host) {
    return must(RegistryClient::open({host, "app", "latest", std::nullopt}, Access::pull, {},
                                     options, Limits{}, {}));
  };
  (void)must(client_at("registry.invalid")->get_manifest("latest"));
  ASSERT_EQ(proxy.received().size(), 2U);
  EXPECT_EQ(proxy.received()[1].path, "http://registry.invalid/v2/app/manifests/latest");
  (void)must(client_at(registry.name())->get_manifest("latest"));
  EXPECT_EQ(proxy.received().size(), 2U);
  options.proxies.no_proxy = "example.org,.invalid";
  options.retry.connection_tries = 1;
  EXPECT_EQ(client_at("registry.invalid")->get_manifest("latest").error().code(),
            Code::unavailable);
  EXPECT_EQ(proxy.received().size(), 2U);
}

TEST(Proxy, TheEnvironmentIsNotRead) {
  HttpServer proxy([](const Received&) { return Reply{}; });
  setenv("http_proxy", proxy.url("").c_str(), 1);
  RegistryOptions options = quick_options();
  options.retry.connection_tries = 1;
  auto client = must(RegistryClient::open({"registry.invalid", "app", "latest", std::nullopt},
                                          Access::pull, {}, options, Limits{}, {}));
  EXPECT_FALSE(client->get_manifest("latest").has_value());
  unsetenv("http_proxy");
  EXPECT_TRUE(proxy.received().empty());
}

}  // namespace
}  // namespace cloister::oci
