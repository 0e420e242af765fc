#include "manifest-gen/gramine/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/assemble/paths.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

struct Case {
  Launch launch;
  Closure closure;
  Kind kind;
  ManifestOptions options;
  measure::Rootfs rootfs;
  measure::RuntimeFile libsysdb{0, "/libsysdb.so", sha256("libsysdb"), 1};

  explicit Case(Tree tree = Tree())
      : rootfs(std::move(tree.directory("/data").file("/etc/x.conf", "x")).build()) {
    launch.argv = {"app", "-v"};
    launch.program = launch.entrypoint = "/usr/bin/app";
    launch.env = {
        {"PATH", "/usr/bin"}, {"A", "quote \" and \n newline"}, {"LD_LIBRARY_PATH", "/own"}};
    launch.workdir = "/data";
    launch.uid = 101;
    launch.gid = 103;
    launch.user = "app";
    closure.members = {
        {"/usr/bin/app", {"/bin/app", "/usr/bin/app"}, false, "", sha256("app"), 10, true},
        {"/gramine/runtime/glibc/libc.so.6",
         {"/gramine/runtime/glibc/libc.so.6"},
         true,
         "libc.so.6",
         sha256("libc"),
         20,
         true}};
    closure.edges = {{kLaunch, 0, Why::entrypoint, "app"}, {0, 1, Why::needed, "NEEDED libc.so.6"}};
    closure.library_path = "/gramine/runtime/glibc:/lib";
    closure.uses_glibc_runtime = true;
    kind.name = "test";
    kind.summary = "a test";
    kind.env = {{"A", "template"}, {"B", "template"}};
    kind.tmpfs = {"/tmp", "/run"};
    kind.manifest = *parse_toml(
        "sgx.enclave_size = '1G'\nsgx.max_threads = 8\nsys.stack.size = '2M'", Limits{}, "test");
  }
  Result<GeneratedManifest> run() const {
    return generate_manifest(launch, closure, kind, options, rootfs, libsysdb);
  }
  GeneratedManifest good() const {
    auto out = run();
    if (!out) {
      ADD_FAILURE() << out.error().what();
      return {};
    }
    return std::move(*out);
  }
  void overlay(std::string_view text) { options.overlay = *parse_toml(text, Limits{}, "overlay"); }
};

std::string text_at(const GeneratedManifest& out, std::string_view key) {
  const TomlValue* value = out.manifest.table.at(key);
  return value != nullptr && value->string() != nullptr ? *value->string() : "";
}
std::int64_t number_at(const GeneratedManifest& out, std::string_view key) {
  const TomlValue* value = out.manifest.table.at(key);
  return value != nullptr && value->integer() != nullptr ? *value->integer() : -1;
}
std::vector<std::string> list(const GeneratedManifest& out, std::string_view key,
                              std::string_view field) {
  std::vector<std::string> found;
  const TomlValue* value = out.manifest.table.at(key);
  if (value == nullptr || value->array() == nullptr) return found;
  for (const TomlValue& item : *value->array()) {
    if (item.string() != nullptr)
      found.push_back(*item.string());
    else if (const TomlValue* f = item.table()->find(field))
      found.push_back(*f->string());
  }
  return found;
}

using Strings = std::vector<std::string>;

TEST(Generate, HasEveryKeyTheLoaderWants) {
  const auto out = Case().good();
  EXPECT_EQ(text_at(out, "loader.entrypoint.uri"), cat("file:", kLibsysdbPath));
  EXPECT_EQ(text_at(out, "loader.entrypoint.sha256"), sha256("libsysdb").hex());
  EXPECT_EQ(text_at(out, "libos.entrypoint"), "/usr/bin/app");
  EXPECT_EQ(list(out, "loader.argv", ""), (Strings{"app", "-v"}));
  EXPECT_EQ(number_at(out, "loader.uid"), 101);
  EXPECT_EQ(number_at(out, "loader.gid"), 103);
  EXPECT_EQ(text_at(out, "loader.log_level"), "error");
  EXPECT_EQ(text_at(out, "fs.root.uri"), "file:/");
  EXPECT_EQ(text_at(out, "fs.start_dir"), "/data");
  EXPECT_EQ(list(out, "fs.mounts", "path"), (Strings{"/tmp", "/run"}));
  EXPECT_EQ(text_at(out, "sgx.remote_attestation"), "dcap");
  EXPECT_FALSE(*out.manifest.table.at("sgx.debug")->boolean());
  EXPECT_EQ(out.kind, "test");
}

