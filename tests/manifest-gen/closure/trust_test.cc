// What each level of trust grants, and what the user takes away again.
#include "manifest-gen/closure/trust.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "manifest-gen/closure/closure.h"
#include "tests/manifest-gen/closure/closure_of.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::glibc_runtime;
using test::grants;
using test::library;
using test::program;
using test::Tree;

// A package database of (name, source, more fields, files).
class Packaged {
 public:
  Packaged() {
    tree.directory("/usr/lib/x86_64-linux-gnu")
        .link("/lib", "usr/lib")
        .link("/lib64", "usr/lib64")
        .link("/bin", "usr/bin")
        .elf("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", library())
        .link("/usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
        .elf("/usr/bin/dash", program())
        .link("/usr/bin/sh", "dash");
    package("dash", "dash", "Essential: yes\n", {"/usr/bin/dash", "/usr/share/dash/data"});
    tree.file("/usr/share/dash/data", "shell data");
  }
  Packaged& package(std::string_view name, std::string_view source, std::string_view more,
                    const std::vector<std::string>& files) {
    status += cat("Package: ", name, "\nStatus: install ok installed\nSource: ", source,
                  "\nVersion: 1\n", more, "\n");
    tree.file(cat("/var/lib/dpkg/info/", name, ".list"), join(files, "\n") + "\n");
    return *this;
  }
  measure::Rootfs build() {
    tree.file("/var/lib/dpkg/status", status);
    return tree.build();
  }
  Tree tree;
  std::string status;
};

Packaged proxyd() {
  Packaged out;
  out.package("proxyd", "proxyd", "Depends: proxyd-common (= 1), libz\n",
              {"/usr/sbin/proxyd", "/usr/share/man/man8/proxyd.8.gz"})
      .package("proxyd-common", "proxyd", "",
               {"/etc/proxyd/proxyd.conf", "/etc/init.d/proxyd", "/etc/default/proxyd",
                "/etc/logrotate.d/proxyd", "/usr/share/proxyd/html/index.html",
                "/usr/share/doc/proxyd-common/copyright", "/lib/systemd/system/proxyd.service",
                "/usr/share/vim/addons/syntax/proxyd.vim", "/usr/bin/proxyd-helper",
                "/usr/lib/proxyd/modules/echo.so", "/etc/proxyd/site.key"})
      .package("proxyd-doc", "proxyd", "", {"/usr/share/proxyd-doc/guide"})
      .package("libz", "zlib", "",
               {"/usr/lib/x86_64-linux-gnu/libz.so.1", "/usr/share/libz/table"});
  for (const char* path :
       {"/usr/share/man/man8/proxyd.8.gz", "/etc/proxyd/proxyd.conf", "/etc/init.d/proxyd",
        "/etc/default/proxyd", "/etc/logrotate.d/proxyd", "/usr/share/proxyd/html/index.html",
        "/usr/share/doc/proxyd-common/copyright", "/usr/lib/systemd/system/proxyd.service",
        "/usr/share/vim/addons/syntax/proxyd.vim", "/usr/share/proxyd-doc/guide",
        "/usr/share/libz/table", "/etc/proxyd/site.key", "/etc/proxyd/mine.conf", "/etc/mine.conf"})
    out.tree.file(path, path);
  out.tree.elf("/usr/sbin/proxyd", program({"libz.so.1", "libc.so.6"}))
      .elf("/usr/bin/proxyd-helper", program())
      .elf("/usr/lib/proxyd/modules/echo.so", library({"libecho.so.1", "libc.so.6"}))
      .elf("/usr/lib/x86_64-linux-gnu/libecho.so.1", library())
      .elf("/usr/lib/x86_64-linux-gnu/libz.so.1", library({"libc.so.6"}));
  return out;
}

Launch launch_of(const measure::Rootfs& rootfs, std::vector<std::string> argv,
                 std::string workdir = "/") {
  Launch launch;
  launch.program = argv.front();
  launch.argv = std::move(argv);
  launch.entrypoint = rootfs.real_path(launch.program).value_or(launch.program);
  launch.env = {{"PATH", "/usr/sbin:/usr/bin"}};
  launch.workdir = std::move(workdir);
  return launch;
}

Result<Closure> compute(const measure::Rootfs& root, const Launch& launch, ClosureRequest request,
                        const std::vector<ClosureRoot>& roots = {}) {
  const PackageIndex packages = PackageIndex::read(root, Limits{});
  request.packages = &packages;
  return compute_closure(launch, root, glibc_runtime(), roots, Limits{}, request);
}

Closure closure_of(const measure::Rootfs& root, const Launch& launch, ClosureRequest request = {},
                   const std::vector<ClosureRoot>& roots = {}) {
  auto closure = compute(root, launch, std::move(request), roots);
  if (!closure) {
    ADD_FAILURE() << closure.error().what();
    return {};
  }
  return std::move(*closure);
}

ClosureRoot include(std::string pattern) {
  return {pattern, Why::include, cat("--include ", pattern), false, ""};
}

TEST(TrustClosure, DataAndConfigurationOfTheProgramsPackageAndItsKin) {
  const auto root = proxyd().build();
  const auto closure = closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}));
  for (const char* path :
       {"/usr/sbin/proxyd", "/etc/proxyd/proxyd.conf", "/usr/share/proxyd/html/index.html",
        "/usr/lib/proxyd/modules/echo.so", "/etc/proxyd/mine.conf"})
    EXPECT_TRUE(grants(closure, path)) << path;
  EXPECT_TRUE(grants(closure, "/usr/lib/x86_64-linux-gnu/libecho.so.1")) << "a plug-in's library";
  for (const char* path :
       {"/etc/init.d/proxyd", "/etc/default/proxyd", "/etc/logrotate.d/proxyd",
        "/usr/share/doc/proxyd-common/copyright", "/usr/share/man/man8/proxyd.8.gz",
        "/usr/lib/systemd/system/proxyd.service", "/usr/share/vim/addons/syntax/proxyd.vim",
        "/usr/bin/proxyd-helper", "/usr/share/proxyd-doc/guide", "/usr/share/libz/table",
        "/etc/mine.conf"})
    EXPECT_FALSE(grants(closure, path)) << path;
  EXPECT_EQ(closure.withheld, std::vector<std::string>{"/etc/proxyd/site.key"});
}

