#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::Scene;
using test::Tree;

constexpr std::string_view kCore = "/usr/lib/ruby/3.1.0", kVendor = "/usr/lib/ruby/vendor_ruby",
                           kNative = "/usr/lib/x86_64-linux-gnu/ruby/3.1.0",
                           kGems = "/usr/share/rubygems-integration/all";

Tree ruby_image() {
  Tree tree;
  tree.elf("/usr/bin/ruby3.1", test::program())
      .link("/usr/bin/ruby", "ruby3.1")
      .file(cat(kVendor, "/rubygems.rb"), "require 'net/http'")
      .file(cat(kCore, "/json.rb"), "require 'json/common'")
      .file(cat(kCore, "/json/common.rb"))
      .file(cat(kCore, "/set.rb"))
      .file(cat(kCore, "/did_you_mean.rb"))
      .file(cat(kCore, "/net/http.rb"))
      .elf(cat(kNative, "/enc/encdb.so"), test::library())
      .elf(cat(kNative, "/enc/euc_jp.so"), test::library())
      .file(cat(kGems, "/specifications/rack-2.2.gemspec"), "s.require_paths = [\"lib\".freeze]")
      .file(cat(kGems, "/gems/rack-2.2/lib/rack.rb"), "autoload :Mime, 'rack/mime'")
      .file(cat(kGems, "/gems/rack-2.2/lib/rack/mime.rb"))
      .file(cat(kGems, "/gems/rack-2.2/lib/rack/other.rb"));
  return tree;
}

TEST(Ruby, FeaturesAreFoundWhereRubyLooks) {
  const Scene scene(
      ruby_image()
          .file("/app/a.rb", "require 'json'\nrequire_relative 'lib/x'\nrequire 'rack'\n")
          .file("/app/lib/x.rb", "require 'gone'")
          .file("/app/lib/unused.rb"));
  const Analysis found = scene.analyze("ruby", {"/usr/bin/ruby", "-w", "a.rb"});
  for (const std::string& path :
       {std::string("/app/a.rb"), std::string("/app/lib/x.rb"), cat(kCore, "/json/common.rb"),
        cat(kGems, "/gems/rack-2.2/lib/rack.rb"), cat(kGems, "/gems/rack-2.2/lib/rack/mime.rb")})
    EXPECT_TRUE(grants(found, path)) << path;
  for (const std::string& path : {std::string("/app/lib/unused.rb"), cat(kCore, "/set.rb"),
                                  cat(kGems, "/gems/rack-2.2/lib/rack/other.rb")})
    EXPECT_FALSE(grants(found, path)) << path;
}

TEST(Ruby, WhatEveryRubyLoads) {
  const Scene scene(ruby_image().file("/app/a.rb"));
  const Analysis found = scene.analyze("ruby", {"/usr/bin/ruby3.1", "a.rb"});
  EXPECT_TRUE(grants(found, cat(kVendor, "/rubygems/**")));
  EXPECT_TRUE(grants(found, cat(kGems, "/specifications/**")));
  EXPECT_TRUE(grants(found, cat(kCore, "/did_you_mean.rb")));
  EXPECT_TRUE(grants(found, cat(kNative, "/enc/encdb.so")));
  EXPECT_FALSE(grants(found, cat(kNative, "/enc/**")));
  // RubyGems could fetch gems; what it needs for that is not followed.
  EXPECT_FALSE(grants(found, cat(kCore, "/net/http.rb")));
  const Analysis bare = scene.analyze("ruby", {"/usr/bin/ruby3.1", "--disable=gems", "a.rb"});
  EXPECT_FALSE(grants(bare, cat(kVendor, "/rubygems/**")));
}