TEST(Generate, TextIsTheManifestAndComesOutTheSame) {
  const Case c;
  const auto out = c.good();
  EXPECT_EQ(out.text, c.good().text);
  const auto parsed = parse_toml(out.text, Limits{}, "manifest");
  ASSERT_TRUE(parsed) << parsed.error().what();
  EXPECT_EQ(*parsed, out.manifest.table);
  EXPECT_EQ(out.text.find('#'), std::string::npos);
}

TEST(Generate, TemplateGivesValuesOptionsWin) {
  Case c;
  EXPECT_EQ(text_at(c.good(), "sgx.enclave_size"), "1G");
  EXPECT_EQ(text_at(c.good(), "sys.stack.size"), "2M");
  c.options.enclave_size = "2G";
  c.options.max_threads = 64;
  c.options.debug = true;
  c.options.attestation = false;
  c.options.isvprodid = 7;
  c.options.isvsvn = 65535;
  const auto out = c.good();
  EXPECT_EQ(text_at(out, "sgx.enclave_size"), "2G");
  EXPECT_EQ(number_at(out, "sgx.max_threads"), 64);
  EXPECT_TRUE(*out.manifest.table.at("sgx.debug")->boolean());
  EXPECT_EQ(text_at(out, "sgx.remote_attestation"), "none");
  EXPECT_EQ(number_at(out, "sgx.isvprodid"), 7);
  EXPECT_EQ(number_at(out, "sgx.isvsvn"), 65535);
}

TEST(Generate, EnvironmentOfTheImageWinsAndTheLibraryPathIsOurs) {
  const auto out = Case().good();
  EXPECT_EQ(text_at(out, "loader.env.A"), "quote \" and \n newline");
  EXPECT_EQ(text_at(out, "loader.env.B"), "template");
  EXPECT_EQ(text_at(out, "loader.env.LD_LIBRARY_PATH"), "/gramine/runtime/glibc:/lib");
}

TEST(Generate, StaticProgramKeepsItsLibraryPath) {
  Case c;
  c.closure.library_path.clear();
  EXPECT_EQ(text_at(c.good(), "loader.env.LD_LIBRARY_PATH"), "/own");
}

TEST(Generate, PassthroughIsATableAndNeverTheLibraryPath) {
  Case c;
  c.launch.passthrough = {"TOKEN"};
  EXPECT_TRUE(*c.good().manifest.table.at("loader.env.TOKEN.passthrough")->boolean());
  c.launch.passthrough = {"LD_LIBRARY_PATH"};
  ASSERT_FALSE(c.run());
  EXPECT_EQ(c.run().error().code(), Code::conflict);
}

TEST(Generate, ArenasAreLimitedWhenTheyWouldNotFit) {
  Case c;  // 8 threads: 512M of 1G is just half
  EXPECT_EQ(text_at(c.good(), "loader.env.MALLOC_ARENA_MAX"), "");
  c.options.max_threads = 9;
  EXPECT_EQ(text_at(c.good(), "loader.env.MALLOC_ARENA_MAX"), "1");
  c.launch.env.emplace_back("MALLOC_ARENA_MAX", "4");
  EXPECT_EQ(text_at(c.good(), "loader.env.MALLOC_ARENA_MAX"), "4");
}

TEST(Generate, RootServerThatDropsPrivilegesGetsAnotherUser) {
  Case c;
  c.launch.uid = c.launch.gid = 0;
  EXPECT_EQ(number_at(c.good(), "loader.uid"), 0);
  c.kind.nonzero_user = true;
  EXPECT_EQ(number_at(c.good(), "loader.uid"), 1000);
  EXPECT_EQ(number_at(c.good(), "loader.gid"), 1000);
  c.launch.uid = 5;
  EXPECT_EQ(number_at(c.good(), "loader.uid"), 5);
}

TEST(Generate, TrustedFilesAreSortedOncePerPathWithReasons) {
  const auto out = Case().good();
  EXPECT_EQ(
      list(out, "sgx.trusted_files", "uri"),
      (Strings{"file:/bin/app", "file:/gramine/runtime/glibc/libc.so.6", "file:/usr/bin/app"}));
  EXPECT_EQ(list(out, "sgx.trusted_files", "sha256").front(), sha256("app").hex());
  EXPECT_EQ(out.trusted_files, 3u);
  EXPECT_EQ(out.trusted_bytes, 40u);
  EXPECT_EQ(out.reasons.at("file:/gramine/runtime/glibc/libc.so.6"),
            "needed: NEEDED libc.so.6 (/usr/bin/app)");
  EXPECT_EQ(out.reasons.at("file:/bin/app"), "entrypoint: app; leads to /usr/bin/app");
}

