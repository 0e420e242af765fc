#include <gtest/gtest.h>

#include "base/text.h"
#include "base/toml.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/keys.h"

namespace cloister::manifest {
namespace {

const std::string kHash(64, 'a');

// What the loader accepts; a line given later replaces none, so tests add or cut lines.
std::string final_manifest() {
  return cat(
      "libos.entrypoint = \"/app\"\n"
      "loader.entrypoint.uri = \"file:/gramine/libsysdb.so\"\n"
      "loader.entrypoint.sha256 = \"",
      kHash,
      "\"\n"
      "loader.argv = [\"app\"]\n"
      "loader.env.PATH = \"/bin\"\n"
      "fs.root = { type = \"chroot\", uri = \"file:/\" }\n"
      "fs.mounts = [ { type = \"tmpfs\", path = \"/tmp\" } ]\n"
      "sgx.enclave_size = \"512M\"\n"
      "sgx.max_threads = 8\n"
      "sgx.trusted_files = [ { uri = \"file:/app\", sha256 = \"",
      kHash, "\" } ]\n");
}

EnclaveManifest parse(std::string_view text) {
  auto table = parse_toml(text, Limits(), "test");
  EXPECT_TRUE(table.has_value()) << table.error().what() << "\n" << text;
  return {table.has_value() ? std::move(*table) : TomlTable()};
}

Status check(std::string_view text, Strictness strictness = Strictness::loader) {
  return validate(parse(text), strictness);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string without(std::string_view key) {
  std::string out;
  const std::string text = final_manifest();
  for (std::string_view line : split(text, '\n'))
    if (!line.starts_with(key)) out += std::string(line) + "\n";
  return out;
}

// what + hint of the failure, or "accepted".
std::string said(const Status& status) {
  if (status.has_value()) return "accepted";
  EXPECT_EQ(status.error().code(), Code::invalid);
  return status.error().what() + " | " + status.error().hint();
}

TEST(Keys, EveryKeyOfTheDocumentationIsKnown) {
  for (const char* key :
       {"loader.log_level", "loader.env.LD_LIBRARY_PATH", "fs.insecure__keys.default",
        "sys.ioctl_structs.ifconf", "sgx.seal_key.misc_mask", "fs.mounts"})
    EXPECT_NE(find_key(key), nullptr) << key;
  EXPECT_EQ(find_key("loader.env"), nullptr);
  EXPECT_EQ(find_key("loader.env."), nullptr);
  EXPECT_TRUE(is_key_table("loader.env"));
  EXPECT_TRUE(is_key_table("sgx"));
  EXPECT_FALSE(is_key_table("sg"));
}

TEST(Keys, NearestIsCloseOrNothing) {
  EXPECT_EQ(nearest_key("sgx.enclave_sise"), "sgx.enclave_size");
  EXPECT_EQ(nearest_key("sgx.argv"), "loader.argv");
  EXPECT_EQ(nearest_key("zzz"), std::nullopt);
  EXPECT_EQ(nearest_key(std::string(100000, 'x')), std::nullopt);
}

TEST(Keys, NoKeyIsBothKnownAndRemoved) {
  for (const KeyRule& rule : key_rules())
    EXPECT_EQ(find_removed_key(rule.key), nullptr) << rule.key;
}

TEST(Validate, AcceptsAFinalManifest) {
  const auto status = check(final_manifest());
  EXPECT_TRUE(status.has_value()) << said(status);
  EXPECT_TRUE(check(final_manifest(), Strictness::signer).has_value());
}

TEST(Validate, AcceptsWhatIsRareButRight) {
  for (const std::string& extra : std::vector<std::string>{
           "loader.env.A = { value = \"x\" }", "loader.env.B = { passthrough = true }",
           "loader.env.\"odd.name\" = \"1\"",
           "fs.insecure__keys.default = \"00112233445566778899aabbccddeeff\"",
           "sys.ioctl_structs.x = [ { size = 4, ptr = [] } ]",
           "sys.allowed_ioctls = [ { request_code = 0x8912, struct = \"x\" } ]",
           "sys.debug__mock_syscalls = [ { name = \"eventfd2\", return = -38 }, { name = \"x\" } ]",
           "sgx.seal_key.flags_mask = \"0xFFFFFFFFFFFFFFFF\"",
           "sgx.seal_key.misc_mask = \"0Xffffffff\"", "sys.stack.size = \"2m\"",
           "sgx.allowed_files = [\"file:/log\", \"dev:/dev/x\"]", "loader.uid = 4294967295",
           "sgx.debug = true\nsgx.enable_stats = true", "sgx.profile.enable = \"none\"",
           "sgx.remote_attestation = \"dcap\""}) {
    const auto status = check(final_manifest() + extra + "\n");
    EXPECT_TRUE(status.has_value()) << extra << ": " << said(status);
  }
}

TEST(Validate, UnknownKeysNameTheNearest) {
  EXPECT_NE(said(check(final_manifest() + "sgx.enclavesize = \"1G\"\n"))
                .find("did you mean 'sgx.enclave_size'?"),
            std::string::npos);
  EXPECT_NE(
      said(check(final_manifest() + "loader.argvv = []\n")).find("did you mean 'loader.argv'?"),
      std::string::npos);
  EXPECT_NE(said(check(final_manifest() + "unheard_of = 1\n")).find("unknown manifest key"),
            std::string::npos);
}

TEST(Validate, RemovedKeysNameTheirSuccessor) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"sgx.thread_num = 4", "sgx.max_threads"},
      {"sgx.require_avx512 = true", "sgx.cpu_features.avx512 = \"required\""},
      {"sgx.require_exinfo = true", "sgx.use_exinfo"},
      {"sgx.ra_client_spid = \"\"", "dcap"},
      {"sgx.remote_attestation = \"epid\"", "dcap"},
      {"sgx.remote_attestation = true", "dcap"},
      {"sgx.protected_files = [\"file:x\"]", "encrypted"},
      {"fs.mount.lib.type = \"chroot\"", "fs.mounts"},
      {"loader.preload = \"file:x\"", "loader.entrypoint.uri"},
      {"loader.argv0_override = \"x\"", "loader.argv"},
      {"loader.exec = \"file:x\"", "libos.entrypoint"}};
  for (const auto& [line, successor] : cases) {
    const std::string text = said(check(final_manifest() + line + "\n"));
    EXPECT_NE(text.find(successor), std::string::npos) << line << ": " << text;
  }
  const std::string old = said(check(replaced(without("loader.entrypoint"), "loader.argv",
                                              "loader.entrypoint = \"file:x\"\nloader.argv")));
  EXPECT_NE(old.find("loader.entrypoint.uri and loader.entrypoint.sha256"), std::string::npos)
      << old;
  const std::string files =
      said(check(without("sgx.trusted_files") + "sgx.trusted_files.a = \"file:/x\"\n"));
  EXPECT_NE(files.find("sgx.trusted_files = ["), std::string::npos) << files;
}

