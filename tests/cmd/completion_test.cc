#include "cmd/manual/completion.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cmd/command_line.h"

namespace cloister::cmd {
namespace {

Candidates after(const std::vector<std::string>& words) {
  static const CommandText kProgram = CommandLine().manual();
  return complete(kProgram, words);
}
std::vector<std::string> words_after(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const Candidate& candidate : after(words).words) out.push_back(candidate.word);
  return out;
}
using Words = std::vector<std::string>;

TEST(Completion, NamesCommands) {
  EXPECT_EQ(words_after({"bui"}), Words{"build"});
  EXPECT_EQ(words_after({"cache", ""}), (Words{"ls", "prune", "verify"}));
  EXPECT_EQ(words_after({"no-such", ""}), Words{});
}

TEST(Completion, NamesOptionsThatMayStillCome) {
  EXPECT_EQ(words_after({"build", "--tru"}), Words{"--trust"});
  EXPECT_EQ(words_after({"build", "--trust", "all", "--tru"}), Words{});
  EXPECT_EQ(words_after({"build", "--env", "A=1", "--env"}), Words{"--env"});
  EXPECT_EQ(words_after({"build", "--", "--tru"}), Words{});
}

TEST(Completion, NamesValues) {
  EXPECT_EQ(words_after({"build", "--trust", "c"}), Words{"closure"});
  EXPECT_EQ(words_after({"build", "--trust=c"}), Words{"--trust=closure"});
  EXPECT_EQ(words_after({"deps", "x", "--format", "s"}), Words{"spdx"});
  EXPECT_EQ(words_after({"inspect", "--format", "j"}), Words{"json"});
}

TEST(Completion, SaysWhereFilesAndImagesFit) {
  EXPECT_TRUE(after({"build", "--key", ""}).files);
  EXPECT_FALSE(after({"build", "--key", ""}).images);
  EXPECT_TRUE(after({"build", ""}).images);
  EXPECT_FALSE(after({"build", "redis", ""}).images);  // there is one IMAGE
  EXPECT_TRUE(after({"marblerun", "manifest", "a", "b", ""}).images);
  EXPECT_TRUE(after({"measure", ""}).files);
  const Candidates runtime = after({"build", "--runtime=re"});
  EXPECT_TRUE(runtime.images && runtime.files);
  EXPECT_EQ(runtime.before, "--runtime=");
  EXPECT_EQ(runtime.prefix, "re");
  EXPECT_FALSE(after({"why", "redis", ""}).files);  // PATH is one of the image
}

TEST(Completion, OffersOnlyWordsThatAShellTakesAsTheyAre) {
  for (const char* good :
       {"redis:7", "oci:./a_b/c:v1.2", "reg.example:5000/a@sha256:00", "x=reg/a"})
    EXPECT_TRUE(is_plain_word(good)) << good;
  for (const char* bad :
       {"",     "-x", "a b", "a;b", "$(x)", "`x`", "a'b", "a\"b", "a\\b",    "a\tb",
        "a\nb", "~",  "a*",  "a&b", "a|b",  "<a",  "!x",  "a#",   "\x1b[0m", "é"})
    EXPECT_FALSE(is_plain_word(bad)) << bad;
}

}  // namespace
}  // namespace cloister::cmd
