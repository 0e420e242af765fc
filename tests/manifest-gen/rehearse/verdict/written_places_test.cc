#include "manifest-gen/rehearse/verdict/written_places.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::vector<std::string> places(const WritingPlan& plan) {
  std::vector<std::string> out;
  for (const Proposal& mount : plan.mounts)
    out.push_back(cat(proposal_kind_name(mount.kind), " ", mount.path));
  return out;
}

TEST(WrittenPlaces, TakeTheNearestDirectory) {
  const WritingPlan plan =
      plan_writing({.written = {{"/var/cache/app/a"}, {"/var/cache/app/b"}, {"/run/app.pid"}},
                    .visible = {},
                    .volumes = {}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"tmpfs /run", "tmpfs /var/cache/app"}));
  EXPECT_EQ(plan.mount.at("/var/cache/app/b"), 1U);
}

TEST(WrittenPlaces, TakeOneMountForDirectoriesThatTheProgramMakes) {
  const WritingPlan plan = plan_writing({.written = {{"/var/cache/nginx/body", true},
                                                     {"/var/cache/nginx/body/1", true},
                                                     {"/var/cache/nginx/body/1/x"},
                                                     {"/var/cache/nginx/proxy", true}},
                                         .visible = {},
                                         .volumes = {}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"tmpfs /var/cache/nginx"}));
}

TEST(WrittenPlaces, MountWhatWasMadeWhereItsParentIsShared) {
  const WritingPlan plan = plan_writing(
      {.written = {{"/job", true}, {"/job/x"}, {"/etc/new"}}, .visible = {}, .volumes = {}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"tmpfs /job"}));
  EXPECT_FALSE(plan.mount.contains("/etc/new"));
}

TEST(WrittenPlaces, HideNothingThatIsOpened) {
  const WritingPlan plan = plan_writing({.written = {{"/app/cache.tmp"}, {"/app-data/x"}},
                                         .visible = {"/app/main.py"},
                                         .volumes = {}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"tmpfs /app-data"}));
  EXPECT_FALSE(plan.mount.contains("/app/cache.tmp"));
}

TEST(WrittenPlaces, KeepWhatIsMeantToStay) {
  const WritingPlan plan = plan_writing(
      {.written = {{"/var/lib/db/1"}, {"/vol/sub/x"}, {"/app/state.sqlite"}, {"/scratch/y"}},
       .visible = {"/app/main.py"},
       .volumes = {"/vol"}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"encrypted /app/state.sqlite", "tmpfs /scratch",
                                                    "encrypted /var/lib/db", "encrypted /vol"}));
}

TEST(WrittenPlaces, NestNoEncryptedMounts) {
  const WritingPlan plan = plan_writing(
      {.written = {{"/data/x"}, {"/data/sub/y"}, {"/data/sub/z"}}, .visible = {}, .volumes = {}});
  EXPECT_EQ(places(plan), (std::vector<std::string>{"encrypted /data"}));
  EXPECT_EQ(plan.mount.at("/data/sub/y"), 0U);
}

TEST(WrittenPlaces, GiveNoMountToWhatTheImageHolds) {
  const WritingPlan plan =
      plan_writing({.written = {{"/conf/app.conf", false, true}}, .visible = {}, .volumes = {}});
  EXPECT_TRUE(plan.mounts.empty());
}

}  // namespace
}  // namespace cloister::manifest
