#include "measure/source/jar.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/measure/source/archive.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

using test::ArchivedFile;

Bytes jar(const std::vector<ArchivedFile>& files, std::string_view comment = "",
          std::string_view in_front = "") {
  return test::archive(files, comment, in_front);
}

Names names(ByteView bytes) {
  return scan_jar(bytes, Limits{}).names;
}

constexpr std::string_view kManifest =
    "Manifest-Version: 1.0\r\nMain-Class: org.example.Main\r\n"
    "Class-Path: lib/a.jar lib/b\r\n .jar file:/opt/c.jar\r\n\r\nName: x\r\nClass-Path: no\r\n";

TEST(Jar, ManifestNamesClassPathAndMain) {
  const Names want{"class-path:file:/opt/c.jar", "class-path:lib/a.jar", "class-path:lib/b.jar",
                   "main-class:org.example.Main"};
  for (const bool packed : {true, false})
    EXPECT_EQ(
        names(jar({{"a/B.class", "x"}, {"META-INF/MANIFEST.MF", std::string(kManifest), packed}})),
        want);
}

TEST(Jar, CommentAndScriptInFrontDoNotMatter) {
  const Bytes bytes = jar({{"META-INF/MANIFEST.MF", "Main-Class: M\n\n"}}, "a comment",
                          "#!/bin/sh\nexec java -jar $0\n");
  EXPECT_EQ(names(bytes), (Names{"main-class:M"}));
}

TEST(Jar, NativeLibrariesInsideAreNamed) {
  EXPECT_EQ(names(jar({{"org/x/libx.so", ""}, {"org/x/y.dll", ""}})),
            (Names{"native:org/x/libx.so"}));
}

TEST(Jar, DamagedArchivesSayNothing) {
  EXPECT_EQ(names({}), Names{});
  EXPECT_EQ(names(as_bytes("PK\x05\x06 no archive at all, but long enough to be one")), Names{});
  const Bytes whole = jar({{"META-INF/MANIFEST.MF", std::string(kManifest)}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(names(ByteView(whole).first(size)), Names{}) << size;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0xff};
    (void)names(changed);  // whatever it says: within bounds
  }
}

TEST(Jar, ManifestThatInflatesWithoutEndIsCut) {
  const Bytes bytes =
      jar({{"META-INF/MANIFEST.MF", cat("Main-Class: M\n", std::string(8U << 20, '\n'))}});
  EXPECT_EQ(names(bytes), (Names{"main-class:M"}));
}

}  // namespace
}  // namespace cloister::measure::source