TEST(Validate, WrongTypesAndValuesNameTheKey) {
  for (const auto& [line, key] : std::vector<std::pair<std::string, std::string>>{
           {"sgx.debug = 1", "sgx.debug"},
           {"sgx = 1", "sgx"},
           {"sgx.isvprodid = 65536", "sgx.isvprodid"},
           {"sgx.isvsvn = -1", "sgx.isvsvn"},
           {"sgx.isvsvn = \"1\"", "sgx.isvsvn"},
           {"sgx.insecure__rpc_thread_num = 257", "sgx.insecure__rpc_thread_num"},
           {"loader.uid = -1", "loader.uid"},
           {"loader.gid = 4294967296", "loader.gid"},
           {"loader.log_level = \"verbose\"", "loader.log_level"},
           {"loader.env.X = 1", "loader.env.X"},
           {"loader.env.X = { passthrough = false }", "loader.env.X"},
           {"loader.env.X = { passthrough = true, value = \"y\" }", "loader.env.X"},
           {"loader.env.X = {}", "loader.env.X"},
           {"loader.argv_src_file = 3", "loader.argv_src_file"},
           {"sgx.cpu_features.mpx = \"unspecified\"", "sgx.cpu_features.mpx"},
           {"sgx.cpu_features.avx = true", "sgx.cpu_features.avx"},
           {"sgx.seal_key.flags_mask = \"0xff\"", "sgx.seal_key.flags_mask"},
           {"sgx.seal_key.misc_mask = \"0xfffffffg\"", "sgx.seal_key.misc_mask"},
           {"sgx.profile.frequency = 0", "sgx.profile.frequency"},
           {"sys.stack.size = 262144", "sys.stack.size"},
           {"sys.stack.size = \"lots\"", "not a size"},
           {"sgx.allowed_files = \"file:/x\"", "sgx.allowed_files"},
           {"sgx.allowed_files = [1]", "sgx.allowed_files"},
           {"sgx.allowed_files = [\"/x\"]", "sgx.allowed_files"},
           {"sys.allowed_ioctls = [ { struct = \"x\" } ]", "request_code"},
           {"sys.debug__mock_syscalls = [ { name = 1 } ]", "sys.debug__mock_syscalls"},
           {"sgx.file_check_policy = \"lax\"", "sgx.file_check_policy"}}) {
    std::string text = final_manifest();
    if (line == "sgx = 1")
      text = replaced(without("sgx."), "libos", "sgx = 1\nlibos");
    else
      text += line + "\n";
    EXPECT_NE(said(check(text)).find(key), std::string::npos) << line << ": " << said(check(text));
  }
}

