#include "manifest-gen/runtimes/servers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "manifest-gen/packages/package_index.h"
#include "manifest-gen/runtimes/git.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

Analysis analysis_of(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  Launch launch;
  launch.workdir = "/start";
  const AnalyzerScene scene{launch, rootfs, Limits{}};
  const ProgramStart start{argv.front(), argv, true};
  if (!detect_server(start, scene)) return {};
  auto analysis = analyze_server(start, scene);
  if (!analysis) {
    ADD_FAILURE() << analysis.error().what();
    return {};
  }
  return std::move(*analysis);
}

std::set<std::string> granted(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  std::set<std::string> out;
  for (const ClosureRoot& root : analysis_of(rootfs, std::move(argv)).roots)
    if (root.why != Why::package_data) out.insert(root.path_or_glob);
  return out;
}

using Paths = std::set<std::string>;

TEST(Servers, NginxFollowsItsConfiguration) {
  const auto root =
      Tree()
          .elf("/usr/sbin/nginx", test::program())
          .file("/etc/nginx/nginx.conf",
                "include /etc/nginx/modules-enabled/*.conf;\nhttp {\n include mime.types;\n"
                " include /etc/nginx/conf.d/*.conf;\n access_log /var/log/nginx/access.log;\n}\n")
          .file("/usr/share/nginx/modules-available/echo.conf", "load_module modules/echo.so;\n")
          .link("/etc/nginx/modules-enabled/50-echo.conf",
                "/usr/share/nginx/modules-available/echo.conf")
          .elf("/usr/lib/nginx/modules/echo.so", test::library())
          .link("/usr/share/nginx/modules", "../../lib/nginx/modules")
          .file("/etc/nginx/mime.types", "types { text/html html; }")
          .file("/etc/nginx/conf.d/site.conf",
                "server { root /srv/www; ssl_certificate cert.pem; location /x { root /usr; } }")
          .file("/etc/nginx/conf.d/README", "root /nothing;")
          .file("/etc/nginx/cert.pem", "x")
          .file("/etc/nginx/unused", "x")
          .file("/srv/www/index.html", "x")
          .directory("/var/log/nginx")
          .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/nginx", "-g", "daemon off;"}),
            (Paths{"/etc/nginx/nginx.conf", "/etc/nginx/modules-enabled/50-echo.conf",
                   "/usr/share/nginx/modules/echo.so", "/etc/nginx/mime.types",
                   "/etc/nginx/conf.d/site.conf", "/etc/nginx/cert.pem", "/srv/www/**"}));
  EXPECT_EQ(analysis_of(root, {"/usr/sbin/nginx"}).unknown.size(), 1u) << "root /usr";
}

TEST(Servers, ApacheLoadsWhatItsConfigurationNames) {
  const auto root = Tree()
                        .elf("/usr/sbin/apache2", test::program())
                        .file("/etc/apache2/apache2.conf",
                              "IncludeOptional mods-enabled/*.load\nInclude ports.conf\n"
                              "Include /etc/apache2/sites\nErrorLog ${APACHE_LOG_DIR}/error.log\n")
                        .file("/etc/apache2/ports.conf", "Listen 80\n")
                        .file("/etc/apache2/mods-enabled/ssl.load",
                              "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n")
                        .elf("/usr/lib/apache2/modules/mod_ssl.so", test::library())
                        .elf("/usr/lib/apache2/modules/mod_dav.so", test::library())
                        .file("/etc/apache2/sites/a", "DocumentRoot \"/var/www/html\"\n")
                        .file("/var/www/html/index.html", "x")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/apache2", "-DFOREGROUND"}),
            (Paths{"/etc/apache2/apache2.conf", "/etc/apache2/ports.conf", "/etc/apache2/sites/a",
                   "/etc/apache2/mods-enabled/ssl.load", "/usr/lib/apache2/modules/mod_ssl.so",
                   "/var/www/html/**"}));
}

TEST(Servers, OneWithoutConfigurationReadsNone) {
  const auto root = Tree()
                        .elf("/usr/lib/erlang/erts-13/bin/erlexec", test::program())
                        .file("/etc/other.conf", "x")
                        .file("/readme", "x")
                        .build();
  EXPECT_TRUE(granted(root, {"/usr/lib/erlang/erts-13/bin/erlexec"}).empty());
}

