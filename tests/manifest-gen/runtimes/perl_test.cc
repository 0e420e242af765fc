#include <gtest/gtest.h>

#include "tests/manifest-gen/runtimes/scene.h"

namespace cloister::manifest {
namespace {

using test::grants;
using test::Scene;
using test::Tree;

Tree perl_image() {
  Tree tree;
  tree.elf("/usr/bin/perl", test::program())
      .link("/usr/share/perl/5.36", "5.36.0")
      .file("/usr/share/perl/5.36.0/strict.pm", "package strict;")
      .file("/usr/share/perl/5.36.0/FindBin.pm", "package FindBin;");
  return tree;
}

TEST(Perl, ModulesAreFoundWherePerlLooks) {
  const Scene scene(perl_image()
                        .file("/app/a.pl", "use strict; use lib \"$FindBin::Bin/lib\"; use My::X;")
                        .file("/app/lib/My/X.pm", "require Y;")
                        .file("/usr/share/perl5/Unused.pm")
                        .file("/usr/share/perl5/Y.pm"));
  const Analysis found = scene.analyze("perl", {"/usr/bin/perl", "-w", "a.pl"});
  for (const char* path :
       {"/app/a.pl", "/app/lib/My/X.pm", "/usr/share/perl5/Y.pm", "/usr/share/perl/5.36/strict.pm"})
    EXPECT_TRUE(grants(found, path)) << path;
  EXPECT_FALSE(grants(found, "/usr/share/perl5/Unused.pm"));
}

TEST(Perl, NativePartsComeAlong) {
  const Scene scene(
      perl_image()
          .file("/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm")
          .elf("/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBI/DBI.so", test::library())
          .file("/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBI/autosplit.ix"));
  const Analysis found = scene.analyze("perl", {"/usr/bin/perl", "-MDBI", "-e", "1"});
  EXPECT_TRUE(grants(found, "/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBI/DBI.so"));
  EXPECT_TRUE(grants(found, "/usr/lib/x86_64-linux-gnu/perl5/5.36/auto/DBI/autosplit.ix"));
}

TEST(Perl, ComputedNamesBringWhatIsBelow) {
  const Scene scene(perl_image()
                        .file("/usr/share/perl5/Mojo/Loader.pm", "require $x;")
                        .file("/usr/share/perl5/Mojo/Deep/Thing.pm", "use Other;")
                        .file("/usr/share/perl5/Mojo/template.ep")
                        .file("/usr/share/perl5/Other.pm")
                        .file("/usr/share/perl5/Else.pm"));
  const Analysis found = scene.analyze("perl", {"/usr/bin/perl", "-e", "use Mojo::Loader;"});
  EXPECT_TRUE(grants(found, "/usr/share/perl5/Mojo/Deep/Thing.pm"));
  EXPECT_TRUE(grants(found, "/usr/share/perl5/Mojo/template.ep"));
  EXPECT_TRUE(grants(found, "/usr/share/perl5/Other.pm"));
  EXPECT_FALSE(grants(found, "/usr/share/perl5/Else.pm"));
}

TEST(Perl, TablesOfCharacterSetsWhenSomebodyNamesOne) {
  const std::string core = "/usr/share/perl/5.36";
  const auto run = [&](std::string_view text) {
    return Scene(perl_image()
                     .file("/usr/share/perl/5.36.0/Encode.pm", "require $mod;")
                     .file("/usr/share/perl/5.36.0/Encode/JP.pm")
                     .file("/usr/share/perl/5.36.0/Encode/Byte.pm")
                     .file("/usr/share/perl/5.36.0/Encode/JP.pod")
                     .file("/usr/share/perl5/Web.pm", "use Encode; decode($sent, $x);")
                     .file("/app/a.pl", text))
        .analyze("perl", {"/usr/bin/perl", "a.pl"});
  };
  const Analysis plain = run("use Encode; decode('latin1', $x);");
  EXPECT_TRUE(grants(plain, core + "/Encode/Byte.pm"));
  EXPECT_FALSE(grants(plain, core + "/Encode/JP.pm"));
  EXPECT_FALSE(grants(plain, core + "/Encode/JP.pod"));
  EXPECT_TRUE(plain.unknown.empty());
  EXPECT_TRUE(grants(run("use Encode; decode('euc-jp', $x);"), core + "/Encode/JP.pm"));
  EXPECT_TRUE(grants(run("use Encode; decode($name, $x);"), core + "/Encode/JP.pm"));
  EXPECT_TRUE(grants(run("use Encode::JP;"), core + "/Encode/JP.pm"));
  // What a library is sent is unknown.
  const Analysis library = run("use Web;");
  EXPECT_FALSE(grants(library, core + "/Encode/JP.pm"));
  EXPECT_EQ(library.unknown.size(), 1U);
}

TEST(Perl, MissingProgramIsSaid) {
  const Scene scene(perl_image());
  EXPECT_EQ(scene.analyze("perl", {"/usr/bin/perl", "-I", "lib", "gone.pl"}).unknown,
            (std::vector<std::string>{"the program gone.pl is not in the image"}));
}

// "use lib" of a computed directory, modules that a framework finds by its own rules.
TEST(Perl, AllModulesOfTheApplicationAreFollowed) {
  const Scene scene(
      perl_image()
          .file("/app/script/my_app", "#!/usr/bin/perl\nuse lib curfile->sibling('lib');")
          .file("/app/lib/My/App.pm", "use Other;")
          .file("/app/bin/app.psgi", "use Third;")
          .file("/app/t/test.pm", "use Fourth;")
          .file("/usr/share/perl5/Other.pm")
          .file("/usr/share/perl5/Third.pm")
          .file("/usr/share/perl5/Fourth.pm"));
  const Analysis found = scene.analyze("perl", {"/usr/bin/perl", "script/my_app", "daemon"});
  for (const char* path :
       {"/app/lib/My/App.pm", "/usr/share/perl5/Other.pm", "/usr/share/perl5/Third.pm"})
    EXPECT_TRUE(grants(found, path)) << path;
  EXPECT_FALSE(grants(found, "/usr/share/perl5/Fourth.pm"));
}

TEST(Perl, ArgumentsMayBePrograms) {
  const Scene scene(perl_image()
                        .script("/usr/bin/plackup", "#!/usr/bin/perl\n1;")
                        .file("/site/app.psgi", "use Other;")
                        .file("/usr/share/perl5/Other.pm"),
                    "/");
  const Analysis found =
      scene.analyze("perl", {"/usr/bin/perl", "/usr/bin/plackup", "/site/app.psgi"});
  EXPECT_TRUE(grants(found, "/usr/share/perl5/Other.pm"));
}

TEST(Perl, DataBesideAModule) {
  const Scene scene(perl_image()
                        .file("/usr/share/perl5/MIME/Types.pm", "my $dir = dirname(__FILE__);")
                        .file("/usr/share/perl5/MIME/types.db")
                        .file("/usr/share/perl5/MIME/Other.pm")
                        .file("/usr/share/perl5/auto/share/dist/MIME-Types/x.txt"));
  const Analysis found = scene.analyze("perl", {"/usr/bin/perl", "-MMIME::Types", "-e", "1"});
  EXPECT_TRUE(grants(found, "/usr/share/perl5/MIME/types.db"));
  EXPECT_TRUE(grants(found, "/usr/share/perl5/auto/share/dist/MIME-Types/**"));
  EXPECT_FALSE(grants(found, "/usr/share/perl5/MIME/Other.pm"));
}

}  // namespace
}  // namespace cloister::manifest
