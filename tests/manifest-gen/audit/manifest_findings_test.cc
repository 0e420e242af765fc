// Every rule about a manifest: one that breaks it, and the nearest one that does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

// In the form that Gramine's loader takes, without a finding.
constexpr std::string_view kClean =
    "libos.entrypoint = '/app/main'\n"
    "loader.entrypoint.uri = 'file:/gramine/libsysdb.so'\n"
    "loader.entrypoint.sha256 = "
    "'0000000000000000000000000000000000000000000000000000000000000000'\n"
    "fs.root = { type = 'chroot', uri = 'file:/' }\n"
    "fs.start_dir = '/'\n";
constexpr std::string_view kVersion = "sgx.isvsvn = 1\n";
constexpr std::string_view kMounts = "fs.mounts = []\n";
constexpr std::string_view kArguments = "loader.argv = ['main']\n";
constexpr std::string_view kEnclave = "sgx.enclave_size = '256M'\n";
constexpr std::string_view kThreads = "sgx.max_threads = 8\n";
constexpr std::string_view kAttestation = "sgx.remote_attestation = 'dcap'\n";
constexpr std::string_view kTrusted =
    "sgx.trusted_files = [ { uri = 'file:/app/main', sha256 = "
    "'1111111111111111111111111111111111111111111111111111111111111111' } ]\n";

// kClean with what `more` says in place of its own lines.
std::string manifest_with(std::string_view more) {
  std::string out(kClean);
  for (const std::string_view line :
       {kVersion, kMounts, kArguments, kEnclave, kThreads, kAttestation, kTrusted}) {
    const std::string_view key = line.substr(0, line.find(' '));
    bool replaced = false;
    for (const std::string_view own : split(more, '\n'))
      replaced = replaced || own.starts_with(cat(key, " ")) || own.starts_with(cat("-", key));
    if (!replaced) out += line;
  }
  for (const std::string_view own : split(more, '\n'))
    if (!own.starts_with('-')) out += cat(own, "\n");
  return out;
}

std::vector<Finding> all_findings(std::string_view more) {
  const std::string text = manifest_with(more);
  auto table = parse_toml(text, Limits{}, "manifest");
  if (!table) {
    ADD_FAILURE() << table.error().what() << "\n" << text;
    return {};
  }
  const EnclaveManifest manifest{std::move(*table)};
  std::vector<Finding> out = manifest_findings(manifest, nullptr);
  for (Finding& finding : refusal_findings(manifest)) out.push_back(std::move(finding));
  for (Finding& finding : granted_findings(manifest, nullptr)) out.push_back(std::move(finding));
  return out;
}

std::string described(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& f : findings)
    out += cat(f.id, " ", severity_name(f.severity), " ", f.where, ": ", f.evidence, "\n");
  return out;
}

struct RuleCase {
  std::string_view id;
  Severity severity;
  std::string_view bad, good;
};

constexpr Severity kCritical = Severity::critical, kHigh = Severity::high,
                   kMedium = Severity::medium, kLow = Severity::low, kInfo = Severity::info;
constexpr std::string_view kEncrypted =
    "fs.mounts = [{ type = 'encrypted', path = '/data', uri = 'file:/data', key_name = ";

