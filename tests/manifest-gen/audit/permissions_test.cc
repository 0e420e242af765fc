#include "manifest-gen/audit/permissions.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::manifest {
namespace {

Permissions of(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "manifest");
  EXPECT_TRUE(table) << text;
  return {*table, "", "", ""};
}

// "widens files /b" for each change.
std::string changes(std::string_view before, std::string_view after) {
  std::string out;
  for (const Change& change : compare_permissions(of(before), of(after)))
    out += cat(direction_name(change.direction), " ", change.area, " ", change.what, "\n");
  return out;
}

TEST(Permissions, TheSameIsNoChange) {
  const std::string_view text =
      "sgx.trusted_files = [{ uri = 'file:/a', sha256 = '1' }]\nloader.argv = ['a']\n"
      "loader.env.X = { passthrough = true }\nfs.mounts = [{ type = 'tmpfs', path = '/tmp' }]\n";
  EXPECT_EQ(changes(text, text), "");
}

struct PermissionCase {
  std::string_view before, after, forth, back;  // what is said of the change, and of its reverse
};

TEST(Permissions, EachDirection) {
  const PermissionCase cases[] = {
      {"", "sgx.trusted_files = ['file:/b']", "widens files /b\n", "narrows files /b\n"},
      {"sgx.trusted_files = [{ uri = 'file:/b', sha256 = '1' }]",
       "sgx.trusted_files = [{ uri = 'file:/b', sha256 = '2' }]", "differs files /b\n",
       "differs files /b\n"},
      {"", "sgx.allowed_files = ['file:/d']", "widens writable places /d\n",
       "narrows writable places /d\n"},
      {"", "fs.mounts = [{ type = 'tmpfs', path = '/t' }]", "widens writable places /t\n",
       "narrows writable places /t\n"},
      {"fs.mounts = [{ type = 'encrypted', path = '/t', uri = 'file:/t' }]",
       "sgx.allowed_files = ['file:/t']", "widens writable places /t\n",
       "narrows writable places /t\n"},
      {"fs.mounts = [{ type = 'tmpfs', path = '/t' }]",
       "fs.mounts = [{ type = 'encrypted', path = '/t', uri = 'file:/t' }]",
       "differs writable places /t\n", "differs writable places /t\n"},
      {"fs.mounts = [{ type = 'tmpfs', path = '/t' }]",
       "fs.mounts = [{ type = 'untrusted_shm', path = '/t', uri = 'dev:/dev/shm' }]",
       "widens writable places /t\n", "narrows writable places /t\n"},
      {"loader.env.X = 'a'", "loader.env.X = { passthrough = true }", "widens environment X\n",
       "narrows environment X\n"},
      {"", "loader.env.X = { passthrough = true }", "widens environment X\n",
       "narrows environment X\n"},
      {"loader.env.X = 'a'", "loader.env.X = 'b'", "differs environment X\n",
       "differs environment X\n"},
      {"loader.argv = ['a']", "loader.argv = ['a', 'b']", "differs arguments loader.argv\n",
       "differs arguments loader.argv\n"},
      {"", "sgx.debug = true", "widens privileges sgx.debug\n", "narrows privileges sgx.debug\n"},
      {"", "sgx.debug = false", "", ""},
      {"sgx.remote_attestation = 'dcap'", "sgx.remote_attestation = 'none'",
       "widens privileges sgx.remote_attestation\n", "narrows privileges sgx.remote_attestation\n"},
      {"", "sgx.remote_attestation = 'none'", "", ""},
      {"sgx.isvsvn = 3", "sgx.isvsvn = 2", "widens privileges sgx.isvsvn\n",
       "narrows privileges sgx.isvsvn\n"},
      {"loader.uid = 999", "loader.uid = 0", "widens privileges loader.uid\n",
       "narrows privileges loader.uid\n"},
      {"loader.uid = 999", "loader.uid = 1000", "differs privileges loader.uid\n",
       "differs privileges loader.uid\n"},
      {"", "fs.insecure__keys.default = '00'", "widens privileges fs.insecure__keys.default\n",
       "narrows privileges fs.insecure__keys.default\n"},
      {"sys.allowed_ioctls = [{ request_code = 1 }]", "sys.allowed_ioctls = [{ request_code = 2 }]",
       "widens privileges sys.allowed_ioctls\n", "widens privileges sys.allowed_ioctls\n"},
      {"", "sgx.seal_key.flags_mask = '0xffffffffffffffff'", "", ""},
      {"", "sgx.seal_key.flags_mask = '0xfffffffffffffffd'",
       "widens privileges sgx.seal_key.flags_mask\n",
       "narrows privileges sgx.seal_key.flags_mask\n"},
      {"sys.disallow_subprocesses = true", "", "widens privileges sys.disallow_subprocesses\n",
       "narrows privileges sys.disallow_subprocesses\n"},
      {"sgx.enclave_size = '256M'", "sgx.enclave_size = '512M'",
       "differs settings sgx.enclave_size\n", "differs settings sgx.enclave_size\n"},
      {"fs.root = { type = 'chroot', uri = 'file:/a' }",
       "fs.root = { type = 'chroot', uri = 'file:/b' }", "differs writable places /\n",
       "differs writable places /\n"},
  };
  for (const PermissionCase& c : cases) {
    EXPECT_EQ(changes(c.before, c.after), c.forth) << c.before << " | " << c.after;
    EXPECT_EQ(changes(c.after, c.before), c.back) << c.after << " | " << c.before;
  }
}

TEST(Permissions, BaseRuntimeAndMeasurementOnlyWhereBothAreKnown) {
  Permissions a = of(""), b = of("");
  a.base = "sha256:1";
  EXPECT_TRUE(compare_permissions(a, b).empty());
  b.base = "sha256:2";
  b.mrenclave = "00";
  const auto changed = compare_permissions(a, b);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].what, "base");
  EXPECT_FALSE(widens(changed));
}

TEST(Permissions, WhatWidensComesFirst) {
  const auto list = compare_permissions(
      of("sgx.trusted_files = ['file:/a']"),
      of("sgx.enclave_size = '1G'\nsgx.trusted_files = ['file:/b']\nsgx.debug = true"));
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].what, "/b");
  EXPECT_EQ(list[1].what, "sgx.debug");
  EXPECT_EQ(list[2].what, "/a");
  EXPECT_EQ(list[3].what, "sgx.enclave_size");
  EXPECT_TRUE(widens(list));
}

}  // namespace
}  // namespace cloister::manifest
