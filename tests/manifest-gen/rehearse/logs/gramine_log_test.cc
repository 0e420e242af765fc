// Messages as Graphene and Gramine 1.0 to 1.9 write them.
#include "manifest-gen/rehearse/logs/gramine_log.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/rehearse/logs/gramine_arguments.h"
#include "manifest-gen/rehearse/logs/log_format.h"
#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

ObservedRun logged(std::string_view log, const std::string& start = {}) {
  return must(read_observed_run(log, LogContext{start}, Limits{}, "a log"));
}

UseCount use_in(const ObservedRun& run, const std::string& path, FileUse use) {
  const auto found = run.paths.find(path);
  return found != run.paths.end() ? found->second.of(use) : UseCount{};
}

bool says(const ObservedRun& run, std::string_view text) {
  return join(run.notes, "\n").find(text) != std::string::npos;
}

TEST(GramineLog, WhatThePolicyLetsThrough) {
  for (const std::string_view line :
       {"[P1:T1:redis] warning: Allowing access to unknown file '/etc/x' due to file_check_policy "
        "settings.",
        "warning: Allowing access to unknown file '/etc/x' due to file_check_policy settings.",
        "(pal_files.c:88:file_open) [P1:T1:redis] warning: Allowing access to unknown file "
        "'/etc/x' due to file_check_policy settings.",
        "[P7:T9:redis] Allowing access to unknown file due to file_check_policy settings: "
        "file:/etc/x",
        "Allowing access to an unknown file due to file_check_policy settings: file:/etc/x"}) {
    const ObservedRun run = logged(cat("what the program prints\n", line, "\n", line, "\n"));
    EXPECT_EQ(run.source, "gramine");
    EXPECT_EQ(use_in(run, "/etc/x", FileUse::read).done, 2U) << line;
    EXPECT_EQ(run.paths.size(), 1U) << line;
    EXPECT_TRUE(run.learning);
    EXPECT_TRUE(says(run, "not whether they were written"));
  }
}

TEST(GramineLog, WhatIsRefused) {
  const ObservedRun run = logged(
      "[P1:T1:a] warning: Disallowing access to file '/r'; file is not trusted or allowed.\n"
      "[P1:T1:a] warning: Disallowing access to file '/o''s'; file is not protected, trusted or "
      "allowed.\n"
      "[P1:T1:a] error: Disallowing create/write/append to a trusted file '/w'\n"
      "[P1:T1:a] warning: Disallowing creating file '/c'; file is not trusted or allowed.\n"
      "[P1:T1:a] error: Disallowing creating a trusted file '/t'\n"
      "[P1:T1:a] error: Accessing file:/g is denied; file is not protected, trusted or allowed.\n"
      "[P1:T1:a] warning: Disallowing access to device '/dev/x'; device is not allowed.\n"
      "[P1:T1:a] warning: Allowing creating unknown file '/n' due to file_check_policy.\n");
  EXPECT_EQ(use_in(run, "/r", FileUse::read).refused, 1U);
  EXPECT_EQ(use_in(run, "/o''s", FileUse::read).refused, 1U);
  EXPECT_EQ(use_in(run, "/w", FileUse::write).refused, 1U);
  EXPECT_EQ(use_in(run, "/c", FileUse::create).refused, 1U);
  EXPECT_EQ(use_in(run, "/t", FileUse::create).refused, 1U);
  EXPECT_EQ(use_in(run, "/g", FileUse::read).refused, 1U);
  EXPECT_EQ(use_in(run, "/dev/x", FileUse::read).refused, 1U);
  EXPECT_EQ(use_in(run, "/n", FileUse::create).done, 1U);
  EXPECT_EQ(run.paths.size(), 8U);
  EXPECT_FALSE(run.learning);
}

