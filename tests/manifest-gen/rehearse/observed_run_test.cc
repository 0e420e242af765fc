#include "manifest-gen/rehearse/observed_run.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "manifest-gen/rehearse/system_calls.h"
#include "manifest-gen/rehearse/watch/path_calls.h"
#include "manifest-gen/rehearse/watch/process_table.h"
#include "manifest-gen/rehearse/watch/supervisor.h"

namespace cloister::manifest {
namespace {

TEST(MergeRun, AddsCountsAndKeepsThePeaks) {
  ObservedRun one, other;
  one.paths["/a"].of(FileUse::read).done = 2;
  other.paths["/a"].of(FileUse::read).refused = 3;
  other.paths["/a"].real = "/b";
  other.paths["/c"].programs.insert("/bin/c");
  one.programs["/bin/c"] = {.processes = 1, .resident_bytes = 10, .threads = 7};
  other.programs["/bin/c"] = {.processes = 2, .resident_bytes = 20, .threads = 3};
  one.requests = 5;
  other.requests = 6;
  one.notes = {"x"};
  other.notes = {"x", "y"};
  merge_run(one, other);
  EXPECT_EQ(one.paths["/a"].of(FileUse::read), (UseCount{.done = 2, .refused = 3}));
  EXPECT_EQ(one.paths["/a"].real, "/b");
  EXPECT_TRUE(one.paths.contains("/c"));
  EXPECT_EQ(one.programs["/bin/c"],
            (ProcessPeaks{.processes = 3, .resident_bytes = 20, .threads = 7}));
  EXPECT_EQ(one.requests, 11U);
  EXPECT_EQ(one.notes, (std::vector<std::string>{"x", "y"}));
}

TEST(MergeRun, EndsAsTheWorst) {
  const auto merged = [](ObservedRun one, const ObservedRun& other) {
    merge_run(one, other);
    return std::pair(one.exit_status, one.exit_signal);
  };
  ObservedRun stopped, good, bad, killed;
  good.exit_status = 0;
  bad.exit_status = 3;
  killed.exit_signal = 9;
  EXPECT_EQ(merged(stopped, good).first, 0);
  EXPECT_EQ(merged(good, bad).first, 3);
  EXPECT_EQ(merged(bad, good).first, 3);
  EXPECT_EQ(merged(bad, killed), (std::pair(std::optional<int>(), std::optional<int>(9))));
}

TEST(FileUses, HaveNames) {
  for (std::size_t i = 0; i < kFileUses; ++i) {
    const auto use = static_cast<FileUse>(i);
    EXPECT_EQ(parse_file_use(file_use_name(use)), use);
  }
  EXPECT_FALSE(parse_file_use("open").has_value());
}

TEST(SystemCallName, IsTheKernels) {
  EXPECT_EQ(system_call_name(SYS_read), "read");
  EXPECT_EQ(system_call_name(SYS_execve), "execve");
  EXPECT_EQ(system_call_name(SYS_rseq), "rseq");
  EXPECT_EQ(system_call_name(SYS_openat2), "openat2");
  EXPECT_EQ(system_call_name(SYS_pidfd_open), "pidfd_open");
  EXPECT_EQ(system_call_name(400), "");
  EXPECT_EQ(system_call_name(-1), "");
  EXPECT_EQ(system_call_name(kSystemCalls), "");
}

TEST(PathCalls, AreFoundByNumber) {
  for (const PathCall& call : path_calls()) {
    EXPECT_EQ(path_call(call.number), &call) << system_call_name(call.number);
    EXPECT_GE(call.first.path, 0);
    EXPECT_NE(implemented_by_gramine(system_call_name(call.number)), Implemented::no)
        << system_call_name(call.number);
  }
  EXPECT_EQ(path_call(SYS_read), nullptr);
}

TEST(WatchedCalls, AreAllThatGramineLacksAndAllThatNameFiles) {
  const std::vector<int> watched = watched_calls();
  const auto has = [&](int number) {
    return std::find(watched.begin(), watched.end(), number) != watched.end();
  };
  EXPECT_TRUE(has(SYS_openat));
  EXPECT_TRUE(has(SYS_mount));
  EXPECT_TRUE(has(SYS_io_uring_setup));
  EXPECT_TRUE(has(SYS_ptrace));
  EXPECT_FALSE(has(SYS_read));
  EXPECT_FALSE(has(SYS_futex));
  EXPECT_FALSE(has(SYS_restart_syscall)) << "the kernel itself calls it";
}

TEST(WatchedProcess, KnowsDirectoriesByTheNamesItUsed) {
  WatchedProcess process;
  process.aliases = {{"/usr/lib", "/lib"}, {"/srv/x", "/data"}};
  EXPECT_EQ(process.lexical("/usr/lib"), "/lib");
  EXPECT_EQ(process.lexical("/usr/lib/a/b"), "/lib/a/b");
  EXPECT_EQ(process.lexical("/usr/library"), "/usr/library");
  EXPECT_EQ(process.lexical("/"), "/");
  process.aliases["/"] = "/top/..";
  EXPECT_EQ(process.lexical("/etc"), "/top/../etc");
}

}  // namespace
}  // namespace cloister::manifest
