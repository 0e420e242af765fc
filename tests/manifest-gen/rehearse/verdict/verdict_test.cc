#include "manifest-gen/rehearse/verdict/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "base/toml.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/rehearse/verdict/overlay.h"
#include "manifest-gen/rehearse/verdict/rehearsal_findings.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using Kind = Proposal::Kind;

TomlTable parsed(std::string_view text) {
  auto value = parse_toml(text, Limits{}, "the manifest");
  EXPECT_TRUE(value);
  return value ? *value : TomlTable();
}

// A manifest as the generator writes it, that trusts these.
TomlTable trusting(const std::vector<std::string>& paths, std::string_view more = {}) {
  std::string text =
      "fs.root = { type = \"chroot\", uri = \"file:/\" }\n"
      "fs.mounts = [ { type = \"tmpfs\", path = \"/tmp\" } ]\n"
      "sgx.trusted_files = [\n";
  for (const std::string& path : paths)
    text += cat("{ uri = ", toml_string(cat("file:", path)), ", sha256 = \"aa\" },\n");
  return parsed(cat(text, "]\n", more));
}

class Seen {
 public:
  Seen& opened(const std::string& path, const std::string& real = {}) {
    return use(path, FileUse::read, real, &UseCount::done);
  }
  Seen& executed(const std::string& path) {
    return use(path, FileUse::execute, {}, &UseCount::done);
  }
  Seen& refused(const std::string& path, const std::string& real = {}) {
    return use(path, FileUse::read, real, &UseCount::refused);
  }
  Seen& created(const std::string& path, bool let = true) {
    return use(path, FileUse::create, {}, let ? &UseCount::done : &UseCount::refused);
  }
  Seen& wrote(const std::string& path, bool let = true) {
    return use(path, FileUse::write, {}, let ? &UseCount::done : &UseCount::refused);
  }
  Seen& listed(const std::string& path) {
    use(path, FileUse::list, {}, &UseCount::done);
    run.paths[path].type = ObservedType::directory;
    return *this;
  }
  ObservedRun run;

 private:
  Seen& use(const std::string& path, FileUse what, const std::string& real,
            std::uint64_t UseCount::*how) {
    PathUse& at = run.paths[path];
    at.of(what).*how += 1;
    at.type = ObservedType::regular;
    at.real = real;
    at.programs.insert("/usr/bin/app");
    return *this;
  }
};

const Denied* denied_at(const Verdict& verdict, std::string_view path) {
  for (const Denied& one : verdict.denied)
    if (one.path == path) return &one;
  return nullptr;
}

TEST(Verdict, IsCleanWhenAllWasGranted) {
  const TomlTable manifest = trusting({"/usr/bin/app", "/etc/app.conf"});
  const Seen run = Seen().executed("/usr/bin/app").opened("/etc/app.conf").created("/tmp/x");
  const Verdict verdict = judge(run.run, {.manifest = manifest});
  EXPECT_TRUE(verdict.clean);
  EXPECT_TRUE(verdict.denied.empty());
  EXPECT_EQ(verdict.opened, 2U);
  EXPECT_EQ(verdict.granted, 2U);
  EXPECT_EQ(verdict.unused_files, 0U);
  ASSERT_EQ(verdict.written.size(), 1U);
  EXPECT_EQ(verdict.written[0].path, "/tmp");
  EXPECT_EQ(verdict.written[0].place, Place::tmpfs);
}

TEST(Verdict, NamesExactlyTheFileThatWasRefused) {
  measure::Rootfs rootfs = test::Tree().file("/etc/app.conf", "x").file("/usr/bin/app").build();
  const TomlTable manifest = trusting({"/usr/bin/app"});
  const Seen run = Seen().executed("/usr/bin/app").refused("/etc/app.conf");
  const Verdict verdict = judge(run.run, {.manifest = manifest, .rootfs = &rootfs});
  EXPECT_FALSE(verdict.clean);
  ASSERT_EQ(verdict.denied.size(), 1U);
  const Denied& one = verdict.denied[0];
  EXPECT_EQ(one.path, "/etc/app.conf");
  EXPECT_EQ(one.in_image, Denied::In::file);
  EXPECT_EQ(one.uses, (std::vector<Denied::Use>{{FileUse::read, 1, 0}}));
  EXPECT_EQ(one.programs, std::vector<std::string>{"/usr/bin/app"});
  EXPECT_EQ(one.cause, Cause::unowned);
  ASSERT_TRUE(one.proposal);
  EXPECT_EQ(overlay_line(*one.proposal), "sgx.trusted_files = [{ uri = \"file:/etc/app.conf\" }]");
}

