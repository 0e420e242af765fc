#include "manifest-gen/gramine/migrate.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/gramine/keys.h"
#include "manifest-gen/gramine/validate.h"

namespace cloister::manifest {
namespace {

Migration migrated(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "old");
  EXPECT_TRUE(table) << text << table.error().what();
  return migrate_manifest(*table);
}

// What is left of `text` beside fs.mounts = [].
std::string rest(std::string_view text) {
  TomlTable table = migrated(text).manifest;
  const TomlValue* mounts = table.at("fs.mounts");
  if (mounts != nullptr && mounts->array()->empty()) {
    const_cast<TomlTable*>(table.at("fs")->table())->erase("mounts");  // NOLINT: of our own table
    if (table.at("fs")->table()->empty()) table.erase("fs");
  }
  return emit_toml(table);
}

TEST(Migrate, EachKeyOfEarlierVersions) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"sgx.thread_num = 4", "sgx.max_threads = 4\n"},
      {"sgx.rpc_thread_num = 2", "sgx.insecure__rpc_thread_num = 2\n"},
      {"sgx.require_exinfo = true", "sgx.use_exinfo = true\n"},
      {"sgx.require_avx512 = true", "sgx.cpu_features.avx512 = \"required\"\n"},
      {"sgx.require_pkru = 1", "sgx.cpu_features.pkru = \"required\"\n"},
      {"sgx.require_mpx = false", ""},
      {"sgx.nonpie_binary = true", ""},
      {"sgx.ra_client_spid = 'x'", ""},
      {"loader.pal_internal_mem_size = '64M'", ""},
      {"loader.preload = 'file:/libsysdb.so'", "loader.entrypoint.uri = \"file:/libsysdb.so\"\n"},
      {"loader.entrypoint = 'file:/libsysdb.so'",
       "loader.entrypoint.uri = \"file:/libsysdb.so\"\n"},
      {"libos.entrypoint = 'file:/bin/app'", "libos.entrypoint = \"/bin/app\"\n"},
      {"libos.entrypoint = 'file:app'", "libos.entrypoint = \"/app\"\n"},
      {"loader.exec = 'file:/bin/app'", "libos.entrypoint = \"/bin/app\"\n"},
      {"loader.argv0_override = 'app'", "loader.argv = [\"app\"]\n"},
      {"loader.argv0_override = 'b'\nloader.argv = ['a', 'x']", "loader.argv = [\"b\", \"x\"]\n"},
      {"sgx.remote_attestation = true", "sgx.remote_attestation = \"dcap\"\n"},
      {"sgx.remote_attestation = false", "sgx.remote_attestation = \"none\"\n"},
      {"sgx.remote_attestation = 'epid'", "sgx.remote_attestation = \"dcap\"\n"},
      {"sgx.trusted_files.a = 'file:/a'", "sgx.trusted_files = [\"file:/a\"]\n"},
      {"sgx.insecure__protected_files_key = '00'", "fs.insecure__keys.default = \"00\"\n"},
      {"sgx.debug = 1", "sgx.debug = true\n"},
      {"sgx.debug = 0", "sgx.debug = false\n"},
  };
  for (const auto& [old, now] : cases) {
    std::string got = rest(old);
    EXPECT_EQ(got, now) << old;
    EXPECT_FALSE(migrated(old).done.empty()) << old;
  }
}

TEST(Migrate, OldMountsAndProtectedFilesAreMountsNow) {
  EXPECT_EQ(emit_toml(migrated("fs.mount.lib.type = 'chroot'\nfs.mount.lib.path = '/lib'\n"
                               "fs.mount.lib.uri = 'file:/lib'")
                          .manifest),
            "fs.mounts = [\n  { path = \"/lib\", type = \"chroot\", uri = \"file:/lib\" },\n]\n");
  EXPECT_EQ(
      emit_toml(migrated("sgx.protected_mrsigner_files = ['file:/data/']").manifest),
      "fs.mounts = [\n  { type = \"encrypted\", path = \"/data\", uri = \"file:/data/\", key_name "
      "= \"_sgx_mrsigner\" },\n]\n");
}

TEST(Migrate, TheResultIsWhatGramineTakes) {
  const Migration out = migrated(
      "libos.entrypoint = 'file:/app'\nfs.mount.root.type = 'chroot'\nfs.mount.root.path = '/'\n"
      "fs.mount.root.uri = 'file:/'\nsgx.thread_num = 4\nsgx.trusted_files.a = 'file:/app'\n"
      "sgx.protected_files.d = 'file:/d'\nsgx.require_avx = true\nsgx.debug = 1\n");
  for (const Violation& violation : find_violations({out.manifest}, Strictness::signer, 10))
    ADD_FAILURE() << violation.key << ": " << violation.error.what();
}

TEST(Migrate, WhatIsSetInTheNewWayWins) {
  const Migration out = migrated("sgx.thread_num = 4\nsgx.max_threads = 8\nfs.mounts = []");
  EXPECT_EQ(emit_toml(out.manifest).find("thread_num"), std::string::npos);
  EXPECT_EQ(*out.manifest.at("sgx.max_threads")->integer(), 8);
  ASSERT_EQ(out.done.size(), 1U);
  EXPECT_NE(out.done[0].find("dropped"), std::string::npos);
}

TEST(Migrate, WhatIsOfTodayStaysAsItIs) {
  const std::string_view today =
      "libos.entrypoint = '/app'\nfs.mounts = []\nsgx.trusted_files = ['file:/app']\n";
  const Migration out = migrated(today);
  EXPECT_TRUE(out.done.empty());
  EXPECT_EQ(out.manifest, *parse_toml(today, Limits{}, "new"));
}

TEST(Migrate, OddShapesAreSurvived) {
  for (const std::string_view text :
       {"sgx = 1", "fs = 1", "loader = []", "fs.mount = 1", "fs.mount.a = 1", "libos = 'x'",
        "sgx.thread_num = []\nsgx.max_threads.a = 1", "sgx.protected_files = 7",
        "loader.entrypoint = []", "sgx.trusted_files.a.b = 1"})
    (void)migrated(text);
}

}  // namespace
}  // namespace cloister::manifest
