// Finding one Gramine, whole and of a known version, in any root.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/measure/runtime/memory_root.h"

namespace cloister::measure {
namespace {

using namespace test;

template <class... Sources>
Result<Runtime> discover(Sources... sources) {
  std::vector<RuntimeSource> list;
  (list.push_back(std::move(sources)), ...);
  return discover_runtime(std::move(list), Limits());
}

MemoryRoot whole_runtime() {
  MemoryRoot root;
  add_libraries(add_gramine(root, kDebianPlace));
  return add_package(root, "gramine", "1.9");
}

bool mentions(const std::vector<std::string>& lines, std::string_view text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

TEST(DiscoverRuntime, WholeRuntimeLacksNothing) {
  const auto runtime = discover(whole_runtime().source());
  ASSERT_TRUE(runtime.has_value()) << runtime.error().what();
  EXPECT_TRUE(runtime->missing.empty()) << join(runtime->missing, "; ");
  EXPECT_EQ(runtime->version, "1.9");
  EXPECT_EQ(runtime->loader->path, "/usr/lib/x86_64-linux-gnu/gramine/sgx/loader");
  EXPECT_EQ(runtime->libsysdb->path, "/usr/lib/x86_64-linux-gnu/gramine/libsysdb.so");
  EXPECT_EQ(runtime->direct_libpal->path, "/usr/lib/x86_64-linux-gnu/gramine/direct/libpal.so");
  EXPECT_FALSE(runtime->layout_from_runtime);
  std::vector<std::string> names;
  for (const auto& [name, file] : runtime->loader_libraries) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"ld.so", "libc.so.6", "libprotobuf-c.so.1"}));
  EXPECT_EQ(runtime->loader_libraries.at("libprotobuf-c.so.1").path,
            "/usr/lib/x86_64-linux-gnu/libprotobuf-c.so.1.0.0");
}

TEST(DiscoverRuntime, AnyPrefixIsFound) {
  for (const std::string place : {"usr/local/lib/x86_64-linux-gnu/gramine", "usr/lib64/gramine",
                                  "gramine/meson_build_output/lib/x86_64-linux-gnu/gramine",
                                  "lib/x86_64-linux-gnu/gramine", "gramine", ""}) {
    MemoryRoot root;
    add_package(add_gramine(root, place), "gramine", "1.8");
    const auto runtime = discover(root.source());
    ASSERT_TRUE(runtime.has_value()) << place;
    EXPECT_EQ(runtime->version, "1.8") << place;
    EXPECT_EQ(runtime->libpal->path, cat("/", place, place.empty() ? "" : "/", "sgx/libpal.so"));
    EXPECT_EQ(runtime->glibc.size(), 2U) << place;
  }
}

TEST(DiscoverRuntime, MostCompleteDirectoryWinsAndIsNoted) {
  MemoryRoot root = whole_runtime();
  root.elf("opt/lib/gramine/sgx/libpal.so").elf("opt/lib/gramine/libsysdb.so");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_EQ(runtime->libpal->path, "/usr/lib/x86_64-linux-gnu/gramine/sgx/libpal.so");
  EXPECT_TRUE(mentions(runtime->notes, "/opt/lib/gramine"));
}

TEST(DiscoverRuntime, NoGramineIsUnresolvedAndNamesTheSources) {
  MemoryRoot root;
  add_libraries(root);
  const auto runtime = discover(root.source("debian:12"));
  ASSERT_FALSE(runtime.has_value());
  EXPECT_EQ(runtime.error().code(), Code::unresolved);
  EXPECT_NE(runtime.error().what().find("debian:12"), std::string::npos);
  EXPECT_FALSE(runtime.error().hint().empty());
}

