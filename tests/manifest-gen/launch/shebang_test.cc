#include "manifest-gen/launch/shebang.h"
#include "base/path.h"

#include <gtest/gtest.h>

namespace cloister::manifest {
namespace {

TEST(Shebang, TheRestOfTheLineIsOneArgument) {
  const auto line = parse_shebang("/usr/bin/env -S prog  --flag\t");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->interpreter, "/usr/bin/env");
  EXPECT_EQ(line->argument, "-S prog  --flag");
}

TEST(Shebang, BlanksBeforeTheInterpreterAreSkipped) {
  const auto line = parse_shebang("  \t/bin/sh");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->interpreter, "/bin/sh");
  EXPECT_EQ(line->argument, "");
}

TEST(Shebang, NothingNamesNoInterpreter) {
  EXPECT_FALSE(parse_shebang(""));
  EXPECT_FALSE(parse_shebang(" \t "));
}

TEST(EnvProgram, PassesOverOptionsAndAssignments) {
  EXPECT_EQ(env_program({"python3"}), "python3");
  EXPECT_EQ(env_program({"-i", "A=b", "python3", "-u"}), "python3");
  EXPECT_EQ(env_program({"-u", "HOME", "sh"}), "sh");
  EXPECT_EQ(env_program({"-uSHELL", "sh"}), "sh");
  EXPECT_EQ(env_program({"--chdir", "/tmp", "sh"}), "sh");
  EXPECT_EQ(env_program({"--", "sh"}), "sh");
}

TEST(EnvProgram, SplitsItsStringOption) {
  EXPECT_EQ(env_program({"-S python3 -u"}), "python3");
  EXPECT_EQ(env_program({"-S", "A=1 node --x"}), "node");
  EXPECT_EQ(env_program({"-vS perl -w"}), "perl");
  EXPECT_EQ(env_program({"--split-string=ruby -w"}), "ruby");
}

TEST(EnvProgram, NothingToRun) {
  EXPECT_EQ(env_program({}), std::nullopt);
  EXPECT_EQ(env_program({"-S"}), std::nullopt);
  EXPECT_EQ(env_program({"-u"}), std::nullopt);
  EXPECT_EQ(env_program({"A=b"}), std::nullopt);
}

TEST(BaseName, IsTheLastComponent) {
  EXPECT_EQ(base_name("/usr/bin/env"), "env");
  EXPECT_EQ(base_name("env"), "env");
  EXPECT_EQ(base_name("/"), "");
}

}  // namespace
}  // namespace cloister::manifest
