#include "manifest-gen/gramine/merge.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

TomlTable toml(std::string_view text) {
  auto table = parse_toml(text, Limits{}, "test");
  if (!table) ADD_FAILURE() << table.error().what();
  return table ? std::move(*table) : TomlTable();
}

TomlTable merged(std::string_view base, std::string_view over) {
  TomlTable out = toml(base);
  merge_manifest(out, toml(over));
  return out;
}

TEST(Merge, ScalarsReplaceTablesMerge) {
  EXPECT_EQ(merged("a.b = 1\na.c = 2\n", "a.c = 3\nd = 4\n"), toml("a.b = 1\na.c = 3\nd = 4\n"));
}

TEST(Merge, MountsReplaceByPathAndAppend) {
  EXPECT_EQ(
      merged("fs.mounts = [{type='tmpfs', path='/a'}, {type='tmpfs', path='/b'}]",
             "fs.mounts = [{type='chroot', path='/a', uri='file:/x'}, {type='tmpfs', path='/c'}]"),
      toml("fs.mounts = [{type='chroot', path='/a', uri='file:/x'}, {type='tmpfs', path='/b'}, "
           "{type='tmpfs', path='/c'}]"));
}

TEST(Merge, AllowedFilesAppendWithoutRepeats) {
  EXPECT_EQ(merged("sgx.allowed_files = ['file:/a']", "sgx.allowed_files = ['file:/a', 'file:/b']"),
            toml("sgx.allowed_files = ['file:/a', 'file:/b']"));
}

TEST(Merge, OtherArraysReplace) {
  EXPECT_EQ(merged("loader.argv = ['a', 'b']", "loader.argv = ['c']"), toml("loader.argv = ['c']"));
}

TEST(Merge, EnvironmentVariablesReplaceWhole) {
  EXPECT_EQ(
      merged("loader.env.A = {value='x'}\nloader.env.B = 'y'", "loader.env.A = {passthrough=true}"),
      toml("loader.env.A = {passthrough=true}\nloader.env.B = 'y'"));
}

TEST(Merge, TrustedFilesAreLeftAlone) {
  EXPECT_EQ(merged("sgx.trusted_files = [1]", "sgx.trusted_files = [2]"),
            toml("sgx.trusted_files = [1]"));
}

TEST(Merge, OtherTypesReplace) {
  EXPECT_EQ(merged("a.b = 1", "a = 2"), toml("a = 2"));
  EXPECT_EQ(merged("a = 1", "a.b = 2"), toml("a.b = 2"));
}

}  // namespace
}  // namespace cloister::manifest
