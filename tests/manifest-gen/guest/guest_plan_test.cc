// What a guest runs, as whom, and where it may write.
#include "manifest-gen/guest/guest_plan.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/text.h"
#include "tests/base/must.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

struct PlanInput {
  Launch launch;
  Closure closure;
  Kind kind;
  oci::ExecutionConfig config;
  GuestOptions options;
  Tree tree;

  PlanInput() {
    launch.program = "/usr/bin/app";
    launch.argv = {"app", "-x"};
    launch.workdir = "/";
    launch.uid = 1000;
    launch.gid = 1000;
    tree.file("/usr/bin/app", "x", 0755);
  }
  Result<GuestPlan> plan() {
    const measure::Rootfs rootfs = tree.build();
    return plan_guest(launch, closure, kind, config, rootfs, options);
  }
  Code refusal() {
    const auto made = plan();
    return made.has_value() ? Code::internal : made.error().code();
  }
};

std::vector<std::string> places(const GuestPlan& plan) {
  std::vector<std::string> out;
  for (const GuestPlace& place : plan.writable) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%o", place.mode);
    out.push_back(cat(place.path, " ", mode, " ", place.uid, ":", place.gid));
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(GuestPlan, IsTheLaunch) {
  PlanInput input;
  input.launch.env = {{"PATH", "/bin"}, {"MODE", ""}};
  input.launch.workdir = "/srv";
  input.config.exposed_ports = {"53/udp", "80/tcp"};
  input.options.network = false;
  input.options.created = Seconds(std::chrono::seconds(77));
  const GuestPlan plan = must(input.plan());
  EXPECT_EQ(plan.program, "/usr/bin/app");
  EXPECT_EQ(plan.argv, (Texts{"app", "-x"}));
  EXPECT_EQ(plan.env, input.launch.env);
  EXPECT_EQ(plan.uid, 1000U);
  EXPECT_EQ(plan.gid, 1000U);
  EXPECT_EQ(plan.workdir, "/srv");
  EXPECT_EQ(plan.stop_signal, SIGTERM);
  EXPECT_FALSE(plan.network);
  EXPECT_EQ(plan.ports, input.config.exposed_ports);
  EXPECT_EQ(plan.earliest, input.options.created);
  EXPECT_TRUE(plan.writable.empty());
}

TEST(GuestPlan, TheClockIsNotBefore1970) {
  PlanInput input;
  input.options.created = Seconds(std::chrono::seconds(-1));
  EXPECT_EQ(must(input.plan()).earliest, Seconds());
}

TEST(GuestPlan, TheImagesEnvironmentComesBeforeTheKinds) {
  PlanInput input;
  input.launch.env = {{"A", "image"}};
  input.kind.env = {{"A", "kind"}, {"B", "kind"}};
  const std::vector<std::pair<std::string, std::string>> want = {{"A", "image"}, {"B", "kind"}};
  EXPECT_EQ(must(input.plan()).env, want);
}

TEST(GuestPlan, NothingIsPassedThrough) {
  PlanInput input;
  input.launch.passthrough = {"TOKEN"};
  EXPECT_EQ(input.refusal(), Code::unsupported);
}

TEST(GuestPlan, GroupsAreThoseOfTheUser) {
  PlanInput input;
  input.tree.file("/etc/passwd", "root:x:0:0::/:\napp:x:1000:1000::/:\n")
      .file("/etc/group",
            "root:x:0:\napp:x:1000:app\nssl:x:7:www,app\nmail:x:8:app2\nodd:x:-1:app\nshort:x\n"
            "tape:x:9:app\n");
  input.launch.user = "app";
  EXPECT_EQ(must(input.plan()).groups, (std::vector<std::uint32_t>{7, 9}));
  input.launch.user = "1000";
  EXPECT_EQ(must(input.plan()).groups, (std::vector<std::uint32_t>{7, 9}));
  input.launch.user = "app:ssl";  // names its group itself
  EXPECT_TRUE(must(input.plan()).groups.empty());
  input.launch.user = "1001";
  input.launch.uid = 1001;
  EXPECT_TRUE(must(input.plan()).groups.empty());
  EXPECT_TRUE(must(PlanInput().plan()).groups.empty());
}

TEST(GuestPlan, SignalsHaveManyNames) {
  for (const auto& [text, number] : {std::pair{"SIGTERM", SIGTERM},
                                     {"TERM", SIGTERM},
                                     {"term", SIGTERM},
                                     {"SigQuit", SIGQUIT},
                                     {"SIGWINCH", SIGWINCH},
                                     {"1", 1},
                                     {"9", 9},
                                     {"64", 64},
                                     {"SIGRTMIN", 34},
                                     {"SIGRTMIN+3", 37},
                                     {"rtmin+30", 64},
                                     {"SIGRTMAX", 64},
                                     {"SIGRTMAX-1", 63}})
    EXPECT_EQ(stop_signal_number(text), number) << text;
  for (const char* text : {"", "0", "65", "-1", "99999999999", "SIG", "SIGSIGTERM", "SIGNOTHING",
                           "TERM ", "15x", "SIGRTMIN+", "SIGRTMIN-1", "SIGRTMIN+31", "SIGRTMIN3",
                           "SIGRTMAX+1", "SIGRTMAX-31", "SIGRTMIN+4294967296"})
    EXPECT_EQ(stop_signal_number(text), std::nullopt) << text;
  PlanInput input;
  input.config.stop_signal = "SIGQUIT";
  EXPECT_EQ(must(input.plan()).stop_signal, SIGQUIT);
  input.config.stop_signal = "SIGNOTHING";
  EXPECT_EQ(input.refusal(), Code::invalid);
}

TEST(GuestPlan, PlacesAreAsTheImageHasThem) {
  PlanInput input;
  input.tree.directory("/data").last().uid = 70;
  input.tree.last().mode = 0700;
  input.tree.directory("/tmp").last().mode = 0755;
  input.options.volumes = {{"/data", Volume::Kind::tmpfs, ""},
                           {"/new//x/", Volume::Kind::tmpfs, ""}};
  input.launch.volumes = {"/var/lib/app"};
  input.kind.tmpfs = {"/tmp", "/var/tmp"};
  EXPECT_EQ(places(must(input.plan())),
            (Texts{"/data 700 70:0", "/new/x 755 1000:1000", "/tmp 1777 0:0",
                   "/var/lib/app 755 1000:1000", "/var/tmp 1777 1000:1000"}));
}

// What lies in a writable place comes along with it.
TEST(GuestPlan, APlaceInAnotherIsItsContent) {
  PlanInput input;
  input.options.volumes = {{"/a/b/c", Volume::Kind::tmpfs, ""}};
  input.launch.volumes = {"/a", "/a/b", "/ab"};
  input.kind.tmpfs = {"/a/d", "/ab"};
  EXPECT_EQ(places(must(input.plan())), (Texts{"/a 755 1000:1000", "/ab 755 1000:1000"}));
}

TEST(GuestPlan, PlacesHaveNoLinkInTheirNames) {
  PlanInput input;
  input.tree.directory("/run/app").link("/var/run", "../run").link("/data", "/srv/data");
  input.tree.directory("/srv/data");
  input.launch.volumes = {"/data", "/var/run/app", "/var/run/new/deep"};
  EXPECT_EQ(places(must(input.plan())),
            (Texts{"/run/app 755 0:0", "/run/new/deep 755 1000:1000", "/srv/data 755 0:0"}));
}

TEST(GuestPlan, TheKernelsPlacesAreItsOwn) {
  PlanInput input;
  input.tree.link("/shared", "/dev/shm").directory("/dev/shm");
  input.launch.volumes = {"/proc", "/sys/fs", "/dev/shm", "/shared"};
  EXPECT_TRUE(must(input.plan()).writable.empty());
}

TEST(GuestPlan, TheWholeRootIsNoPlace) {
  for (const char* path : {"/", "//", "/x/..", "", "data", "./data"}) {
    PlanInput input;
    input.options.volumes = {{path, Volume::Kind::tmpfs, ""}};
    EXPECT_EQ(input.refusal(), Code::invalid) << path;
  }
  PlanInput image;
  image.launch.volumes = {"/"};
  EXPECT_EQ(image.refusal(), Code::invalid);
  PlanInput link;
  link.tree.link("/all", "/");
  link.options.volumes = {{"/all", Volume::Kind::tmpfs, ""}};
  EXPECT_EQ(link.refusal(), Code::invalid);
}

TEST(GuestPlan, AFileIsNoPlace) {
  PlanInput input;
  input.launch.volumes = {"/usr/bin/app"};
  EXPECT_EQ(input.refusal(), Code::invalid);
}

TEST(GuestPlan, NothingIsKeptOnDisks) {
  for (const Volume::Kind kind : {Volume::Kind::encrypted, Volume::Kind::allowed}) {
    PlanInput input;
    input.options.volumes = {{"/data", kind, ""}};
    EXPECT_EQ(input.refusal(), Code::unsupported);
  }
}

TEST(GuestPlan, AMissingWorkingDirectoryIsAPlace) {
  PlanInput input;
  input.launch.workdir = "/srv/app";
  input.launch.missing_directories = {"/srv/app"};
  EXPECT_EQ(places(must(input.plan())), Texts{"/srv/app 755 1000:1000"});
}

}  // namespace
}  // namespace cloister::manifest
