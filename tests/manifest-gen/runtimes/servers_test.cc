#include "manifest-gen/runtimes/servers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "tests/manifest-gen/support/tree.h"

namespace cloister::manifest {
namespace {

using test::Tree;

Analysis analysis_of(const measure::Rootfs& rootfs, std::vector<std::string> argv) {
  Launch launch;
  launch.workdir = "/work";
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

TEST(Servers, TheCommandLineNamesAnotherConfiguration) {
  const auto root = Tree()
                        .elf("/usr/sbin/nginx", test::program())
                        .file("/etc/nginx/nginx.conf", "include /etc/motd;")
                        .file("/work/my.conf", "include other;")
                        .file("/work/other", "")
                        .file("/etc/motd", "")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/sbin/nginx", "-c", "my.conf"}),
            (Paths{"/work/my.conf", "/work/other"}));
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

TEST(Servers, AnyProgramsConfigurationIsReadForAbsolutePaths) {
  const auto root = Tree()
                        .elf("/usr/bin/app", test::program())
                        .file("/work/app.yml",
                              "tls:\n  cert: /etc/tls/a.pem\n  data: /var/lib\n"
                              "  url: https://x/etc/tls/b.pem\n  rel: b.pem\n")
                        .file("/etc/tls/a.pem", "x")
                        .file("/work/b.pem", "x")
                        .file("/var/lib/x", "x")
                        .build();
  EXPECT_EQ(granted(root, {"/usr/bin/app", "--config=app.yml"}),
            (Paths{"/work/app.yml", "/etc/tls/a.pem"}));
  EXPECT_TRUE(granted(root, {"/usr/bin/app", "/work/b.pem"}).empty());
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