TEST(DiscoverRuntime, LaterSourcesSupplyTheLoadersLibraries) {
  MemoryRoot package, libraries;
  add_package(add_gramine(package, kDebianPlace), "gramine", "1.9-1");
  add_libraries(libraries);
  const auto alone = discover(package.source("gramine.deb"));
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(alone->version, "1.9");
  EXPECT_TRUE(alone->loader_libraries.empty());
  EXPECT_TRUE(mentions(alone->missing,
                       "libprotobuf-c.so.1, needed by sgx/loader: add --runtime libprotobuf-c1_"));
  EXPECT_TRUE(mentions(alone->missing, "libc.so.6"));

  const auto both = discover(package.source("gramine.deb"), libraries.source("debian"));
  ASSERT_TRUE(both.has_value());
  EXPECT_TRUE(both->missing.empty()) << join(both->missing, "; ");
  EXPECT_EQ(both->loader_libraries.at("libc.so.6").source, 1U);
}

TEST(DiscoverRuntime, TheCLibraryIsNeverGraminesOwn) {
  MemoryRoot root;
  add_package(add_gramine(root, kDebianPlace), "gramine", "1.9");
  root.elf("usr/lib/x86_64-linux-gnu/libprotobuf-c.so.1");
  // A link that would lead the search into runtime/glibc.
  root.link("lib64", "usr/lib/x86_64-linux-gnu/gramine/runtime/glibc");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_FALSE(runtime->loader_libraries.contains("libc.so.6"));
  EXPECT_FALSE(runtime->loader_libraries.contains("ld.so"));
  EXPECT_TRUE(mentions(runtime->missing, "libc.so.6"));
}

TEST(DiscoverRuntime, OldCLibraryIsPassedOver) {
  MemoryRoot gramine, old_libraries, new_libraries;
  elf::Facts loader = needs({"libprotobuf-c.so.1", "libc.so.6"});
  loader.interpreter = "/lib64/ld-linux-x86-64.so.2";
  needs_version(loader, "libc.so.6", "GLIBC_2.38");
  needs_version(loader, "libc.so.6", "GLIBC_9.9", /*weak=*/true);
  add_package(gramine, "gramine", "1.9");
  gramine.elf("usr/lib64/gramine/sgx/loader", loader).elf("usr/lib64/gramine/sgx/libpal.so");
  gramine.elf("usr/lib64/gramine/libsysdb.so");
  gramine.elf("usr/lib64/gramine/runtime/glibc/libc.so.6");
  gramine.elf("usr/lib64/gramine/runtime/glibc/ld-linux-x86-64.so.2");
  add_libraries(old_libraries, "GLIBC_2.36");
  add_libraries(new_libraries, "GLIBC_2.38");

  const auto too_old = discover(gramine.source("g"), old_libraries.source("bookworm"));
  ASSERT_TRUE(too_old.has_value());
  EXPECT_TRUE(mentions(too_old->missing, "GLIBC_2.38, needed by sgx/loader"));
  EXPECT_TRUE(mentions(too_old->missing, "bookworm"));

  const auto enough = discover(gramine.source("g"), old_libraries.source("bookworm"),
                               new_libraries.source("noble"));
  ASSERT_TRUE(enough.has_value());
  EXPECT_TRUE(enough->missing.empty()) << join(enough->missing, "; ");
  // The pair comes from one source, the protocol library from the first that has it.
  EXPECT_EQ(enough->loader_libraries.at("libc.so.6").source, 2U);
  EXPECT_EQ(enough->loader_libraries.at("ld.so").source, 2U);
  EXPECT_EQ(enough->loader_libraries.at("libprotobuf-c.so.1").source, 1U);
}

TEST(DiscoverRuntime, HalfAPairIsNoPair) {
  MemoryRoot gramine = whole_runtime(), no_linker;
  MemoryRoot bare;
  add_package(add_gramine(bare, kDebianPlace), "gramine", "1.9");
  elf::Facts libc;
  libc.version_definitions = {"GLIBC_2.34"};
  no_linker.elf("usr/lib/x86_64-linux-gnu/libc.so.6", libc);
  const auto runtime = discover(bare.source("a"), no_linker.source("b"), gramine.source("c"));
  ASSERT_TRUE(runtime.has_value());
  EXPECT_EQ(runtime->loader_libraries.at("libc.so.6").source, 2U);
  EXPECT_EQ(runtime->loader_libraries.at("ld.so").source, 2U);
}