TEST(Generate, AnnotatedTextIsTheSameDocument) {
  const auto out = Case().good();
  const std::string text = annotate(out);
  EXPECT_NE(text.find("# needed: NEEDED libc.so.6 (/usr/bin/app)"), std::string::npos);
  const auto parsed = parse_toml(text, Limits{}, "annotated");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, out.manifest.table);
}

TEST(Generate, NameThatTomlCannotHoldIsRefused) {
  Case c;
  c.closure.members[0].paths.push_back("/usr/bin/\xff");
  ASSERT_FALSE(c.run());
  EXPECT_EQ(c.run().error().code(), Code::unsupported);
}

TEST(Generate, HostileNamesStayInTheirStrings) {
  Case c;
  const std::string name = "/usr/bin/x\"\n[sgx]\ndebug = true # \\";
  c.closure.members[0].paths.push_back(name);
  const auto out = c.good();
  const auto parsed = parse_toml(out.text, Limits{}, "manifest");
  ASSERT_TRUE(parsed) << parsed.error().what();
  EXPECT_FALSE(*parsed->at("sgx.debug")->boolean());
  const auto uris = list(out, "sgx.trusted_files", "uri");
  EXPECT_NE(std::find(uris.begin(), uris.end(), "file:" + name), uris.end());
  EXPECT_TRUE(parse_toml(annotate(out), Limits{}, "annotated"));
}

TEST(Generate, TmpfsNeverHidesWhatIsGrantedOrWhereItStarts) {
  Case c;
  c.closure.members[0].paths.push_back("/run/app/plugin.so");
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"), Strings{"/tmp"});
  c.launch.workdir = "/tmp/work";
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"), Strings{});
  EXPECT_NE(c.good().text.find("fs.mounts = []"), std::string::npos);
  c.launch.workdir = "/tmp";
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"), Strings{"/tmp"});
}

TEST(Generate, Volumes) {
  Case c;
  c.options.volumes = {{"/data", Volume::Kind::encrypted, ""},
                       {"/tmp", Volume::Kind::allowed, ""},
                       {"/cache/", Volume::Kind::tmpfs, ""}};
  const auto out = c.good();
  EXPECT_EQ(list(out, "fs.mounts", "path"), (Strings{"/data", "/cache", "/run"}));
  EXPECT_EQ(list(out, "fs.mounts", "key_name"), Strings{"_sgx_mrenclave"});
  EXPECT_EQ(list(out, "sgx.allowed_files", ""), Strings{"file:/tmp"});
  c.options.volumes = {{"/usr", Volume::Kind::tmpfs, ""}};
  EXPECT_EQ(c.run().error().code(), Code::conflict);
  c.options.volumes = {{"relative", Volume::Kind::tmpfs, ""}};
  EXPECT_EQ(c.run().error().code(), Code::invalid);
  c.options.volumes = {{"/", Volume::Kind::tmpfs, ""}};
  EXPECT_EQ(c.run().error().code(), Code::invalid);
  c.options.volumes = {{"/x", Volume::Kind::tmpfs, ""}, {"/x/", Volume::Kind::allowed, ""}};
  EXPECT_EQ(c.run().error().code(), Code::invalid);
}

TEST(Generate, DirectoriesThatATmpfsWouldHideAreMountedInIt) {
  measure::elf::Facts app = test::program();
  app.strings = {"/run/app/app.pid"};
  Case c(Tree().elf("/usr/bin/app", app).directory("/run/app").directory("/run/other"));
  c.kind.tmpfs = {"/tmp", "/run", "/var/run"};
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"),
            (Strings{"/tmp", "/run", "/var/run", "/run/app", "/var/run/app"}));
  // What people choose for the whole holds for its parts.
  c.options.volumes = {{"/run", Volume::Kind::tmpfs, ""}};
  c.kind.tmpfs = {"/tmp"};
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"), (Strings{"/run", "/tmp"}));
}

