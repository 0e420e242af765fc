#include "manifest-gen/closure/shell_scan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace cloister::manifest {
namespace {

using Words = std::vector<std::string>;

// The invocations as lines.
Words runs(std::string_view text, const ShellScene& scene = {}) {
  Words out;
  for (const Invocation& invocation : scan_shell(text, scene).invocations)
    out.push_back(join(invocation.words, " "));
  return out;
}

ShellScene scene_with(Words arguments, std::vector<std::pair<std::string, std::string>> env = {}) {
  ShellScene scene;
  scene.script = "/usr/local/bin/entry.sh";
  scene.arguments = std::move(arguments);
  scene.env = std::move(env);
  scene.workdir = "/srv";
  return scene;
}

TEST(ShellScan, CommandsStandAfterOperatorsAndKeywords) {
  EXPECT_EQ(runs("a x; b && c || d | e & f\nif g; then h; else i; fi\nwhile j; do k; done\n"
                 "( l ) && { m; }\n"),
            (Words{"a x", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"}));
}

TEST(ShellScan, QuotesAndCommentsHideCommands) {
  EXPECT_EQ(runs("echo \"install; rm\" 'x; y' # z; w\nrun \\\n  more a#b \"q r\"\n"),
            Words{"run more a#b q r"});
}

TEST(ShellScan, AnEntrypointThatPrependsItsServer) {
  const auto scene = scene_with({"--port", "1"});
  const auto scan = scan_shell(
      "#!/bin/sh\nset -e\nif [ \"${1#-}\" != \"$1\" ] || [ \"${1%.conf}\" != \"$1\" ]; then\n"
      "  set -- redis-server \"$@\"\nfi\nexec \"$@\"\n",
      scene);
  EXPECT_TRUE(scan.runs_arguments);
  EXPECT_TRUE(scan.unknown.empty());
  const auto server =
      std::find_if(scan.invocations.begin(), scan.invocations.end(), [](const Invocation& i) {
        return i.words == Words{"redis-server", "--port", "1"};
      });
  ASSERT_NE(server, scan.invocations.end());
  EXPECT_TRUE(server->argument);
  EXPECT_TRUE(server->complete);
}

TEST(ShellScan, ArgumentsStandWhereTheScriptPutsThem) {
  EXPECT_EQ(runs("exec python3 /app/main.py \"$@\"\n", scene_with({"-v", "a b"})),
            Words{"python3 /app/main.py -v a b"});
  EXPECT_EQ(runs("exec java -jar \"$1\"", scene_with({"/x.jar"})), Words{"java -jar /x.jar"});
  EXPECT_EQ(runs("exec prog \"${@:2}\"", scene_with({"one", "two", "three"})),
            Words{"prog two three"});
  EXPECT_EQ(runs("shift; exec \"$@\"", scene_with({"one", "two"})), (Words{"one two", "two"}));
}

TEST(ShellScan, UnknownArgumentsLeaveTheCommandIncomplete) {
  ShellScene scene;
  scene.arguments_known = false;
  const auto scan = scan_shell("prog \"$@\"\n", scene);
  ASSERT_EQ(scan.invocations.size(), 1u);
  EXPECT_FALSE(scan.invocations[0].complete);
}

TEST(ShellScan, VariablesHaveEveryValueThatIsAssigned) {
  EXPECT_EQ(runs("CONF=/etc/x.conf\nredis-server \"$CONF\"\n"), Words{"redis-server /etc/x.conf"});
  EXPECT_EQ(runs("if t; then B=one; else B=two; fi; exec $B -x"), (Words{"t", "one -x", "two -x"}));
  // What a function uses is assigned below it.
  EXPECT_EQ(runs("start() { exec \"$BIN\"; }\nBIN=/opt/app\nstart\n"), Words{"/opt/app"});
  EXPECT_EQ(runs("java $JAVA_OPTS -jar a.jar", scene_with({}, {{"JAVA_OPTS", "-Xmx1g -Xss1m"}})),
            Words{"java -Xmx1g -Xss1m -jar a.jar"});
  EXPECT_EQ(runs("${CMD:-server} --conf ${CONF:=/etc/s.conf}"), Words{"server --conf /etc/s.conf"});
  EXPECT_EQ(runs("$SUDO prog"), Words{"prog"}) << "unset means nothing";
}

TEST(ShellScan, ArraysAndDeclarations) {
  EXPECT_EQ(runs("declare -a A=(one \"two three\")\nA+=(four)\nexec \"${A[@]}\"\n"),
            (Words{"one two three", "one two three four"}));
  EXPECT_EQ(runs("export X=/bin/x Y=2; readonly Z=$X; $Z"), Words{"/bin/x"});
}

TEST(ShellScan, WhatCannotBeKnownIsListed) {
  const auto scan =
      scan_shell("CMD=$(cat /etc/cmd)\nread -r LINE\n$CMD a\n\"$LINE\"\neval \"$CMD\"\n");
  EXPECT_EQ(scan.unknown, (Words{"$CMD", "\"$LINE\"", "\"$CMD\""}));
  EXPECT_EQ(scan.invocations.size(), 2u);  // cat; "a", should nothing be in CMD
  EXPECT_EQ(scan_shell("run --opt \"$(cat x)\" y").invocations.back().words,
            (Words{"run", "--opt", "\"$(cat x)\"", "y"}));
}

TEST(ShellScan, FunctionsAreNoPrograms) {
  EXPECT_EQ(runs("log() { echo \"$@\"; }\nfunction run {\n  log x\n  \"$@\"\n}\nlog hi\n"
                 "run nginx -g x\nmain () ( go )\nmain\n"),
            (Words{"go", "nginx -g x"}));
}

TEST(ShellScan, MainWithTheArguments) {
  EXPECT_EQ(runs("_main() {\n  if [ \"$1\" = x ]; then\n    exec gosu u \"$BASH_SOURCE\" \"$@\"\n"
                 "  fi\n  exec \"$@\"\n}\n_main \"$@\"\n",
                 scene_with({"postgres", "-D", "/d"})),
            (Words{"gosu u /usr/local/bin/entry.sh postgres -D /d", "postgres -D /d"}));
}

TEST(ShellScan, CasePatternsAreNoCommands) {
  EXPECT_EQ(
      runs("for f in a b; do use \"$f\"; done\n"
           "case $x in\n  p) q;;\n  (r|\"s s\") t ;;\n  *.sh) if u; then v; fi ;&\n  *) w\nesac\n"
           "y=$(case $z in a) inner;; esac)\nafter\n"),
      (Words{"use a", "use b", "q", "t", "u", "v", "w", "inner", "after"}));
}

TEST(ShellScan, TestsAndArithmeticAreNoCommands) {
  EXPECT_EQ(runs("[[ $a =~ ^(b|c)$ && ! -f d ]] && e\n(( i = j > k ? 1 : 2 ))\nf $((g + 1))\n"
                 "for ((i=0; i<n; i++)); do h; done\nl $(( $(nproc) * 2 ))\n"),
            (Words{"e", "f $((g + 1))", "h", "nproc", "l $(( $(nproc) * 2 ))"}))
      << "but what is inside runs";
}

TEST(ShellScan, SubstitutionsAreLookedInto) {
  EXPECT_EQ(runs("x=\"$(id -u)\"; y=`hostname -f`; z=$(a \"$(b)\"); w=${q:-$(c)}; diff <(d) <(e)"),
            (Words{"id -u", "hostname -f", "b", "a \"$(b)\"", "c", "d", "e", "diff"}));
}

TEST(ShellScan, ScriptsFindThemselves) {
  const auto scene = scene_with({});
  EXPECT_EQ(runs("DIR=$(cd \"$(dirname \"$0\")\" && pwd)\n\"$DIR/tool\" x\n", scene),
            (Words{"dirname /usr/local/bin/entry.sh", "/usr/local/bin/tool x"}));
  EXPECT_EQ(runs("\"${0%/*}/other\"", scene), Words{"/usr/local/bin/other"});
}

TEST(ShellScan, HereDocumentsAreText) {
  EXPECT_EQ(runs("cat <<EOF >/etc/x.conf\nrm -rf /\nEOF\nls\n\tcat -n <<-'E F'\nx\n"),
            (Words{"cat", "ls", "cat -n"}));
}

TEST(ShellScan, RedirectionTargetsAreNoCommands) {
  const auto scan = scan_shell("2>/dev/null run <in >out; >/tmp/x; go &>/tmp/y <<< z </etc/in");
  ASSERT_EQ(scan.invocations.size(), 2u);
  EXPECT_EQ(scan.invocations[0].words, Words{"run"});
  EXPECT_EQ(scan.files, Words{"/etc/in"}) << "what is written to need not be there";
}

TEST(ShellScan, RunnersAreSeenThrough) {
  EXPECT_EQ(
      runs("exec -a name prog x; command -v maybe; command ls; builtin echo y; exec >/dev/null"),
      (Words{"prog x", "ls"}));
  EXPECT_EQ(runs("trap 'cleanup -f' EXIT\neval \"one $X two\"", scene_with({}, {{"X", "y"}})),
            (Words{"cleanup -f", "one y two"}));
}

TEST(ShellScan, SourcedFilesAreReadInPlace) {
  auto scene = scene_with({});
  scene.source = [](const std::string& path) -> std::optional<std::string> {
    if (path == "/etc/env") return "BIN=/opt/server\n. ./more\n";
    if (path == "./more") return "setup\n. /etc/env\n";
    return std::nullopt;
  };
  const auto scan =
      scan_shell("if . /etc/env; then x=$(. ./more); fi\nexec $BIN\n. /absent\n", scene);
  ASSERT_EQ(scan.invocations.size(), 2u);
  EXPECT_EQ(scan.invocations[0].words, Words{"setup"});
  EXPECT_EQ(scan.invocations[0].file, "./more");
  EXPECT_EQ(scan.invocations[1].words, Words{"/opt/server"});
  EXPECT_EQ(scan.invocations[1].file, "");
  ASSERT_EQ(scan.sourced.size(), 3u);
  EXPECT_EQ(scan.sourced[0].path, "/etc/env");
  EXPECT_EQ(scan.sourced[1].from, "/etc/env");
}

TEST(ShellScan, LoopsOverPatternsRunWhatMatches) {
  auto scene = scene_with({});
  scene.glob = [](const std::string& pattern) {
    return pattern == "/docker-entrypoint.d/*.sh" ? Words{"/docker-entrypoint.d/1.sh"} : Words{};
  };
  EXPECT_EQ(runs("for f in /docker-entrypoint.d/*.sh; do \"$f\" go; done", scene),
            Words{"/docker-entrypoint.d/1.sh go"});
}

TEST(ShellScan, FilesAndDirectories) {
  const auto scan = scan_shell("run --conf=/etc/a.conf \"$D/b\" /c/d\ncd /app && ./go\n");
  EXPECT_EQ(scan.files, (Words{"/etc/a.conf", "/b", "/c/d", "/app"}));
  EXPECT_EQ(scan.directories, Words{"/app"});
}

TEST(ShellScan, UnfinishedTextEnds) {
  for (const char* text :
       {"\"",       "'",     "$(",         "`",        "${",   "<<",     "<<E",
        "\\",       "$",     "a \"$(b `c", ")))",      "case", "case x", "case x in",
        "for",      "for x", "f(",         "f()",      "[[",   "((",     "A=(",
        "${a:-${b", "$((",   "@(",         "for x in", "a <(", "${#",    "${!a[@]"})
    (void)scan_shell(text);
  EXPECT_EQ(runs("a \"b"), Words{"a b"});
}

TEST(ShellScan, DeepNestingCostsNoStack) {
  for (const char* unit : {"$(", "${x:-", "`", "A=(", "((", "{ ", "f() {", "case x in a) "}) {
    std::string text;
    while (text.size() < 200000) text += unit;
    (void)scan_shell(text);
  }
}

TEST(ShellScan, ValuesThatDoubleStayBounded) {
  std::string text = "A=xxxxxxxx\n";
  for (int i = 0; i < 2000; ++i)
    text += "A=$A$A; B=\"$B $A\"; C+=($A); set -- \"$@\" $A; p $A \"$@\"\n";
  std::size_t bytes = 0;
  for (const Invocation& invocation : scan_shell(text).invocations)
    for (const std::string& word : invocation.words) bytes += word.size();
  EXPECT_LT(bytes, 64U << 20);
}

TEST(ShellScan, TextThatRunsItselfEnds) {
  auto scene = scene_with({});
  scene.source = [](const std::string& path) -> std::optional<std::string> {
    return cat(". ", path, "x\neval 'eval \"eval x\"'\n");
  };
  EXPECT_FALSE(scan_shell("X='eval \"$X\"'; eval \"$X\"; . /a", scene).invocations.empty());
}

TEST(ShellScan, WhatEndsAListOfPatternsOrATestHidesNothing) {
  EXPECT_EQ(runs("case $x in\n  p) q ;;\nesac\nexec after\ncase $x in p) ;; esac; then2\n"
                 "if [[ a ]]; then b; fi\nif [[ a &&\n  b ]]\nthen c; fi\n"),
            (Words{"q", "after", "then2", "b", "c"}));
}

TEST(ShellScan, NamesOfOptionsAreNoArguments) {
  EXPECT_EQ(runs("set -euo pipefail\nexec \"$@\"\n", scene_with({"serve"})), (Words{"serve"}));
}

TEST(ShellScan, APrefixMayBeEmpty) {
  EXPECT_EQ(runs("if a; then wrap='rlwrap -r'; fi\nexec $wrap java -jar x\n"),
            (Words{"a", "rlwrap -r java -jar x", "java -jar x"}));
}

// The Java that there is need not be the first that the script thinks of.
TEST(ShellScan, EachProgramGetsTheFirstValuesOfOtherWords) {
  const Words found = runs(
      "java=/a/java; java=/b/java; java=/c/java\n[ \"$base\" ] || base=/other\n"
      "eval exec \"\\\"$java\\\"\" -Dbase=\"\\\"$base\\\"\"\n",
      scene_with({}, {{"base", "/mine"}}));
  for (const char* want : {"/a/java -Dbase=/mine", "/b/java -Dbase=/mine", "/c/java -Dbase=/mine"})
    EXPECT_NE(std::find(found.begin(), found.end(), want), found.end()) << want;
}

TEST(ShellScan, SubstitutionsInHereDocumentsRun) {
  EXPECT_EQ(runs("cat <<E\na $(jq -r .x f) $((1 + 2)) b\nE\ncat <<'E'\n$(no)\nE\nlast\n"),
            (Words{"cat", "jq -r .x f", "last"}));
}

}  // namespace
}  // namespace cloister::manifest