// The same run, once refused and once let through, is judged alike.
TEST(Verdict, TellsWhatWouldHaveBeenRefused) {
  measure::Rootfs rootfs = test::Tree().file("/etc/app.conf", "x").build();
  const TomlTable manifest = trusting({});
  const Verdict enforced = judge(Seen().refused("/etc/app.conf").created("/out/x", false).run,
                                 {.manifest = manifest, .rootfs = &rootfs});
  const Verdict learned = judge(Seen().opened("/etc/app.conf").created("/out/x").run,
                                {.manifest = manifest, .rootfs = &rootfs});
  ASSERT_EQ(enforced.denied.size(), 2U);
  EXPECT_EQ(enforced.proposals(), learned.proposals());
  EXPECT_EQ(learned.denied[0].uses, (std::vector<Denied::Use>{{FileUse::read, 0, 1}}));
  EXPECT_FALSE(learned.clean);
}

TEST(Verdict, DoesNotMindWhatIsGrantedByNow) {
  const TomlTable manifest = trusting({"/etc/app.conf"});
  EXPECT_TRUE(judge(Seen().refused("/etc/app.conf").run, {.manifest = manifest}).clean);
}

// Logs do not tell files from directories.
TEST(Verdict, AsksTheImageForTypesThatLogsDoNotTell) {
  measure::Rootfs rootfs = test::Tree().file("/etc/app.conf", "x").directory("/etc/conf.d").build();
  const TomlTable manifest = trusting({});
  Seen run = Seen().opened("/etc/app.conf").opened("/etc/conf.d");
  for (auto& [path, use] : run.run.paths) use.type = ObservedType::unknown;
  const Verdict verdict = judge(run.run, {.manifest = manifest, .rootfs = &rootfs});
  ASSERT_EQ(verdict.denied.size(), 1U);
  EXPECT_EQ(verdict.denied[0].path, "/etc/app.conf");
  EXPECT_EQ(verdict.opened, 1U);
}