Front front_of(std::vector<std::string> directories) {
  Front out;
  out.name = "gramine-ratls";
  out.reason = "--ra-tls";
  out.argv = {"gramine-ratls", "/keys/c", "/keys/k", "--", "app", "-v"};
  out.directories = std::move(directories);
  return out;
}

TEST(Generate, WhatStartsBeforeTheProgramIsTheEntrypoint) {
  Case c;
  c.options.front = front_of({"/keys"});
  const GeneratedManifest out = c.good();
  EXPECT_EQ(text_at(out, "libos.entrypoint"), "/gramine/bin/gramine-ratls");
  const TomlArray& argv = *out.manifest.table.at("loader.argv")->array();
  ASSERT_EQ(argv.size(), 6U);
  EXPECT_EQ(*argv[3].string(), "--");
  EXPECT_EQ(list(out, "fs.mounts", "path"), (std::vector<std::string>{"/tmp", "/run", "/keys"}));
  EXPECT_EQ(text_at(out, "sgx.enclave_size"), "1G");
}

TEST(Generate, TheKeyOfRaTlsStaysInTheEnclave) {
  Case inner;  // the tmpfs above it is empty, so that it needs one of its own, mounted after
  inner.options.front = front_of({"/run/keys"});
  EXPECT_EQ(list(inner.good(), "fs.mounts", "path"),
            (std::vector<std::string>{"/tmp", "/run", "/run/keys"}));
  Case known;
  known.options.front = front_of({"/run"});
  EXPECT_EQ(list(known.good(), "fs.mounts", "path"), (std::vector<std::string>{"/tmp", "/run"}));
  Case sealed;
  sealed.options.front = front_of({"/keys"});
  sealed.options.volumes = {{"/keys", Volume::Kind::encrypted, ""}};
  EXPECT_EQ(list(sealed.good(), "fs.mounts", "type"),
            (std::vector<std::string>{"encrypted", "tmpfs", "tmpfs"}));
  Case leaked;
  leaked.options.front = front_of({"/keys"});
  leaked.options.volumes = {{"/keys", Volume::Kind::allowed, ""}};
  EXPECT_EQ(leaked.run().error().code(), Code::conflict);
  Case hidden;
  hidden.options.front = front_of({"/usr/bin"});
  EXPECT_EQ(hidden.run().error().code(), Code::conflict);
}

TEST(Generate, WhatStartsBeforeTheProgramHasTheRoomItNeeds) {
  Case c;
  c.options.front = front_of({});
  c.options.front->min_enclave_size = 2ULL << 30;
  c.options.front->min_threads = 16;
  c.options.front->host_files = {"/data/uuid"};
  const GeneratedManifest out = c.good();
  EXPECT_EQ(text_at(out, "sgx.enclave_size"), "2048M");
  EXPECT_EQ(number_at(out, "sgx.max_threads"), 16);
  const TomlArray& allowed = *out.manifest.table.at("sgx.allowed_files")->array();
  EXPECT_EQ(*allowed.front().string(), "file:/data/uuid");
  c.options.enclave_size = "512M";
  c.options.max_threads = 8;
  EXPECT_EQ(text_at(c.good(), "sgx.enclave_size"), "512M");
  EXPECT_EQ(number_at(c.good(), "sgx.max_threads"), 8);
}

TEST(Generate, LogLinksToStandardStreamsAreAllowedExactly) {
  Case c(Tree()
             .link("/var/log/nginx/access.log", "/dev/stdout")
             .link("/var/log/nginx/error.log", "/dev/stderr")
             .link("/var/log/other.log", "/elsewhere")
             .link("/dev/fd1", "/proc/self/fd/1"));
  const auto out = c.good();
  EXPECT_EQ(list(out, "sgx.allowed_files", ""),
            (Strings{"file:/var/log/nginx/access.log", "file:/var/log/nginx/error.log"}));
}

TEST(Generate, TmpfsDoesNotHideLinksToTheLog) {
  Case c(Tree().link("/var/log/nginx/access.log", "/dev/stdout"));
  c.kind.tmpfs = {"/var/log/nginx", "/var/log/other"};
  EXPECT_EQ(list(c.good(), "fs.mounts", "path"), Strings{"/var/log/other"});
}

