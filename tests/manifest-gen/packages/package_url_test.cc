#include <gtest/gtest.h>

#include "manifest-gen/packages/package.h"

namespace cloister::manifest {
namespace {

Package package(PackageManager manager, std::string name, std::string version, std::string arch) {
  Package out;
  out.manager = manager;
  out.name = std::move(name);
  out.version = std::move(version);
  out.architecture = std::move(arch);
  return out;
}

TEST(PackageUrl, EachManagerHasItsType) {
  EXPECT_EQ(package_url(package(PackageManager::dpkg, "libstdc++6", "5:1.2~rc1+b2", "amd64"),
                        {"debian", "12"}),
            "pkg:deb/debian/libstdc%2B%2B6@5%3A1.2~rc1%2Bb2?arch=amd64&distro=debian-12");
  EXPECT_EQ(
      package_url(package(PackageManager::apk, "musl", "1.2.4-r2", "x86_64"), {"alpine", "3.18.4"}),
      "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4");
  EXPECT_EQ(package_url(package(PackageManager::rpm, "bash", "1:5.2-3.fc38", "x86_64"), {}),
            "pkg:rpm/redhat/bash@5.2-3.fc38?arch=x86_64&epoch=1");
}

TEST(PackageUrl, NamesCannotAddParts) {
  EXPECT_EQ(package_url(package(PackageManager::dpkg, "a/b?c#d", "1", ""), {"x&y", ""}),
            "pkg:deb/x%26y/a%2Fb%3Fc%23d@1");
}

}  // namespace
}  // namespace cloister::manifest