TEST(TrustClosure, AShellBringsNothingAndTheProgramThatItRunsDoes) {
  Packaged image = proxyd();
  image.tree.script("/entry.sh", "#!/bin/sh\nexec proxyd -g 'daemon off;'\n");
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/entry.sh"}));
  EXPECT_TRUE(grants(closure, "/usr/share/proxyd/html/index.html"));
  EXPECT_FALSE(grants(closure, "/usr/share/dash/data"));
}

TEST(TrustClosure, AHelperThatTheProgramNamesIsGranted) {
  Packaged image;
  measure::elf::Facts server = program();
  server.strings = {"/usr/lib/app/helper"};
  image.package("app", "app", "", {"/usr/bin/app", "/usr/lib/app/helper", "/usr/lib/app/other"});
  image.tree.elf("/usr/bin/app", server)
      .elf("/usr/lib/app/helper", program())
      .elf("/usr/lib/app/other", program());
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/usr/bin/app"}));
  EXPECT_TRUE(grants(closure, "/usr/lib/app/helper"));
  EXPECT_FALSE(grants(closure, "/usr/lib/app/other"));
}

TEST(TrustClosure, TheApplicationsOwnFilesAreThoseNobodyOwns) {
  Packaged image = proxyd();
  image.package("vendor", "vendor", "", {"/srv/app/owned"});
  image.tree.file("/srv/app/page.html", "p")
      .file("/srv/app/owned", "o")
      .file("/srv/app/deep/er/file", "f")
      .file("/srv/app/.git/config", "g")
      .file("/srv/app/.env", "SECRET=1")
      .link("/srv/app/current", "page.html")
      .file("/srv/other/file", "x");
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}, "/srv/app"));
  for (const char* path : {"/srv/app/page.html", "/srv/app/deep/er/file", "/srv/app/current"})
    EXPECT_TRUE(grants(closure, path)) << path;
  for (const char* path :
       {"/srv/app/owned", "/srv/app/.git/config", "/srv/app/.env", "/srv/other/file"})
    EXPECT_FALSE(grants(closure, path)) << path;
  EXPECT_NE(std::find(closure.withheld.begin(), closure.withheld.end(), "/srv/app/.env"),
            closure.withheld.end());
}

