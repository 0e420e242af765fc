#include "measure/source/perl.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::measure::source {
namespace {

using Names = std::vector<std::string>;

Facts perl_scan(std::string_view text) {
  return scan_perl(as_bytes(text), Limits{});
}
Names perl_names(std::string_view text) {
  return perl_scan(text).names;
}

TEST(Perl, UseNoAndRequire) {
  EXPECT_EQ(perl_names("use strict; use Foo::Bar qw(a b); no warnings;\n  require Baz;"),
            (Names{"module:Baz", "module:Foo::Bar", "module:strict", "module:warnings"}));
  EXPECT_EQ(perl_names("use v5.36; use 5.010; $use x; $c->require('x'); A::use('y')"), Names{});
}

TEST(Perl, ParentsAreLoaded) {
  EXPECT_EQ(perl_names("use parent -norequire, 'A::B', qw(C\n D::E);"),
            (Names{"module:A::B", "module:C", "module:D::E", "module:parent", "string:A::B"}));
}

TEST(Perl, FilesAndDirectories) {
  EXPECT_EQ(perl_names("require 'a.pl'; do \"./b.pl\"; use lib \"$FindBin::Bin/lib\", 'x';"),
            (Names{"file:./b.pl", "file:a.pl", "lib:@script/lib", "lib:x", "module:lib"}));
}

TEST(Perl, DriversOfDbi) {
  EXPECT_EQ(perl_names("DBI->connect('dbi:SQLite:dbname=x')"), (Names{"module:DBD::SQLite"}));
}

TEST(Perl, CharacterSetsWithLargeTables) {
  EXPECT_EQ(perl_names("decode('euc-jp', $x); open my $f, '<:encoding(Big5)', 'x';"),
            (Names{"charset:big5", "charset:euc-jp"}));
  EXPECT_EQ(perl_names("decode($name, $x)"), Names{"charset:*"});
  EXPECT_EQ(perl_names("Encode::find_encoding($name)"), Names{"charset:*"});
  EXPECT_EQ(perl_names("$json->decode($x); decode('utf-8', $x); sub decode ($x) {}"), Names{});
}

TEST(Perl, ComputedNames) {
  EXPECT_TRUE(perl_scan("require $file;").dynamic);
  EXPECT_TRUE(perl_scan("eval \"require $module\" or die").dynamic);
  EXPECT_TRUE(perl_scan("load_class($x)").dynamic);
  EXPECT_FALSE(perl_scan("require Foo; my $x = 'require';").dynamic);
}

TEST(Perl, DocumentationAndCommentsAreNotCode) {
  EXPECT_EQ(
      perl_names("=head1 X\n\nuse Doc;\n\n=cut\n# use Comment;\nuse Code;\n__END__\nuse End;\n"),
      (Names{"module:Code"}));
}

TEST(Perl, HostileTextTakesLinearTime) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "use lib qw(\"";
  EXPECT_LE(perl_scan(text).names.size(), Limits{}.source_names);
}

}  // namespace
}  // namespace cloister::measure::source