const RuleCase kCases[] = {
    {kRuleDebug, kCritical, "sgx.debug = true", "sgx.debug = false"},
    {kRuleNoAttestation, kMedium, "-sgx.remote_attestation", ""},
    {kRuleNoAttestation, kMedium, "sgx.remote_attestation = 'none'", ""},
    {kRuleNoAttestation, kHigh,
     "sgx.remote_attestation = 'none'\nloader.env.SECRET_PROVISION_SERVERS = 'a:1'", ""},
    {kRuleAllowedFile, kMedium, "sgx.allowed_files = ['file:/data/db']", "sgx.allowed_files = []"},
    {kRuleAllowedFile, kHigh, "sgx.allowed_files = ['file:/etc/app.conf']", ""},
    {kRuleAllowedCode, kCritical, "sgx.allowed_files = ['file:/usr/lib/x.so']",
     "sgx.allowed_files = ['file:/usr/share/data']"},
    {kRuleAllowedCode, kCritical, "sgx.allowed_files = ['file:/etc']", ""},
    {kRuleAllowedCode, kCritical, "sgx.allowed_files = ['file:/srv/plugin.py']", ""},
    {kRuleAllowedTrusted, kCritical, "sgx.allowed_files = ['file:/app']",
     "sgx.allowed_files = ['file:/ap']"},
    {kRuleAllowedTrusted, kCritical, "sgx.allowed_files = ['file:/']", ""},
    {kRulePassthroughCode, kCritical, "loader.env.LD_PRELOAD = { passthrough = true }",
     "loader.env.LD_PRELOAD = '/x.so'"},
    {kRulePassthroughCode, kHigh, "loader.env.HOME = { passthrough = true }", ""},
    {kRulePassthrough, kMedium, "loader.env.TOKEN = { passthrough = true }",
     "loader.env.TOKEN = { value = 'x' }"},
    {kRulePassthrough, kInfo, "loader.env.EDG_MARBLE_TYPE = { passthrough = true }", ""},
    {kRuleHostArguments, kHigh, "-loader.argv\nloader.insecure__use_cmdline_argv = true",
     "loader.insecure__use_cmdline_argv = false"},
    {kRuleHostEnvironment, kCritical, "loader.insecure__use_host_env = true",
     "loader.insecure__use_host_env = false"},
    {kRuleLooseFiles, kCritical, "sgx.file_check_policy = 'allow_all_but_log'",
     "sgx.file_check_policy = 'strict'"},
    {kRuleContainerLog, kInfo, "sgx.allowed_files = ['file:/var/log/nginx/access.log']",
     "sgx.allowed_files = ['file:/var/lib/x']"},
    {kRulePublicKey, kCritical, "fs.insecure__keys.default = 'ffeeddccbbaa99887766554433221100'",
     ""},
    {kRuleRpcThreads, kHigh, "sgx.insecure__rpc_thread_num = 4",
     "sgx.insecure__rpc_thread_num = 0"},
    {kRuleMemoryFaults, kHigh, "sgx.insecure__allow_memfaults_without_exinfo = true",
     "sgx.insecure__allow_memfaults_without_exinfo = false"},
    {kRuleProfiling, kHigh, "sgx.profile.enable = 'main'\nsgx.debug = true",
     "sgx.profile.enable = 'none'"},
    {kRuleProfiling, kHigh, "sgx.enable_stats = true\nsgx.debug = true",
     "sgx.enable_stats = false"},
    {kRuleProfiling, kHigh, "sgx.vtune_profile = true", "sgx.vtune_profile = false"},
    {kRuleMockCalls, kHigh, "sys.debug__mock_syscalls = [{ name = 'getrandom', return = 0 }]",
     "sys.debug__mock_syscalls = []"},
    {kRuleMockCalls, kMedium, "sys.debug__mock_syscalls = [{ name = 'mlock', return = 0 }]", ""},
    {kRuleHostDevices, kHigh, "sgx.allowed_files = ['dev:/dev/dri']", ""},
    {kRuleHostDevices, kHigh, "sys.allowed_ioctls = [{ request_code = 1, struct = '' }]",
     "sys.allowed_ioctls = []"},
    {kRuleSharedMount, kHigh,
     "fs.mounts = [{ type = 'untrusted_shm', path = '/shm', uri = 'dev:/dev/shm' }]",
     "fs.mounts = [{ type = 'tmpfs', path = '/shm' }]"},
    {kRuleNameService, kMedium, "sgx.allowed_files = ['file:/etc/passwd']", ""},
    {kRuleNoAslr, kMedium, "loader.insecure__disable_aslr = true",
     "loader.insecure__disable_aslr = false"},
    {kRuleEventfd, kMedium, "sys.insecure__allow_eventfd = true",
     "sys.insecure__allow_eventfd = false"},
    {kRuleFlock, kLow, "sys.experimental__enable_flock = true",
     "sys.experimental__enable_flock = false"},
    {kRuleLogging, kMedium, "loader.log_level = 'debug'", "loader.log_level = 'error'"},
    {kRuleLogging, kLow, "loader.log_level = 'warning'", ""},
    {kRuleLogging, kLow, "loader.log_file = 'log'", ""},
    {kRuleNoVersion, kLow, "sgx.isvprodid = 0\n-sgx.isvsvn", "sgx.isvprodid = 1"},
    {kRuleSealMask, kMedium, "sgx.seal_key.xfrm_mask = '0xfffffffffff9ff00'",
     "sgx.seal_key.xfrm_mask = '0xfffffffffff9ff1b'"},
    {kRuleSealMask, kCritical, "sgx.seal_key.flags_mask = '0xfffffffffffffffd'", ""},
    {kRuleCpuFeatures, kInfo, "sgx.cpu_features.avx512 = 'disabled'",
     "sgx.cpu_features.avx512 = 'unspecified'"},
    {kRuleExceptionInfo, kInfo, "sgx.use_exinfo = true", "sgx.use_exinfo = false"},
    {kRulePointerChecks, kLow, "libos.check_invalid_pointers = false",
     "libos.check_invalid_pointers = true"},
    {kRuleSigterm, kInfo, "sys.enable_sigterm_injection = true",
     "sys.enable_sigterm_injection = false"},
    {kRuleHostNames, kInfo, "sys.enable_extra_runtime_domain_names_conf = true",
     "sys.enable_extra_runtime_domain_names_conf = false"},
    {kRuleTrustedDirectory, kMedium, "sgx.trusted_files = ['file:/app/']",
     "sgx.trusted_files = ['file:/app/main']"},
    {kRuleUncheckedSource, kCritical, "-loader.argv\nloader.argv_src_file = 'file:/args'",
     "-loader.argv\nloader.argv_src_file = 'file:/args'\n"
     "sgx.trusted_files = ['file:/args', 'file:/app/main']"},
    {kRuleUncheckedSource, kCritical, "loader.env_src_file = 'file:/env'", ""},
    {kRuleMountOverlap, kHigh,
     "fs.mounts = [{ type = 'encrypted', path = '/a', uri = 'file:/a', key_name = "
     "'_sgx_mrenclave' }, { type = 'encrypted', path = '/a/b', uri = 'file:/b', key_name = "
     "'_sgx_mrenclave' }]",
     "fs.mounts = [{ type = 'encrypted', path = '/a', uri = 'file:/a', key_name = "
     "'_sgx_mrenclave' }, { type = 'encrypted', path = '/ab', uri = 'file:/b', key_name = "
     "'_sgx_mrenclave' }]"},
    {kRuleRefused, kHigh, "sgx.enclave_size = '300M'", "sgx.enclave_size = '512M'"},
    {kRuleRefused, kHigh, "-fs.mounts", ""},
    {kRuleRefused, kHigh, "sgx.max_threads = 5000", ""},
    {kRuleRefused, kHigh, "sgx.edmm_enable = true\nsgx.preheat_enclave = true", ""},
    {kRuleRemovedKey, kHigh, "sgx.thread_num = 4", ""},
    {kRuleRemovedKey, kHigh, "sgx.no_such_key = 4", ""},
    {kRuleEntrypoint, kHigh, "sgx.trusted_files = []", "sgx.trusted_files = ['file:/app/main']"},
    {kRuleThreads, kMedium, "sgx.max_threads = 2", "sgx.max_threads = 2\nsgx.edmm_enable = true"},
    {kRuleStacks, kHigh, "sys.stack.size = '64M'", "sys.stack.size = '2M'"},
    {kRuleSecret, kHigh,
     "sgx.trusted_files = ['file:/app/main', 'file:/etc/ssl/private/server.key']",
     "sgx.trusted_files = ['file:/app/main', 'file:/etc/ssl/certs/server.pem']"},
    {kRuleShell, kLow, "sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/dash']",
     "sgx.trusted_files = ['file:/app/main', 'file:/usr/share/dash']"},
    {kRuleInterpreter, kLow, "sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/perl']",
     "sgx.trusted_files = ['file:/app/main', 'file:/usr/share/perl/x.pm']"},
    {kRulePackageManager, kMedium, "sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/apt']",
     "sgx.trusted_files = ['file:/app/main', 'file:/usr/lib/python3/dist-packages/apt']"},
    {kRuleCompiler, kLow, "sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/gcc-12']",
     "sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/gcore']"},
};