// Keys in fs.insecure__keys are secrets, however little: never repeated in a message.
TEST(Validate, NeverShowsAKey) {
  const auto status = check(final_manifest() + "fs.insecure__keys.default = \"secretsecret\"\n");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(said(status).find("secretsecret"), std::string::npos);
  for (const std::string& detail : status.error().details())
    EXPECT_EQ(detail.find("secretsecret"), std::string::npos);
}

TEST(Validate, ChecksMounts) {
  const auto with = [](const std::string& mount) {
    return said(check(replaced(final_manifest(), "{ type = \"tmpfs\", path = \"/tmp\" }", mount)));
  };
  EXPECT_EQ(with("{ path = \"/d\", uri = \"file:/d\" }"), "accepted");
  EXPECT_EQ(with("{ path = \"/d\", uri = \"dev:/dev/d\", type = \"untrusted_shm\" }"), "accepted");
  EXPECT_EQ(with("{ path = \"/d\", uri = \"file:/d\", type = \"encrypted\", key_name = \"k\", "
                 "enable_recovery = true }"),
            "accepted");
  EXPECT_NE(with("{ path = \"/d\" }").find("'uri'"), std::string::npos);
  EXPECT_NE(with("{ uri = \"file:/d\" }").find("'path'"), std::string::npos);
  EXPECT_NE(with("{ path = \"d\", uri = \"file:/d\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/\", uri = \"file:/d\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"/d\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"dev:/d\", type = \"encrypted\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"file:/d\", type = \"untrusted_shm\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"file:/d\", key_name = \"k\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"file:/d\", type = \"nfs\" }"), "accepted");
  EXPECT_NE(with("{ path = \"/d\", uri = \"file:/d\", mode = 1 }"), "accepted");
  EXPECT_NE(with("{ path = 1, uri = \"file:/d\" }"), "accepted");
  EXPECT_NE(with("\"/tmp\""), "accepted");
  const auto encrypted = [&](std::size_t path) {
    return with(cat("{ path = \"/d\", type = \"encrypted\", uri = \"file:", std::string(path, 'x'),
                    "\" }"));
  };
  EXPECT_EQ(encrypted(512), "accepted");
  EXPECT_NE(encrypted(513), "accepted");
}

TEST(Validate, TheLoaderWantsHashedFilesOnly) {
  const auto with = [](const std::string& file, Strictness strictness) {
    return said(
        check(without("sgx.trusted_files") + "sgx.trusted_files = [ " + file + " ]\n", strictness));
  };
  const std::string hash = ", sha256 = \"" + kHash + "\" }";
  for (const std::string& bad : std::vector<std::string>{
           "{ uri = \"/app\"" + hash, "{ uri = \"file:\"" + hash, "{ uri = \"https:x\"" + hash,
           "{ uri = \"file:/a\", sha256 = \"abc\" }", "{ sha256 = \"" + kHash + "\" }", "1",
           "{ uri = \"file:/a\", size = 3 }", "{ uri = 1 }"}) {
    EXPECT_NE(with(bad, Strictness::signer), "accepted") << bad;
    EXPECT_NE(with(bad, Strictness::loader), "accepted") << bad;
  }
  for (const std::string& unfinished :
       {std::string("\"file:/a\""), std::string("{ uri = \"file:/a\" }"),
        std::string("\"file:/d/\"")}) {
    EXPECT_EQ(with(unfinished, Strictness::signer), "accepted") << unfinished;
    EXPECT_NE(with(unfinished, Strictness::loader), "accepted") << unfinished;
  }
  EXPECT_NE(with("{ uri = \"file:/d/\"" + hash, Strictness::loader), "accepted");
  EXPECT_EQ(with("{ uri = \"file:/a\"" + hash, Strictness::loader), "accepted");
}