TEST(GramineLog, ANameWithoutItsDirectoryIsNotGuessed) {
  const std::string_view policy =
      "[P1:T1:a] warning: Allowing access to unknown file 'redis.conf' due to file_check_policy.\n"
      "[P1:T1:a] warning: Disallowing access to file 'x'; file is not allowed.\n"
      "[P1:T1:a] error: Disallowing write/append to a trusted file 'y'\n";
  const ObservedRun run = logged(policy);
  EXPECT_TRUE(run.paths.empty());
  EXPECT_TRUE(says(run, "3 files are left out: Gramine 1.9 names them without"));
  // A trace says where they are.
  const ObservedRun traced = logged(
      cat(policy,
          "[P1:T1:a] trace: ---- openat(AT_FDCWD, \"/etc/redis.conf\", O_RDONLY, 0000) = 0x3\n"));
  EXPECT_EQ(use_in(traced, "/etc/redis.conf", FileUse::read).done, 1U);
  EXPECT_TRUE(traced.notes.empty());
}

TEST(GramineLog, NamesOfTheHostLeadBackThroughMounts) {
  const ObservedRun run = logged(
      "debug: mounting \"file:.\" (chroot) under /\n"
      "[P1:T1:] debug: mounting \"file:/usr/lib/x86_64-linux-gnu/gramine/runtime/glibc\" (chroot) "
      "under /lib\n"
      "[P1:T1:] debug: mounting \"file:/srv/data/\" (chroot) under /data\n"
      "[P1:T1:] debug: mounting \"(null)\" (tmpfs) under /tmp\n"
      "[P1:T1:a] debug: loading \"file:app/main\"\n"
      "[P1:T1:a] debug: loading \"file:/usr/lib/x86_64-linux-gnu/gramine/runtime/glibc/ld.so\"\n"
      "[P1:T1:a] warning: Allowing access to unknown file 'conf/x' due to file_check_policy "
      "settings.\n"
      "[P1:T1:a] warning: Allowing access to unknown file '/srv/data/y' due to file_check_policy "
      "settings.\n"
      "[P1:T1:a] warning: Allowing access to unknown file '/etc/z' due to file_check_policy "
      "settings.\n");
  EXPECT_EQ(use_in(run, "/app/main", FileUse::execute).done, 1U);
  EXPECT_EQ(use_in(run, "/lib/ld.so", FileUse::execute).done, 1U);
  EXPECT_EQ(use_in(run, "/conf/x", FileUse::read).done, 1U);
  EXPECT_EQ(use_in(run, "/data/y", FileUse::read).done, 1U);
  EXPECT_EQ(use_in(run, "/etc/z", FileUse::read).done, 1U);
  EXPECT_EQ(run.programs.count("/app/main"), 1U);
  EXPECT_TRUE(logged("[P1:T1:a] warning: Allowing access to unknown file 'conf/x' due to "
                     "file_check_policy settings.\n")
                  .paths.empty());
}

TEST(GramineLog, TheTraceOfEachVersion) {
  for (const std::string_view prefix :
       {"[P1:T1:redis] ", "(libos_parser.c:1658:buf_write_all) [P1:T1:redis] ",
        "output of the program[P1:T1:redis] ", "[P4242:T1:] "})
    for (const std::string_view shim : {"", "shim_"}) {
      const std::string head = cat(prefix, "trace: ---- ", shim);
      const ObservedRun run = logged(
          cat(head, "openat(AT_FDCWD, \"/etc/a\", O_RDONLY|0x80000, 0000) = 0x3\n", head,
              "open(\"/etc/b\", O_RDONLY, 0000) ...\n", prefix, "trace: ---- return from ", shim,
              "open(...) = -2\n", head, "openat(AT_FDCWD, \"/d\", O_RDONLY|0x90800, 0000) = 0x4\n",
              head, "openat(4, \"in\", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -13\n"));
      EXPECT_EQ(use_in(run, "/etc/a", FileUse::read).done, 1U) << head;
      EXPECT_EQ(use_in(run, "/etc/b", FileUse::read).absent, 1U) << head;
      EXPECT_EQ(use_in(run, "/d", FileUse::list).done, 1U) << head;
      EXPECT_EQ(run.calls.at({"openat", ""}), 3U);
      EXPECT_EQ(run.calls.at({"open", ""}), 1U);
    }
}