TEST(ManifestFindings, ACleanManifestHasNone) {
  EXPECT_EQ(described(all_findings("")), "");
}

TEST(ManifestFindings, EachRuleFindsWhatItIsForAndNothingElse) {
  for (const RuleCase& c : kCases) {
    const auto bad = all_findings(c.bad), good = all_findings(c.good);
    const auto is = [&](const Finding& f) { return f.id == c.id; };
    const auto found = std::find_if(bad.begin(), bad.end(), is);
    EXPECT_NE(found, bad.end()) << c.id << "\n" << c.bad << "\n" << described(bad);
    if (found != bad.end()) {
      EXPECT_EQ(found->severity, c.severity) << described({*found});
      EXPECT_FALSE(found->where.empty());
      EXPECT_FALSE(found->evidence.empty());
      EXPECT_FALSE(found->fix.empty());
    }
    EXPECT_TRUE(std::none_of(good.begin(), good.end(), is)) << c.id << "\n" << described(good);
  }
}

TEST(ManifestFindings, KeysOfEncryptedMounts) {
  const auto severity_of = [&](std::string_view id, std::string_view more) {
    for (const Finding& finding : all_findings(more))
      if (finding.id == id) return std::string(severity_name(finding.severity));
    return std::string("none");
  };
  const std::string signer = cat(kEncrypted, "'_sgx_mrsigner' }]");
  EXPECT_EQ(severity_of(kRuleSignerKey, signer), "info");
  EXPECT_EQ(severity_of(kRuleEnclaveKey, signer), "none");
  EXPECT_EQ(severity_of(kRuleEnclaveKey, cat(kEncrypted, "'_sgx_mrenclave' }]")), "info");
  const std::string given = cat(kEncrypted, "'mine' }]");
  EXPECT_EQ(severity_of(kRuleUnprovisionedKey, given), "medium");
  EXPECT_EQ(severity_of(kRuleUnprovisionedKey,
                        cat(given, "\nloader.env.SECRET_PROVISION_SERVERS = 'a:1'")),
            "none");
  EXPECT_EQ(severity_of(kRuleUnprovisionedKey, signer), "none");
  // Without a product id every product of the signer opens it.
  const std::string text = manifest_with(signer);
  auto table = parse_toml(text, Limits{}, "manifest");
  ASSERT_TRUE(table);
  table->put("sgx.isvsvn", 0);
  const auto found = manifest_findings({*table}, nullptr);
  const auto at = std::find_if(found.begin(), found.end(),
                               [](const Finding& f) { return f.id == kRuleSignerKey; });
  ASSERT_NE(at, found.end());
  EXPECT_EQ(at->severity, Severity::medium);
}

