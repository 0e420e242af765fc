#include "manifest-gen/gramine/kinds.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::library;
using test::program;
using test::Tree;

Launch launch_of(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  Launch launch;
  launch.program = argv.front();
  launch.argv = std::move(argv);
  launch.entrypoint = rootfs.real_path(launch.program).value_or(launch.program);
  launch.env = {{"PATH", "/usr/bin:/bin"}};
  launch.workdir = "/";
  return launch;
}

std::string kind_of(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  const auto kind = choose_kind(launch_of(rootfs, std::move(argv)), rootfs);
  return kind ? kind->name : kind.error().what();
}

TEST(Kinds, EveryTemplateIsWellFormed) {
  const auto kinds = load_kinds();
  ASSERT_TRUE(kinds) << kinds.error().what();
  std::set<std::string> names;
  for (const Kind& kind : *kinds) {
    SCOPED_TRACE(kind.name);
    names.insert(kind.name);
    EXPECT_FALSE(kind.summary.empty());
    for (const ClosureRoot& grant : kind.grants) {
      EXPECT_TRUE(grant.path_or_glob.starts_with('/'));
      EXPECT_TRUE(grant.optional);
      EXPECT_TRUE(grant.why == Why::package_data);
    }
    for (const std::string& path : kind.tmpfs) EXPECT_EQ(measure::normalize_path(path), path);
    const TomlValue* size = kind.manifest.at("sgx.enclave_size");
    ASSERT_NE(size, nullptr);
    const auto bytes = parse_size(*size->string(), Strictness::loader);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes & (*bytes - 1), 0u) << "a power of two";
    EXPECT_GE(*kind.manifest.at("sgx.max_threads")->integer(), 4);
  }
  for (const char* name :
       {"native", "static", "shell", "redis", "nginx", "python", "node", "java", "memcached"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Kinds, EachProgramBelongsToOneKind) {
  const auto kinds = load_kinds();
  ASSERT_TRUE(kinds);
  std::set<std::string> seen;
  for (const Kind& kind : *kinds)
    for (const std::string& program : kind.programs)
      EXPECT_TRUE(seen.insert(program).second) << program;
}

TEST(ChooseKind, ByTheProgramsName) {
  const auto root = Tree()
                        .elf("/usr/bin/redis-check-rdb", program())
                        .link("/usr/bin/redis-server", "redis-check-rdb")
                        .elf("/usr/bin/python3.11", program())
                        .elf("/usr/bin/app", program())
                        .elf("/usr/bin/go", library())
                        .build();
  EXPECT_EQ(kind_of(root, {"/usr/bin/redis-server"}), "redis");
  EXPECT_EQ(kind_of(root, {"/usr/bin/python3.11"}), "python");
  EXPECT_EQ(kind_of(root, {"/usr/bin/app"}), "native");
  EXPECT_EQ(kind_of(root, {"/usr/bin/go"}), "static");
}

TEST(ChooseKind, ScriptsAndWrappersAreLookedThrough) {
  const auto root = Tree()
                        .elf("/usr/bin/dash", program())
                        .link("/bin/sh", "/usr/bin/dash")
                        .elf("/usr/bin/env", program())
                        .elf("/usr/bin/python3", program())
                        .elf("/usr/bin/nginx", program())
                        .elf("/usr/bin/tini", program())
                        .script("/entry.sh", "#!/bin/sh\nexec \"$@\"\n")
                        .script("/fixed.sh", "#!/bin/sh\nexec nginx -g x\n")
                        .script("/app.py", "#!/usr/bin/env python3\n")
                        .script("/plain.sh", "#!/bin/sh\necho hi\n")
                        .build();
  EXPECT_EQ(kind_of(root, {"/entry.sh", "nginx", "-g", "x"}), "nginx");
  EXPECT_EQ(kind_of(root, {"/fixed.sh"}), "nginx");
  EXPECT_EQ(kind_of(root, {"/app.py"}), "python");
  EXPECT_EQ(kind_of(root, {"/bin/sh", "-c", "python3 /x.py"}), "python");
  EXPECT_EQ(kind_of(root, {"/usr/bin/tini", "--", "/entry.sh", "nginx"}), "nginx");
  EXPECT_EQ(kind_of(root, {"/plain.sh"}), "shell");
}

TEST(ChooseKind, ScriptsThatRunEachOtherEnd) {
  const auto root = Tree().script("/a", "#!/b\n").script("/b", "#!/a\n").build();
  EXPECT_EQ(kind_of(root, {"/a"}), "native");
}

}  // namespace
}  // namespace cloister::manifest