TEST(Verdict, DoesNotMindWhatStoodInForTheRuntime) {
  const TomlTable manifest = trusting({});
  Seen run = Seen().opened("/lib/x86_64-linux-gnu/libc.so.6");
  run.run.stand_ins.insert("/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_TRUE(judge(run.run, {.manifest = manifest}).clean);
}

TEST(Verdict, TellsWhyTheClosureDidNotHaveIt) {
  measure::elf::Facts facts = test::program();
  facts.strings = {"/usr/share/app/named.dat"};
  measure::Rootfs rootfs =
      test::Tree()
          .elf("/usr/bin/app", facts)
          .file("/etc/app.conf", "include mime.types;\nkey /etc/app/by-conf.dat\n")
          .file("/etc/app/mime.types", "1")
          .file("/etc/app/by-conf.dat", "2")
          .file("/etc/app/excluded", "3")
          .file("/etc/app/needed", "4")
          .file("/etc/ssl/private/server.key", "5")
          .file("/usr/share/app/named.dat", "6")
          .file("/usr/share/conf.d/listed", "7")
          .file("/usr/lib/libx.so.1.2", "8")
          .link("/usr/lib/libx.so.1", "libx.so.1.2")
          .file("/usr/share/nobody", "9")
          .build();
  Closure closure;
  closure.excluded.push_back({"/etc/app/ex*", "/etc/app/excluded", "config: of app", 1});
  closure.denied = {"/etc/app/needed"};
  closure.withheld = {"/etc/ssl/private/server.key"};
  const TomlTable manifest = trusting({"/usr/bin/app", "/etc/app.conf", "/usr/lib/libx.so.1.2"});
  Seen run;
  run.executed("/usr/bin/app").opened("/etc/app.conf").listed("/usr/share/conf.d");
  for (const char* path :
       {"/etc/app/mime.types", "/etc/app/by-conf.dat", "/etc/app/excluded", "/etc/app/needed",
        "/etc/ssl/private/server.key", "/usr/share/app/named.dat", "/usr/share/conf.d/listed",
        "/usr/lib/libx.so.1", "/usr/share/nobody", "/run/secrets/given"})
    run.refused(path);
  const Verdict verdict =
      judge(run.run, {.manifest = manifest, .closure = &closure, .rootfs = &rootfs});
  const std::pair<const char*, Cause> want[] = {
      {"/etc/app/mime.types", Cause::configured},     {"/etc/app/by-conf.dat", Cause::configured},
      {"/etc/app/excluded", Cause::excluded},         {"/etc/app/needed", Cause::trust_none},
      {"/etc/ssl/private/server.key", Cause::secret}, {"/usr/share/app/named.dat", Cause::named},
      {"/usr/share/conf.d/listed", Cause::listed},    {"/usr/lib/libx.so.1", Cause::alias},
      {"/usr/share/nobody", Cause::unowned},          {"/run/secrets/given", Cause::absent},
  };
  for (const auto& [path, cause] : want) {
    const Denied* one = denied_at(verdict, path);
    ASSERT_NE(one, nullptr) << path;
    EXPECT_EQ(cause_name(one->cause), cause_name(cause)) << path;
    EXPECT_FALSE(one->why.empty()) << path;
    EXPECT_EQ(one->proposal.has_value(), cause != Cause::absent) << path;
    EXPECT_EQ(one->warning.empty(), cause != Cause::secret) << path;
    if (one->proposal) {
      EXPECT_EQ(one->proposal->path, path);
    }
  }
  EXPECT_NE(denied_at(verdict, "/run/secrets/given")->finding.find("allowed_files"),
            std::string::npos);
}

TEST(Verdict, ProposesPlacesForWhatIsWritten) {
  measure::Rootfs rootfs = test::Tree()
                               .link("/var/log/app/error.log", "/dev/stderr")
                               .file("/etc/app.conf", "x")
                               .directory("/var/cache/app")
                               .build();
  const TomlTable manifest = trusting({"/etc/app.conf"});
  Seen run;
  run.created("/var/cache/app/1", false)
      .created("/var/lib/app/db", false)
      .wrote("/var/log/app/error.log", false)
      .opened("/etc/app.conf")
      .wrote("/etc/app.conf", false)
      .created("/vol/data", false);
  run.run.paths["/var/log/app/error.log"].type = ObservedType::other;
  const Verdict verdict =
      judge(run.run, {.manifest = manifest, .rootfs = &rootfs, .volumes = {"/vol"}});
  std::vector<std::string> lines;
  for (const Proposal& one : verdict.proposals())
    if (one.kind != Kind::value) lines.push_back(cat(proposal_kind_name(one.kind), " ", one.path));
  EXPECT_EQ(lines,
            (std::vector<std::string>{"tmpfs /var/cache/app", "encrypted /var/lib/app",
                                      "encrypted /vol", "allowed-file /var/log/app/error.log"}));
  const Denied* conf = denied_at(verdict, "/etc/app.conf");
  ASSERT_NE(conf, nullptr);
  EXPECT_FALSE(conf->proposal);
  EXPECT_NE(conf->finding.find("only sgx.allowed_files would do"), std::string::npos);
}

TEST(Verdict, SetsAsideWhatProgramsDoWithout) {
  measure::Rootfs rootfs = test::Tree()
                               .file("/app/m.py", "")
                               .file("/app/__pycache__/m.cpython-311.pyc", "x")
                               .file("/etc/ld.so.cache", "x")
                               .build();
  const TomlTable manifest = trusting({"/app/m.py"});
  Seen run;
  run.opened("/app/m.py")
      .refused("/etc/ld.so.cache")
      .refused("/app/__pycache__/m.cpython-311.pyc")
      .created("/app/__pycache__/n.cpython-311.pyc.1234", false)
      .wrote("/proc/sys/vm/overcommit_memory", false);
  const Verdict verdict = judge(run.run, {.manifest = manifest, .rootfs = &rootfs});
  EXPECT_TRUE(verdict.clean);
  EXPECT_EQ(verdict.denied.size(), 4U);
  const auto proposals = verdict.proposals();
  ASSERT_EQ(proposals.size(), 1U);
  EXPECT_EQ(overlay_line(proposals[0]), "loader.env.PYTHONDONTWRITEBYTECODE = \"1\"");
}

TEST(Verdict, LearnsTheSourceWhereByteCodeWasRead) {
  measure::Rootfs rootfs =
      test::Tree().file("/app/m.py", "").file("/app/__pycache__/m.cpython-311.pyc", "x").build();
  const TomlTable manifest = trusting({});
  const Verdict verdict = judge(Seen().opened("/app/__pycache__/m.cpython-311.pyc").run,
                                {.manifest = manifest, .rootfs = &rootfs});
  ASSERT_EQ(verdict.proposals().size(), 1U);
  EXPECT_EQ(verdict.proposals()[0].path, "/app/m.py");
}

TEST(Verdict, GroupsUnusedFilesByTheirReasonAndCountsAliasesOnce) {
  measure::Rootfs rootfs = test::Tree()
                               .file("/usr/bin/app", "a")
                               .file("/usr/lib/libx.so.1.2", "1234567890")
                               .link("/usr/lib/libx.so.1", "libx.so.1.2")
                               .file("/usr/share/a*", "12345")
                               .file("/usr/share/b", "12345")
                               .file("/usr/lib/libneeded.so", "1")
                               .build();
  const TomlTable manifest =
      trusting({"/usr/bin/app", "/usr/lib/libx.so.1", "/usr/lib/libx.so.1.2", "/usr/share/a*",
                "/usr/share/b", "/usr/lib/libneeded.so", "/gramine/runtime/glibc/libc.so.6"});
  const std::map<std::string, std::string> reasons = {
      {"file:/usr/lib/libx.so.1", "dlopen-string: names libx.so.1 (/usr/bin/app)"},
      {"file:/usr/lib/libx.so.1.2", "dlopen-string: names libx.so.1 (/usr/bin/app)"},
      {"file:/usr/share/a*", "package-data: data of app"},
      {"file:/usr/share/b", "package-data: data of app"},
      {"file:/usr/lib/libneeded.so", "needed: NEEDED libneeded.so"},
  };
  Seen run = Seen().executed("/usr/bin/app");
  run.run.paths["/usr/share/b"].of(FileUse::look).done = 2;
  JudgeInput input{.manifest = manifest, .reasons = &reasons, .rootfs = &rootfs};
  Verdict verdict = judge(run.run, input);
  EXPECT_EQ(verdict.granted, 5U);
  EXPECT_EQ(verdict.unused_files, 4U);
  EXPECT_EQ(verdict.unused_bytes, 21U);
  ASSERT_EQ(verdict.unused.size(), 3U);
  EXPECT_EQ(verdict.unused[0].reason, "dlopen-string");
  EXPECT_EQ(verdict.unused[0].files[0].names,
            (std::vector<std::string>{"/usr/lib/libx.so.1", "/usr/lib/libx.so.1.2"}));
  EXPECT_EQ(verdict.unused[1].reason, "package-data");
  EXPECT_TRUE(verdict.unused[1].files[1].looked_at);
  EXPECT_TRUE(verdict.exclude.empty());
  EXPECT_TRUE(verdict.proposals().empty());
  input.tighten = true;
  // A name with a wildcard would leave out others, what is NEEDED is refused by --exclude.
  EXPECT_EQ(judge(run.run, input).exclude,
            (std::vector<std::string>{"/usr/lib/libx.so.1.2", "/usr/share/b"}));
}

TEST(Verdict, CountsAFileAsUsedUnderAnyOfItsNames) {
  measure::Rootfs rootfs = test::Tree()
                               .file("/usr/lib/libx.so.1.2", "1")
                               .link("/usr/lib/libx.so.1", "libx.so.1.2")
                               .build();
  const TomlTable manifest = trusting({"/usr/lib/libx.so.1", "/usr/lib/libx.so.1.2"});
  EXPECT_EQ(
      judge(Seen().opened("/usr/lib/libx.so.1").run, {.manifest = manifest, .rootfs = &rootfs})
          .unused_files,
      0U);
}

TEST(Verdict, TellsWhatUnimplementedCallsMean) {
  Seen run;
  run.run.unimplemented = {{"io_uring_setup", 2}, {"rseq", 9}, {"shmget", 1}, {"acct", 1}};
  const TomlTable manifest = trusting({});
  const Verdict verdict = judge(run.run, {.manifest = manifest});
  ASSERT_EQ(verdict.unimplemented.size(), 4U);
  EXPECT_EQ(verdict.unimplemented[0].call, "rseq");
  EXPECT_NE(verdict.unimplemented[0].effect.find("does without"), std::string::npos);
  EXPECT_FALSE(verdict.unimplemented[1].effect.empty());
  EXPECT_TRUE(verdict.unimplemented[2].effect.empty());  // acct: nobody knows
  EXPECT_FALSE(verdict.unimplemented[3].fix.empty());
}

TEST(Verdict, RemarksOnSocketsAndProcesses) {
  Seen run;
  run.run.sockets = {{{"inet", "bind", "0.0.0.0:6379"}, 1},
                     {{"unix", "bind", "/run/x.sock"}, 1},
                     {{"netlink", "socket", ""}, 1}};
  run.run.peak_processes = 3;
  const TomlTable manifest = trusting({});
  const Verdict verdict = judge(run.run, {.manifest = manifest});
  ASSERT_EQ(verdict.remarks.size(), 4U);
  EXPECT_NE(verdict.remarks[0].find("0.0.0.0:6379"), std::string::npos);
  EXPECT_NE(verdict.remarks[2].find("netlink"), std::string::npos);
  EXPECT_NE(verdict.remarks[3].find("3 processes"), std::string::npos);
}

TEST(Verdict, TakesSizesIntoTheOverlayOnlyWhereTheyMatter) {
  Seen run;
  run.run.source = "rehearsal";
  run.run.programs["/usr/bin/app"] = {.processes = 1, .virtual_bytes = 900ULL << 20, .threads = 1};
  const TomlTable manifest = trusting({}, "sgx.enclave_size = \"512M\"\nsgx.max_threads = 64\n");
  JudgeInput input{.manifest = manifest};
  const auto keys = [&] {
    std::vector<std::string> out;
    for (const Proposal& one : judge(run.run, input).proposals()) out.push_back(one.key);
    std::sort(out.begin(), out.end());
    return out;
  };
  EXPECT_EQ(keys(), std::vector<std::string>{"sgx.enclave_size"});
  input.tighten = true;
  EXPECT_EQ(keys(), (std::vector<std::string>{"sgx.enclave_size", "sgx.max_threads",
                                              "sys.disallow_subprocesses"}));
}

TEST(RehearsalFindings, SpeakOfWhatMatters) {
  measure::Rootfs rootfs = test::Tree()
                               .file("/etc/app.conf", "x")
                               .file("/etc/tls/server.key", "x")
                               .file("/usr/share/unused", "12345")
                               .build();
  const TomlTable manifest = trusting({"/usr/share/unused"}, "sgx.enclave_size = \"128M\"\n");
  Seen run = Seen()
                 .refused("/etc/app.conf")
                 .refused("/etc/tls/server.key")
                 .wrote("/proc/sys/vm/overcommit_memory", false);
  run.run.programs["/usr/bin/app"] = {.processes = 1, .virtual_bytes = 900ULL << 20};
  const auto findings =
      rehearsal_findings(judge(run.run, {.manifest = manifest, .rootfs = &rootfs}));
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].id, kRuleRehearsedRefusal);
  EXPECT_EQ(findings[0].severity, Severity::high);
  EXPECT_EQ(findings[0].files, std::vector<std::string>{"/etc/app.conf"});
  EXPECT_NE(findings[0].fix.find("sgx.trusted_files = [{ uri"), std::string::npos);
  EXPECT_NE(findings[1].fix.find("not hidden"), std::string::npos);
  EXPECT_EQ(findings[2].id, kRuleRehearsedSize);
  EXPECT_EQ(findings[2].key, "sgx.enclave_size");
  EXPECT_EQ(findings[3].id, kRuleRehearsedUnused);
  EXPECT_EQ(findings[3].severity, Severity::info);
  EXPECT_EQ(findings[3].files, std::vector<std::string>{"/usr/share/unused"});
  EXPECT_TRUE(rehearsal_findings(judge(ObservedRun(), {.manifest = TomlTable()})).empty());
}

TEST(Verdict, ProposesNothingThatIsNotInTheImage) {
  measure::Rootfs rootfs = test::Tree().file("/etc/x", "").link("/etc/dangling", "gone").build();
  const TomlTable manifest = trusting({});
  Seen run;
  for (const char* path : {"/etc/x", "/etc/dangling", "/etc/gone", "/proc/1/maps", "/dev/sda",
                           "/sys/kernel/x", "/dev/shm/y"})
    run.refused(path).created(cat(path, ".new"), false);
  for (const Proposal& one :
       judge(run.run, {.manifest = manifest, .rootfs = &rootfs}).proposals()) {
    if (one.kind == Kind::trusted_file) {
      EXPECT_EQ(one.path, "/etc/x");
    }
    EXPECT_FALSE(pseudo_file(one.path)) << one.path;
  }
}

}  // namespace
}  // namespace cloister::manifest