TEST(Ruby, AComputedNameBringsTheWholeGem) {
  Tree tree = ruby_image();
  tree.file(cat(kGems, "/specifications/tilt-2.0.gemspec"))
      .file(cat(kGems, "/gems/tilt-2.0/lib/tilt.rb"), "require name")
      .file(cat(kGems, "/gems/tilt-2.0/lib/tilt/erb.rb"), "require 'set'")
      .file(cat(kGems, "/gems/tilt-2.0/lib/tilt/table.yml"))
      .file(cat(kGems, "/gems/tilt-2.0/test/x.rb"))
      .file("/app/a.rb", "require 'tilt'");
  const Analysis found = Scene(tree).analyze("ruby", {"/usr/bin/ruby3.1", "/app/a.rb"});
  EXPECT_TRUE(grants(found, cat(kGems, "/gems/tilt-2.0/lib/tilt/erb.rb")));
  EXPECT_TRUE(grants(found, cat(kGems, "/gems/tilt-2.0/lib/tilt/table.yml")));
  EXPECT_TRUE(grants(found, cat(kCore, "/set.rb")));
  EXPECT_FALSE(grants(found, cat(kGems, "/gems/tilt-2.0/test/x.rb")));
  EXPECT_FALSE(grants(found, cat(kGems, "/gems/rack-2.2/lib/rack.rb")));
}

TEST(Ruby, AComputedNameOfTheApplicationIsSaid) {
  const Scene scene(
      ruby_image().file("/app/a.rb", "require x").file("/app/models/user.rb", "require 'set'"));
  const Analysis found = scene.analyze("ruby", {"/usr/bin/ruby3.1", "/app/a.rb"});
  EXPECT_TRUE(grants(found, "/app/models/user.rb"));
  EXPECT_TRUE(grants(found, cat(kCore, "/set.rb")));
  ASSERT_EQ(found.unknown.size(), 1U);
  EXPECT_NE(found.unknown[0].find("/app/a.rb loads features whose names it computes"),
            std::string::npos);
}

TEST(Ruby, NativePartsOfGems) {
  Tree tree = ruby_image();
  const std::string home = "/var/lib/gems/3.1.0";
  tree.file(cat(home, "/specifications/noko-1.2-x86_64-linux.gemspec"))
      .file(cat(home, "/gems/noko-1.2-x86_64-linux/lib/noko.rb"), "require 'noko/noko'")
      .elf(cat(home, "/extensions/x86_64-linux/3.1.0/noko-1.2-x86_64-linux/noko/noko.so"),
           test::library());
  const Analysis found = Scene(tree).analyze("ruby", {"/usr/bin/ruby3.1", "-rnoko", "-e", "1"});
  EXPECT_TRUE(grants(
      found, cat(home, "/extensions/x86_64-linux/3.1.0/noko-1.2-x86_64-linux/noko/noko.so")));
}

TEST(Ruby, BundlerLoadsTheGemfile) {
  Tree tree = ruby_image();
  tree.file("/usr/bin/bundle", "#!/usr/bin/ruby\nload 'x'")
      .file("/app/Gemfile", "gem 'rack'\n")
      .file("/app/Gemfile.lock")
      .file("/app/config.ru", "require 'set'")
      .file(cat(kGems, "/gems/rack-2.2/bin/rackup"), "require 'rack/other'");
  const Analysis found =
      Scene(tree).analyze("ruby", {"/usr/bin/ruby3.1", "/usr/bin/bundle", "exec", "rackup"});
  for (const std::string& path :
       {std::string("/app/Gemfile"), std::string("/app/Gemfile.lock"),
        std::string("/app/config.ru"), cat(kCore, "/set.rb"),
        cat(kGems, "/gems/rack-2.2/lib/rack.rb"), cat(kGems, "/gems/rack-2.2/bin/rackup")})
    EXPECT_TRUE(grants(found, path)) << path;
}

TEST(Ruby, CharacterSetsWhenSomebodyNamesOne) {
  const Scene scene(ruby_image().file("/app/a.rb", "x.encode('EUC-JP')"));
  EXPECT_TRUE(
      grants(scene.analyze("ruby", {"/usr/bin/ruby3.1", "/app/a.rb"}), cat(kNative, "/enc/**")));
}

TEST(Ruby, MissingProgramIsSaid) {
  EXPECT_EQ(Scene(ruby_image()).analyze("ruby", {"/usr/bin/ruby", "-I", "lib", "gone.rb"}).unknown,
            (std::vector<std::string>{"the program gone.rb is not in the image"}));
}

}  // namespace
}  // namespace cloister::manifest
