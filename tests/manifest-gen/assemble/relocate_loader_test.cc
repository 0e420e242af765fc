// The loader changed in place: what is written, what is refused, and that it really starts.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "manifest-gen/assemble/assemble.h"
#include "tests/manifest-gen/assemble/loader_builder.h"
#include "tests/measure/runtime/standin.h"

namespace cloister::manifest {
namespace {

namespace fs = std::filesystem;
using namespace test;
using measure::test::has_program;
using measure::test::ScratchDirectory;
using measure::test::standin_runtime;

std::pair<std::uint64_t, std::uint64_t> entry_at(const Bytes& file, std::size_t index) {
  ByteReader reader(file);
  reader.seek(kDynamic + index * 16);
  const std::uint64_t tag = reader.u64();
  return {tag, reader.u64()};
}

// The library directory that ld.so would read: DT_STRTAB plus the value, modulo 2^64.
std::string search_path(const Bytes& file, std::uint64_t value) {
  const std::uint64_t address = kBase + kStrtab + value;
  const char* text = static_cast<const char*>(static_cast<const void*>(file.data()));
  return text + (address - kBase);
}

TEST(RelocateLoader, BothNamesFitWhereOneWas) {
  const Bytes before = Loader().build();
  const auto after = relocate_loader(before, Limits());
  ASSERT_TRUE(after.has_value()) << after.error().what();
  ASSERT_EQ(after->size(), before.size());
  EXPECT_EQ(as_text(*slice(*after, kInterp, 28)),
            std::string_view("/gramine/ld.so\0/gramine/lib\0", 28));
  const auto [tag, value] = entry_at(*after, 2);
  EXPECT_EQ(tag, 29U);
  EXPECT_EQ(search_path(*after, value), "/gramine/lib");
  EXPECT_EQ(entry_at(*after, 3).first, 0U) << "the table must still end";
  // Nothing else changed.
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    changed += before[i] != (*after)[i] && !(i >= kInterp && i < kInterp + 28) &&
               !(i >= kDynamic + 32 && i < kDynamic + 48);
  EXPECT_EQ(changed, 0U);
}

TEST(RelocateLoader, RpathIsWrittenWhenAskedFor) {
  const auto after = relocate_loader(Loader().build(), Limits(), LibrarySearch::rpath);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(entry_at(*after, 2).first, 15U);
}

TEST(RelocateLoader, EntriesThatAreASearchPathAreUsedAgain) {
  Loader loader;
  loader.entries = {{15, 7}, {5, kBase + kStrtab}, {29, 9}, {0, 0}};
  const auto after = relocate_loader(loader.build(), Limits());
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(entry_at(*after, 0).first, 29U);
  EXPECT_EQ(entry_at(*after, 2), entry_at(*after, 0));
  EXPECT_EQ(entry_at(*after, 3).first, 0U);
}

TEST(RelocateLoader, TwiceIsTheSameAsOnce) {
  const auto once = relocate_loader(Loader().build(), Limits());
  ASSERT_TRUE(once.has_value());
  const auto twice = relocate_loader(*once, Limits());
  ASSERT_TRUE(twice.has_value());
  EXPECT_EQ(*once, *twice);
}

TEST(RelocateLoader, NoRoomIsUnsupportedWithAHint) {
  std::vector<Loader> loaders(7);
  loaders[0].interp_size = 27;
  loaders[1].interp_size = 29;
  loaders[2].entries = {{1, 0}, {5, kBase + kStrtab}, {0, 0}};          // no spare
  loaders[3].entries = {{1, 0}, {5, kBase + kStrtab}, {0, 0}, {6, 1}};  // not a DT_NULL behind
  loaders[4].interp = false;
  loaders[5].dynamic = false;
  loaders[6].machine = 183;
  for (std::size_t i = 0; i < loaders.size(); ++i) {
    const auto after = relocate_loader(loaders[i].build(), Limits());
    ASSERT_FALSE(after.has_value()) << i;
    EXPECT_EQ(after.error().code(), Code::unsupported) << i;
    EXPECT_FALSE(after.error().hint().empty()) << i;
  }
}

TEST(RelocateLoader, WhatLiesOutsideIsCorrupt) {
  std::vector<Loader> loaders(6);
  loaders[0].interp_offset = 0x5f0;  // 28 bytes from there leave file and segment
  loaders[1].interp_offset = ~0ULL - 10;
  loaders[2].dynamic_size = 0x1000;
  loaders[3].load = false;
  loaders[4].header_size = 32;
  loaders[5].entries = {{1, 0}, {0, 0}, {0, 0}};  // no DT_STRTAB
  for (std::size_t i = 0; i < loaders.size(); ++i) {
    const auto after = relocate_loader(loaders[i].build(), Limits());
    ASSERT_FALSE(after.has_value()) << i;
    EXPECT_EQ(after.error().code(), Code::corrupt) << i << ": " << after.error().what();
  }
}

TEST(RelocateLoader, EveryTruncationIsAnError) {
  const Bytes whole = Loader().build();
  for (std::size_t size = 0; size < kDynamic + 64; ++size)
    EXPECT_FALSE(relocate_loader(ByteView(whole).first(size), Limits()).has_value()) << size;
}

TEST(RelocateLoader, TooManyHeadersAreALimit) {
  Limits limits;
  limits.elf_segments = 2;
  EXPECT_EQ(relocate_loader(Loader().build(), limits).error().code(), Code::limit);
  limits = Limits();
  limits.elf_dynamic = 3;
  EXPECT_EQ(relocate_loader(Loader().build(), limits).error().code(), Code::limit);
}

// The output of a command, and its exit status in `status`.
std::string run(const std::string& command, int& status) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 512> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  status = pclose(pipe);
  return out;
}

// A root that holds nothing but /gramine with ld.so, libraries and the relocated loader.
class EmptyRoot {
 public:
  Status fill(const std::string& runtime, LibrarySearch search) {
    const std::string lib = runtime + "/usr/lib/x86_64-linux-gnu";
    const fs::path gramine = fs::path(scratch_.path()) / "gramine";
    std::error_code error;
    fs::create_directories(gramine / "lib", error);
    fs::create_directories(gramine / "sgx", error);
    fs::copy(lib + "/ld-linux-x86-64.so.2", gramine / "ld.so", error);
    fs::copy(lib + "/libc.so.6", gramine / "lib/libc.so.6", error);
    fs::copy(fs::canonical(lib + "/libprotobuf-c.so.1"), gramine / "lib/libprotobuf-c.so.1", error);
    for (const char* name : {"app.manifest.sgx", "app.sig", "sgx/libpal.so"})
      std::ofstream(gramine / name) << name;
    CL_TRY(const Bytes loader, read_file(lib + "/gramine/sgx/loader", 1 << 24));
    CL_TRY(const Bytes relocated, relocate_loader(loader, Limits(), search));
    return write_file_atomic(gramine / "sgx/loader", relocated, 0755);
  }
  const std::string& path() const { return scratch_.path(); }

