// Each rule of the house, on this tree and on a small tree that breaks it: a guard that never
// bites guards nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/text.h"
#include "tests/base/source_dir.h"
#include "tests/house/tree_rules.h"

namespace cloister::house {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = source_dir();

#define EXPECT_NONE(findings) EXPECT_EQ(join(findings, "\n"), "")

// A source tree of a few files, removed at the end of the test.
class WrongTree {
 public:
  WrongTree() {
    std::string pattern = (fs::temp_directory_path() / "cloister-house-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~WrongTree() {
    std::error_code error;
    fs::remove_all(root_, error);
  }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

TEST(House, ArrowsPointOneWay) {
  EXPECT_NONE(check_arrows(kRoot));
}
TEST(House, HeavyHeadersStayInSources) {
  EXPECT_NONE(check_heavy_headers(kRoot));
}
TEST(House, LibrariesNeitherThrowNorPrintNorAskTheClock) {
  EXPECT_NONE(check_libraries_are_quiet(kRoot));
}
TEST(House, HeadersSayWhatTheyAreFor) {
  EXPECT_NONE(check_headers(kRoot));
}
TEST(House, EverySourceIsBuilt) {
  EXPECT_NONE(check_sources_are_built(kRoot));
}
TEST(House, LocalNamesAreUniqueInTheirFolder) {
  EXPECT_NONE(check_local_names(kRoot));
}
TEST(House, EveryFuzzTargetHasSeeds) {
  EXPECT_NONE(check_fuzz_targets(kRoot));
}
TEST(House, EveryFolderHasAReadme) {
  EXPECT_NONE(check_readmes(kRoot));
}
TEST(House, NothingIsLeftOver) {
  EXPECT_NONE(check_leftovers(kRoot));
}

TEST(WrongTree, ArrowAgainstTheOrderIsFound) {
  const WrongTree tree;
  tree.put("oci/a.h", "// a\n#pragma once\n");
  tree.put("measure/b.cc", "#include \"oci/a.h\"\n");
  tree.put("cmd/c.h", "// c\n#pragma once\n#include \"measure/none.h\"\n");
  tree.put("base/d.cc", "#include <vector>\n  #  include \"oci/a.h\"\n");
  tree.put("sign/e.cc", "#include \"cmd/c.h\"\n#include \"e.h\"\n");
  EXPECT_EQ(check_arrows(tree.root()),
            (Findings{"base/d.cc:2: base may not include 'oci/a.h'",
                      "cmd/c.h:3: 'measure/none.h' is not a file of the tree",
                      "sign/e.cc:1: sign may not include 'cmd/c.h'",
                      "sign/e.cc:2: sign may not include 'e.h'"}));
}

TEST(WrongTree, HeavyHeaderInASharedHeaderIsFound) {
  const WrongTree tree;
  tree.put("oci/a.h", "#include <archive.h>\n#include <nlohmann/json_fwd.hpp>\n");
  tree.put("oci/a.cc", "#include <archive.h>\n#include \"oci/a.h\"\n#include \"oci/sub/b.h\"\n");
  tree.put("oci/sub/b.h", "#include \"oci/a.h\"\n");
  tree.put("oci/private/c.h", "#include <curl/curl.h>\n");
  tree.put("oci/private/c.cc", "#include \"oci/private/c.h\"\n");
  EXPECT_EQ(check_heavy_headers(tree.root()),
            (Findings{"oci/a.h:1: a large library's header, in a header that others include"}));
}

TEST(WrongTree, NoisyLibraryIsFoundAndWordsAreNot) {
  const WrongTree tree;
  tree.put(
      "sign/a.cc",
      "// we never throw\nauto s = \"throw getenv(\";\nif (getenv(\"X\")) throw 1;\n"
      "std::snprintf(b, 1, \"\");\nauto t = std::chrono::system_clock::now();\nprintf(\"\");\n");
  tree.put("cmd/b.cc", "std::fprintf(stderr, \"\");\n");
  EXPECT_EQ(check_libraries_are_quiet(tree.root()),
            (Findings{"sign/a.cc:3: a library uses 'getenv'",
                      "sign/a.cc:5: a library uses 'system_clock::now'",
                      "sign/a.cc:6: a library uses 'printf('"}));
}

TEST(WrongTree, BareHeaderIsFound) {
  const WrongTree tree;
  tree.put("base/a.h", "#include <vector>\nusing namespace std;\n");
  EXPECT_EQ(check_headers(tree.root()).size(), 3U);
}

TEST(WrongTree, SourceOutsideTheBuildIsFound) {
  const WrongTree tree;
  tree.put("oci/CMakeLists.txt", "target_sources(x PRIVATE a.cc sub/b.cc)\n");
  tree.put("oci/a.cc", "");
  tree.put("oci/aa.cc", "");
  tree.put("oci/sub/b.cc", "");
  tree.put("oci/sub/c.cc", "");
  EXPECT_EQ(check_sources_are_built(tree.root()),
            (Findings{"oci/aa.cc: no CMakeLists.txt names it",
                      "oci/sub/c.cc: no CMakeLists.txt names it"}));
}

TEST(WrongTree, LocalNameUsedTwiceIsFound) {
  const WrongTree tree;
  tree.put("oci/a.cc",
           "namespace x {\nnamespace {\nstruct A {};\nint f(int a) {\n  return g(a);\n}\n"
           "constexpr int kB = 1;\n}  // namespace\nint h() {\n}\n}  // namespace x\n");
  tree.put(
      "oci/sub/b.cc",
      "namespace x {\nnamespace {\nclass A {};\nlong f(long a) {\n}\nconstexpr char kB[] = {};\n"
      "}  // namespace\nint h() {\n}\n}  // namespace x\n");
  tree.put("oci/c.cc", "namespace y {\nnamespace {\nint f() {\n}\n}  // namespace\n}\n");
  tree.put("base/d.cc", "namespace x {\nnamespace {\nint f() {\n}\n}  // namespace\n}\n");
  EXPECT_EQ(check_local_names(tree.root()),
            (Findings{"oci/sub/b.cc:3: 'A' is a local name of oci/a.cc too",
                      "oci/sub/b.cc:4: 'f' is a local name of oci/a.cc too",
                      "oci/sub/b.cc:6: 'kB' is a local name of oci/a.cc too"}));
}

TEST(WrongTree, FuzzTargetWithoutSeedsIsFound) {
  const WrongTree tree;
  tree.put("tests/fuzz/CMakeLists.txt", "cloister_fuzz(a LINK x)\ncloister_fuzz(b LINK x)\n");
  tree.put("tests/fuzz/b_fuzz.cc", "");
  tree.put("tests/fuzz/c_fuzz.cc", "");
  tree.put("testdata/fuzz/b/seed", "1");
  tree.put("testdata/fuzz/d/seed", "1");
  EXPECT_EQ(check_fuzz_targets(tree.root()), (Findings{"tests/fuzz/CMakeLists.txt: a has no seeds",
                                                       "tests/fuzz/c_fuzz.cc: is not registered",
                                                       "testdata/fuzz/d: seeds without a target"}));
}

TEST(WrongTree, MissingReadmeIsFound) {
  const WrongTree tree;
  tree.put("base/README.md", "# base\n");
  EXPECT_EQ(check_readmes(tree.root()).size(), 8U);
}

TEST(WrongTree, LeftoversAreFound) {
  const WrongTree tree;
  tree.put("base/a.cc", std::string("// TO") + "DO: later\nauto p = \"/tmp" + "/corpus/oci\";\n");
  tree.put("base/long.cc", std::string(701, '\n'));
  tree.put("base/fine.cc", "// MATODOR and a path /tmp/x\n");
  tree.put("testdata/big.bin", std::string((2U << 20) + 1, 'x'));
  EXPECT_EQ(check_leftovers(tree.root()).size(), 4U);
}

}  // namespace
}  // namespace cloister::house