TEST(Validate, RulesBetweenKeys) {
  const std::string base = final_manifest();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {base + "sgx.enable_stats = true\n", "needs sgx.debug"},
      {base + "sgx.profile.enable = \"main\"\n", "needs sgx.debug"},
      {base + "sgx.preheat_enclave = true\nsgx.edmm_enable = true\n", "exclude each other"},
      {base + "loader.argv_src_file = \"file:x\"\n", "more than one way"},
      {base + "loader.insecure__use_cmdline_argv = true\n", "more than one way"},
      {base + "loader.env_src_file = \"file:x\"\nloader.insecure__use_host_env = true\n",
       "exclude"},
      {replaced(base, "[\"app\"]", "[]"), "'loader.argv' is empty"},
      {replaced(base, "\"/app\"", "\"file:/app\""), "path in the enclave"},
      {replaced(base, "\"/app\"", "\"app\""), "not an absolute path"},
      {replaced(base, "\"/app\"", "\"/a\\u0000b\""), "NUL"},
      {replaced(base, "loader.env.PATH", "loader.env.\"A\\u0000B\""), "NUL"},
      {replaced(base, "file:/gramine", "/gramine"), "loader.entrypoint.uri"},
      {replaced(base, "\"512M\"", "\"300M\""), "\"512M\""},
      {replaced(base, "\"512M\"", "\"0x20000000\""), "not a size"},
      {replaced(base, "\"512M\"", "\"512m\""), "its signer"},
      {replaced(base, "\"512M\"", "\"0512M\""), "its signer"},
      {replaced(base, "\"512M\"", "\"0\""), "not a power of two"},
      {replaced(base, "\"512M\"", "\"18446744073709551615\""), "not a power of two"},
      {replaced(base, "= 8", "= 0"), "sgx.max_threads"},
      {replaced(base, "= 8", "= 4097"), "sgx.max_threads"},
      {without("sgx.enclave_size"), "sgx.enclave_size"},
      {without("sgx.max_threads"), "sgx.max_threads"},
      {without("fs.mounts"), "fs.mounts = []"},
      {without("libos"), "libos.entrypoint"},
      {without("loader.entrypoint.sha256"), "loader.entrypoint.sha256"},
      {without("loader.entrypoint.uri"), "loader.entrypoint.uri"}};
  for (const auto& [text, word] : cases) {
    const auto status = check(text);
    std::string all = said(status);
    if (!status.has_value()) all += join(status.error().details(), " ");
    EXPECT_NE(all.find(word), std::string::npos) << word << ": " << all;
  }
  EXPECT_EQ(said(check(replaced(base, "= 8", "= 1"))), "accepted");
  EXPECT_EQ(said(check(replaced(base, "= 8", "= 4096"))), "accepted");
  EXPECT_EQ(said(check(without("loader.argv"))), "accepted");  // the default is the entrypoint
}

TEST(Validate, HostileKeysAreShownSafely) {
  const auto status = check(final_manifest() + "\"\\u001B[31m.\\n\" = 1\n");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().what().find('\033'), std::string::npos);
  EXPECT_EQ(status.error().what().find('\n'), std::string::npos);
  // A quoted name with a dot is not the key of that path.
  EXPECT_FALSE(check(final_manifest() + "\"sgx.debug\" = true\n").has_value());
}

TEST(ParseSize, SignerReadsAsPython) {
  const std::vector<std::pair<const char*, std::uint64_t>> good = {{"0", 0},
                                                                   {"1", 1},
                                                                   {"256M", 256ULL << 20},
                                                                   {"1024G", 1ULL << 40},
                                                                   {"4K", 4096},
                                                                   {"0x1000", 4096},
                                                                   {"0X10K", 16384},
                                                                   {"0x8000000", 128 << 20},
                                                                   {"0o17", 15},
                                                                   {"0b101", 5},
                                                                   {"1_000", 1000},
                                                                   {"0x_ff", 255},
                                                                   {" 12 ", 12},
                                                                   {"512 M", 512 << 20},
                                                                   {"+5", 5},
                                                                   {"00", 0},
                                                                   {"0_0", 0},
                                                                   {"0xFM", 15 << 20}};
  for (const auto& [text, value] : good) {
    const auto size = parse_size(text, Strictness::signer);
    ASSERT_TRUE(size.has_value()) << text;
    EXPECT_EQ(*size, value) << text;
  }
  for (const char* bad :
       {"", "M", "256m", "256MB", "-1", "1.5G", "0x", "0xg", "010", "1__0", "_1", "1_", "ten",
        "1 0", "0b2", "99999999999999999999", "18446744073709551615K", "0x1T"})
    EXPECT_FALSE(parse_size(bad, Strictness::signer).has_value()) << bad;
}

TEST(ParseSize, LoaderReadsDecimalOnly) {
  EXPECT_EQ(*parse_size("512M", Strictness::loader), 512ULL << 20);
  EXPECT_EQ(*parse_size("512m", Strictness::loader), 512ULL << 20);
  EXPECT_EQ(*parse_size("0512", Strictness::loader), 512U);
  for (const char* bad : {"", "K", "0x1000", "+1", "-1", " 1", "1_0", "1T", "1KB"})
    EXPECT_FALSE(parse_size(bad, Strictness::loader).has_value()) << bad;
}