TEST(GramineLog, ProcessesThreadsAndTheirEnds) {
  const ObservedRun run = logged(
      "[P1:T1:sh] debug: loading \"file:/bin/sh\"\n"
      "[P1:T1:sh] trace: ---- chdir(\"/srv\") = 0x0\n"
      "[P1:T1:sh] trace: ---- fork() ...\n"
      "[P2:T2:sh] trace: ---- stat(\"a\", 0x1) = 0x0\n"
      "[P1:T1:sh] trace: ---- return from fork(...) = 0x2\n"
      "[P2:T2:sh] trace: ---- execve(\"/bin/echo, \"x\"\", [echo,a \"b\",], [HOME=/,]) ...\n"
      "[P2:T2:echo] trace: ---- brk(0) = 0x100000\n"
      "[P2:T2:echo] trace: ---- execve(\"/none\", [none,], NULL) ...\n"
      "[P2:T2:echo] trace: ---- return from execve(...) = -2\n"
      "[P1:T1:sh] trace: ---- clone(CLONE_VM|CLONE_FS|CLONE_THREAD|0x1, 0x1, 0x1, 0x1, 0x1) ...\n"
      "[P1:T3:sh] trace: ---- chdir(\"/run\") = 0x0\n"
      "[P1:T1:sh] trace: ---- return from clone(...) = 0x3\n"
      "[P1:T3:sh] debug: ---- exit (returning 0)\n"
      "[P1:T1:sh] trace: ---- stat(\"b\", 0x1) = 0x0\n"
      "[P2:T2:echo] debug: process 2 exited with status 5\n"
      "[P1:T1:sh] debug: process 1 exited with status 7\n");
  EXPECT_EQ(use_in(run, "/srv/a", FileUse::look).done, 1U);
  EXPECT_EQ(use_in(run, "/bin/echo, \"x\"", FileUse::execute).done, 1U);
  EXPECT_EQ(use_in(run, "/none", FileUse::execute).absent, 1U);
  EXPECT_EQ(use_in(run, "/run/b", FileUse::look).done, 1U);
  EXPECT_EQ(run.forks, 1U);
  EXPECT_EQ(run.threads, 1U);
  EXPECT_EQ(run.peak_processes, 2U);
  EXPECT_EQ(run.programs.at("/bin/sh").threads, 2U);
  EXPECT_EQ(run.exit_status, 7);
}

TEST(GramineLog, LongMessagesArePutTogether) {
  const std::string name = "/" + std::string(300, 'n');
  const std::string text = cat("---- openat(AT_FDCWD, \"", name, "\", O_RDONLY, 0000) = 0x3");
  const ObservedRun run = logged(cat("[P1:T1:a] trace: ", text.substr(0, 256), "\n",
                                     "[P1:T2:a] trace: ---- getpid() = 0x1\n",
                                     "[P1:T1:a] trace: ", text.substr(256), "\n"));
  EXPECT_EQ(use_in(run, name, FileUse::read).done, 1U);
  const ObservedRun cut = logged(cat("[P1:T1:a] trace: ", text.substr(0, 256), "\n",
                                     "[P1:T1:a] trace: ---- getpid() = 0x1\n"));
  EXPECT_TRUE(cut.paths.empty());
  EXPECT_TRUE(says(cut, "1 message is left out"));
}

TEST(GramineLog, QuotesInNames) {
  const ObservedRun run = logged(
      "[P1:T1:a] trace: ---- stat(\"/a\", \"b\", 0x1) = 0x0\n"
      "[P1:T1:a] trace: ---- rename(\"/x y\", \"/z, w\") = 0x0\n"
      "[P1:T1:a] trace: ---- rename(\"/x\", \"/y\", \"/z\") = 0x0\n"
      "[P1:T1:a] trace: ---- renameat(AT_FDCWD, \"/u\", -100, \"v\") = 0x0\n"
      "[P1:T1:a] trace: ---- stat((invalid-addr 0x5), 0x1) = -14\n",
      "/s");
  EXPECT_EQ(use_in(run, "/a\", \"b", FileUse::look).done, 1U);
  EXPECT_EQ(use_in(run, "/x y", FileUse::remove).done, 1U);
  EXPECT_EQ(use_in(run, "/z, w", FileUse::create).done, 1U);
  EXPECT_EQ(use_in(run, "/s/v", FileUse::create).done, 1U);
  EXPECT_EQ(run.paths.size(), 5U);
  EXPECT_TRUE(says(run, "1 call is left out: a name with a quote"));
  EXPECT_TRUE(says(run, "1 path is left out"));
}