TEST(Generate, NameServersWhereTemplateOrProgramAsk) {
  Case by_template;
  by_template.kind.manifest =
      *parse_toml("sys.enable_extra_runtime_domain_names_conf = true", Limits{}, "t");
  EXPECT_TRUE(*by_template.good().manifest.table.at(kHostNamesKey)->boolean());
  Case by_program;
  by_program.closure.suggestions = {{std::string(kHostNamesKey), true, "looks host names up"}};
  const auto out = by_program.good();
  EXPECT_TRUE(*out.manifest.table.at(kHostNamesKey)->boolean());
  EXPECT_EQ(out.reasons.at(std::string(kHostNamesKey)), "looks host names up");
  EXPECT_EQ(Case().good().manifest.table.at(kHostNamesKey), nullptr);
}

TEST(Generate, EdmmNeedsOneThreadAndFaults) {
  Case c;
  c.options.edmm = true;
  const auto out = c.good();
  EXPECT_TRUE(*out.manifest.table.at("sgx.edmm_enable")->boolean());
  EXPECT_EQ(number_at(out, "sgx.max_threads"), 1);
  EXPECT_TRUE(*out.manifest.table.at("sgx.use_exinfo")->boolean());
}

TEST(Generate, TooFewThreadsAndOddSizesAreRefused) {
  Case c;
  c.options.max_threads = 3;
  ASSERT_FALSE(c.run());
  EXPECT_EQ(c.run().error().code(), Code::invalid);
  c.options.max_threads = 4;
  EXPECT_TRUE(c.run());
  c.options.enclave_size = "300M";
  EXPECT_EQ(c.run().error().code(), Code::invalid);
}

TEST(Generate, OverlayIsMergedLast) {
  Case c;
  c.overlay(
      "sgx.max_threads = 32\nloader.env.A = 'overlay'\nfs.mounts = [{type='tmpfs', path='/x'}]");
  const auto out = c.good();
  EXPECT_EQ(number_at(out, "sgx.max_threads"), 32);
  EXPECT_EQ(text_at(out, "loader.env.A"), "overlay");
  EXPECT_EQ(list(out, "fs.mounts", "path"), (Strings{"/tmp", "/run", "/x"}));
}

TEST(Generate, UnknownOverlayKeyIsRefused) {
  Case c;
  c.overlay("sgx.no_such_key = 1");
  ASSERT_FALSE(c.run());
  EXPECT_EQ(c.run().error().code(), Code::invalid);
  EXPECT_NE(c.run().error().what().find("no_such_key"), std::string::npos);
}

TEST(Generate, OverlayFilesAreHashedFromTheImage) {
  Case c(Tree().file("/opt/a", "1").file("/opt/sub/b", "2").link("/opt/l", "a"));
  c.overlay(
      "sgx.trusted_files = ['file:/etc/x.conf', 'file:/opt/', {uri='file:/usr/bin/app'}, "
      "'file:/gramine/runtime/glibc/libc.so.6']");
  const auto out = c.run();
  // /usr/bin/app is no file of this image, but a member already.
  ASSERT_TRUE(out) << out.error().what();
  EXPECT_EQ(list(*out, "sgx.trusted_files", "uri"),
            (Strings{"file:/bin/app", "file:/etc/x.conf", "file:/gramine/runtime/glibc/libc.so.6",
                     "file:/opt/a", "file:/opt/l", "file:/opt/sub/b", "file:/usr/bin/app"}));
}

TEST(Generate, OverlayFilesThatCannotBeTrusted) {
  for (const char* text :
       {"sgx.trusted_files = ['file:/absent']", "sgx.trusted_files = ['file:relative']",
        "sgx.trusted_files = ['file:/etc']", "sgx.trusted_files = ['file:/etc/x.conf/']",
        "sgx.trusted_files = [1]", "sgx.trusted_files = 'file:/etc/x.conf'",
        "sgx.trusted_files = [{uri='file:/etc/x.conf', sha256='00'}]",
        "sgx.trusted_files = [{uri='file:/etc/', sha256='00'}]",
        "sgx.trusted_files = [{uri='file:/etc/x.conf', other='00'}]"}) {
    Case c;
    c.overlay(text);
    const auto out = c.run();
    ASSERT_FALSE(out) << text;
    EXPECT_EQ(out.error().code(), Code::invalid) << text;
  }
  Case c;
  c.overlay(
      cat("sgx.trusted_files = [{uri='file:/etc/x.conf', sha256='", sha256("x").hex(), "'}]"));
  EXPECT_TRUE(c.run());
}

}  // namespace
}  // namespace cloister::manifest
