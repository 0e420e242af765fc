#include "cmd/config_file.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cmd/command_line.h"
#include "tests/base/must.h"

namespace cloister::cmd {
namespace {

using Words = std::vector<std::string>;

Result<std::vector<Setting>> read(std::string_view text, const Words& path = {"build"}) {
  static const CommandText kProgram = CommandLine().manual();
  return read_settings(text, kProgram, path, Limits(), "cloister.toml");
}
Words words(std::string_view text, const Words& path = {"build"}) {
  Words out;
  for (const Setting& setting : must(read(text, path)))
    out.insert(out.end(), setting.words.begin(), setting.words.end());
  return out;
}
std::string refused(std::string_view text) {
  const auto result = read(text);
  if (result.has_value()) return "it was taken";
  EXPECT_EQ(result.error().code(), Code::usage) << text;
  return cat(result.error().what(), "; ", result.error().hint());
}

TEST(ConfigFile, BecomesWordsOfTheCommandLine) {
  EXPECT_EQ(words("[build]\nimage = \"redis:7\"\ntrust = \"all\"\nisvsvn = 3\nedmm = true\n"),
            (Words{"--trust=all", "--edmm", "--isvsvn=3", "redis:7"}));
  EXPECT_EQ(words("[build]\narg = [\"--port\", \"1\", \"\"]\n"),
            (Words{"--arg=--port", "--arg=1", "--arg", ""}));
  EXPECT_EQ(words("[build]\nenv = \"A=1\"\ntls-verify = false\n"),
            (Words{"--env=A=1", "--tls-verify=false"}));
  EXPECT_EQ(words("[build]\nra-tls = true\n"), Words{"--ra-tls"});
  EXPECT_EQ(words("[build]\nra-tls = \"/a/b:/c/d\"\n"), Words{"--ra-tls=/a/b:/c/d"});
  EXPECT_EQ(words("[build]\nra-tls = false\nenv = []\n"), Words{});
}

TEST(ConfigFile, GivesEachCommandItsOwn) {
  const std::string_view text =
      "keep = \"1G\"\n[cache.prune]\nkeep = \"3G\"\n[cache]\nkeep = \"2G\"\n[build]\ntrust = "
      "\"all\"\n";
  EXPECT_EQ(words(text, {"build"}), (Words{"--trust=all", "--keep=1G"}));
  EXPECT_EQ(words(text, {"cache", "ls"}), Words{"--keep=2G"});
  EXPECT_EQ(words(text, {"cache", "prune"}), Words{"--keep=3G"});
  // What another command alone has is passed over, but it has to exist.
  EXPECT_EQ(words("repair = true\n", {"build"}), Words{});
}

TEST(ConfigFile, NamesTheLineAndTheNearestName) {
  EXPECT_EQ(refused("[build]\n\ntrsut = \"all\"\n"),
            "cloister.toml, line 3: there is no option 'trsut'; did you mean 'trust'?");
  EXPECT_EQ(refused("[biuld]\n"),
            "cloister.toml, line 1: there is no command 'biuld'; did you mean 'build'?");
  EXPECT_EQ(
      refused("[build]\ntrust = \"clsoure\"\n"),
      "cloister.toml, line 2: build.trust is 'clsoure'; want none, closure, package, all; did "
      "you mean 'closure'?");
  EXPECT_EQ(refused("[build]\nedmm = \"yes\"\n"),
            "cloister.toml, line 2: build.edmm is a string; want true or false");
  EXPECT_EQ(refused("[[build]]\n"),
            "cloister.toml, line 1: build is an array; want a table: [build]");
}

TEST(ConfigFile, RefusesWhatCannotBeTyped) {
  for (const char* text :
       {"[build]\nisvsvn = \"x\"", "[build]\nisvsvn = -1", "[build]\ntrust = [\"all\"]",
        "[build]\nuser = true", "[build]\nuser = 1.5", "[build]\nuser = \"a\\u0000b\"",
        "[build]\nimage = \"--push\"", "[build]\nenv = [[\"a\"]]", "[build]\nenv = [true]",
        "[build]\nfile = \"other.toml\"", "help = true", "[build.ls]\nkeep = \"1G\"",
        "[build]\ndate = 2024-01-02", "[pull]\ntrust = \"all\"", "[build\n", "a.b.c.d = 1", "= 1",
        "\x01"})
    EXPECT_NE(refused(text), "it was taken") << text;
}

}  // namespace
}  // namespace cloister::cmd