TEST(EnclaveParams, FillsInTheSignersDefaults) {
  const auto plain = enclave_params(parse(""), nullptr);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->enclave_size, 256ULL << 20);
  EXPECT_EQ(plain->max_threads, 4U);
  EXPECT_EQ(plain->flags, 4U);
  EXPECT_EQ(plain->xfrm, 3U);
  EXPECT_EQ(plain->xfrm_mask, 0xfffffffffff9ff1bU);
  EXPECT_EQ(plain->misc_select, 0U);
  const auto edmm = enclave_params(parse("sgx.edmm_enable = true"), nullptr);
  EXPECT_EQ(edmm->enclave_size, 1ULL << 40);
}

TEST(EnclaveParams, ReadsAttributesInTheSignersOrder) {
  const auto features = [](const char* text) {
    const auto params = enclave_params(parse(text), nullptr);
    EXPECT_TRUE(params.has_value()) << text;
    return std::pair(params->xfrm, params->xfrm_mask);
  };
  constexpr std::uint64_t kMask = 0xfffffffffff9ff1b;
  EXPECT_EQ(features("sgx.cpu_features.avx = \"required\""), std::pair(0x7UL, kMask | 4));
  EXPECT_EQ(features("sgx.cpu_features.avx = \"disabled\""), std::pair(0x3UL, kMask | 4));
  EXPECT_EQ(features("sgx.cpu_features.avx512 = \"required\""), std::pair(0xe7UL, kMask | 0xe4));
  EXPECT_EQ(features("sgx.cpu_features.amx = \"required\""), std::pair(0x60003UL, kMask | 0x60000));
  EXPECT_EQ(features("sgx.cpu_features.mpx = \"required\""), std::pair(0x1bUL, kMask));
  EXPECT_EQ(features("sgx.cpu_features.pkru = \"required\""), std::pair(0x203UL, kMask));
  // Whatever the order in the file, AVX-512 comes after AVX and takes its bit along.
  EXPECT_EQ(features("sgx.cpu_features.avx512 = \"disabled\"\nsgx.cpu_features.avx = \"required\""),
            std::pair(0x3UL, kMask | 0xe4));
  const auto debug = enclave_params(parse("sgx.debug = true\nsgx.use_exinfo = true"), nullptr);
  EXPECT_TRUE(debug->debug);
  EXPECT_EQ(debug->flags, 6U);
  EXPECT_EQ(debug->misc_select, 1U);
}

TEST(EnclaveParams, FailsWhereTheSignerFails) {
  for (const char* text :
       {"sgx = 1", "sgx.enclave_size = 1024", "sgx.enclave_size = \"256m\"",
        "sgx.max_threads = \"4\"", "sgx.max_threads = -1", "sgx.isvprodid = 65536",
        "sgx.isvsvn = -1", "sgx.cpu_features = 1", "sgx.cpu_features.mpx = \"unspecified\"",
        "sgx.cpu_features.avx = \"yes\"", "sgx.cpu_features.pkru = true",
        "sgx.edmm_enable = \"true\"", "sgx.debug = 1"}) {
    const auto params = enclave_params(parse(text), nullptr);
    ASSERT_FALSE(params.has_value()) << text;
    EXPECT_EQ(params.error().code(), Code::invalid) << text;
  }
}

TEST(EnclaveParams, WarnsWhereTheLoaderWouldRefuse) {
  std::vector<std::string> warnings;
  const auto params = enclave_params(
      parse(replaced(final_manifest(), "\"512M\"", "\"300M\"") + "sgx.oops = 1\n"), &warnings);
  ASSERT_TRUE(params.has_value());
  EXPECT_EQ(params->enclave_size, 300ULL << 20);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("sgx.oops"), std::string::npos);
  EXPECT_NE(warnings[1].find("power of two"), std::string::npos);
  warnings.clear();
  ASSERT_TRUE(enclave_params(parse(final_manifest()), &warnings).has_value());
  EXPECT_TRUE(warnings.empty());
}

TEST(EnclaveParams, WarningsAreBounded) {
  std::string text = final_manifest();
  for (int i = 0; i < 1000; ++i) text += cat("sgx.unknown", i, " = 1\n");
  std::vector<std::string> warnings;
  ASSERT_TRUE(enclave_params(parse(text), &warnings).has_value());
  EXPECT_EQ(warnings.size(), 20U);
}

}  // namespace
}  // namespace cloister::manifest
