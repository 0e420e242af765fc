#include "manifest-gen/closure/shell_scan.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

using Words = std::vector<std::string>;

TEST(ShellScan, CommandsStandAfterOperatorsAndKeywords) {
  const auto scan = scan_shell(
      "a x; b && c || d | e & f\nif g; then h; else i; fi\nwhile j; do k; done\n( l ) { m; }\n");
  EXPECT_EQ(scan.commands,
            (Words{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"}));
}

TEST(ShellScan, ArgumentsQuotesAndCommentsAreNoCommands) {
  const auto scan = scan_shell("echo \"install; rm\" 'x; y' # z; w\nrun \\\n  more a#b\n");
  EXPECT_EQ(scan.commands, Words{"run"});
}

TEST(ShellScan, AnEntrypointThatPrependsItsServer) {
  const auto scan = scan_shell(
      "#!/bin/sh\nset -e\nif [ \"${1#-}\" != \"$1\" ] || [ \"${1%.conf}\" != \"$1\" ]; then\n"
      "  set -- redis-server \"$@\"\nfi\nexec \"$@\"\n");
  EXPECT_EQ(scan.commands, Words{"redis-server"});
  EXPECT_TRUE(scan.runs_arguments);
}

TEST(ShellScan, OperandsOfWrappersAreCommands) {
  EXPECT_EQ(scan_shell("exec gosu redis redis-server").commands,
            (Words{"gosu", "redis", "redis-server"}));
  EXPECT_EQ(scan_shell("A=1 B=2 env X=y prog -f").commands, (Words{"env", "prog"}));
}

TEST(ShellScan, SubstitutionsAreLookedInto) {
  EXPECT_EQ(scan_shell("x=\"$(id -u)\"; y=`hostname -f`; z=$(a \"$(b)\")").commands,
            (Words{"id", "hostname", "a", "b"}));
}

TEST(ShellScan, HereDocumentsAreText) {
  const auto scan = scan_shell("cat <<EOF >/etc/x.conf\nrm -rf /\nEOF\nls\n\tcat <<-'E F'\nx\n");
  EXPECT_EQ(scan.commands, (Words{"cat", "ls"}));
}

TEST(ShellScan, RedirectionTargetsAreNoCommands) {
  const auto scan = scan_shell("2>/dev/null run <in >out; >/tmp/x");
  EXPECT_EQ(scan.commands, Words{"run"});
}

TEST(ShellScan, SourcedFilesAndAbsolutePaths) {
  const auto scan =
      scan_shell(". /lib/init.sh\nsource ./x.sh\nrun --conf=/etc/a.conf \"$D/b\" /c/d");
  EXPECT_EQ(scan.sourced, (Words{"/lib/init.sh", "./x.sh"}));
  EXPECT_EQ(scan.files, (Words{"/lib/init.sh", "/etc/a.conf", "/c/d"}));
}

TEST(ShellScan, ForAndCaseWordsAreNoCommands) {
  const auto scan = scan_shell("for f in a b; do use; done\ncase $x in p) q;; r|s) t;; esac");
  for (const char* word : {"a", "b", "f"})
    EXPECT_EQ(std::count(scan.commands.begin(), scan.commands.end(), word), 0) << word;
  for (const char* word : {"use", "q", "t"})
    EXPECT_EQ(std::count(scan.commands.begin(), scan.commands.end(), word), 1) << word;
}

TEST(ShellScan, UnfinishedTextEnds) {
  for (const char* text : {"\"", "'", "$(", "`", "${", "<<", "<<E", "\\", "$", "a \"$(b `c", ")))"})
    (void)scan_shell(text);
  EXPECT_EQ(scan_shell("a \"b").commands, Words{"a"});
}

TEST(ShellScan, DeepNestingCostsNoStack) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "$(";
  EXPECT_TRUE(scan_shell(text).commands.empty());
}

}  // namespace
}  // namespace cloister::manifest
