// What runs an image, from values: structure that no name can change, and texts as people get them.
#include <gtest/gtest.h>

#include "base/text.h"
#include "cmd/deploy/deployment.h"
#include "cmd/deploy/yaml.h"

namespace cloister::cmd {
namespace {

// Everything that quoting, YAML of either version, compose and a terminal could trip over.
constexpr const char* kNasty =
    "/a\"b'c\\d: #e\n- f\t${HOME}`id`\x1b[31m\xc2\x85\xe2\x80\xae,\xf0\x9f\x94\x92";

Deployment redis() {
  Deployment out;
  out.image = cat("reg.example/redis:7-sgx@sha256:", std::string(64, 'a'));
  out.repository = "reg.example/redis";
  out.name = "redis";
  out.enclave_size = 512U << 20U;
  out.attested = out.sigterm = true;
  out.ports = {{6379, "tcp"}};
  return out;
}

// What the image of a manifest, and of a configuration, needs.
Deployment needs_of(const std::string& manifest, const oci::ExecutionConfig& config) {
  oci::ImageRef ref;
  ref.registry = *oci::parse_registry_ref("reg.example/team/my_app:1");
  oci::Image image;
  image.config.config = config;
  EnclaveImage enclave;
  const auto bytes = as_bytes(manifest);
  enclave.manifest.assign(bytes.begin(), bytes.end());
  auto made = deployment_of(ref, image, enclave, nullptr, Limits());
  EXPECT_TRUE(made.has_value());
  return made.has_value() ? std::move(*made) : Deployment();
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
            "key: \"/a\\\"b'c\\\\d: #e\\n- f\\t${HOME}`id`\\u001b[31m\\u0085\\u202e,"
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
  for (const std::string& text :
       {*docker_command(d), compose_file(d), kubernetes_manifests(d, "")}) {
    EXPECT_EQ(text.find("provision"), std::string::npos) << text;
    EXPECT_EQ(text.find("aesmd"), std::string::npos) << text;
    EXPECT_NE(text.find("# built without remote attestation: nobody can verify it\n"),
              std::string::npos)
        << text;
  }
}

TEST(Deploy, AUserOtherThanRootGetsTheGroupsOfTheDevices) {
  Deployment d = redis();
  d.uid = 999;
  d.gid = 998;
  EXPECT_NE(docker_command(d)->find("--group-add \"$(stat -c %g /dev/sgx_provision)\""),
            std::string::npos);
  EXPECT_NE(compose_file(d).find("\"${SGX_GID:?"), std::string::npos);
  EXPECT_NE(kubernetes_manifests(d, "").find("runAsUser: 999\n        runAsGroup: 998\n"),
            std::string::npos);
}

TEST(Deploy, WhoCouldNotWriteIsHelpedOrTold) {
  Deployment d = redis();
  d.places = {{"/data", true, false, 0}};
  EXPECT_EQ(docker_command(d)->find("DAC_OVERRIDE"), std::string::npos);
  d.places[0].owner = 999;
  for (const std::string& text : {*docker_command(d), compose_file(d), kubernetes_manifests(d, "")})
    EXPECT_NE(text.find("DAC_OVERRIDE"), std::string::npos) << text;
  d.uid = d.gid = 999;
  EXPECT_EQ(deployment_notes(d), std::vector<std::string>());
  EXPECT_NE(kubernetes_manifests(d, "").find("fsGroup: 999\n"), std::string::npos);
  d.uid = 100;
  EXPECT_EQ(deployment_notes(d).size(), 1U);
}

TEST(Deploy, OnlySigtermReachesTheProgram) {
  Deployment d = redis();
  d.stop_signal = "SIGQUIT";
  EXPECT_NE(docker_command(d)->find("--stop-signal SIGTERM"), std::string::npos);
  EXPECT_NE(compose_file(d).find("stop_signal: \"SIGTERM\""), std::string::npos);
  EXPECT_NE(kubernetes_manifests(d, "").find("sends the image's SIGQUIT"), std::string::npos);
  d.sigterm = false;
  EXPECT_EQ(docker_command(d)->find("--stop-signal"), std::string::npos);
}

TEST(Deploy, LowPortsNeedNoCapability) {
  Deployment d = redis();
  d.ports = {{80, "tcp"}, {53, "udp"}};
  EXPECT_NE(docker_command(d)->find("--publish 127.0.0.1:53:53/udp"), std::string::npos);
  const std::string text = kubernetes_manifests(d, "");
  EXPECT_NE(text.find("net.ipv4.ip_unprivileged_port_start"), std::string::npos) << text;
  EXPECT_EQ(text.find("NET_BIND_SERVICE"), std::string::npos);
}

TEST(Deploy, HostileWordsStayWords) {
  Deployment d = redis();
  d.places = {{"/it's, \"here\" $(id)", true, false, 0}};
  d.environment = {"A B;id"};
  const std::string docker = *docker_command(d);
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
  d.places = {{kNasty, false, false, 0}};
  ASSERT_FALSE(docker_command(d).has_value());
  EXPECT_EQ(docker_command(d).error().code(), Code::unsupported);
  for (const std::string& text : {compose_file(d), kubernetes_manifests(d, "")})
    for (const char c : text)
      ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
}

TEST(Deploy, EachVolumeHasANameOfItsOwn) {
  Deployment d = redis();
  d.places = {{"/a b", true, false, 0}, {"/a/b", true, false, 0}, {"/a_b", false, true, 0}};
  EXPECT_EQ(volume_names(d), (std::vector<std::string>{"redis-a-b", "redis-a-b-2", ""}));
  EXPECT_NE(docker_command(d)->find("# the enclave uses the file '/a_b' of the host"),
            std::string::npos);
}

TEST(Deploy, ReadsWhatTheManifestAndTheConfigurationSay) {
  oci::ExecutionConfig config;
  config.user = "999";
  config.working_dir = "/srv";
  config.exposed_ports = {"53/udp", "8080", "0/tcp", "70000/tcp", "1-9/tcp", "80/x\n"};
  const Deployment d = needs_of(R"(
sgx.enclave_size = "1G"
sgx.edmm_enable = true
sgx.remote_attestation = "dcap"
sys.enable_sigterm_injection = true
loader.env.TZ = { passthrough = true }
loader.env."A=B" = { passthrough = true }
loader.env.HOME = "/root"
fs.mounts = [
  { type = "tmpfs", path = "/tmp" },
  { type = "encrypted", path = "/data", uri = "file:/data/", key_name = "_sgx_mrsigner" },
  { type = "encrypted", path = "/state", uri = "file:state", key_name = "k" },
]
sgx.allowed_files = ["file:/data/log", "file:/var/log/", "file:/etc/hosts", "file:/dev/tty"]
)",
                                config);
  EXPECT_EQ(d.name, "my-app");
  EXPECT_EQ(d.enclave_size, 1U << 30U);
  EXPECT_TRUE(d.edmm && d.attested && d.sigterm && !d.host_arguments);
  EXPECT_EQ(d.uid, 999U);
  ASSERT_EQ(d.ports.size(), 2U);
  EXPECT_EQ(d.ports[0].protocol + d.ports[1].protocol, "udptcp");
  EXPECT_EQ(d.problems.size(), 4U);
  EXPECT_EQ(d.environment, std::vector<std::string>{"TZ"});
  // What is within the enclave (tmpfs), made by the container runtime, or in another place already
  // needs none.
  ASSERT_EQ(d.places.size(), 3U);
  EXPECT_EQ(d.places[0].path + d.places[1].path + d.places[2].path, "/data/srv/state/var/log");
  EXPECT_TRUE(d.places[1].encrypted && !d.places[2].encrypted);
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
  EXPECT_NE(text.find("data: \"-----BEGIN PUBLIC KEY-----\\nAA==\\n\"\n"), std::string::npos)
      << text;
  EXPECT_EQ(kubernetes_manifests(d, "").find("ClusterImagePolicy"), std::string::npos);
}

}  // namespace
}  // namespace cloister::cmd