TEST(GramineLog, Sockets) {
  const ObservedRun run = logged(
      "[P1:T1:a] trace: ---- socket(INET, SOCK_CLOEXEC|STREAM, 0) = 0x3\n"
      "[P1:T1:a] trace: ---- socket(UNKNOWN(16), RAW, 9) = -97\n"
      "[P1:T1:a] trace: ---- bind(3, {family=IPv4,ip=0.0.0.0,port=6379}, 16) = 0x0\n"
      "[P1:T1:a] trace: ---- bind(4, {family=IPv6,ip=[0:0:0:0:0:0:0:1],port=80}, 28) = 0x0\n"
      "[P1:T1:a] trace: ---- connect(5, {family=UNIX,path=/run/a, b}, 110) ...\n"
      "[P1:T1:a] trace: ---- return from connect(...) = 0x0\n");
  std::vector<std::string> seen;
  for (const auto& [socket, count] : run.sockets)
    seen.push_back(cat(socket.family, " ", socket.action, " ", socket.address));
  EXPECT_EQ(seen, (std::vector<std::string>{"inet bind 0.0.0.0:6379", "inet socket ",
                                            "inet6 bind [::1]:80", "unix connect /run/a, b"}));
}

TEST(GramineLog, WhatGramineDoesNotImplement) {
  const ObservedRun run = logged(
      "[P1:T1:a] warning: Unsupported system call rseq\n"
      "[P1:T1:a] warning: Unsupported system call 435\n"
      "[P1:T1:a] warning: Unsupported system call 435\n"
      "[P1:T1:a] warning: Unsupported system call 9999\n");
  EXPECT_EQ(run.unimplemented.at("rseq"), 1U);
  EXPECT_EQ(run.unimplemented.at("clone3"), 2U);
  EXPECT_EQ(run.unimplemented.at("9999"), 1U);
}

TEST(GramineLog, ThePolicyAddsWhatTheTraceDoesNotShow) {
  const ObservedRun run = logged(
      "[P1:T1:a] warning: Allowing access to unknown file '/a' due to file_check_policy settings.\n"
      "[P1:T1:a] trace: ---- openat(AT_FDCWD, \"/a\", O_RDWR, 0000) = 0x3\n"
      "[P1:T1:a] warning: Allowing access to unknown file '/lib/ld.so' due to file_check_policy "
      "settings.\n");
  EXPECT_EQ(use_in(run, "/a", FileUse::write).done, 1U);
  EXPECT_EQ(use_in(run, "/a", FileUse::read).done, 0U);
  EXPECT_EQ(use_in(run, "/lib/ld.so", FileUse::read).done, 1U);
}

TEST(GramineLog, LimitsHold) {
  Limits limits;
  limits.log_tasks = 2;
  std::string log;
  for (int i = 1; i < 4; ++i) log += cat("[P", i, ":T", i, ":a] trace: ---- getpid() = 0x1\n");
  auto result = read_observed_run(log, {}, limits, "a log");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::limit);

  limits = Limits();
  limits.observed_paths = 1;
  log.clear();
  for (int i = 0; i < 3; ++i)
    log += cat("[P1:T1:a] warning: Disallowing access to file '/", i,
               "'; file is not trusted or allowed.\n");
  const ObservedRun run = must(read_observed_run(log, {}, limits, "a log"));
  EXPECT_EQ(run.paths.size(), 1U);
  EXPECT_TRUE(says(run, "2 messages are left out"));
}

}  // namespace
}  // namespace cloister::manifest