TEST(ManifestFindings, InterpretersRunTheirArguments) {
  const auto severity = [](std::string_view program) {
    auto table = parse_toml(
        cat("libos.entrypoint = '", program, "'\nloader.insecure__use_cmdline_argv = true\n"),
        Limits{}, "manifest");
    for (const Finding& finding : manifest_findings({std::move(*table)}, nullptr))
      if (finding.id == kRuleHostArguments) return finding.severity;
    return Severity::info;
  };
  EXPECT_EQ(severity("/usr/bin/python3.11"), kCritical);
  EXPECT_EQ(severity("/bin/sh"), kCritical);
  EXPECT_EQ(severity("/usr/bin/redis-server"), kHigh);
}

TEST(ManifestFindings, ManyFilesAreSaid) {
  std::string list = "sgx.trusted_files = ['file:/app/main'";
  for (int i = 0; i < 2000; ++i) list += cat(", 'file:/data/", i, "'");
  const auto found = all_findings(list + "]");
  EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                          [](const Finding& f) { return f.id == kRuleManyFiles; }));
}

// What lies behind the paths is known with an image.
TEST(ManifestFindings, AnImageTellsWhatAnAllowedPathHolds) {
  const measure::Rootfs rootfs = test::Tree()
                                     .file("/srv/site/index.html", "<html>")
                                     .script("/srv/plugins/run", "#!/bin/sh\n")
                                     .build();
  const auto severity = [&](std::string_view path) {
    auto table = parse_toml(manifest_with(cat("sgx.allowed_files = ['file:", path, "']")), Limits{},
                            "manifest");
    for (const Finding& finding : manifest_findings({std::move(*table)}, &rootfs))
      if (finding.key == "sgx.allowed_files") return finding.severity;
    return Severity::info;
  };
  EXPECT_EQ(severity("/srv/site"), kMedium);
  EXPECT_EQ(severity("/srv/plugins"), kCritical);
  EXPECT_EQ(severity("/srv"), kCritical);
}