TEST(DiscoverRuntime, LibrariesOfLibrariesComeAlong) {
  MemoryRoot root = whole_runtime();
  root.elf("usr/lib/x86_64-linux-gnu/libprotobuf-c.so.1.0.0",
           needs({"libextra.so.3", "libm.so.6"}));
  root.elf("usr/lib/x86_64-linux-gnu/libextra.so.3", needs({"libprotobuf-c.so.1"}));
  root.elf("usr/lib/x86_64-linux-gnu/libm.so.6");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_TRUE(runtime->missing.empty()) << join(runtime->missing, "; ");
  EXPECT_TRUE(runtime->loader_libraries.contains("libextra.so.3"));
  EXPECT_TRUE(runtime->loader_libraries.contains("libm.so.6"));
}

TEST(DiscoverRuntime, LibraryNamedByPathIsRefused) {
  MemoryRoot root = whole_runtime();
  root.elf("etc/evil");
  elf::Facts loader = needs({"../../../etc/evil", "libprotobuf-c.so.1", "libc.so.6"});
  loader.interpreter = "/lib64/ld-linux-x86-64.so.2";
  root.elf(std::string(kDebianPlace) + "/sgx/loader", loader);
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_TRUE(mentions(runtime->missing, "../../../etc/evil"));
  for (const auto& [soname, file] : runtime->loader_libraries)
    EXPECT_EQ(soname.find('/'), std::string::npos);
}

TEST(DiscoverRuntime, GlibcHoldsSharedObjectsOnly) {
  MemoryRoot root = whole_runtime();
  const std::string glibc = std::string(kDebianPlace) + "/runtime/glibc/";
  elf::Facts object;
  object.type = 1;
  root.elf(glibc + "crt1.o", object).file(glibc + "libc.a", "!<arch>\n");
  root.elf("usr/lib/x86_64-linux-gnu/libra_tls_attest.so");
  root.link(glibc + "libra_tls_attest.so", "../../../libra_tls_attest.so");
  root.link(glibc + "libc.so", "libc.so.6");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  std::vector<std::string> names;
  for (const auto& [name, file] : runtime->glibc) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"ld-linux-x86-64.so.2", "libc.so", "libc.so.6"}));
}

TEST(DiscoverRuntime, AbsentPartsAreNamed) {
  MemoryRoot root;
  root.elf("gramine/sgx/libpal.so").elf("gramine/libsysdb.so");
  add_package(root, "gramine", "1.9");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_TRUE(mentions(runtime->missing, "sgx/loader"));
  EXPECT_TRUE(mentions(runtime->missing, "runtime/glibc"));
}

TEST(DiscoverRuntime, LaterSourceOfTheSameVersionSuppliesParts) {
  MemoryRoot first, same, other;
  first.elf("gramine/sgx/libpal.so").elf("gramine/libsysdb.so");
  add_package(first, "gramine", "1.9");
  add_package(add_gramine(same, kDebianPlace), "gramine", "1.9");
  add_package(add_gramine(other, kDebianPlace), "gramine", "1.8");
  const auto with_same = discover(first.source("a"), same.source("b"));
  ASSERT_TRUE(with_same.has_value());
  ASSERT_TRUE(with_same->loader.has_value());
  EXPECT_EQ(with_same->loader->source, 1U);
  EXPECT_EQ(with_same->libpal->source, 0U);
  const auto with_other = discover(first.source("a"), other.source("b"));
  ASSERT_TRUE(with_other.has_value());
  EXPECT_FALSE(with_other->loader.has_value());
  EXPECT_TRUE(mentions(with_other->notes, "1.8"));
}

TEST(DiscoverRuntime, UnknownVersionWithoutConstantsIsUnsupported) {
  MemoryRoot root;
  add_gramine(root, kDebianPlace);
  const auto runtime = discover(root.source());
  ASSERT_FALSE(runtime.has_value());
  EXPECT_EQ(runtime.error().code(), Code::unsupported);
  EXPECT_FALSE(runtime.error().hint().empty());
}

