#include "oci/documents/reference.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::oci {
namespace {

const std::string kHex(64, 'f');
const std::string kDigest = "sha256:" + kHex;

std::string normal(std::string_view text) {
  auto ref = parse_registry_ref(text);
  return ref.has_value() ? ref->str() : "error: " + ref.error().what();
}

Code refused(std::string_view text) {
  auto ref = parse_image_ref(text);
  EXPECT_FALSE(ref.has_value()) << text;
  return ref.has_value() ? Code::internal : ref.error().code();
}

TEST(Reference, TakesDockersDefaults) {
  EXPECT_EQ(normal("redis"), "docker.io/library/redis:latest");
  EXPECT_EQ(normal("redis:7"), "docker.io/library/redis:7");
  EXPECT_EQ(normal("bitnami/redis"), "docker.io/bitnami/redis:latest");
  EXPECT_EQ(normal("docker.io/redis"), "docker.io/library/redis:latest");
  EXPECT_EQ(normal("docker.io/library/redis"), "docker.io/library/redis:latest");
  EXPECT_EQ(normal("index.docker.io/redis"), "docker.io/library/redis:latest");
  EXPECT_EQ(normal("ghcr.io/redis"), "ghcr.io/redis:latest");
  EXPECT_EQ(normal("a/b/c"), "docker.io/a/b/c:latest");
}

TEST(Reference, TellsARegistryFromAPathComponent) {
  EXPECT_EQ(normal("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(normal("localhost:5000/app:1"), "localhost:5000/app:1");
  EXPECT_EQ(normal("myhost/app"), "docker.io/myhost/app:latest");
  EXPECT_EQ(normal("test:5000/repo"), "test:5000/repo:latest");
  EXPECT_EQ(normal("192.168.1.1:5000/repo:5050"), "192.168.1.1:5000/repo:5050");
  EXPECT_EQ(normal("[2001:db8::1]:5000/repo:tag"), "[2001:db8::1]:5000/repo:tag");
  EXPECT_EQ(normal("[::1]/repo"), "[::1]/repo:latest");
  EXPECT_EQ(normal("Reg.Example/repo"), "Reg.Example/repo:latest");  // hosts may have upper case
  // Without a slash the same text is a name and a tag.
  EXPECT_EQ(normal("test.com:5000"), "docker.io/library/test.com:5000");
  EXPECT_EQ(normal("localhost"), "docker.io/library/localhost:latest");
}

TEST(Reference, TakesTagDigestOrBoth) {
  EXPECT_EQ(normal("redis@" + kDigest), "docker.io/library/redis@" + kDigest);
  EXPECT_EQ(normal("redis:7@" + kDigest), "docker.io/library/redis:7@" + kDigest);
  auto both = parse_registry_ref("localhost:5000/a:7@" + kDigest);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->reference(), kDigest);  // the digest decides
  EXPECT_EQ(both->name(), "localhost:5000/a");
  EXPECT_EQ(both->tag, "7");
}

TEST(Reference, TakesEverySeparatorOfAPath) {
  for (std::string_view path :
       {"a.b", "a_b", "a__b", "a-b", "a---b", "0", "a/b-c/d__e", "x/foo_bar.com"})
    EXPECT_TRUE(parse_registry_ref(path).has_value()) << path;
  for (std::string_view path : {"a..b", "a___b", "a._b", "-a", "a-", ".a", "a.", "_a", "a/", "/a",
                                "a//b", "a b", "a/asdf$$^/a", "a\nb", "ä", "a\\b", "a?b", "a%2fb"})
    EXPECT_EQ(refused(path), Code::usage) << path;
}

TEST(Reference, RefusesUpperCaseWithTheLowerCaseNameAsHint) {
  for (std::string_view text :
       {"Redis", "Redis:7", "ghcr.io/Acme/api", "Acme/api", "test:5000/Upper/lower:tag"}) {
    auto ref = parse_registry_ref(text);
    ASSERT_FALSE(ref.has_value()) << text;
    EXPECT_EQ(ref.error().code(), Code::usage);
    EXPECT_NE(ref.error().what().find("upper-case"), std::string::npos);
  }
  EXPECT_EQ(parse_registry_ref("Redis").error().hint(), "write it in lower case: redis");
  EXPECT_TRUE(parse_registry_ref("redis:Alpine").has_value());
}

TEST(Reference, BoundsTheTag) {
  EXPECT_TRUE(parse_registry_ref("a:" + std::string(128, 'x')).has_value());
  EXPECT_EQ(refused("a:" + std::string(129, 'x')), Code::usage);
  for (std::string_view tag : {"_", "7", "A.b-c_d", "v1.0"})
    EXPECT_TRUE(parse_registry_ref(cat("a:", tag)).has_value()) << tag;
  for (std::string_view tag : {"", ".x", "-x", "x:y", "x/y", "x+y", "ü"})
    EXPECT_EQ(refused(cat("a:", tag)), Code::usage) << tag;
}

TEST(Reference, BoundsTheName) {
  // "docker.io/library/" is counted: 18 bytes.
  EXPECT_TRUE(parse_registry_ref(std::string(237, 'a')).has_value());
  EXPECT_EQ(refused(std::string(238, 'a')), Code::usage);
  EXPECT_TRUE(
      parse_registry_ref("x.y/" + std::string(251, 'a') + ":" + std::string(128, 't')).has_value());
  EXPECT_EQ(refused("x.y/" + std::string(252, 'a')), Code::usage);
  EXPECT_EQ(refused(std::string(1 << 20, 'a')), Code::usage);
}

TEST(Reference, RefusesImageIds) {
  EXPECT_EQ(refused(kHex), Code::usage);
  EXPECT_TRUE(parse_registry_ref(kHex.substr(1)).has_value());
  EXPECT_TRUE(parse_registry_ref(kHex + "0").has_value());
  EXPECT_TRUE(parse_registry_ref("a/" + kHex).has_value());
}

TEST(Reference, RefusesBadDigests) {
  EXPECT_EQ(refused("redis@"), Code::usage);
  EXPECT_EQ(refused("redis@sha256:abc"), Code::usage);
  EXPECT_EQ(refused("redis@sha256:" + std::string(64, 'F')), Code::usage);
  EXPECT_EQ(refused("redis@" + kHex), Code::usage);
  EXPECT_EQ(refused("redis@" + kDigest + "@" + kDigest), Code::usage);
  EXPECT_EQ(refused("redis@sha512:" + kHex + kHex), Code::unsupported);
  EXPECT_EQ(refused("@" + kDigest), Code::usage);
}

TEST(Reference, RefusesBadRegistries) {
  for (std::string_view text :
       {"", ":tag", "[::1]", "[::1]:5000", "[fe80::1%eth0]:5000/repo", "[]/a", "[::1/a", "[::1]x/a",
        "a.b:/c", "a.b:0/c", "a.b:65536/c", "a.b:5x/c", "-a.b/c", "a-.b/c", "a..b/c", ".b/c",
        "a_b.c/d", "a.b:1:2/c", "user:pw@host.x/a"})
    EXPECT_EQ(refused(text), Code::usage) << text;
}

TEST(Reference, SaysThatAUrlIsNoReference) {
  auto ref = parse_image_ref("https://ghcr.io/acme/api");
  ASSERT_FALSE(ref.has_value());
  EXPECT_EQ(ref.error().code(), Code::usage);
  EXPECT_EQ(ref.error().hint(), "leave out https://");
}

TEST(ImageRef, TakesTheTransportsThereAre) {
  EXPECT_EQ(parse_image_ref("docker://redis")->str(), "docker.io/library/redis:latest");
  auto layout = parse_image_ref("oci:/tmp/x:redis");
  ASSERT_TRUE(layout.has_value());
  EXPECT_EQ(layout->transport, Transport::layout);
  EXPECT_EQ(layout->path, "/tmp/x");
  EXPECT_EQ(layout->tag, "redis");
  EXPECT_EQ(layout->str(), "oci:/tmp/x:redis");
  auto archive = parse_image_ref("oci-archive:x.tar");
  ASSERT_TRUE(archive.has_value());
  EXPECT_EQ(archive->transport, Transport::archive);
  EXPECT_EQ(archive->path, "x.tar");
  EXPECT_EQ(archive->tag, "");
}

TEST(ImageRef, SplitsALayoutPathAtItsFirstColonAsSkopeoDoes) {
  auto ref = parse_image_ref("oci:dir:docker.io/library/redis:7");
  ASSERT_TRUE(ref.has_value());
  EXPECT_EQ(ref->path, "dir");
  EXPECT_EQ(ref->tag, "docker.io/library/redis:7");
  EXPECT_EQ(parse_image_ref("oci:dir:")->tag, "");
}

TEST(ImageRef, TakesADigestOfALayout) {
  auto ref = parse_image_ref("oci:a@b/dir@" + kDigest);
  ASSERT_TRUE(ref.has_value());
  EXPECT_EQ(ref->path, "a@b/dir");
  EXPECT_EQ(ref->digest->str(), kDigest);
  EXPECT_EQ(ref->tag, "");
  auto both = parse_image_ref("oci:dir:redis@" + kDigest);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->tag, "redis");
  EXPECT_EQ(both->str(), "oci:dir:redis@" + kDigest);
  EXPECT_EQ(refused("oci:dir@sha256:abc"), Code::usage);
  EXPECT_EQ(refused("oci:dir@sha512:abc"), Code::unsupported);
}

TEST(ImageRef, RefusesBadLayoutArguments) {
  EXPECT_EQ(refused("oci:"), Code::usage);
  EXPECT_EQ(refused("oci::tag"), Code::usage);
  EXPECT_EQ(refused(std::string_view("oci:a\0b", 7)), Code::usage);
  for (std::string_view tag : {" ", "a b", "/a", "a/", "a//b", "-a", "a---b", "a\n", "ü"})
    EXPECT_EQ(refused(cat("oci:d:", tag)), Code::usage) << tag;
  for (std::string_view tag : {"a--b", "a+b", "a@b", "A_1.x/y:z"})
    EXPECT_TRUE(parse_image_ref(cat("oci:d:", tag)).has_value()) << tag;
}

TEST(ImageRef, OfADockerArchiveTakesNamesAndPositions) {
  auto ref = parse_image_ref("docker-archive:a/x.tar:redis:7");
  ASSERT_TRUE(ref.has_value());
  EXPECT_EQ(ref->transport, Transport::docker_archive);
  EXPECT_EQ(ref->path, "a/x.tar");
  EXPECT_EQ(ref->tag, "docker.io/library/redis:7");
  EXPECT_EQ(ref->str(), "docker-archive:a/x.tar:docker.io/library/redis:7");
  EXPECT_EQ(parse_image_ref("docker-archive:x.tar:@1")->tag, "@1");
  EXPECT_EQ(parse_image_ref("docker-archive:x.tar")->tag, "");
  EXPECT_EQ(parse_image_ref("docker-archive:x.tar:Redis").error().code(), Code::usage);
}

TEST(ImageRef, OfADaemonKeepsShortNames) {
  EXPECT_EQ(parse_image_ref("docker-daemon:redis")->path, "redis:latest");
  EXPECT_EQ(parse_image_ref("docker-daemon:localhost:5000/a")->str(),
            "docker-daemon:localhost:5000/a:latest");
  const std::string id = cat("sha256:", std::string(64, 'a'));
  EXPECT_EQ(parse_image_ref("docker-daemon:" + id)->path, id);
  EXPECT_EQ(parse_image_ref(cat("docker-daemon:redis@", id)).error().code(), Code::usage);
}

TEST(ImageRef, SaysWhichTransportsExist) {
  for (std::string_view text : {"ostree:x", "dir:/x", "containers-storage:x", "s3://x/y"}) {
    auto ref = parse_image_ref(text);
    ASSERT_FALSE(ref.has_value()) << text;
    EXPECT_EQ(ref.error().code(), Code::usage);
    EXPECT_NE(ref.error().hint().find("oci-archive:FILE"), std::string::npos) << text;
  }
  EXPECT_EQ(parse_image_ref("docker:dind")->str(), "docker.io/library/docker:dind");
}

TEST(ImageRef, ShowsHostileTextEscaped) {
  auto ref = parse_image_ref("\x1b[31mred");
  ASSERT_FALSE(ref.has_value());
  EXPECT_EQ(ref.error().what().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cloister::oci