TEST(GrantedFindings, AnImageTellsSecretsAndSetUserId) {
  const measure::Rootfs rootfs = test::Tree()
                                     .file("/usr/bin/su", "\x7f", 04755)
                                     .script("/app/main", "#!/usr/bin/python3\n")
                                     .link("/usr/bin/python3", "python3.11")
                                     .elf("/usr/bin/python3.11", test::program())
                                     .elf("/usr/bin/perl", test::program())
                                     .build();
  auto table = parse_toml(
      manifest_with("sgx.trusted_files = ['file:/app/main', 'file:/usr/bin/su', "
                    "'file:/usr/bin/python3', 'file:/usr/bin/python3.11', 'file:/usr/bin/perl']"),
      Limits{}, "manifest");
  ASSERT_TRUE(table);
  std::set<std::string> found;
  for (const Finding& f : granted_findings({std::move(*table)}, &rootfs))
    found.insert(cat(f.id, " ", f.where));
  // The script's own interpreter is the program.
  EXPECT_EQ(found, (std::set<std::string>{cat(kRuleSetuid, " /usr/bin/su"),
                                          cat(kRuleInterpreter, " /usr/bin/perl")}));
}

Result<std::vector<Finding>> of_image(const measure::Rootfs& rootfs, std::string_view trusted,
                                      std::string_view program = "/app/main") {
  auto table = parse_toml(cat("libos.entrypoint = '", program,
                              "'\nfs.root = { type = 'chroot', uri = 'file:/' }\n"
                              "fs.mounts = []\nsgx.trusted_files = [",
                              trusted, "]\n"),
                          Limits{}, "manifest");
  return image_findings({std::move(*table)}, rootfs, Limits{});
}

std::string ids_of(const Result<std::vector<Finding>>& findings) {
  std::string out;
  if (!findings) return findings.error().what();
  for (const Finding& f : *findings) out += cat(f.id, " ", f.where, "\n");
  return out;
}

TEST(ImageFindings, FilesAndLibrariesThatDoNotFit) {
  const measure::Rootfs rootfs = test::Tree()
                                     .elf("/app/main", test::program({"libx.so"}))
                                     .elf("/opt/lib/libx.so", test::library())
                                     .file("/etc/ld.so.conf", "/opt/lib\n")
                                     .elf("/lib64/ld-linux-x86-64.so.2", test::library())
                                     .file("/etc/app.conf", "a=1\n")
                                     .link("/app/alias", "main")
                                     .build();
  const std::string good =
      "'file:/app/main', 'file:/opt/lib/libx.so', 'file:/lib64/ld-linux-x86-64.so.2'";
  EXPECT_EQ(ids_of(of_image(rootfs, good)), "");
  EXPECT_EQ(ids_of(of_image(rootfs, good + ", 'file:/no/such'")),
            cat(kRuleAbsentFile, " /no/such\n"));
  EXPECT_EQ(ids_of(of_image(rootfs, good + ", { uri = 'file:/etc/app.conf', sha256 = '" +
                                        sha256("a=2\n").hex() + "' }")),
            cat(kRuleChangedFile, " /etc/app.conf\n"));
  EXPECT_EQ(ids_of(of_image(rootfs, good + ", { uri = 'file:/etc/app.conf', sha256 = '" +
                                        sha256("a=1\n").hex() + "' }")),
            "");
  EXPECT_EQ(ids_of(of_image(rootfs, "'file:/app/main', 'file:/lib64/ld-linux-x86-64.so.2'")),
            cat(kRuleLibrary, " /opt/lib/libx.so\n"));
  const measure::Rootfs lacking = test::Tree()
                                      .elf("/app/main", test::program({"libx.so"}))
                                      .elf("/lib64/ld-linux-x86-64.so.2", test::library())
                                      .build();
  EXPECT_EQ(ids_of(of_image(lacking, "'file:/app/main', 'file:/lib64/ld-linux-x86-64.so.2'")),
            cat(kRuleUnresolved, " /app/main\n"));
  EXPECT_EQ(ids_of(of_image(rootfs, good + ", 'file:/app/alias'", "/app/alias")),
            cat(kRuleEntrypointLink, " libos.entrypoint\n"));
}

