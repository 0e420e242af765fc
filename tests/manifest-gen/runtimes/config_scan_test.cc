#include "manifest-gen/runtimes/config_scan.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::manifest {
namespace {

std::string lines(std::string_view text) {
  std::string out;
  for (const ConfigDirective& directive : scan_config(text))
    out += cat(directive.name, "[", join(directive.words, "|"), "] ");
  return out;
}

TEST(ConfigScan, Nginx) {
  EXPECT_EQ(lines("http { include /etc/x/*.conf; # y;\n root \"/srv/a b\"; }\nload_module m.so;"),
            "http[] include[/etc/x/*.conf] root[/srv/a b] load_module[m.so] ");
}

TEST(ConfigScan, Apache) {
  EXPECT_EQ(lines("<IfModule ssl>\n\tLoadModule ssl_module /m/mod_ssl.so\n</IfModule>\n"),
            "IfModule[ssl] LoadModule[ssl_module|/m/mod_ssl.so] /IfModule[] ");
}

TEST(ConfigScan, Assignments) {
  EXPECT_EQ(lines("server.modules = (\n \"mod_a\",\n)\n; no\n[mysqld]\ndatadir=/d \\\n more\n"),
            "server.modules[] mod_a[] mysqld[] datadir[/d|more] ");
}

TEST(ConfigScan, UnfinishedTextEnds) {
  EXPECT_EQ(lines("a \"b\nc 'd"), "a[b] c[d] ");
  EXPECT_EQ(lines("\\"), "\\[] ");
  EXPECT_EQ(lines(""), "");
}

}  // namespace
}  // namespace cloister::manifest
