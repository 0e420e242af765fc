// The generated manifests of real images against what their programs really opened (strace, spelled
// as the programs spell it). Nothing opened may be missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

#include "base/text.h"
#include "manifest-gen/closure/closure.h"
#include "manifest-gen/gramine/generate.h"
#include "manifest-gen/gramine/kinds.h"
#include "manifest-gen/launch/launch.h"
#include "manifest-gen/launch/shebang.h"
#include "tests/manifest-gen/gramine/corpus_image.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

const std::string kTruth = CLOISTER_SOURCE_DIR "/../shared/truth/";

std::vector<std::string> lines(const std::string& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

// What the runtime replaces.
bool is_libc_family(std::string_view path) {
  static const std::set<std::string_view> kNames = {
      "ld-linux-x86-64.so.2", "libc.so.6",    "libm.so.6",    "libpthread.so.0",
      "libdl.so.2",           "librt.so.1",   "libutil.so.1", "libresolv.so.2",
      "libanl.so.1",          "libmvec.so.1", "ld.so.cache"};
  return kNames.contains(base_name(path));
}

// dir/__pycache__/name.cpython-311.pyc → dir/name.py
std::string source_of(const std::string& path) {
  if (!path.ends_with(".pyc")) return path;
  const std::string base(base_name(path));
  const std::string directory = path.substr(0, path.size() - base.size() - 1);
  return cat(directory.substr(0, directory.rfind('/')), "/", base.substr(0, base.find('.')), ".py");
}

// The image's own libc stands in for the runtime's.
measure::Runtime runtime_of(const measure::Rootfs& rootfs) {
  static const char* const kNames[] = {"ld-linux-x86-64.so.2", "libc.so.6",      "libm.so.6",
                                       "libpthread.so.0",      "libdl.so.2",     "librt.so.1",
                                       "libutil.so.1",         "libresolv.so.2", "libmvec.so.1"};
  test::Tree tree;
  measure::Runtime runtime;
  runtime.version = "1.9";
  for (const char* name : kNames) {
    const measure::Node* node = rootfs.find(cat("/usr/lib/x86_64-linux-gnu/", name));
    if (node == nullptr) continue;
    tree.elf(cat("/r/", name), *rootfs.elf_facts(*node));
    runtime.glibc[name] = {0, cat("/r/", name), node->entry->sha256, node->entry->size};
  }
  runtime.sources.push_back(
      {"stand-in", std::make_shared<const measure::Rootfs>(tree.build()), std::nullopt, false});
  return runtime;
}

class Corpus : public testing::TestWithParam<const char*> {};

TEST_P(Corpus, NothingThatWasOpenedIsMissing) {
  const char* layout = std::getenv("CLOISTER_CORPUS");
  if (layout == nullptr) GTEST_SKIP() << "CLOISTER_CORPUS names no OCI layout";
  const std::string name = GetParam();
  const std::vector<std::string> opened = lines(kTruth + name + ".opened.txt");
  if (opened.empty()) GTEST_SKIP() << kTruth << name << ".opened.txt is absent";

  auto image = test::load_corpus_image(layout, name);
  ASSERT_TRUE(image) << image.error().what();
  const measure::Runtime runtime = runtime_of(image->rootfs);
  auto launch = resolve_launch(image->config, image->rootfs, {});
  ASSERT_TRUE(launch) << launch.error().what();
  auto kind = choose_kind(*launch, image->rootfs);
  ASSERT_TRUE(kind) << kind.error().what();
  auto closure = compute_closure(*launch, image->rootfs, runtime, kind->grants, Limits{});
  ASSERT_TRUE(closure) << closure.error().what();
  for (const Unresolved& item : closure->unresolved)
    ADD_FAILURE() << item.name << " " << item.needed_by;
  auto manifest = generate_manifest(*launch, *closure, *kind, {}, image->rootfs,
                                    {0, "/libsysdb.so", sha256("x"), 1});
  ASSERT_TRUE(manifest) << manifest.error().what();
  EXPECT_EQ(manifest->kind, name == "redis-sh" ? "redis" : name == "musl" ? "native" : name);

  std::set<std::string> trusted;
  for (const TomlValue& item : *manifest->manifest.table.at("sgx.trusted_files")->array())
    trusted.insert(item.table()->find("uri")->string()->substr(5));
  const auto expect = [&](const std::string& path) {
    if (is_libc_family(path)) return;
    EXPECT_TRUE(trusted.contains(source_of(path))) << path;
  };
  for (const std::string& path : opened) expect("/" + path);
  for (const std::string& line : lines(kTruth + name + ".paths.tsv"))
    expect(measure::normalize_path(line.substr(0, line.find('\t'))));
  std::cout << name << ": opened " << opened.size() << " files, trusts " << manifest->trusted_files
            << " paths of " << closure->members.size() << " files, "
            << human_bytes(manifest->trusted_bytes) << "\n";
}

INSTANTIATE_TEST_SUITE_P(Images, Corpus,
                         testing::Values("redis", "redis-sh", "nginx", "python", "musl", "static"));

}  // namespace
}  // namespace cloister::manifest