 private:
  ScratchDirectory scratch_;
};

TEST(RelocateLoader, StartsInARootThatHasNothingElse) {
  const std::string& runtime = standin_runtime();
  if (runtime.empty()) GTEST_SKIP() << "the stand-in runtime needs gcc";
  int status = 0;
  run("unshare -r chroot / true", status);
  if (status != 0) GTEST_SKIP() << "unshare -r chroot is not possible here";
  for (const LibrarySearch search : {LibrarySearch::runpath, LibrarySearch::rpath}) {
    EmptyRoot root;
    const auto filled = root.fill(runtime, search);
    ASSERT_TRUE(filled.has_value()) << filled.error().what();
    const std::string out =
        run("unshare -r chroot '" + root.path() +
                "' /gramine/sgx/loader /gramine/sgx/libpal.so init /gramine/app",
            status);
    EXPECT_EQ(status, 0) << out;
    EXPECT_NE(out.find("would start /gramine/app"), std::string::npos) << out;
  }
}

TEST(RelocateLoader, ReadelfReadsTheResult) {
  const std::string& runtime = standin_runtime();
  if (runtime.empty() || !has_program("readelf")) GTEST_SKIP() << "needs gcc and readelf";
  EmptyRoot root;
  ASSERT_TRUE(root.fill(runtime, LibrarySearch::runpath).has_value());
  int status = 0;
  const std::string out = run("readelf -lWd '" + root.path() + "/gramine/sgx/loader'", status);
  EXPECT_EQ(status, 0);
  EXPECT_NE(out.find("[Requesting program interpreter: /gramine/ld.so]"), std::string::npos) << out;
  EXPECT_NE(out.find("(RUNPATH)"), std::string::npos) << out;
}

}  // namespace
}  // namespace cloister::manifest