TEST(TrustClosure, DirectoriesOfTheSystemAreNoApplications) {
  const auto root = proxyd().build();
  for (const char* workdir : {"/", "/root", "/home", "/etc", "/var", "/usr/lib", "/absent"}) {
    const auto closure = closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}, workdir));
    EXPECT_FALSE(grants(closure, "/etc/mine.conf")) << workdir;
  }
}

TEST(TrustClosure, FilesBesideTheEntryScriptAndBesideAProgramThatNobodyPackaged) {
  Packaged image;
  image.tree.script("/opt/svc/run", "#!/bin/sh\n")
      .file("/opt/svc/conf", "c")
      .elf("/app/server", program())
      .file("/app/page", "p")
      .elf("/tool/bin/server", program())
      .file("/tool/bin/other", "o");
  const auto root = image.build();
  EXPECT_TRUE(grants(closure_of(root, launch_of(root, {"/opt/svc/run"})), "/opt/svc/conf"));
  EXPECT_TRUE(grants(closure_of(root, launch_of(root, {"/app/server"})), "/app/page"));
  EXPECT_FALSE(grants(closure_of(root, launch_of(root, {"/tool/bin/server"})), "/tool/bin/other"));
}

TEST(TrustClosure, DataThatAPackageReachesThroughALink) {
  Packaged image;
  image
      .package("gs", "gs", "Depends: gs-data\n",
               {"/usr/bin/gs", "/usr/share/gs/10/lib/init", "/usr/share/gs/10/icc"})
      .package("gs-data", "gs", "", {"/usr/share/color/gs/cmyk.icc"});
  image.tree.elf("/usr/bin/gs", program())
      .file("/usr/share/gs/10/lib/init", "i")
      .link("/usr/share/gs/10/icc", "../../color/gs")
      .file("/usr/share/color/gs/cmyk.icc", "c");
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/usr/bin/gs"}));
  EXPECT_TRUE(grants(closure, "/usr/share/color/gs/cmyk.icc"));
  EXPECT_TRUE(grants(closure, "/usr/share/gs/10/icc/cmyk.icc"));
}

TEST(TrustClosure, AShellScriptBringsItsPackagesDataUnlessAProgramOfItSpeaks) {
  Packaged image;
  image.package("broker", "broker", "", {"/usr/sbin/broker", "/usr/lib/broker/app.beam"})
      .package("web", "web", "", {"/usr/sbin/webctl", "/usr/sbin/nginx", "/usr/lib/web/data"});
  image.tree.script("/usr/sbin/broker", "#!/bin/sh\ntrue\n")
      .file("/usr/lib/broker/app.beam", "b")
      .script("/usr/sbin/webctl", "#!/bin/sh\nexec /usr/sbin/nginx\n")
      .elf("/usr/sbin/nginx", program())
      .file("/usr/lib/web/data", "d");
  const auto root = image.build();
  EXPECT_TRUE(
      grants(closure_of(root, launch_of(root, {"/usr/sbin/broker"})), "/usr/lib/broker/app.beam"));
  EXPECT_FALSE(grants(closure_of(root, launch_of(root, {"/usr/sbin/webctl"})), "/usr/lib/web/data"))
      << "nginx has a row, which says what it reads";
}

