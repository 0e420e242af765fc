// Azure: policies as values, hashes as they are given, and no name that leaves its string.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/json.h"
#include "cmd/deploy/azure.h"
#include "tests/cmd/deploy_cloud_image.h"

namespace cloister::cmd {
namespace {

using test::cloud_redis;
using test::kHostile;

AzureAciOptions two_layers() {
  AzureAciOptions out;
  out.layer_hashes = {std::string(64, '1'), std::string(64, '2')};
  return out;
}

// What stands behind `name := ` in a policy; it is JSON.
Json value_in(const std::string& policy, const std::string& name) {
  const std::string head = cat("\n", name, " := ");
  const std::size_t from = policy.find(head);
  EXPECT_NE(from, std::string::npos) << name;
  if (from == std::string::npos) return {};
  const std::size_t begin = from + head.size();
  return Json::parse(policy.substr(begin, policy.find("\n\n", begin) - begin), nullptr, false);
}

Json workload_in(const std::string& policy) {
  return value_in(policy, "containers")[0];
}

const DeployFile& file_in(const DeployFiles& files, std::string_view name) {
  static const DeployFile none;
  for (const DeployFile& file : files.files)
    if (file.name == name) return file;
  ADD_FAILURE() << "no file " << name;
  return none;
}

Deployment enclave() {
  Deployment out;
  out.image = cat("reg.example/redis:7-sgx@sha256:", std::string(64, 'a'));
  out.repository = "reg.example/redis";
  out.name = "redis";
  out.enclave_size = 512U << 20U;
  out.attested = out.sigterm = true;
  out.sigstruct.mrenclave = sha256("enclave");
  out.sigstruct.isvprodid = 7;
  out.sigstruct.isvsvn = 3;
  return out;
}

TEST(CcePolicy, SaysWhatRunsAndNoMore) {
  const std::string policy = cce_policy(cloud_redis(), two_layers());
  EXPECT_TRUE(policy.starts_with("package policy\n\n"));
  const Json container = workload_in(policy);
  EXPECT_EQ(container["command"], Json({"redis-server", "/etc/redis.conf"}));
  EXPECT_EQ(container["layers"], Json({std::string(64, '1'), std::string(64, '2')}));
  EXPECT_EQ(container["exec_processes"], Json::array());
  EXPECT_EQ(container["allow_elevated"], false);
  EXPECT_EQ(container["no_new_privileges"], true);
  EXPECT_EQ(container["allow_stdio_access"], false);
  EXPECT_EQ(container["signals"], Json({9, 15}));
  EXPECT_EQ(container["working_dir"], "/data");
  EXPECT_EQ(container["user"]["user_idname"], Json({{"pattern", "999"}, {"strategy", "id"}}));
  for (const char* set : {"bounding", "effective", "inheritable", "permitted", "ambient"})
    EXPECT_EQ(container["capabilities"][set], Json::array()) << set;
  // Texts, never patterns, and each must come.
  ASSERT_EQ(container["env_rules"].size(), 2U);
  EXPECT_EQ(container["env_rules"][1],
            Json({{"pattern", "TZ=UTC"}, {"strategy", "string"}, {"required", true}}));
  ASSERT_EQ(container["mounts"].size(), 2U);
  EXPECT_EQ(container["mounts"][0]["destination"], "/data");
  EXPECT_EQ(container["mounts"][1]["destination"], "/etc/resolv.conf");
  EXPECT_EQ(value_in(policy, "fragments")[0]["minimum_svn"], "4");
  ASSERT_EQ(value_in(policy, "containers").size(), 2U);
  EXPECT_EQ(value_in(policy, "containers")[1]["command"], Json({"/pause"}));
}

TEST(CcePolicy, HostileTextIsAsciiAndComesBackAsItWas) {
  CloudImage image = cloud_redis();
  image.command = {kHostile};
  image.env = {{"PATH", kHostile}};
  image.workdir = image.volumes[0] = cat("/", kHostile);
  image.user = kHostile;
  const std::string policy = cce_policy(image, two_layers());
  for (const char c : policy) ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << policy;
  const Json container = workload_in(policy);
  EXPECT_EQ(container["command"][0], kHostile);
  EXPECT_EQ(container["env_rules"][0]["pattern"], cat("PATH=", kHostile));
  EXPECT_EQ(container["mounts"][0]["destination"], cat("/", kHostile));
  // No line more than without: a variable less is five lines, a word less one.
  EXPECT_EQ(split(policy, '\n').size() + 6,
            split(cce_policy(cloud_redis(), two_layers()), '\n').size());
}

TEST(CcePolicy, UsersAreThoseOfTheImage) {
  const auto user_of = [](const char* user) {
    CloudImage image = cloud_redis();
    image.user = user;
    return workload_in(cce_policy(image, two_layers()))["user"]["user_idname"].dump();
  };
  EXPECT_EQ(user_of(""), R"({"pattern":"0","strategy":"id"})");
  EXPECT_EQ(user_of("10:20"), R"({"pattern":"10","strategy":"id"})");
  EXPECT_EQ(user_of("redis:redis"), R"({"pattern":"redis","strategy":"name"})");
}

TEST(CcePolicy, CapabilitiesAreAskedForOrNeededByAPort) {
  CloudImage image = cloud_redis();
  image.user = "";
  EXPECT_TRUE(aci_capabilities(image, two_layers()).allowed.empty());
  image.ports = {{80, "tcp"}};
  AzureAciOptions options = two_layers();
  options.capabilities = {"CAP_SETUID"};
  EXPECT_EQ(aci_capabilities(image, options).allowed,
            (std::vector<std::string>{"CAP_NET_BIND_SERVICE", "CAP_SETUID"}));
  EXPECT_EQ(aci_capabilities(image, options).dropped.size(), 12U);
  image.user = "www-data";  // who is not root has none to use
  EXPECT_EQ(aci_capabilities(image, options).allowed, std::vector<std::string>{"CAP_SETUID"});
  EXPECT_EQ(workload_in(cce_policy(image, options))["capabilities"]["effective"],
            Json({"CAP_SETUID"}));
}

TEST(CcePolicy, StopSignals) {
  EXPECT_EQ(signal_of(""), 15);
  EXPECT_EQ(signal_of("SIGQUIT"), 3);
  EXPECT_EQ(signal_of("USR1"), 10);
  EXPECT_EQ(signal_of("37"), 37);
  EXPECT_EQ(signal_of("99999999999999999999"), 15);
  CloudImage image = cloud_redis();
  image.stop_signal = "SIGKILL";
  EXPECT_EQ(workload_in(cce_policy(image, two_layers()))["signals"], Json({9}));
}

TEST(AciGroup, HostDataIsTheHashOfThePolicyEverywhere) {
  const DeployFiles files = azure_aci_files(cloud_redis(), two_layers());
  const std::string& policy = file_in(files, "policy.rego").text;
  const std::string host_data = sha256(policy).hex();
  EXPECT_EQ(files.notes.front(), "HOST_DATA " + host_data);
  const Json group = Json::parse(file_in(files, "deployment.json").text, nullptr, false);
  const Json& properties = group["resources"][0]["properties"];
  const auto decoded =
      unbase64(properties["confidentialComputeProperties"]["ccePolicy"].get<std::string>());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(as_text(*decoded), policy);
  EXPECT_EQ(properties["sku"], "Confidential");
  const Json& container = properties["containers"][0]["properties"];
  EXPECT_EQ(container["image"], cloud_redis().reference);
  EXPECT_EQ(container["securityContext"]["allowPrivilegeEscalation"], false);
  EXPECT_EQ(container["securityContext"]["capabilities"]["drop"].size(), 14U);
  EXPECT_EQ(container["volumeMounts"][0]["mountPath"], "/data");
  EXPECT_EQ(properties["volumes"][0]["emptyDir"], Json::object());
  const Json release = Json::parse(file_in(files, "key-release-policy.json").text, nullptr, false);
  EXPECT_EQ(release["anyOf"][0]["allOf"][3],
            Json({{"claim", "x-ms-sevsnpvm-hostdata"}, {"equals", host_data}}));
}

TEST(AciGroup, WithoutPortsNothingIsReachable) {
  CloudImage image = cloud_redis();
  image.ports = {{1, "sctp"}};
  const DeployFiles files = azure_aci_files(image, two_layers());
  const Json group = Json::parse(file_in(files, "deployment.json").text, nullptr, false);
  EXPECT_FALSE(group["resources"][0]["properties"].contains("ipAddress"));
  EXPECT_FALSE(group["parameters"].contains("subnetId"));
  EXPECT_EQ(file_in(files, "deploy.sh").text.find("SUBNET_ID"), std::string::npos);
}

TEST(LayerHashes, OneALineAsTheToolsPrintThem) {
  const std::string a(64, 'a'), b(64, 'b');
  const Limits limits;
  EXPECT_EQ(*parse_layer_hashes(a + "\n" + b + "\n", 2, limits), (std::vector<std::string>{a, b}));
  EXPECT_EQ(
      *parse_layer_hashes(cat("Layer 0 root hash: ", a, "\nLayer 1 root hash: ", b), 2, limits),
      (std::vector<std::string>{a, b}));
}

TEST(LayerHashes, AnythingElseIsRefused) {
  const std::string a(64, 'a');
  const Limits limits;
  for (const std::string& text :
       {std::string(), cat(a, "\n"), cat(a, "\n\n", a), cat(a, "\n", std::string(63, 'a')),
        cat(a, "\n", std::string(64, 'A')), cat(a, "\r\n", a, "\r\n"), cat(a, " \n", a),
        cat("Layer 1 root hash: ", a, "\nLayer 0 root hash: ", a), cat(a, "\n", a, "\n", a),
        cat(a, "\n", a, "\n\n"), cat("sha256:", a, "\n", a), cat(a, "\n", std::string(64, '\0'))}) {
    const auto hashes = parse_layer_hashes(text, 2, limits);
    ASSERT_FALSE(hashes.has_value()) << text;
    EXPECT_EQ(hashes.error().code(), Code::invalid) << text;
    EXPECT_FALSE(hashes.error().hint().empty());
  }
  Limits few;
  few.layers = 1;
  EXPECT_EQ(parse_layer_hashes(a + "\n" + a, 2, few).error().code(), Code::limit);
}

TEST(AciCapability, NamesAreThoseThatAContainerCanHave) {
  for (const char* text : {"chown", "CHOWN", "cap_chown", "CAP_CHOWN"})
    EXPECT_EQ(*parse_aci_capability(text), "CAP_CHOWN") << text;
  for (const char* text : {"", "CAP_SYS_ADMIN", "ALL", "CAP_CHOWN\n"})
    EXPECT_EQ(parse_aci_capability(text).error().code(), Code::usage) << text;
}

TEST(AzureSgx, BothPoliciesNameTheEnclave) {
  const Deployment d = enclave();
  EXPECT_EQ(sgx_attestation_policy(d.sigstruct),
            "version= 1.0;\nauthorizationrules\n{\n"
            "  [ type==\"x-ms-sgx-is-debuggable\", value==false ]\n"
            "  && [ type==\"x-ms-sgx-mrenclave\", value==\"" +
                d.sigstruct.mrenclave.hex() +
                "\" ]\n"
                "  && [ type==\"x-ms-sgx-mrsigner\", value==\"" +
                d.sigstruct.mrsigner().hex() +
                "\" ]\n"
                "  && [ type==\"x-ms-sgx-product-id\", value==7 ]\n"
                "  && [ type==\"x-ms-sgx-svn\", value>=3 ]\n"
                "  => permit();\n};\n");
  const Json release = Json::parse(
      sgx_release_policy(d.sigstruct, "https://mine.eus.attest.azure.net"), nullptr, false);
  EXPECT_EQ(release["anyOf"][0]["authority"], "https://mine.eus.attest.azure.net");
  const Json& claims = release["anyOf"][0]["allOf"];
  EXPECT_EQ(claims[1], Json({{"claim", "x-ms-sgx-is-debuggable"}, {"equals", false}}));
  EXPECT_EQ(claims[2]["equals"], d.sigstruct.mrenclave.hex());
  EXPECT_EQ(claims[5], Json({{"claim", "x-ms-sgx-svn"}, {"greaterOrEquals", 3}}));
}

TEST(AzureSgx, MachinesFitTheEnclave) {
  EXPECT_EQ(sgx_machine_size(512U << 20U), "Standard_DC1s_v3");
  EXPECT_EQ(sgx_machine_size(4ULL << 30U), "Standard_DC1s_v3");
  EXPECT_EQ(sgx_machine_size((4ULL << 30U) + 1), "Standard_DC2s_v3");
  EXPECT_EQ(sgx_machine_size(256ULL << 30U), "Standard_DC48s_v3");
  EXPECT_EQ(sgx_machine_size((256ULL << 30U) + 1), "");
}

TEST(AzureSgx, AksGivesTheMemoryAndTheSocketOfTheNode) {
  AzureSgxOptions options;
  options.public_key = "-----BEGIN PUBLIC KEY-----\nAA==\n";
  const auto files = azure_sgx_files(enclave(), options);
  ASSERT_TRUE(files.has_value());
  const std::string& workload = file_in(*files, "workload.yaml").text;
  EXPECT_NE(workload.find("sgx.intel.com/epc: \"512Mi\"\n"), std::string::npos) << workload;
  EXPECT_EQ(workload.find("sgx.intel.com/provision"), std::string::npos);
  EXPECT_EQ(workload.find("quote-provider"), std::string::npos);
  EXPECT_NE(workload.find("path: \"/var/run/aesmd\"\n"), std::string::npos);
  EXPECT_NE(workload.find("ClusterImagePolicy"), std::string::npos);
  EXPECT_NE(file_in(*files, "create-cluster.sh").text.find("--enable-sgxquotehelper"),
            std::string::npos);
  Deployment unattested = enclave();
  unattested.attested = false;
  const auto without = azure_sgx_files(unattested, {});
  ASSERT_TRUE(without.has_value());
  EXPECT_EQ(file_in(*without, "workload.yaml").text.find("aesmd"), std::string::npos);
}

TEST(AzureSgx, AMachineRunsDocker) {
  AzureSgxOptions options;
  options.service = AzureSgx::vm;
  const auto files = azure_sgx_files(enclave(), options);
  ASSERT_TRUE(files.has_value());
  EXPECT_NE(file_in(*files, "run.sh").text.find("docker run --detach --name redis"),
            std::string::npos);
  EXPECT_NE(file_in(*files, "create-machine.sh").text.find("${SIZE:-Standard_DC1s_v3}"),
            std::string::npos);
}

TEST(AzureSgx, DebugEnclavesAndTooLargeOnesAreSaid) {
  Deployment d = enclave();
  d.sigstruct.flags |= 2U;
  d.enclave_size = 512ULL << 30U;
  const auto files = azure_sgx_files(d, {});
  ASSERT_TRUE(files.has_value());
  const std::string notes = join(files->notes, "\n");
  EXPECT_NE(notes.find("release nothing to a debug enclave"), std::string::npos) << notes;
  EXPECT_NE(notes.find("no DCsv3 machine has the enclave's 512.0 GiB"), std::string::npos) << notes;
}

TEST(AttestationProvider, IsAnHttpsHost) {
  EXPECT_TRUE(check_attestation_provider(kAzureAttestation).has_value());
  for (const char* url : {"", "http://a.attest.azure.net", "https://", "https://host",
                          "https://a.net/path", "https://a.net\"", "https://a.net\n"})
    EXPECT_EQ(check_attestation_provider(url).error().code(), Code::usage) << url;
}

// --- What an image says of itself ---------------------------------------------------------------

Result<CloudImage> image_with(const oci::ExecutionConfig& config,
                              const char* architecture = "amd64") {
  oci::ImageRef ref;
  ref.registry = *oci::parse_registry_ref("reg.example:5000/team/my_app:1.4");
  oci::Image image;
  image.manifest_descriptor.digest = sha256("manifest");
  image.config.os = "linux";
  image.config.architecture = architecture;
  image.config.config = config;
  image.manifest.layers.resize(3);
  return cloud_image_of(ref, image);
}

TEST(CloudImage, ReadsTheConfigurationAndPinsByDigestAlone) {
  oci::ExecutionConfig config;
  config.entrypoint = {"/entry"};
  config.cmd = {"serve"};
  config.env = {"A=1", "B==", "A=2", "=x", "novalue"};
  config.volumes = {"/data", "relative", "/"};
  config.exposed_ports = {"53/udp", "x"};
  const auto image = image_with(config);
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(image->reference, cat("reg.example:5000/team/my_app@", sha256("manifest").str()));
  EXPECT_EQ(image->name, "my-app");
  EXPECT_EQ(image->command, (std::vector<std::string>{"/entry", "serve"}));
  EXPECT_EQ(image->env, (std::vector<std::pair<std::string, std::string>>{{"A", "2"}, {"B", "="}}));
  EXPECT_EQ(image->workdir, "/");
  EXPECT_EQ(image->volumes, std::vector<std::string>{"/data"});
  EXPECT_EQ(image->problems.size(), 5U);
  EXPECT_EQ(image->layers, 3U);
  EXPECT_TRUE(runs_as_root(*image));
}

TEST(CloudImage, RefusesWhatNothingWouldStart) {
  oci::ExecutionConfig config;
  EXPECT_EQ(image_with(config).error().code(), Code::invalid);
  config.cmd = {"x"};
  EXPECT_TRUE(image_with(config).has_value());
  EXPECT_EQ(image_with(config, "arm64").error().code(), Code::unsupported);
  config.env = {std::string("A=\0", 3)};
  EXPECT_EQ(image_with(config).error().code(), Code::unsupported);
}

}  // namespace
}  // namespace cloister::cmd
