// Lines as strace 4.26 to 6.1 writes them.
#include "manifest-gen/rehearse/logs/strace_log.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "manifest-gen/rehearse/logs/log_format.h"
#include "manifest-gen/rehearse/logs/strace_arguments.h"
#include "tests/base/must.h"

namespace cloister::manifest {
namespace {

ObservedRun run_of(std::string_view log, const std::string& start = {}) {
  return must(read_observed_run(log, LogContext{start}, Limits{}, "a log"));
}

const UseCount& count_of(const ObservedRun& run, const std::string& path, FileUse use) {
  static const UseCount kNever;
  const auto found = run.paths.find(path);
  return found != run.paths.end() ? found->second.of(use) : kNever;
}

std::uint64_t done(const ObservedRun& run, const std::string& path, FileUse use) {
  return count_of(run, path, use).done;
}

bool noted(const ObservedRun& run, std::string_view text) {
  return join(run.notes, "\n").find(text) != std::string::npos;
}

TEST(StraceLog, OneProcessWithoutAnyOption) {
  const ObservedRun run = run_of(
      "execve(\"/usr/bin/redis\", [\"redis\", \"--port\", \"1\"], 0x7ffd /* 41 vars */) = 0\n"
      "brk(NULL)                               = 0x5000\n"
      "openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = 3\n"
      "close(3)                                = 0\n"
      "access(\"/etc/ld.so.preload\", R_OK)      = -1 ENOENT (No such file or directory)\n"
      "openat(AT_FDCWD, \"/secret\", O_RDONLY)   = -1 EACCES (Permission denied)\n"
      "brk(0x7000)                             = 0x7000\n"
      "exit_group(3)                           = ?\n"
      "+++ exited with 3 +++\n");
  EXPECT_EQ(run.source, "strace");
  EXPECT_EQ(run.command, (std::vector<std::string>{"redis", "--port", "1"}));
  EXPECT_EQ(done(run, "/usr/bin/redis", FileUse::execute), 1U);
  EXPECT_EQ(done(run, "/etc/ld.so.cache", FileUse::read), 1U);
  EXPECT_EQ(count_of(run, "/etc/ld.so.preload", FileUse::look).absent, 1U);
  EXPECT_EQ(count_of(run, "/secret", FileUse::read).refused, 1U);
  EXPECT_EQ(run.exit_status, 3);
  EXPECT_EQ(run.programs.at("/usr/bin/redis").heap_bytes, 0x2000U);
  EXPECT_EQ(run.programs.at("/usr/bin/redis").descriptors, 4U);
  EXPECT_EQ(run.paths.at("/etc/ld.so.cache").programs, std::set<std::string>{"/usr/bin/redis"});
  EXPECT_EQ(run.calls.at({"brk", ""}), 2U);
  EXPECT_TRUE(noted(run, "strace does not show it"));
}

TEST(StraceLog, WhatStandsBeforeACallIsTakenOff) {
  for (const std::string_view prefix :
       {"", "12 ", "12    ", "[pid    12] ", "[pid 12<redis-server>] ", "12<redis-server> ",
        "12:34:56 ", "12:34:56.123456 ", "1700000000.123456 ", "     0.000123 ",
        "12 12:34:56.123456 ", "[pid 12] 1700000000.123456 ", "12 12:34:56 (+     0.000012) ",
        "[00007f66b4ee0a37] ", "12 12:34:56 [ 257] ", "12 [ 257] [00007f66b4ee0a37] "}) {
    const ObservedRun run =
        run_of(cat(prefix, "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3 <0.000040>\n"));
    EXPECT_EQ(done(run, "/etc/passwd", FileUse::read), 1U) << prefix;
  }
}

TEST(StraceLog, InterruptedCallsAreJoined) {
  const ObservedRun run = run_of(
      "10 openat(AT_FDCWD, \"/one\",  <unfinished ...>\n"
      "11 read(3,  <unfinished ...>\n"
      "10 <... openat resumed>O_RDONLY) = 3\n"
      "11 <... read resumed>\"it says \\\") = 0\\\"\"..., 100) = 100\n"
      "11 openat(AT_FDCWD, \"/two\", O_RDONLY <unfinished ...>\n"
      "11 <... openat resumed> )         = 4\n"
      "10 <... openat resumed>O_RDONLY) = 3\n");
  EXPECT_EQ(done(run, "/one", FileUse::read), 1U);
  EXPECT_EQ(done(run, "/two", FileUse::read), 1U);
  EXPECT_EQ(run.calls.at({"read", ""}), 1U);
  EXPECT_TRUE(noted(run, "1 call is left out"));
}

TEST(StraceLog, DirectoriesAreFollowedThroughProcesses) {
  const ObservedRun run = run_of(
      "10 execve(\"/bin/sh\", [\"sh\"], 0x1 /* 1 var */) = 0\n"
      "10 stat(\"early\", 0x1) = 0\n"
      "10 chdir(\"/srv/www\") = 0\n"
      "10 chdir(\"/nowhere\") = -1 ENOENT (No such file or directory)\n"
      "10 openat(AT_FDCWD, \"../conf/./a\", O_RDONLY) = 3\n"
      "10 vfork( <unfinished ...>\n"
      "11 openat(AT_FDCWD, \"index.html\", O_RDONLY) = 3\n"
      "11 chdir(\"/\") = 0\n"
      "11 execve(\"/bin/cat\", [\"cat\"], 0x1 /* 1 var */) = 0\n"
      "10 <... vfork resumed>) = 11\n"
      "11 openat(AT_FDCWD, \"etc/motd\", O_RDONLY) = 3\n"
      "11 +++ exited with 1 +++\n"
      "10 openat(AT_FDCWD, \"b\", O_RDONLY) = 3\n"
      "10 clone(child_stack=0x7, flags=CLONE_VM|CLONE_FS|CLONE_THREAD|CLONE_SETTLS, tls=0x1) = 12\n"
      "12 chdir(\"/run\") = 0\n"
      "10 openat(AT_FDCWD, \"c\", O_RDONLY) = 3\n"
      "10 +++ exited with 0 +++\n");
  EXPECT_EQ(done(run, "/srv/conf/a", FileUse::read), 1U);
  EXPECT_EQ(run.paths.at("/srv/conf/a").spelled, "../conf/./a");
  EXPECT_EQ(done(run, "/srv/www/index.html", FileUse::read), 1U);
  EXPECT_EQ(done(run, "/etc/motd", FileUse::read), 1U);
  EXPECT_EQ(run.paths.at("/etc/motd").programs, std::set<std::string>{"/bin/cat"});
  EXPECT_EQ(done(run, "/srv/www/b", FileUse::read), 1U);
  EXPECT_EQ(done(run, "/run/c", FileUse::read), 1U);
  EXPECT_EQ(run.forks, 1U);
  EXPECT_EQ(run.threads, 1U);
  EXPECT_EQ(run.executions, 2U);
  EXPECT_EQ(run.peak_processes, 2U);
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.programs.at("/bin/sh").threads, 2U);
  EXPECT_TRUE(noted(run, "1 relative path is left out"));
}

TEST(StraceLog, RelativePathsBeginWhereItIsSaidThatTheProgramDid) {
  const std::string_view log = "openat(AT_FDCWD, \"conf/a\", O_RDONLY) = 3\n";
  EXPECT_TRUE(run_of(log).paths.empty());
  EXPECT_EQ(done(run_of(log, "/app"), "/app/conf/a", FileUse::read), 1U);
}

TEST(StraceLog, AChildIsKnownOnceTheCallReturns) {
  // Two at a time are begun: whose child 12 is shows only later.
  const ObservedRun run = run_of(
      "10 chdir(\"/a\") = 0\n"
      "11 chdir(\"/b\") = 0\n"
      "10 fork( <unfinished ...>\n"
      "11 fork( <unfinished ...>\n"
      "12 stat(\"early\", 0x1) = 0\n"
      "11 <... fork resumed>) = 12\n"
      "10 <... fork resumed>) = 13\n"
      "12 stat(\"x\", 0x1) = 0\n"
      "13 stat(\"x\", 0x1) = 0\n");
  EXPECT_EQ(done(run, "/b/x", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/a/x", FileUse::look), 1U);
  EXPECT_EQ(run.paths.size(), 4U);
  EXPECT_TRUE(noted(run, "1 relative path is left out"));
}

TEST(StraceLog, DecorationsSayWhereThingsAre) {
  const ObservedRun run = run_of(
      "10 openat(AT_FDCWD</srv/my dir>, \"a\", O_RDONLY) = 3</data/a\\74b\\76>\n"
      "10 openat(AT_FDCWD</srv/my dir>, \"/usr\", O_RDONLY|O_DIRECTORY) = 4</usr>\n"
      "10 newfstatat(4</usr>, \"lib/x\", {st_mode=S_IFREG|0644, st_size=3, ...}, 0) = 0\n"
      "10 openat(AT_FDCWD</srv/my dir>, \"gone\", O_RDONLY) = 5</srv/my dir/gone>(deleted)\n"
      "10 chdir(\"/link\") = 0\n"
      "10 openat(AT_FDCWD</target>, \"b\", O_RDONLY) = 6</target/b>\n"
      "10 openat(AT_FDCWD</elsewhere>, \"c\", O_RDONLY) = 7</elsewhere/c>\n"
      "10 read(8<TCP:[127.0.0.1:40->127.0.0.1:80]>, \"\", 1) = 0\n"
      "10 write(9</dev/null<char 1:3>>, \"x\", 1) = 1\n"
      "10 write(2</dev/pts/0>, \"x\", 1) = 1\n");
  EXPECT_EQ(done(run, "/srv/my dir/a", FileUse::read), 1U);
  EXPECT_EQ(run.paths.at("/srv/my dir/a").real, "/data/a<b>");
  EXPECT_EQ(done(run, "/usr", FileUse::list), 1U);
  EXPECT_EQ(run.paths.at("/usr").type, ObservedType::directory);
  EXPECT_EQ(done(run, "/usr/lib/x", FileUse::look), 1U);
  EXPECT_EQ(run.paths.at("/usr/lib/x").type, ObservedType::regular);
  EXPECT_EQ(run.paths.at("/srv/my dir/gone").real, "");
  // As it was spelled on the way there, until it is somewhere else without a visible chdir.
  EXPECT_EQ(done(run, "/link/b", FileUse::read), 1U);
  EXPECT_EQ(done(run, "/elsewhere/c", FileUse::read), 1U);
  EXPECT_EQ(run.calls.at({"read", "socket"}), 1U);
  EXPECT_EQ(run.calls.at({"write", "device"}), 1U);
  EXPECT_EQ(run.calls.at({"write", "terminal"}), 1U);
}

TEST(StraceLog, DescriptorsAreBelievedWhereTheirEndIsSeen) {
  const std::string_view opened = "10 openat(AT_FDCWD, \"/srv\", O_RDONLY) = 3\n";
  const std::string_view use = "10 openat(3, \"a\", O_RDONLY) = 4\n";
  EXPECT_EQ(run_of(cat(opened, use)).paths.size(), 1U);
  const ObservedRun run =
      run_of(cat("10 close(9) = 0\n", opened, "10 getdents64(3, 0x1, 100) = 40\n",
                 "10 getdents64(3, 0x1, 100) = 0\n", use, "10 fcntl(3, F_DUPFD_CLOEXEC, 0) = 5\n",
                 "10 openat(5, \"b\", O_RDONLY) = 6\n", "10 close(3) = 0\n",
                 "10 openat(3, \"c\", O_RDONLY) = 7\n"));
  EXPECT_EQ(done(run, "/srv/a", FileUse::read), 1U);
  EXPECT_EQ(done(run, "/srv/b", FileUse::read), 1U);
  EXPECT_EQ(run.paths.size(), 3U);
  EXPECT_EQ(done(run, "/srv", FileUse::read), 0U);
  EXPECT_EQ(done(run, "/srv", FileUse::list), 1U);
  EXPECT_TRUE(noted(run, "1 relative path is left out"));
}

TEST(StraceLog, EachCallDoesWhatItDoes) {
  const ObservedRun run = run_of(
      "openat(AT_FDCWD, \"/w\", O_WRONLY|O_APPEND) = 3\n"
      "openat(AT_FDCWD, \"/new\", O_RDWR|O_CREAT|O_EXCL, 0600) = 3\n"
      "openat(AT_FDCWD, \"/log\", O_WRONLY|O_CREAT|O_APPEND, 0600) = 3\n"
      "openat(AT_FDCWD, \"/log\", O_WRONLY|O_CREAT|O_APPEND, 0600) = 3\n"
      "openat(AT_FDCWD, \"/p\", O_RDONLY|O_PATH) = 3\n"
      "openat2(AT_FDCWD, \"/o2\", {flags=O_RDWR|O_CLOEXEC, resolve=RESOLVE_BENEATH}, 24) = 3\n"
      "creat(\"/c\", 0644) = 3\n"
      "rename(\"/a, \\\"b\\\"\", \"/b\") = 0\n"
      "renameat2(AT_FDCWD, \"/x\", AT_FDCWD, \"/y\", RENAME_NOREPLACE) = 0\n"
      "linkat(AT_FDCWD, \"/l1\", AT_FDCWD, \"/l2\", 0) = 0\n"
      "symlinkat(\"to\", AT_FDCWD, \"/s\") = 0\n"
      "mkdir(\"/d\", 0777) = 0\n"
      "unlinkat(AT_FDCWD, \"/u\", 0) = 0\n"
      "fchmodat(AT_FDCWD, \"/m\", 0600) = 0\n"
      "truncate(\"/t\", 0) = 0\n"
      "statx(AT_FDCWD, \"/sx\", AT_STATX_SYNC_AS_STAT, STATX_ALL, {stx_mode=S_IFDIR|0755}) = 0\n"
      "newfstatat(3, \"\", {st_mode=S_IFREG|0600}, AT_EMPTY_PATH) = 0\n"
      "utimensat(AT_FDCWD, NULL, NULL, 0) = 0\n");
  EXPECT_EQ(done(run, "/w", FileUse::write), 1U);
  EXPECT_EQ(done(run, "/new", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/log", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/log", FileUse::write), 1U);
  EXPECT_EQ(done(run, "/p", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/o2", FileUse::write), 1U);
  EXPECT_EQ(done(run, "/c", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/a, \"b\"", FileUse::remove), 1U);
  EXPECT_EQ(done(run, "/b", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/x", FileUse::remove), 1U);
  EXPECT_EQ(done(run, "/y", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/l1", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/l2", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/s", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/d", FileUse::create), 1U);
  EXPECT_EQ(done(run, "/u", FileUse::remove), 1U);
  EXPECT_EQ(done(run, "/m", FileUse::write), 1U);
  EXPECT_EQ(done(run, "/t", FileUse::write), 1U);
  EXPECT_EQ(done(run, "/sx", FileUse::look), 1U);
  EXPECT_EQ(run.paths.at("/sx").type, ObservedType::directory);
  EXPECT_EQ(run.paths.size(), 18U);
  // What Gramine does not implement.
  EXPECT_EQ(run.unimplemented.at("renameat2"), 1U);
  EXPECT_EQ(run.unimplemented.at("statx"), 1U);
  EXPECT_FALSE(run.unimplemented.contains("rename"));
}

TEST(StraceLog, EveryCallWithAPathIsFoundByItsName) {
  std::string_view last;
  for (const LoggedPathCall& row : logged_path_calls()) {
    EXPECT_LT(last, row.name);
    EXPECT_EQ(logged_path_call(row.name), &row);
    EXPECT_TRUE(call_matters(row.name));
    last = row.name;
  }
  EXPECT_EQ(logged_path_call("ioctl"), nullptr);
  EXPECT_TRUE(call_matters("vfork"));
  EXPECT_TRUE(call_matters("accept"));
  EXPECT_FALSE(call_matters("read"));
}

TEST(StraceLog, OddNamesComeBackAsTheirBytes) {
  const ObservedRun run = run_of(
      "openat(AT_FDCWD, \"/a\\\"b\\\\c\\n\\t\\v\\0010\\303\\251\", O_RDONLY) = 3\n"
      "openat(AT_FDCWD, \"\\x2f\\x78\\xff\", O_RDONLY) = 3\n"
      "openat(AT_FDCWD, \"/) = 3\", O_RDONLY) = 3\n"
      "openat(AT_FDCWD, \"/a b, c\", O_RDONLY /* O_LARGEFILE, \\\" */) = 3\n");
  EXPECT_TRUE(run.paths.contains("/a\"b\\c\n\t\v\0010\303\251"));
  EXPECT_TRUE(run.paths.contains("/x\xff"));
  EXPECT_TRUE(run.paths.contains("/) = 3"));
  EXPECT_TRUE(run.paths.contains("/a b, c"));
}

TEST(StraceLog, WhatIsNotShownIsCountedAndNotGuessed) {
  const ObservedRun run = run_of(
      "openat(AT_FDCWD, \"/a/very/long\"..., O_RDONLY) = 3\n"
      "openat(AT_FDCWD, 0x7ffe1234, O_RDONLY) = -1 EFAULT (Bad address)\n"
      "openat(7, \"x\", O_RDONLY) = 3\n"
      "openat(AT_FDCWD, \"/nul\\0\", O_RDONLY) = 3\n"
      "openat(AT_FDCWD, \"/cut\n"
      "openat(AT_FDCWD, \"/ok\", O_RDONLY) = 3\n");
  EXPECT_EQ(run.paths.size(), 1U);
  EXPECT_TRUE(noted(run, "2 paths are left out: the log does not show them whole"));
  EXPECT_TRUE(noted(run, "1 relative path is left out"));
  EXPECT_TRUE(noted(run, "no file can have such a name"));
}

TEST(StraceLog, SocketsHaveAddresses) {
  const ObservedRun run = run_of(
      "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n"
      "bind(3, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = "
      "0\n"
      "bind(4<TCPv6:[1]>, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), "
      "inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28) = 0\n"
      "bind(5, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = -1 "
      "EACCES (Permission denied)\n"
      "connect(5, {sa_family=AF_UNIX, sun_path=\"/run/x, }.sock\"}, 110) = 0\n"
      "connect(5, {sa_family=AF_UNIX, sun_path=@\"abs\"}, 110) = -1 EINPROGRESS (Operation now in "
      "progress)\n"
      "connect(5, {sa_family=AF_UNIX, sun_path=\"/none\"}, 110) = -1 ENOENT (No such file)\n"
      "bind(6, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0\n");
  std::vector<std::string> seen;
  for (const auto& [socket, count] : run.sockets)
    seen.push_back(cat(socket.family, " ", socket.action, " ", socket.address, " ", count));
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "inet bind 0.0.0.0:6379 1", "inet socket  1", "inet6 bind [::1]:80 1",
                      "netlink bind  1", "unix connect /run/x, }.sock 1", "unix connect @abs 1"}));
}

TEST(StraceLog, ATerminalMixesMessagesAndNumbers) {
  const ObservedRun run = run_of(
      "execve(\"/bin/sh\", [\"sh\"], 0x1 /* 1 var */) = 0\n"
      "chdir(\"/w\") = 0\n"
      "vfork(strace: Process 21 attached\n"
      " <unfinished ...>\n"
      "hello from the program\n"
      "[pid    21] stat(\"a\", 0x1) = 0\n"
      "[pid    20] <... vfork resumed>)        = 21\n"
      "[pid    20] stat(\"b\", 0x1) = 0\n"
      "[pid    20] clone(child_stack=NULL, flags=SIGCHLDstrace: Process 22 attached\n"
      ", child_tidptr=0x7ffba544ba10) = 22\n"
      "[pid    22] stat(\"d\", 0x1) = 0\n"
      "[pid    22] +++ exited with 0 +++\n"
      "[pid    21] exit_group(0)               = ?\n"
      "[pid    21] +++ exited with 0 +++\n"
      "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=21} ---\n"
      "stat(\"c\", 0x1) = 0\n"
      "exit_group(7) = ?\n"
      "+++ exited with 7 +++\n");
  EXPECT_EQ(done(run, "/w/a", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/w/b", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/w/c", FileUse::look), 1U);
  EXPECT_EQ(done(run, "/w/d", FileUse::look), 1U);
  EXPECT_EQ(run.forks, 2U);
  EXPECT_EQ(run.exit_status, 7);
  EXPECT_EQ(run.peak_processes, 3U);
}

TEST(StraceLog, SignalsAndTimes) {
  const ObservedRun run = run_of(
      "10 23:59:59.500000 getpid() = 10\n"
      "10 00:00:01.500000 --- SIGSEGV {si_signo=SIGSEGV} ---\n"
      "10 00:00:02.000000 +++ killed by SIGSEGV (core dumped) +++\n");
  EXPECT_EQ(run.exit_signal, 11);
  EXPECT_FALSE(run.exit_status.has_value());
  EXPECT_DOUBLE_EQ(run.seconds, 2.5);
  EXPECT_DOUBLE_EQ(run_of("     0.000000 getpid() = 1\n     0.250000 getpid() = 1\n").seconds,
                   0.25);
}

TEST(StraceLog, ALauncherIsLeftOutBelowARoot) {
  const ObservedRun run = run_of(
      "10 execve(\"/usr/sbin/chroot\", [\"chroot\"], 0x1 /* 1 var */) = 0\n"
      "10 openat(AT_FDCWD</host>, \"/etc/ld.so.cache\", O_RDONLY) = 3</etc/ld.so.cache>\n"
      "10 chroot(\"/images/a\") = 0\n"
      "10 chdir(\"/\") = 0\n"
      "10 execve(\"/bin/app\", [\"app\"], 0x1 /* 1 var */) = 0\n"
      "10 openat(AT_FDCWD</images/a>, \"conf\", O_RDONLY) = 3</images/a/etc/conf>\n"
      "10 openat(AT_FDCWD</images/a>, \"/leak\", O_RDONLY) = 4</images/b>\n");
  EXPECT_EQ(run.command, std::vector<std::string>{"app"});
  EXPECT_EQ(run.paths.size(), 4U);  // and where it is, "/"
  EXPECT_EQ(run.paths.at("/conf").real, "/etc/conf");
  EXPECT_EQ(run.paths.at("/leak").real, "");
  EXPECT_TRUE(noted(run, "started below '/images/a'"));
}

TEST(StraceLog, AThreadThatExecutesTakesTheNumberOfItsProcess) {
  const ObservedRun run = run_of(
      "10 chdir(\"/a\") = 0\n"
      "10 clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x1}, 88) = 11\n"
      "11 execve(\"/bin/x\", [\"x\"], 0x1 /* 0 vars */ <unfinished ...>\n"
      "10 +++ superseded by execve in pid 11 +++\n"
      "10 <... execve resumed>) = 0\n"
      "10 stat(\"b\", 0x1) = 0\n"
      "10 +++ exited with 0 +++\n");
  EXPECT_EQ(done(run, "/bin/x", FileUse::execute), 1U);
  EXPECT_EQ(done(run, "/a/b", FileUse::look), 1U);
  EXPECT_EQ(run.exit_status, 0);
}

TEST(StraceLog, LimitsHold) {
  Limits limits;
  limits.observed_paths = 2;
  std::string log;
  for (int i = 0; i < 3; ++i) log += cat("stat(\"/", i, "\", 0x1) = 0\n");
  auto result = read_observed_run(log, {}, limits, "a log");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::limit);

  limits = Limits();
  limits.log_tasks = 2;
  result =
      read_observed_run("1 getpid() = 1\n2 getpid() = 2\n3 getpid() = 3\n", {}, limits, "a log");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Code::limit);

  limits = Limits();
  limits.log_line_bytes = 64;
  const ObservedRun run = must(read_observed_run(
      cat("stat(\"/", std::string(100, 'x'), "\", 0x1) = 0\nstat(\"/y\", 0x1) = 0\n"), {}, limits,
      "a log"));
  EXPECT_EQ(run.paths.size(), 1U);
  EXPECT_TRUE(noted(run, "1 line is left out: longer than 64"));
}

TEST(StraceArguments, EscapesAreUndoneAndBadOnesRefused) {
  EXPECT_EQ(unescape_strace("a\\1b\\0012\\377"), std::string("a\1b\0012\377"));
  EXPECT_EQ(unescape_strace("\\x41\\\\\\\""), "A\\\"");
  for (const std::string_view bad : {"\\", "\\q", "\\x4", "\\xzz", "\\777"})
    EXPECT_FALSE(unescape_strace(bad).has_value()) << bad;
}

TEST(StraceArguments, NestedOnesStayTogether) {
  std::vector<LoggedArgument> arguments;
  const std::string_view text = "f([{a=1, b=\"x, )\"}, {c=2}], 3</a\\76, b>, 1<<5, \"cut\"...) = 0";
  const auto end = scan_strace_arguments(text, 2, &arguments);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(text.substr(*end), " = 0");
  ASSERT_EQ(arguments.size(), 4U);
  EXPECT_EQ(arguments[1].value, "3");
  EXPECT_EQ(arguments[1].decoration, "/a>, b");
  EXPECT_EQ(arguments[2].value, "1<<5");
  EXPECT_EQ(arguments[3].kind, LoggedArgument::Kind::hidden);
  for (const std::string_view bad : {"f(", "f(\"", "f(]", "f(a /* b", "f((a)"})
    EXPECT_FALSE(scan_strace_arguments(bad, 2, nullptr).has_value()) << bad;
}

}  // namespace
}  // namespace cloister::manifest