TEST(Servers, NginxRunsPerlThatItsConfigurationServes) {
  const auto root =
      Tree()
          .elf("/usr/sbin/nginx", test::program())
          .elf("/usr/bin/perl", test::program())
          .file("/etc/nginx/nginx.conf", "perl_modules /srv/perl;\nperl_require a.pm;\n")
          .file("/srv/perl/a.pm", "package a;\nuse POSIX;\n1;\n")
          .build();
  std::vector<std::vector<std::string>> started;
  for (const ClosureRoot& start : analysis_of(root, {"/usr/sbin/nginx"}).roots)
    if (!start.argv.empty()) started.push_back(start.argv);
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(started[0], (std::vector<std::string>{"libperl", "-Mnginx", "/srv/perl/a.pm"}));
}

TEST(Servers, NginxReadsWhatTemplatesOfItsConfigurationName) {
  const auto root = Tree()
                        .elf("/usr/sbin/nginx", test::program())
                        .file("/etc/nginx/templates/a.conf.template",
                              "listen ${PORT};\nssl_certificate_key tls/key.pem;\n")
                        .file("/etc/nginx/tls/key.pem")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/nginx"}),
            (Paths{"/etc/nginx/templates/a.conf.template", "/etc/nginx/tls/key.pem"}));
}

TEST(Servers, TheCommandLineNamesAnotherConfiguration) {
  const auto root = Tree()
                        .elf("/usr/sbin/nginx", test::program())
                        .file("/etc/nginx/nginx.conf", "include /etc/motd;")
                        .file("/start/my.conf", "include other;")
                        .file("/start/other", "")
                        .file("/etc/motd", "")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/nginx", "-c", "my.conf"}),
            (Paths{"/start/my.conf", "/start/other"}));
}

TEST(Servers, LighttpdRunsScriptsAndLoadsModulesByName) {
  const auto root =
      Tree()
          .elf("/usr/sbin/lighttpd", test::program())
          .file("/etc/lighttpd/lighttpd.conf",
                "server.modules = (\n\"mod_access\",\n)\ninclude_shell \"/usr/share/x.pl \" + p\n")
          .elf("/usr/lib/lighttpd/mod_access.so", test::library())
          .elf("/usr/lib/lighttpd/mod_cgi.so", test::library())
          .script("/usr/share/x.pl", "#!/usr/bin/perl\n")
          .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/lighttpd", "-D"}),
            (Paths{"/etc/lighttpd/lighttpd.conf", "/usr/lib/lighttpd/mod_access.so", "/bin/sh",
                   "/usr/share/x.pl"}));
}

TEST(Servers, AnyProgramsConfigurationIsReadForTheNamesOfFiles) {
  const auto root = Tree()
                        .elf("/usr/bin/app", test::program())
                        .file("/start/app.yml",
                              "tls:\n  cert: /etc/tls/a.pem\n  data: /var/lib\n"
                              "  url: https://x/etc/tls/b.pem\n  rel: c.pem\n  b.pem: d\n")
                        .file("/etc/tls/a.pem", "x")
                        .file("/start/b.pem", "x")
                        .file("/start/c.pem", "x")
                        .file("/var/lib/x", "x")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/bin/app", "--config=app.yml"}),
            (Paths{"/start/app.yml", "/etc/tls/a.pem", "/start/c.pem"}));
  EXPECT_TRUE(granted(root, {"/usr/bin/app", "/start/b.pem"}).empty());
}

TEST(Servers, MariadbReadsItsConfigurationUnlessAnotherIsNamed) {
  const auto root = Tree()
                        .elf("/usr/sbin/mariadbd", test::program())
                        .file("/etc/mysql/my.cnf", "!includedir /etc/mysql/conf.d/\n")
                        .file("/etc/mysql/conf.d/a.cnf", "[mysqld]\nssl-ca=/etc/ca.pem\n")
                        .file("/etc/ca.pem")
                        .file("/init.sql")
                        .file("/own.cnf")
                        .build();
  const Paths found = granted(root, {"/usr/sbin/mariadbd", "--init-file=/init.sql"});
  for (const std::string_view path :
       {"/etc/mysql/my.cnf", "/etc/mysql/conf.d/a.cnf", "/etc/ca.pem", "/init.sql"})
    EXPECT_NE(std::find(found.begin(), found.end(), path), found.end()) << path;
  const Paths own = granted(root, {"/usr/sbin/mariadbd", "--defaults-file=/own.cnf"});
  EXPECT_NE(std::find(own.begin(), own.end(), "/own.cnf"), own.end());
  EXPECT_EQ(std::find(own.begin(), own.end(), "/etc/mysql/my.cnf"), own.end());
}

