#include "manifest-gen/packages/apk.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::manifest {
namespace {

using Strings = std::vector<std::string>;

constexpr std::string_view kInstalled =
    "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n"
    "p:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n"
    "R:libc.musl-x86_64.so.1\n\n"
    "P:nginx\nV:1.24.0-r1\nA:x86_64\nL:BSD-2-Clause\n"
    "D:so:libc.musl-x86_64.so.1 pcre2>=10 !nginx-lts /bin/sh\n"
    "F:etc/nginx\nM:0:0:755\nR:nginx.conf\nZ:Q1xyz=\nF:usr/sbin\nR:nginx\nF:\nR:at-the-root\n";

TEST(ApkInstalled, FilesDependenciesAndSources) {
  const auto packages = parse_apk_installed(kInstalled, Limits{});
  ASSERT_TRUE(packages) << packages.error().what();
  ASSERT_EQ(packages->size(), 2U);
  const Package &musl = (*packages)[0], &nginx = (*packages)[1];
  EXPECT_EQ(musl.files, (Strings{"/lib/ld-musl-x86_64.so.1", "/lib/libc.musl-x86_64.so.1"}));
  EXPECT_EQ(musl.license, "MIT");
  EXPECT_EQ(nginx.name, "nginx");
  EXPECT_EQ(nginx.version, "1.24.0-r1");
  EXPECT_EQ(nginx.source, "nginx");
  EXPECT_EQ(package_manager_name(nginx.manager), "apk");
  EXPECT_EQ(nginx.files, (Strings{"/etc/nginx/nginx.conf", "/usr/sbin/nginx", "/at-the-root"}));
  EXPECT_EQ(nginx.conffiles, Strings{"/etc/nginx/nginx.conf"});
  // A shared object is known by who provides it; a conflict is no need.
  EXPECT_EQ(nginx.depends, (Strings{"musl", "pcre2", "/bin/sh"}));
}

TEST(ApkInstalled, AnythingElseIsPassedOver) {
  for (const std::string_view text :
       {"", "\n\n", "P", "P:\n", "R:file before a package\n", "::\n"}) {
    const auto packages = parse_apk_installed(text, Limits{});
    ASSERT_TRUE(packages);
    EXPECT_TRUE(packages->empty()) << text;
  }
}

TEST(ApkInstalled, ADirectoryThatIsRepeatedWithoutEndIsRefused) {
  std::string text = cat("P:bomb\nF:", std::string(4000, 'd'), "\n");
  for (int i = 0; i < 20'000; ++i) text += "R:x\n";
  const auto packages = parse_apk_installed(text, Limits{});
  ASSERT_FALSE(packages);
  EXPECT_EQ(packages.error().code(), Code::limit);
}

}  // namespace
}  // namespace cloister::manifest
