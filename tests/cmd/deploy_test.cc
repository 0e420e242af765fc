// What runs an image, from values: structure that no name can change, and texts as people get them.
#include <gtest/gtest.h>

#include "base/text.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/yaml.h"

namespace cloister::cmd {
namespace {

// Everything that quoting, YAML of either version, compose and a terminal could trip over.
constexpr const char* kNasty = "/a\"b'c\\d: #e\n- f\t${HOME}`id`\x1b[31m\xc2\x85\xe2\x80\xae,\xf0\x9f\x94\x92";

Deployment redis() {
  Deployment out;
  out.image = cat("reg.example/redis:7-sgx@sha256:", std::string(64, 'a'));
  out.repository = "reg.example/redis";
  out.name = "redis";
  out.enclave_size = 512U << 20U;
  out.attested = out.sigterm = true;
  out.ports = {{6379, "tcp"}};
  out.uid = 0;
  return out;
}

TEST(Yaml, WritesMapsInListsAndCommentsAboveThem) {
  Yaml inner = Yaml::map();
  inner.put("a", 1, "why").put("b", Yaml::list().push("x").push(true));
  Yaml tree = Yaml::map();
  tree.put("list", Yaml::list().push(inner, "first\nof one"));
  tree.put("empty", Yaml::list());
  EXPECT_EQ(tree.str(),
            "list:\n  # first\n  # of one\n  - # why\n    a: 1\n    b:\n      - \"x\"\n"
            "      - true\n");
}

TEST(Yaml, KeysThatSomeReadersTakeForSomethingElseAreQuoted) {
  Yaml tree = Yaml::map();
  for (const char* key : {"no", "Yes", "1", "", "a b", "a:", "sgx.intel.com/epc"}) tree.put(key, 1);
  EXPECT_EQ(tree.str(),
            "\"no\": 1\n\"Yes\": 1\n\"1\": 1\n\"\": 1\n\"a b\": 1\n\"a:\": 1\n"
            "sgx.intel.com/epc: 1\n");
}

TEST(Yaml, HostileTextIsOneStringAndOneCommentLine) {
  Yaml tree = Yaml::map();
  tree.put("key", kNasty, cat("see ", std::string(kNasty).substr(0, 5), "\xe2\x80\xa8rest"));
  EXPECT_EQ(tree.str(),
            "# see /a\"b'\\u2028rest\n"
            "key: \"/a\\\"b'c\\\\d: #e\\u000a- f\\u0009${HOME}`id`\\u001b[31m\\u0085\\u202e,"
            "\xf0\x9f\x94\x92\"\n");
  EXPECT_EQ(Yaml("\xff\xfe").str(), "\"\\\\xff\\\\xfe\"\n");
  EXPECT_EQ(Yaml("\xf0\x9f\xbf\xbe\xef\xbf\xbf").str(), "\"\\U0001fffe\\uffff\"\n");
}

TEST(Deploy, DockerGivesDevicesAndTakesRights) {
  const auto text = docker_command(redis());
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text,
            "# MRENCLAVE " + std::string(64, '0') +
                "\n# published on this host alone; leave out 127.0.0.1: to serve others\n"
                "# /var/run/aesmd is where the host's AESM service makes quotes\n"
                "docker run --detach --name redis \\\n"
                "  --device /dev/sgx_enclave \\\n"
                "  --device /dev/sgx_provision \\\n"
                "  --mount type=bind,source=/var/run/aesmd,target=/var/run/aesmd,readonly \\\n"
                "  --read-only \\\n"
                "  --cap-drop ALL \\\n"
                "  --security-opt no-new-privileges \\\n"
                "  --stop-timeout 30 \\\n"
                "  --publish 127.0.0.1:6379:6379 \\\n"
                "  reg.example/redis:7-sgx@sha256:" +
                std::string(64, 'a') + "\n");
}

TEST(Deploy, WithoutAttestationNoProvisioningKeyIsWithinReach) {
  Deployment d = redis();
  d.attested = false;
  for (const std::string& text : {docker_command(d).value(), compose_file(d),
                                  kubernetes_manifests(d, "")}) {
    EXPECT_EQ(text.find("provision"), std::string::npos) << text;
    EXPECT_EQ(text.find("aesmd"), std::string::npos) << text;
    EXPECT_NE(text.find("# built without remote attestation: nobody can verify it\n"),
              std::string::npos)
        << text;
  }
}

TEST(Deploy, AUserOtherThanRootGetsTheGroupsOfTheDevices) {
  Deployment d = redis();
  d.user = "redis";
  d.uid = std::nullopt;
  EXPECT_NE(docker_command(d).value().find("--group-add \"$(stat -c %g /dev/sgx_provision)\""),
            std::string::npos);
  EXPECT_NE(compose_file(d).find("\"${SGX_GID:?"), std::string::npos);
  d.user = "999:999";
  d.uid = 999;
  EXPECT_NE(kubernetes_manifests(d, "").find("runAsUser: 999\n"), std::string::npos);
}

TEST(Deploy, HostileWordsStayWords) {
  Deployment d = redis();
  d.places = {{"/it's, \"here\" $(id)", true, false}};
  d.environment = {"A B;id"};
  const std::string docker = docker_command(d).value();
  EXPECT_NE(docker.find("--mount 'type=volume,source=redis-it-s-here-id,"
                        "\"target=/it'\\''s, \"\"here\"\" $(id)\"'"),
            std::string::npos)
      << docker;
  EXPECT_NE(docker.find("--env 'A B;id'"), std::string::npos) << docker;
  const std::string compose = compose_file(d);
  EXPECT_NE(compose.find("target: \"/it's, \\\"here\\\" $$(id)\"\n"), std::string::npos) << compose;
}

TEST(Deploy, NoTerminalIsShownWhatWouldActOnIt) {
  Deployment d = redis();
  d.places = {{kNasty, false, false}};
  ASSERT_FALSE(docker_command(d).has_value());
  EXPECT_EQ(docker_command(d).error().code(), Code::unsupported);
  for (const std::string& text : {compose_file(d), kubernetes_manifests(d, "")})
    for (const char c : text)
      ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
}

TEST(Deploy, EachVolumeHasANameOfItsOwn) {
  Deployment d = redis();
  d.places = {{"/a b", true, false}, {"/a/b", true, false}, {"/a_b", false, true}};
  EXPECT_EQ(volume_names(d), (std::vector<std::string>{"redis-a-b", "redis-a-b-2", ""}));
  EXPECT_NE(docker_command(d).value().find("# the enclave uses the file '/a_b' of the host"),
            std::string::npos);
}

TEST(Deploy, NamesBecomeDnsLabels) {
  EXPECT_EQ(dns_label("Redis_Server..x"), "redis-server-x");
  EXPECT_EQ(dns_label("/"), "enclave");
  EXPECT_EQ(dns_label(std::string(39, 'a') + "-b"), std::string(39, 'a'));
}

TEST(Deploy, KubernetesAsksForExactlyTheMemoryOfTheEnclave) {
  Deployment d = redis();
  EXPECT_NE(kubernetes_manifests(d, "").find("sgx.intel.com/epc: \"512Mi\"\n"), std::string::npos);
  d.enclave_size = (512U << 20U) + 4096U;
  EXPECT_NE(kubernetes_manifests(d, "").find("sgx.intel.com/epc: \"524292Ki\"\n"),
            std::string::npos);
}

TEST(Deploy, AdmissionRuleKnowsDockerHubByTheControllersName) {
  Deployment d = redis();
  d.repository = "docker.io/library/redis";
  const std::string text = kubernetes_manifests(d, "-----BEGIN PUBLIC KEY-----\nAA==\n");
  EXPECT_NE(text.find("glob: \"index.docker.io/library/redis:*\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("predicateType: \"urn:cloister:enclave-measurement:v1\"\n"),
            std::string::npos);
  EXPECT_NE(text.find("data: \"-----BEGIN PUBLIC KEY-----\\u000aAA==\\u000a\"\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(kubernetes_manifests(d, "").find("ClusterImagePolicy"), std::string::npos);
}

}  // namespace
}  // namespace cloister::cmd
