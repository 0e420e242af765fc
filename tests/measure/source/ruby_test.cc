#include "measure/source/ruby.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts ruby_scan(std::string_view text) {
  return scan_ruby(as_bytes(text), Limits{});
}
Names ruby_names(std::string_view text) {
  return ruby_scan(text).names;
}

TEST(Ruby, WhatLoads) {
  EXPECT_EQ(ruby_names("require 'json'\nrequire(\"a/b\")\nrequire_relative '../x'\nload 'y.rb'\n"
                       "autoload :Z, 'z'\n"),
            (Names{"relative:../x", "require:a/b", "require:json", "require:y.rb", "require:z"}));
  EXPECT_EQ(ruby_names("def require(x)\nx.load('y')\n:require\nload = 1\n$require 'x'\n"), Names{});
}

TEST(Ruby, PathsOfTheFileItself) {
  EXPECT_EQ(ruby_names("autoload :A, File.expand_path('lib/a', __dir__)\n"
                       "require File.expand_path('../b', __FILE__)\n"
                       "require \"#{__dir__}/c\"\n"
                       "DATA = File.join(__dir__, 'data', 'x.yml')\n"
                       "$LOAD_PATH.unshift File.expand_path('../lib', __FILE__)\n$: << 'ext'\n"),
            (Names{"own:data/x.yml", "path:@own/lib", "path:ext", "relative:b", "relative:c",
                   "relative:lib/a"}));
  EXPECT_EQ(ruby_names("run if $0 == __FILE__\nclass_eval code, __FILE__, __LINE__\n"), Names{});
}

TEST(Ruby, ComputedNames) {
  EXPECT_TRUE(ruby_scan("require name").dynamic);
  EXPECT_TRUE(ruby_scan("require \"x#{y}\"").dynamic);
  EXPECT_TRUE(ruby_scan("autoload :Relation").dynamic);
  EXPECT_TRUE(ruby_scan("loader = Zeitwerk::Loader.new").dynamic);
  EXPECT_FALSE(ruby_scan("require 'x'").dynamic);
  EXPECT_FALSE(ruby_scan("load Gem.activate_bin_path('a', 'b', version)").dynamic);
  const Facts family = ruby_scan("require \"rack/handler/#{name}\"");
  EXPECT_EQ(family.names, Names{"family:rack/handler/"});
  EXPECT_FALSE(family.dynamic);
  // Strings are names only where names are computed.
  EXPECT_EQ(ruby_names("register 'tilt/erb'\nrequire x\n"), Names{"string:tilt/erb"});
  EXPECT_EQ(ruby_names("register 'tilt/erb'\n"), Names{});
}

TEST(Ruby, GemsAndBundler) {
  EXPECT_EQ(ruby_names("gem 'rack', '~> 2'\nBundler.require(:default)\n"
                       "load Gem.activate_bin_path('rack', 'rackup', version)\n"
                       "s.require_paths = [\"lib\".freeze, 'ext']\n"),
            (Names{"bin:rack/rackup", "bundle:", "gem:rack", "lib:ext", "lib:lib"}));
}

TEST(Ruby, CharacterSets) {
  EXPECT_EQ(ruby_names("# -*- coding: euc-jp -*-\nx.encode('ISO-8859-1')\ny.force_encoding(z)\n"
                       "Encoding::Shift_JIS\n'CP932'\n"),
            (Names{"encoding:*", "encoding:cp932", "encoding:euc-jp", "encoding:iso-8859-1",
                   "encoding:shift-jis"}));
  EXPECT_EQ(ruby_names("# coding: utf-8\nx.force_encoding('BINARY')\nEncoding::UTF_8\n"
                       "Encoding::UndefinedConversionError\n"),
            Names{});
}

TEST(Ruby, DocumentationAndCommentsAreNotCode) {
  EXPECT_EQ(ruby_names("=begin\nrequire 'a'\n=end\n  # require 'b'\nrequire 'c'\n__END__\n"
                       "require 'd'\n"),
            Names{"require:c"});
}

TEST(Ruby, WhichFiles) {
  for (const char* path : {"a.rb", "app/config.ru", "x/Gemfile", "a-1.gemspec"})
    EXPECT_TRUE(is_ruby(path, "")) << path;
  EXPECT_TRUE(is_ruby("usr/bin/rackup", "/usr/bin/env ruby"));
  EXPECT_FALSE(is_ruby("a.py", "/usr/bin/python3"));
}

TEST(Ruby, CommandsThatAreRun) {
  const auto found =
      scan_ruby(as_bytes("x = `uname -s`\nsystem('git', 'log')\nspawn \"convert #{f}\"\n"
                         "Open3.capture3('tr a b')\ndb.exec('select 1')\n"),
                Limits{});
  EXPECT_EQ(found.names,
            (std::vector<std::string>{"run:convert ", "run:git", "run:tr a b", "run:uname -s"}));
}

}  // namespace
}  // namespace cloister::measure::source
