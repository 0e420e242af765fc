#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::Scene;
using test::Tree;

Tree php_image() {
  Tree tree;
  tree.elf("/usr/bin/php8.2", test::program())
      .link("/usr/bin/php", "php8.2")
      .elf("/usr/sbin/php-fpm8.2", test::program())
      .file("/etc/php/8.2/cli/php.ini", "[PHP]\n;extension=curl\ndate.timezone = Europe/Paris\n")
      .file("/etc/php/8.2/mods-available/pdo.ini", "extension=pdo.so\n")
      .link("/etc/php/8.2/cli/conf.d/10-pdo.ini", "/etc/php/8.2/mods-available/pdo.ini")
      .file("/etc/php/8.2/cli/conf.d/20-mb.ini", "extension=mbstring\n")
      .file("/etc/php/8.2/fpm/php-fpm.conf", "include=/etc/php/8.2/fpm/pool.d/*.conf\n")
      .file("/etc/php/8.2/fpm/pool.d/www.conf",
            "[www]\nphp_admin_value[auto_prepend_file] = /app/p.php\n")
      .file("/usr/share/zoneinfo/Europe/Paris")
      .file("/usr/share/zoneinfo/Europe/Rome")
      .elf("/usr/lib/php/20220829/pdo.so", test::library())
      .elf("/usr/lib/php/20220829/mbstring.so", test::library())
      .elf("/usr/lib/php/20220829/curl.so", test::library());
  return tree;
}

TEST(Php, ExtensionsThatTheConfigurationNames) {
  const Scene scene(php_image().file("/app/a.php"));
  const Analysis found = scene.analyze("php", {"/usr/bin/php", "a.php"});
  for (const char* path : {"/etc/php/8.2/cli/php.ini", "/etc/php/8.2/cli/conf.d/10-pdo.ini",
                           "/usr/lib/php/20220829/pdo.so", "/usr/lib/php/20220829/mbstring.so",
                           "/app/a.php", "/usr/share/zoneinfo/Europe/Paris"})
    EXPECT_TRUE(grants(found, path)) << path;
  for (const char* path : {"/usr/lib/php/20220829/curl.so", "/usr/share/zoneinfo/Europe/Rome",
                           "/etc/php/8.2/fpm/php-fpm.conf"})
    EXPECT_FALSE(grants(found, path)) << path;
  const Analysis bare =
      scene.analyze("php", {"/usr/bin/php", "-n", "-d", "extension=curl", "a.php"});
  EXPECT_FALSE(grants(bare, "/usr/lib/php/20220829/pdo.so"));
  EXPECT_TRUE(grants(bare, "/usr/lib/php/20220829/curl.so"));
}

TEST(Php, AnExtensionThatIsNotThereIsSaid) {
  const Scene scene(php_image().file("/etc/php/8.2/cli/conf.d/30-x.ini", "extension=gone\n"));
  EXPECT_EQ(scene.analyze("php", {"/usr/bin/php", "-r", "1;"}).unknown,
            (std::vector<std::string>{"the extension gone is in none of PHP's directories"}));
}

TEST(Php, IncludesAreFollowed) {
  const Scene scene(
      php_image()
          .file("/app/a.php", "<?php require __DIR__ . '/../lib/x.php'; include 'y.php';")
          .file("/lib/x.php", "<?php include 'Twig/autoload.php';")
          .file("/app/y.php")
          .file("/app/unused.php")
          .file("/usr/share/php/Twig/autoload.php", "<?php spl_autoload_register($f);")
          .file("/usr/share/php/Twig/Node/Text.php")
          .file("/usr/share/php/Other/Text.php"));
  const Analysis found = scene.analyze("php", {"/usr/bin/php", "a.php"});
  for (const char* path : {"/lib/x.php", "/app/y.php", "/usr/share/php/Twig/autoload.php",
                           "/usr/share/php/Twig/Node/Text.php"})
    EXPECT_TRUE(grants(found, path)) << path;
  EXPECT_FALSE(grants(found, "/app/unused.php"));
  EXPECT_FALSE(grants(found, "/usr/share/php/Other/Text.php"));
}

TEST(Php, ClassLoadersBringTheApplication) {
  const Scene scene(
      php_image()
          .file("/app/public/a.php", "<?php require __DIR__ . '/../vendor/autoload.php';")
          .file("/app/vendor/autoload.php", "<?php spl_autoload_register($f);")
          .file("/app/src/Calc.php")
          .file("/app/config/routes.yaml"));
  const Analysis found = scene.analyze("php", {"/usr/bin/php", "public/a.php"});
  EXPECT_TRUE(grants(found, "/app/src/Calc.php"));
  EXPECT_TRUE(grants(found, "/app/config/*"));
}

TEST(Php, ServersMayBeAskedForAnyScript) {
  const Scene scene(php_image().file("/app/p.php").file("/var/www/html/index.php"));
  const Analysis fpm = scene.analyze("php", {"/usr/sbin/php-fpm8.2", "-F"});
  for (const char* path : {"/etc/php/8.2/fpm/php-fpm.conf", "/etc/php/8.2/fpm/pool.d/www.conf",
                           "/app/p.php", "/var/www/html/index.php"})
    EXPECT_TRUE(grants(fpm, path)) << path;
  EXPECT_EQ(fpm.unknown.size(), 1U);
  const Analysis own =
      scene.analyze("php", {"/usr/bin/php", "-S", "127.0.0.1:80", "-t", "/var/www/html"});
  EXPECT_TRUE(grants(own, "/var/www/html/index.php"));
  EXPECT_FALSE(grants(own, "/app/p.php"));
}

TEST(Php, ComputedTimeZonesBringEachZoneOnce) {
  Tree tree = php_image();
  tree.file("/app/a.php", "<?php new DateTimeZone($x);")
      .file("/usr/share/zoneinfo/UTC")
      .file("/usr/share/zoneinfo/right/Europe/Paris");
  const Analysis found = Scene(tree).analyze("php", {"/usr/bin/php", "a.php"});
  EXPECT_TRUE(grants(found, "/usr/share/zoneinfo/*"));
  EXPECT_TRUE(grants(found, "/usr/share/zoneinfo/Europe/**"));
  EXPECT_FALSE(grants(found, "/usr/share/zoneinfo/right/**"));
}

TEST(Php, MissingProgramIsSaid) {
  EXPECT_EQ(Scene(php_image()).analyze("php", {"/usr/bin/php", "-c", "x.ini", "gone.php"}).unknown,
            (std::vector<std::string>{"the program gone.php is not in the image"}));
}

TEST(Php, CommandsThatAreRun) {
  const Scene scene(Tree()
                        .elf("/usr/bin/php", test::program())
                        .elf("/usr/bin/stty", test::program())
                        .elf("/usr/bin/grep", test::program())
                        .elf("/bin/sh", test::program())
                        .file("/app/a.php", "<?php shell_exec('stty -a | grep columns');"));
  const Analysis found = scene.analyze("php", {"/usr/bin/php", "/app/a.php"});
  for (const char* path : {"/usr/bin/stty", "/usr/bin/grep", "/bin/sh"})
    EXPECT_TRUE(grants(found, path)) << path;
}

}  // namespace
}  // namespace cloister::manifest