TEST(TrustClosure, ConfigurationOfThePackageNamesFurtherFiles) {
  Packaged image;
  image.package("app", "app", "", {"/usr/sbin/app", "/etc/app/app.conf"});
  image.tree.elf("/usr/sbin/app", program())
      .file("/etc/app/app.conf", "cert = /srv/tls/key.pem\ninclude more/*.conf\n")
      .file("/etc/app/more/a.conf", "helper /usr/libexec/helper\n")
      .file("/etc/app/sites-available/b.conf", "cert /srv/tls/other.pem\n")
      .elf("/usr/libexec/helper", program())
      .file("/srv/tls/key.pem", "k")
      .file("/srv/tls/other.pem", "k");
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/usr/sbin/app"}));
  for (const char* path : {"/srv/tls/key.pem", "/etc/app/more/a.conf", "/usr/libexec/helper"})
    EXPECT_TRUE(grants(closure, path)) << path;
  EXPECT_FALSE(grants(closure, "/srv/tls/other.pem")) << "available, and not enabled";
}

TEST(TrustNone, EntrypointAndInterpreterAndWhatIsMissing) {
  Packaged image = proxyd();
  image.tree.script("/entry.sh", "#!/bin/sh\nexec proxyd\n");
  const auto root = image.build();
  const auto closure = closure_of(root, launch_of(root, {"/entry.sh"}), {.trust = Trust::none});
  ASSERT_EQ(closure.members.size(), 3U);
  EXPECT_EQ(closure.members[0].real_path, "/entry.sh");
  EXPECT_TRUE(grants(closure, "/usr/bin/dash"));
  EXPECT_TRUE(grants(closure, "/gramine/runtime/glibc/ld-linux-x86-64.so.2"));
  EXPECT_TRUE(std::binary_search(closure.denied.begin(), closure.denied.end(), "/usr/sbin/proxyd"));
}

TEST(TrustNone, WhatIsIncludedComesWithItsNeeds) {
  const auto root = proxyd().build();
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}), {.trust = Trust::none},
                 {include("/usr/lib/proxyd/modules/echo.so")});
  EXPECT_TRUE(grants(closure, "/usr/lib/proxyd/modules/echo.so"));
  EXPECT_TRUE(grants(closure, "/usr/lib/x86_64-linux-gnu/libecho.so.1"));
  EXPECT_FALSE(grants(closure, "/usr/lib/x86_64-linux-gnu/libz.so.1"));
}

TEST(TrustPackage, EveryFileOfEveryPackageInvolved) {
  const auto root = proxyd().build();
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}), {.trust = Trust::package});
  for (const char* path : {"/usr/share/doc/proxyd-common/copyright", "/etc/init.d/proxyd",
                           "/usr/share/libz/table", "/lib/systemd/system/proxyd.service"})
    EXPECT_TRUE(grants(closure, path)) << path;
  EXPECT_FALSE(grants(closure, "/usr/share/proxyd-doc/guide"));
  EXPECT_FALSE(grants(closure, "/etc/proxyd/site.key"));
  EXPECT_FALSE(grants(closure, "/etc/mine.conf"));
}

TEST(TrustAll, EveryFileUnderItsNamesButSecrets) {
  const auto root = proxyd().build();
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}), {.trust = Trust::all});
  for (const char* path :
       {"/etc/proxyd/mine.conf", "/usr/share/proxyd-doc/guide", "/usr/bin/proxyd-helper",
        "/bin/proxyd-helper", "/usr/bin/sh", "/bin/sh"})
    EXPECT_TRUE(grants(closure, path)) << path;
  EXPECT_FALSE(grants(closure, "/etc/proxyd/site.key"));
  EXPECT_EQ(closure.withheld, std::vector<std::string>{"/etc/proxyd/site.key"});
}

