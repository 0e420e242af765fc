#include "measure/source/php.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts php_scan(std::string_view text) {
  return scan_php(as_bytes(text), Limits{});
}
Names php_names(std::string_view text) {
  return php_scan(text).names;
}

TEST(Php, Includes) {
  EXPECT_EQ(
      php_names("<?php require 'a.php'; include_once(\"b/c.php\"); $include; $x->require('y');"),
      (Names{"include:a.php", "include:b/c.php"}));
}

TEST(Php, PathsOfTheFileItself) {
  EXPECT_EQ(php_names("<?php require __DIR__ . '/../vendor/autoload.php';\n"
                      "require_once dirname(__FILE__) . '/x.php';\n"
                      "include dirname(__DIR__, 2) . '/y.php';\n"
                      "return ['App\\\\' => __DIR__ . '/src'];\n"),
            (Names{"own:../../y.php", "own:../vendor/autoload.php", "own:src", "own:x.php"}));
}

TEST(Php, ComputedNames) {
  EXPECT_TRUE(php_scan("<?php include $file;").dynamic);
  EXPECT_TRUE(php_scan("<?php spl_autoload_register($f);").dynamic);
  EXPECT_TRUE(php_scan("<?php include __DIR__ . $x;").dynamic);
  EXPECT_FALSE(php_scan("<?php include 'x.php';").dynamic);
  const Facts below = php_scan("<?php require __DIR__ . '/lib/' . $class . '.php';");
  EXPECT_EQ(below.names, Names{"own:lib/"});
  EXPECT_FALSE(below.dynamic);
  EXPECT_EQ(php_names("<?php require __DIR__ . \"/lib/v$n.php\";"), Names{"own:lib/"});
}

TEST(Php, TimeZones) {
  EXPECT_EQ(php_names("<?php new DateTimeZone(\"Europe/Berlin\"); new DateTimeZone($x);\n"
                      "function f(DateTimeZone $z) {}\n$t = '1970-01-01 America/New_York';\n"
                      "date_default_timezone_set('UTC');"),
            (Names{"zone:*", "zone:America/New_York", "zone:Europe/Berlin", "zone:UTC"}));
}

TEST(Php, CommentsAreNotCode) {
  EXPECT_EQ(php_names("<?php\n// include 'a.php';\n/*\n include 'b.php';\n*/\n# include 'c.php';\n"
                      "include 'd.php';"),
            Names{"include:d.php"});
}

TEST(Php, EndsAreSurvived) {
  for (const char* text : {"include", "include '", "require __DIR__ .", "dirname(",
                           "dirname(__DIR__,", "new DateTimeZone(", "include \"${"})
    (void)php_scan(text);
  EXPECT_EQ(php_names("include"), Names{});
}

TEST(Php, CommandsThatAreRun) {
  EXPECT_EQ(php_names("<?php shell_exec('stty 2>&1'); exec(\"convert $file\"); $x->exec('sql');\n"
                      "new Process(['git', 'log']); system($computed);"),
            (Names{"run:convert ", "run:git", "run:stty 2>&1"}));
}

}  // namespace
}  // namespace cloister::measure::source