TEST(DiscoverRuntime, VersionOutsideTheTableIsUnsupported) {
  for (const char* version : {"1.5-1", "2.0", "1.10"}) {
    MemoryRoot root;
    add_package(add_gramine(root, kDebianPlace), "gramine", version);
    const auto runtime = discover(root.source());
    ASSERT_FALSE(runtime.has_value()) << version;
    EXPECT_EQ(runtime.error().code(), Code::unsupported) << version;
  }
}

TEST(DiscoverRuntime, DevelopmentVersionIsItsReleaseWithANote) {
  MemoryRoot root;
  add_package(add_gramine(root, kDebianPlace), "gramine", "1.9post~UNRELEASED");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_EQ(runtime->version, "1.9");
  EXPECT_NE(runtime->version_evidence.find("1.9post~UNRELEASED"), std::string::npos);
  EXPECT_TRUE(mentions(runtime->notes, "1.9post~UNRELEASED"));
}

TEST(DiscoverRuntime, PythonMetadataTellsAnUnpackagedVersion) {
  MemoryRoot root;
  add_gramine(root, "usr/local/lib/x86_64-linux-gnu/gramine");
  add_package(root, "gramine", "1.8");  // installed beside, in /usr
  root.file("usr/local/lib/python3.11/site-packages/graminelibos.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: graminelibos\nVersion: 1.9\n\nVersion: 1.1\n");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_EQ(runtime->version, "1.9");
  EXPECT_NE(runtime->version_evidence.find("METADATA"), std::string::npos);
}

TEST(DiscoverRuntime, BrokenConstantsAreUnsupported) {
  MemoryRoot root = whole_runtime();
  root.file("usr/lib/python3/dist-packages/_graminelibos_offsets.py", "PAGESIZE = 0x1000\n");
  const auto runtime = discover(root.source());
  ASSERT_FALSE(runtime.has_value());
  EXPECT_EQ(runtime.error().code(), Code::unsupported);
}

TEST(DiscoverRuntime, LicencesAndVersionsOfWhatComesAlong) {
  MemoryRoot root = whole_runtime();
  add_package(root, "libc6", "2.36-9");
  add_package(root, "bash", "5.2");
  root.file("usr/share/doc/gramine/copyright").file("usr/share/doc/libc6/copyright");
  root.file("usr/share/doc/bash/copyright");
  const auto runtime = discover(root.source());
  ASSERT_TRUE(runtime.has_value());
  EXPECT_EQ(runtime->licenses.size(), 2U);
  EXPECT_EQ(runtime->packages,
            (std::map<std::string, std::string>{{"gramine", "1.9"}, {"libc6", "2.36-9"}}));
  EXPECT_TRUE(mentions(runtime->notes, "libprotobuf-c1"));
}

TEST(Runtime, DigestIsTheSourcesOrOverTheFiles) {
  auto pinned = whole_runtime().source();
  pinned.digest = sha256("image");
  const auto first = discover(std::move(pinned));
  const auto second = discover(whole_runtime().source("elsewhere"));
  const auto third = discover(whole_runtime().source());
  MemoryRoot changed = whole_runtime();
  changed.file(std::string(kDebianPlace) + "/sgx/libpal.so", "another");
  const auto fourth = discover(changed.source());
  ASSERT_TRUE(first.has_value() && second.has_value() && third.has_value() && fourth.has_value());
  EXPECT_EQ(first->digest(), sha256("image"));
  EXPECT_EQ(second->digest(), third->digest());
  EXPECT_NE(third->digest(), fourth->digest());
}

TEST(Runtime, ReadComparesWithTheDigest) {
  auto runtime = discover(whole_runtime().source());
  ASSERT_TRUE(runtime.has_value());
  const auto bytes = runtime->read(*runtime->libpal, 1 << 20);
  ASSERT_TRUE(bytes.has_value());
  RuntimeFile changed = *runtime->libpal;
  changed.sha256 = sha256("other");
  const auto refused = runtime->read(changed, 1 << 20);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::corrupt);
  EXPECT_FALSE(runtime->read(*runtime->libpal, 3).has_value());
}

}  // namespace
}  // namespace cloister::measure