TEST(Servers, AnyProgramsConfigurationIsFollowedThroughItsIncludes) {
  const auto root = Tree()
                        .elf("/usr/sbin/broker", test::program())
                        .file("/etc/broker.conf", "include_dir /etc/broker.d\n!include extra.cnf\n")
                        .file("/etc/broker.d/a.conf", "acl_file /etc/broker.acl\n")
                        .file("/etc/broker.acl")
                        .file("/etc/extra.cnf")
                        .file("/etc/other.cnf")
                        .build();
  EXPECT_EQ(
      granted(root, {"/usr/sbin/broker", "-c", "/etc/broker.conf"}),
      (Paths{"/etc/broker.acl", "/etc/broker.conf", "/etc/broker.d/a.conf", "/etc/extra.cnf"}));
}

Paths followed(const measure::Rootfs& rootfs, std::string program,
               const std::vector<std::string>& files) {
  Launch launch;
  launch.volumes = {"/srv/volume"};
  const PackageIndex packages = PackageIndex::read(rootfs, Limits{});
  const Limits limits;
  const AnalyzerScene scene{launch, rootfs, limits, &packages};
  const ProgramStart start{program, {program}, true};
  auto analysis = read_configuration(start, scene, nullptr, files);
  Paths out;
  if (!analysis) {
    ADD_FAILURE() << analysis.error().what();
    return out;
  }
  for (const ClosureRoot& root : analysis->roots) out.insert(root.path_or_glob);
  return out;
}

TEST(Configuration, RelativeNamesStandInDirectoriesThatItNames) {
  const auto root =
      Tree()
          .file("/etc/bind/named.conf",
                "include \"/etc/bind/local\";\noptions { directory \"/var/zones\"; };")
          .file("/etc/bind/local",
                "zone \"b\" { file \"b.zone\"; };\n"
                "zone \"c\" { file \"/etc/bind/c.db\"; };\n")
          .file("/etc/bind/c.db", "$INCLUDE more.inc\n")
          .file("/etc/bind/more.inc")
          .file("/etc/bind/unused.db")
          .file("/var/zones/b.zone")
          .build();
  EXPECT_EQ(followed(root, "/usr/sbin/named", {"/etc/bind/named.conf"}),
            (Paths{"/etc/bind/named.conf", "/etc/bind/local", "/etc/bind/c.db",
                   "/etc/bind/more.inc", "/var/zones/b.zone"}));
}

TEST(Configuration, DirectoriesThatItNamesHoldWhatNoPackageOwns) {
  const auto root =
      Tree()
          .file("/var/lib/dpkg/status",
                "Package: app\nStatus: install ok installed\nVersion: 1\n\n")
          .file("/var/lib/dpkg/info/app.list", "/opt/rules/packaged\n")
          .file("/opt/rules/packaged")
          .file("/etc/app/app.conf",
                "rules: /opt/rules\ndata /var/lib/app\nvolume=/srv/volume\ntop: /opt\n"
                "job: [ targets/*.json ]\nca: hash:/etc/app/ca.pem\n")
          .file("/etc/app/targets/a.json")
          .file("/etc/app/targets/a.txt")
          .file("/etc/app/ca.pem")
          .file("/opt/rules/own")
          .file("/opt/rules/deep/own")
          .file("/opt/rules/server.key")
          .file("/opt/other")
          .file("/var/lib/app/state")
          .file("/srv/volume/x")
          .build();
  EXPECT_EQ(followed(root, "/usr/bin/app", {"/etc/app/app.conf"}),
            (Paths{"/etc/app/app.conf", "/etc/app/ca.pem", "/etc/app/targets/*.json",
                   "/opt/rules/own", "/opt/rules/deep/own"}));
}

TEST(Configuration, LuaFindsModulesByTemplatesOfPaths) {
  const auto root = Tree()
                        .file("/etc/app/a.conf", "lua_package_path \"/srv/lua/?.lua;;/?.lua\";\n")
                        .file("/srv/lua/greet.lua")
                        .build();
  EXPECT_EQ(followed(root, "/usr/bin/app", {"/etc/app/a.conf"}),
            (Paths{"/etc/app/a.conf", "/srv/lua/**"}));
}

TEST(Configuration, CommandsOfDelegatesAreLookedForInPath) {
  const auto root =
      Tree()
          .file("/etc/im/delegates.xml",
                "<delegate decode=\"svg\" command=\"&quot;rsvg-convert&quot; -o %o\"/>\n")
          .elf("/usr/bin/rsvg-convert", test::program())
          .build();
  EXPECT_EQ(followed(root, "/usr/bin/convert", {"/etc/im/delegates.xml"}),
            (Paths{"/etc/im/delegates.xml", "/usr/bin/rsvg-convert"}));
}

