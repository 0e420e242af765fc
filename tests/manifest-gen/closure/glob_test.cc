#include "manifest-gen/closure/glob.h"

#include <gtest/gtest.h>

#include "manifest-gen/closure/withheld.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using Paths = std::vector<std::string>;
using test::Tree;

measure::Rootfs tree() {
  return Tree()
      .file("/etc/app/a.conf")
      .file("/etc/app/sub/b.conf")
      .file("/etc/app/sub/deep/c.conf")
      .link("/etc/app/l.conf", "a.conf")
      .link("/etc/app/dangling", "nowhere")
      .link("/etc/app/loop", ".")
      .link("/etc/app/other", "/srv")
      .file("/srv/x")
      .link("/conf", "etc/app")
      .build();
}

TEST(Glob, ComponentWildcards) {
  EXPECT_TRUE(match_component("*.so*", "libx.so.1"));
  EXPECT_TRUE(match_component("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(match_component("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(match_component("?", "x"));
  EXPECT_FALSE(match_component("?", ""));
  EXPECT_TRUE(match_component("**", ""));
}

TEST(Glob, HostilePatternEnds) {
  EXPECT_FALSE(match_component(std::string(1000, '*') + "b", std::string(100000, 'a')));
}

TEST(Glob, PathsMatchByComponents) {
  EXPECT_TRUE(match_path("/a/**/z", "/a/z"));
  EXPECT_TRUE(match_path("/a/**/z", "/a/b/c/z"));
  EXPECT_FALSE(match_path("/a/*/z", "/a/b/c/z"));
  EXPECT_TRUE(match_path("**/*.pyc", "/x/y.pyc"));
  EXPECT_TRUE(match_path("/a/**/b/**/c", "/a/b/x/b/y/c"));
  EXPECT_FALSE(match_path("/a/**/b/**/c", "/a/x/y/c"));
  EXPECT_TRUE(match_path("//a/**/**", "/a/b"));
  EXPECT_TRUE(match_path("/a/**", "/a"));
  EXPECT_FALSE(match_path("/a/b", "/a"));
  EXPECT_FALSE(match_path("/a", "/a/b/a"));
  EXPECT_FALSE(match_path("/a/**", "/b/a"));
}

TEST(Glob, StarStaysInItsComponent) {
  const auto root = tree();
  EXPECT_EQ(expand_glob(root, "/etc/app/*.conf"), (Paths{"/etc/app/a.conf", "/etc/app/l.conf"}));
}

TEST(Glob, DoubleStarCrossesDirectoriesButNotLinks) {
  const auto root = tree();
  EXPECT_EQ(expand_glob(root, "/etc/**"),
            (Paths{"/etc/app/a.conf", "/etc/app/l.conf", "/etc/app/sub/b.conf",
                   "/etc/app/sub/deep/c.conf"}));
  EXPECT_EQ(expand_glob(root, "/etc/**/deep/*"), Paths{"/etc/app/sub/deep/c.conf"});
  EXPECT_EQ(expand_glob(root, "/**/**/**/c.conf"), Paths{"/etc/app/sub/deep/c.conf"});
}

TEST(Glob, LiteralComponentsMayBeLinksAndKeepTheirSpelling) {
  const auto root = tree();
  EXPECT_EQ(expand_glob(root, "/conf/*.conf"), (Paths{"/conf/a.conf", "/conf/l.conf"}));
  EXPECT_EQ(expand_glob(root, "/etc/app/other/*"), Paths{"/etc/app/other/x"});
}

TEST(Glob, LiteralFileAndDirectory) {
  const auto root = tree();
  EXPECT_EQ(expand_glob(root, "/conf/l.conf"), Paths{"/conf/l.conf"});
  EXPECT_EQ(expand_glob(root, "/etc/app/sub/"),
            (Paths{"/etc/app/sub/b.conf", "/etc/app/sub/deep/c.conf"}));
  EXPECT_EQ(expand_glob(root, "/etc/app/dangling"), Paths{});
  EXPECT_EQ(expand_glob(root, "/absent/**"), Paths{});
}

TEST(Withheld, SecretsAreKnownByName) {
  for (const char* path : {"/etc/ssl/private/x.pem", "/etc/shadow", "/root/.ssh/id_rsa",
                           "/a/tls.key", "/app/.env", "/etc/ssh/ssh_host_rsa_key", "/a/id_ed25519"})
    EXPECT_TRUE(looks_secret(path)) << path;
  for (const char* path : {"/usr/lib/python3.11/secrets.py", "/etc/ssl/certs/ca-certificates.crt",
                           "/a/id_rsa.pub", "/etc/passwd", "/a/cacert.pem", "/usr/bin/env"})
    EXPECT_FALSE(looks_secret(path)) << path;
}

TEST(Withheld, FilesThatTheHostReplacesOrGramineCannotUse) {
  EXPECT_TRUE(is_never_valid("/etc/hosts"));
  EXPECT_TRUE(is_never_valid("/a/__pycache__/b.cpython-311.pyc"));
  EXPECT_FALSE(is_never_valid("/etc/nsswitch.conf"));
}

}  // namespace
}  // namespace cloister::manifest
