#include "measure/source/jar.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

struct File {
  std::string name, text;
  bool deflated = true;
};

std::string deflated(std::string text) {
  std::string out(text.size() + 64, '\0');
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// APPNOTE.TXT 4.3.6, as small as it can be.
Bytes jar(const std::vector<File>& files, std::string_view comment = "",
          std::string_view in_front = "") {
  ByteWriter out, central;
  out.text(in_front);
  for (const File& file : files) {
    const std::string data = file.deflated ? deflated(file.text) : file.text;
    const auto packed = static_cast<std::uint32_t>(data.size());
    const auto size = static_cast<std::uint32_t>(file.text.size());
    const auto name = static_cast<std::uint16_t>(file.name.size());
    const auto offset = static_cast<std::uint32_t>(out.size() - in_front.size());
    const std::uint16_t method = file.deflated ? 8 : 0;
    out.u32(0x04034b50);
    out.zeros(4);
    out.u16(method);
    out.zeros(8);
    out.u32(packed);
    out.u32(size);
    out.u16(name);
    out.u16(0);
    out.text(file.name);
    out.text(data);
    central.u32(0x02014b50);
    central.zeros(6);
    central.u16(method);
    central.zeros(8);
    central.u32(packed);
    central.u32(size);
    central.u16(name);
    central.zeros(12);
    central.u32(offset);
    central.text(file.name);
  }
  const auto at = static_cast<std::uint32_t>(out.size() - in_front.size());
  out.bytes(central.view());
  out.u32(0x06054b50);
  out.zeros(4);
  out.u16(static_cast<std::uint16_t>(files.size()));
  out.u16(static_cast<std::uint16_t>(files.size()));
  out.u32(static_cast<std::uint32_t>(central.size()));
  out.u32(at);
  out.u16(static_cast<std::uint16_t>(comment.size()));
  out.text(comment);
  return out.take();
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
