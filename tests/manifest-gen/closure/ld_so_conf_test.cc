#include "manifest-gen/closure/ld_so_conf.h"

#include <gtest/gtest.h>

#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using Paths = std::vector<std::string>;
using test::Tree;

TEST(LdSoConf, Lines) {
  const auto lines = parse_ld_so_conf(
      "# comment\n/opt/lib  # more\n\t/x/ = libc6\ninclude a.conf\tb/*.conf\nhwcap 0 nosegneg\n"
      "includes\n\n=\n");
  EXPECT_EQ(lines, (std::vector<LdSoConfLine>{{false, "/opt/lib"},
                                              {false, "/x"},
                                              {true, "a.conf"},
                                              {true, "b/*.conf"},
                                              {false, "includes"}}));
}

TEST(LdSoConf, IncludesStandWhereTheyAreNamedAndDefaultsComeLast) {
  const auto root = Tree()
                        .file("/etc/ld.so.conf", "/first\ninclude ld.so.conf.d/*.conf\n/last\n")
                        .file("/etc/ld.so.conf.d/b.conf", "/from/b\n/absent\n")
                        .file("/etc/ld.so.conf.d/a.conf", "/from/a\nrelative\n")
                        .directory("/first")
                        .directory("/last")
                        .directory("/from/a")
                        .directory("/from/b")
                        .directory("/usr/lib/x86_64-linux-gnu")
                        .link("/lib", "usr/lib")
                        .build();
  const auto list = glibc_system_directories(root, Limits{});
  ASSERT_TRUE(list);
  // /usr/lib is the directory that /lib names: once, under the name met first.
  EXPECT_EQ(*list,
            (Paths{"/first", "/from/a", "/from/b", "/last", "/lib/x86_64-linux-gnu", "/lib"}));
}

TEST(LdSoConf, IncludeLoopsEnd) {
  const auto root = Tree()
                        .file("/etc/ld.so.conf", "include /etc/ld.so.conf\ninclude /etc/x.conf\n")
                        .file("/etc/x.conf", "include /etc/ld.so.conf\n/dir\n")
                        .directory("/dir")
                        .build();
  EXPECT_EQ(*glibc_system_directories(root, Limits{}), Paths{"/dir"});
}

TEST(MuslPath, FileReplacesTheDefaults) {
  Tree tree;
  tree.directory("/lib").directory("/usr/lib").directory("/opt");
  EXPECT_EQ(*musl_system_directories(tree.build(), Limits{}), (Paths{"/lib", "/usr/lib"}));
  tree.file("/etc/ld-musl-x86_64.path", "/opt:/lib\n/absent\n");
  EXPECT_EQ(*musl_system_directories(tree.build(), Limits{}), (Paths{"/opt", "/lib"}));
}

}  // namespace
}  // namespace cloister::manifest