TEST(Servers, ApacheRunsPythonAndPerlInItsModules) {
  const auto root =
      Tree()
          .elf("/usr/sbin/apache2", test::program())
          .elf("/usr/bin/python3", test::program())
          .elf("/usr/bin/perl", test::program())
          .file("/etc/apache2/apache2.conf",
                "WSGIScriptAlias / /srv/app/app.wsgi\nPerlRequire /srv/startup.pl\n"
                "PerlResponseHandler My::Hello\nPerlOptions +GlobalRequest\n")
          .file("/srv/app/app.wsgi", "from flask import Flask\n")
          .file("/srv/startup.pl", "#!/usr/bin/perl\nuse strict;\nuse lib '/srv/lib';\n")
          .build();
  std::vector<std::vector<std::string>> started;
  for (const ClosureRoot& start : analysis_of(root, {"/usr/sbin/apache2"}).roots)
    if (!start.argv.empty()) started.push_back(start.argv);
  ASSERT_EQ(started.size(), 2u);
  EXPECT_EQ(started[0], (std::vector<std::string>{"/usr/bin/python3", "/srv/app/app.wsgi"}));
  EXPECT_EQ(started[1].front(), "libperl");
  EXPECT_EQ(started[1].back(), "/srv/startup.pl");
  EXPECT_NE(std::find(started[1].begin(), started[1].end(), "-MMy::Hello"), started[1].end());
}

TEST(Servers, DovecotLoadsThePluginsThatAreNamed) {
  const auto root =
      Tree()
          .elf("/usr/sbin/dovecot", test::program())
          .file("/etc/dovecot/dovecot.conf", "!include conf.d/*.conf\nssl_cert = </etc/cert.pem\n")
          .file("/etc/cert.pem")
          .file("/etc/dovecot/conf.d/a.conf", "mail_plugins = $mail_plugins quota\n")
          .elf("/usr/lib/dovecot/modules/lib10_quota_plugin.so", test::library())
          .elf("/usr/lib/dovecot/modules/lib20_fts_plugin.so", test::library())
          .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/dovecot", "-F"}),
            (Paths{"/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/a.conf", "/etc/cert.pem",
                   "/usr/lib/dovecot/modules/lib10_quota_plugin.so"}));
}

TEST(Git, StartsWhatItsCommandNeeds) {
  const auto root = Tree().elf("/usr/bin/git", test::program()).build();
  Launch launch;
  const Limits limits;
  const AnalyzerScene scene{launch, root, limits};
  const auto paths = [&](const std::string& path, std::vector<std::string> argv) {
    Paths out;
    const ProgramStart start{path, std::move(argv), true};
    EXPECT_TRUE(detect_git(start, scene));
    if (auto analysis = analyze_git(start, scene))
      for (const ClosureRoot& found : analysis->roots) out.insert(found.path_or_glob);
    return out;
  };
  const Paths clone = paths("/usr/bin/git", {"git", "-C", "/srv", "clone", "https://x/r.git"});
  EXPECT_TRUE(clone.contains("/usr/lib/git-core/git-remote-https"));
  EXPECT_FALSE(clone.contains("/usr/lib/git-core/git-daemon"));
  EXPECT_FALSE(clone.contains("/usr/lib/git-core/**"));
  EXPECT_TRUE(paths("/usr/bin/git", {"git", "an-alias"}).contains("/usr/lib/git-core/**"));
  EXPECT_TRUE(paths("/usr/bin/git", {"git"}).contains("/usr/lib/git-core/**"));
  EXPECT_FALSE(paths("/usr/lib/git-core/git", {"git"}).contains("/usr/lib/git-core/**"));
  EXPECT_TRUE(
      paths("/usr/lib/git-core/git-daemon", {"git-daemon"}).contains("/usr/lib/git-core/git"));
}

TEST(Servers, FilesThatIncludeEachOtherEnd) {
  const auto root = Tree()
                        .elf("/usr/bin/redis-server", test::program())
                        .file("/a.conf", "include /b.conf\n")
                        .file("/b.conf", "include /a.conf\nloadmodule /m.so arg\n")
                        .elf("/m.so", test::library())
                        .build();
  EXPECT_EQ(granted(root, {"/usr/bin/redis-server", "/a.conf"}),
            (Paths{"/a.conf", "/b.conf", "/m.so"}));
}

}  // namespace
}  // namespace cloister::manifest