TEST(Exclude, TakesAFileUnderAllItsNamesAndWhatOnlyItNeeds) {
  const auto root = proxyd().build();
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}),
                 {.excludes = {"/lib/proxyd/modules/echo.so", "/usr/lib/proxyd/**"}});
  EXPECT_FALSE(grants(closure, "/usr/lib/proxyd/modules/echo.so"));
  EXPECT_FALSE(grants(closure, "/usr/lib/x86_64-linux-gnu/libecho.so.1"));
  EXPECT_TRUE(grants(closure, "/usr/lib/x86_64-linux-gnu/libz.so.1"));
  EXPECT_EQ(closure.members[0].real_path, "/usr/sbin/proxyd");
  ASSERT_FALSE(closure.excluded.empty());
  const auto taken = std::find_if(closure.excluded.begin(), closure.excluded.end(),
                                  [](const auto& e) { return !e.path.empty(); });
  ASSERT_NE(taken, closure.excluded.end());
  EXPECT_EQ(taken->path, "/usr/lib/proxyd/modules/echo.so");
  EXPECT_NE(taken->wanted.find("package"), std::string::npos) << taken->wanted;
}

TEST(Exclude, WinsOverInclude) {
  const auto root = proxyd().build();
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}),
                 {.excludes = {"/etc/proxyd/mine.conf"}}, {include("/etc/proxyd/*")});
  EXPECT_FALSE(grants(closure, "/etc/proxyd/mine.conf"));
  EXPECT_TRUE(grants(closure, "/etc/proxyd/site.key")) << "what the user includes is granted";
  ASSERT_EQ(closure.included.size(), 1U);
  EXPECT_EQ(closure.included[0].option, "--include /etc/proxyd/*");
  EXPECT_EQ(closure.included[0].secrets, std::vector<std::string>{"/etc/proxyd/site.key"});
}

TEST(Exclude, WhatTheProgramCannotStartWithoutIsAnError) {
  const auto root = proxyd().build();
  for (const char* pattern :
       {"/usr/sbin/proxyd", "/usr/lib/**/libz.so.*", "/lib/x86_64-linux-gnu", "/gramine/**"}) {
    const auto closure =
        compute(root, launch_of(root, {"/usr/sbin/proxyd"}), {.excludes = {pattern}});
    ASSERT_FALSE(closure) << pattern;
    EXPECT_EQ(closure.error().code(), Code::conflict) << pattern;
    EXPECT_NE(closure.error().what().find(pattern), std::string::npos) << closure.error().what();
  }
}

TEST(Exclude, APatternThatMatchesNothingIsAnErrorAndAPrecautionIsNot) {
  const auto root = proxyd().build();
  const auto nothing =
      compute(root, launch_of(root, {"/usr/sbin/proxyd"}), {.excludes = {"/etc/ngnix/**"}});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code(), Code::unresolved);
  const auto closure =
      closure_of(root, launch_of(root, {"/usr/sbin/proxyd"}), {.excludes = {"/usr/share/doc/**"}});
  ASSERT_EQ(closure.excluded.size(), 1U);
  EXPECT_EQ(closure.excluded[0].path, "");
}

TEST(TrustName, ReadsWhatItWrites) {
  for (const Trust trust : {Trust::none, Trust::closure, Trust::package, Trust::all})
    EXPECT_EQ(parse_trust(trust_name(trust)), trust);
  EXPECT_FALSE(parse_trust("everything"));
}

TEST(Exclude, LeavesModulesThatOthersMayImport) {
  const auto root = debian_tree()
                        .elf("/usr/bin/perl", program())
                        .file("/usr/share/perl/5.36/strict.pm", "1;")
                        .file("/app/run.pl", "use lib '/app/lib';\nuse A;\nuse Base;\n")
                        .file("/app/lib/A.pm", "use Base;\n1;")
                        .file("/app/lib/Base.pm", "1;")
                        .build();
  const Closure closure = closure_of(root, launch_of(root, {"/usr/bin/perl", "/app/run.pl"}),
                                     {.excludes = {"/app/lib/A.pm"}});
  EXPECT_TRUE(grants(closure, "/app/lib/Base.pm"));
  EXPECT_FALSE(grants(closure, "/app/lib/A.pm"));
}

}  // namespace
}  // namespace cloister::manifest
