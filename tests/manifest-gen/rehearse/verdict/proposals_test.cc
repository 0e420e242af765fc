#include "manifest-gen/rehearse/verdict/proposals.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "base/toml.h"
#include "manifest-gen/gramine/merge.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::manifest {
namespace {

using Kind = Proposal::Kind;

void use(ObservedRun& run, const std::string& path, FileUse what,
         ObservedType type = ObservedType::regular) {
  PathUse& at = run.paths[path];
  at.of(what).done += 1;
  at.type = type;
}

std::vector<std::string> lines(const std::vector<Proposal>& proposals) {
  std::vector<std::string> out;
  for (const Proposal& one : proposals)
    out.push_back(cat(proposal_kind_name(one.kind), " ", one.path));
  return out;
}

TEST(Proposals, GrantWhatWasOpenedAsSpelled) {
  ObservedRun run;
  use(run, "/bin/sh", FileUse::execute);
  run.paths["/bin/sh"].real = "/usr/bin/dash";
  use(run, "/etc/app.conf", FileUse::read);
  use(run, "/etc", FileUse::list, ObservedType::directory);
  use(run, "/etc/other", FileUse::look);
  run.paths["/etc/absent"].of(FileUse::read).absent = 3;
  run.paths["/etc/denied"].of(FileUse::read).refused = 1;
  EXPECT_EQ(lines(propose_from_log(run)),
            (std::vector<std::string>{"trusted-file /bin/sh", "trusted-file /etc/app.conf",
                                      "trusted-file /etc/denied"}));
}

TEST(Proposals, LeaveOutWhatGramineMakesAndWhatStoodIn) {
  ObservedRun run;
  for (const char* path : {"/proc/self/maps", "/dev/null", "/sys/devices/system/cpu/online",
                           "/proc/sys/vm/overcommit_memory", "/lib/libc.so.6"})
    use(run, path, FileUse::read);
  use(run, "/dev/shm/x", FileUse::create);
  run.stand_ins.insert("/lib/libc.so.6");
  EXPECT_TRUE(propose_from_log(run).empty());
}

TEST(Proposals, TakeTheSourceForByteCodeThatIsNeverValid) {
  ObservedRun run;
  use(run, "/app/__pycache__/m.cpython-311.pyc", FileUse::read);
  use(run, "/app/m.py", FileUse::look);
  use(run, "/app/alone.pyc", FileUse::read);
  EXPECT_EQ(lines(propose_from_log(run)),
            (std::vector<std::string>{"trusted-file /app/alone.pyc", "trusted-file /app/m.py"}));
}

TEST(Proposals, NameTheSourceOfByteCode) {
  EXPECT_EQ(python_source_of("/a/__pycache__/m.cpython-311.opt-1.pyc"), "/a/m.py");
  EXPECT_EQ(python_source_of("/__pycache__/m.cpython-311.pyc"), "/m.py");
  EXPECT_EQ(python_source_of("/a/m.pyc"), "/a/m.py");
  EXPECT_EQ(python_source_of("/a/__pycache__/.pyc"), "");
  EXPECT_EQ(python_source_of("/a/m.py"), "");
}

TEST(Proposals, KnowLinksToTheContainersLog) {
  for (const char* path : {"/dev/stdout", "/dev/fd/2", "/proc/self/fd/1", "/proc/17/fd/2"})
    EXPECT_TRUE(is_standard_stream(path)) << path;
  for (const char* path : {"/dev/stdin", "/proc/self/fd/3", "/proc/x/fd/1", "/dev/null", ""})
    EXPECT_FALSE(is_standard_stream(path)) << path;
  ObservedRun run;
  use(run, "/var/log/nginx/error.log", FileUse::write, ObservedType::other);
  run.paths["/var/log/nginx/error.log"].real = "/dev/stderr";
  EXPECT_EQ(lines(propose_from_log(run)),
            (std::vector<std::string>{"allowed-file /var/log/nginx/error.log"}));
}

TEST(Overlay, HoldsEveryKindWithItsReason) {
  const std::vector<Proposal> proposals = {
      path_proposal(Kind::trusted_file, "/a", "opened"),
      path_proposal(Kind::allowed_file, "/log", "a log"),
      path_proposal(Kind::tmpfs, "/tmp", "written"),
      path_proposal(Kind::encrypted, "/data", "kept"),
      value_proposal("sgx.enclave_size", "\"512M\"", "it needs 300 MiB"),
      value_proposal("sys.disallow_subprocesses", "true", "no forks"),
  };
  EXPECT_EQ(overlay_toml(proposals),
            "# A manifest overlay, from what the program was seen to do: for `cloister build "
            "--manifest`.\n"
            "sgx.enclave_size = \"512M\"  # it needs 300 MiB\n"
            "sys.disallow_subprocesses = true  # no forks\n"
            "fs.mounts = [\n"
            "  { type = \"tmpfs\", path = \"/tmp\" },  # written\n"
            "  { type = \"encrypted\", path = \"/data\", uri = \"file:/data\", key_name = "
            "\"_sgx_mrenclave\" },  # kept\n"
            "]\n"
            "sgx.trusted_files = [\n"
            "  { uri = \"file:/a\" },  # opened\n"
            "]\n"
            "sgx.allowed_files = [\n"
            "  \"file:/log\",  # a log\n"
            "]\n");
  EXPECT_EQ(overlay_line(proposals[0]), "sgx.trusted_files = [{ uri = \"file:/a\" }]");
  EXPECT_EQ(overlay_line(proposals[4]), "sgx.enclave_size = \"512M\"");
}

TEST(Overlay, IsTomlWhateverTheNames) {
  const std::string hostile[] = {
      "/a\nsgx.debug = true\n#",
      "/a\"]\nsgx.debug = true",
      "/\x01\x1b[31m\\",
      "/ü/\u202e",
      "/#",
      "/a\r\nb",
      "/'''\"\"\"",
      "/{{ x }}",
  };
  std::vector<Proposal> proposals;
  for (const std::string& name : hostile)
    for (const Kind kind : {Kind::trusted_file, Kind::tmpfs, Kind::encrypted, Kind::allowed_file})
      proposals.push_back(path_proposal(kind, name, cat("opened by ", name)));
  proposals.push_back(path_proposal(Kind::trusted_file, "/\xff\n", "opened by \xff\n"));
  proposals.push_back(path_proposal(Kind::trusted_file, std::string("/a\0b", 4), "NUL"));
  proposals.push_back(value_proposal("sgx.max_threads", "4\nsgx.debug = true", "two values"));
  proposals.push_back(value_proposal("sgx.isvsvn", "1", "a\nsgx.debug = true"));
  const std::string text = overlay_toml(proposals);
  const auto table = parse_toml(text, Limits{}, "the overlay");
  ASSERT_TRUE(table) << table.error().what() << text;
  EXPECT_EQ(table->at("sgx.debug"), nullptr);
  EXPECT_EQ(table->at("sgx.max_threads"), nullptr);
  EXPECT_EQ(*table->at("sgx.isvsvn")->integer(), 1);
  const auto trusted = file_entries(*table, "sgx.trusted_files");
  ASSERT_EQ(trusted.size(), std::size(hostile));
  for (std::size_t i = 0; i < trusted.size(); ++i)
    EXPECT_EQ(trusted[i].uri, cat("file:", hostile[i]));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
}

TEST(Overlay, MergesIntoAManifest) {
  auto base = parse_toml(
      "fs.mounts = [ { type = \"tmpfs\", path = \"/tmp\" } ]\n"
      "sgx.enclave_size = \"256M\"\n",
      Limits{}, "base");
  ASSERT_TRUE(base);
  const auto overlay = parse_toml(overlay_toml({path_proposal(Kind::tmpfs, "/run", "x"),
                                                value_proposal("sgx.enclave_size", "\"1G\"", "x")}),
                                  Limits{}, "overlay");
  ASSERT_TRUE(overlay);
  merge_manifest(*base, *overlay);
  EXPECT_EQ(mounts(*base).size(), 3U);  // the root, and both
  EXPECT_EQ(*string_at(*base, "sgx.enclave_size"), "1G");
}

TEST(Overlay, IsEmptyForNothing) {
  const auto table = parse_toml(overlay_toml({}), Limits{}, "overlay");
  ASSERT_TRUE(table);
  EXPECT_TRUE(table->empty());
}

}  // namespace
}  // namespace cloister::manifest