TEST(ConfigurationFindings, AHealthCheckRunsOutside) {
  oci::ExecutionConfig config;
  EXPECT_TRUE(configuration_findings(config, {}).empty());
  config.has_healthcheck = true;
  ASSERT_EQ(configuration_findings(config, {}).size(), 1U);
  EXPECT_EQ(configuration_findings(config, {}).front().id, kRuleHealthcheck);
}

TEST(ConfigurationFindings, AnotherUserThanTheImages) {
  oci::ExecutionConfig config;
  EnclaveManifest manifest;
  for (const char* root : {"", "root", "0", "0:0"}) {
    config.user = root;
    EXPECT_TRUE(configuration_findings(config, manifest).empty()) << root;
  }
  config.user = "redis:redis";
  ASSERT_EQ(configuration_findings(config, manifest).size(), 1U);
  EXPECT_EQ(configuration_findings(config, manifest).front().id, kRuleUser);
  manifest.table.put("loader.uid", 999);
  EXPECT_TRUE(configuration_findings(config, manifest).empty());
}

// A rule that no test breaks could stop working unnoticed.
TEST(Rules, EachHasATest) {
  // Those of the tests above that are in no table; of marbles, runtimes, closures and what Gramine
  // does not do in the files beside this one, of rehearsals in ../rehearse.
  const std::set<std::string_view> elsewhere = {
      kRuleAdvisory,         kRuleMutableRuntime, kRuleUnknownVersion,   kRuleIncludedSecret,
      kRuleUnresolved,       kRuleWithheld,       kRuleVolumeUnwritable, kRuleTrustWide,
      kRuleTrustNone,        kRuleVolumeLost,     kRuleLogUnwritable,    kRuleMissingOptional,
      kRuleUnknown,          kRuleExcluded,       kRuleSetuid,           kRuleIncluded,
      kRuleManyFiles,        kRuleMeasurement,    kRuleSignerKey,        kRuleUnprovisionedKey,
      kRuleMarblerun,        kRuleUser,           kRuleEnclaveKey,       kRuleLibrary,
      kRuleAbsentFile,       kRuleChangedFile,    kRuleEntrypointLink,   kRuleHealthcheck,
      kRuleRehearsedRefusal, kRuleRehearsedSize,  kRuleRehearsedUnused,  kRuleAbsentCredential};
  for (const Rule& rule : rules()) {
    const bool in_table = std::any_of(std::begin(kCases), std::end(kCases),
                                      [&](const RuleCase& c) { return c.id == rule.id; });
    const bool missing = rule.id.starts_with("CL4") && rule.id != kRuleHealthcheck;
    EXPECT_TRUE(in_table || missing || elsewhere.contains(rule.id)) << rule.id;
    EXPECT_TRUE(rule.meaning.ends_with('.')) << rule.id;
    EXPECT_FALSE(rule.title.empty()) << rule.id;
  }
}

}  // namespace
}  // namespace cloister::manifest
