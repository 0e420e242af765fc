#include "manifest-gen/launch/passwd.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

constexpr std::string_view kPasswd =
    "# comment\n"
    "broken:x\n"
    "nan:x:abc:0::/:/bin/sh\n"
    "root:x:0:0:root:/root:/bin/bash\n"
    "redis:x:101:103::/var/lib/redis:/usr/sbin/nologin\n"
    "redis:x:999:999::/other:/bin/sh\n"
    "1234:x:50:51::/numeric:\n"
    "short:x:7:8";
constexpr std::string_view kGroup = "root:x:0:\nredis:x:103:\nbad:x:\nwww-data:x:33:redis,root\n";

Result<Identity> resolve(std::string_view user) {
  return resolve_identity(user, std::string(kPasswd), std::string(kGroup));
}

TEST(Identity, EmptyUserIsRootWithRootsHome) {
  const auto id = resolve("");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->uid, 0u);
  EXPECT_EQ(id->gid, 0u);
  EXPECT_EQ(id->home, "/root");
}

TEST(Identity, NameTakesUidGroupAndHomeOfTheFirstMatchingLine) {
  const auto id = resolve("redis");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->uid, 101u);
  EXPECT_EQ(id->gid, 103u);
  EXPECT_EQ(id->home, "/var/lib/redis");
}

TEST(Identity, KnownNumberTakesItsGroupFromPasswd) {
  const auto id = resolve("101");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->gid, 103u);
}

TEST(Identity, UnknownNumberHasGroupZeroAndRootDirectory) {
  const auto id = resolve("65532");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->uid, 65532u);
  EXPECT_EQ(id->gid, 0u);
  EXPECT_EQ(id->home, "/");
}

TEST(Identity, NumberIsNeverTakenForAName) {
  const auto id = resolve("1234");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->uid, 1234u);
}

TEST(Identity, GroupByNameAndByNumber) {
  EXPECT_EQ(resolve("redis:www-data")->gid, 33u);
  EXPECT_EQ(resolve("1000:1001")->gid, 1001u);
  EXPECT_EQ(resolve(":www-data")->uid, 0u);
  EXPECT_EQ(resolve("redis:")->gid, 103u);
}

TEST(Identity, LineWithoutHomeMeansRootDirectory) {
  EXPECT_EQ(resolve("short")->home, "/");
}

TEST(Identity, UnknownNamesAreUnresolvedAndSayWhere) {
  const auto user = resolve("nobody");
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code(), Code::unresolved);
  EXPECT_NE(user.error().what().find("/etc/passwd"), std::string::npos);
  EXPECT_EQ(resolve("redis:nogroup").error().code(), Code::unresolved);
  EXPECT_EQ(resolve("redis:bad").error().code(), Code::unresolved);
}

TEST(Identity, WithoutPasswdOnlyNumbersWork) {
  EXPECT_EQ(resolve_identity("7:8", std::nullopt, std::nullopt)->gid, 8u);
  EXPECT_TRUE(resolve_identity("", std::nullopt, std::nullopt));
  const auto name = resolve_identity("redis", std::nullopt, std::nullopt);
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().details().front(), "the image has no /etc/passwd");
  EXPECT_FALSE(resolve_identity("7:staff", std::string(kPasswd), std::nullopt));
}

TEST(Identity, NumbersEndAtTheLargestSignedOne) {
  EXPECT_EQ(parse_id("2147483647"), 2147483647u);
  EXPECT_EQ(parse_id("2147483648"), std::nullopt);
  EXPECT_EQ(parse_id("-1"), std::nullopt);
  EXPECT_EQ(parse_id(""), std::nullopt);
  EXPECT_EQ(parse_id("0x10"), std::nullopt);
}

}  // namespace
}  // namespace cloister::manifest
