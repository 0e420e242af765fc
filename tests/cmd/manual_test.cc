// The manual of the real commands, and what a command must have to be in it.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "cmd/command_line.h"
#include "cmd/manual/render.h"
#include "cmd/option_heading.h"
#include "tests/base/must.h"
#include "tests/base/source_dir.h"

namespace cloister::cmd {
namespace {

const CommandText& program() {
  static const CommandText kProgram = CommandLine().manual();
  return kProgram;
}

void for_each(const CommandText& command, const std::function<void(const CommandText&)>& f) {
  f(command);
  for (const CommandText& sub : command.commands) for_each(sub, f);
}

TEST(Manual, EveryCommandHasExamples) {
  for_each(program(), [](const CommandText& command) {
    if (command.name == "cloister" || command.name.starts_with("cloister completion ")) return;
    EXPECT_FALSE(command.examples.empty()) << command.name;
    EXPECT_TRUE(std::any_of(command.examples.begin(), command.examples.end(), [&](const auto& one) {
      return one.find(command.name) != std::string::npos;
    })) << command.name;
  });
}

TEST(Manual, EveryOptionStandsUnderAHeadingAndNamesItsValue) {
  for_each(program(), [](const CommandText& command) {
    for (const OptionText& option : command.options) {
      const std::string where = cat(command.name, " ", option.names.back());
      EXPECT_NE(std::find(kHeadings.begin(), kHeadings.end(), option.heading), kHeadings.end())
          << where << ": " << option.heading;
      EXPECT_FALSE(option.text.empty()) << where;
      EXPECT_TRUE(option.key() == "arg" || option.value != "TEXT") << where;
    }
    for (const OptionText& argument : command.arguments)
      EXPECT_FALSE(argument.text.empty()) << command.name;
  });
}

TEST(Manual, HelpFitsTheTerminal) {
  for (const std::size_t columns : {60U, 80U, 100U})
    for_each(program(), [&](const CommandText& command) {
      std::istringstream lines(help_text(command, {columns, false}));
      for (std::string line; std::getline(lines, line);) {
        const auto width =
            std::count_if(line.begin(), line.end(), [](char c) { return (c & '\xc0') != '\x80'; });
        // A single word, like a list of choices, may be longer; it stands alone then.
        const bool words = line.find(' ', line.find_first_not_of(' ')) != std::string::npos;
        EXPECT_TRUE(width <= static_cast<std::ptrdiff_t>(columns) || !words || columns < 80)
            << command.name << ": " << line;
        EXPECT_FALSE(line.ends_with(' ')) << command.name << ": " << line;
      }
    });
}

TEST(Manual, ReferenceIsCurrent) {
  const std::string committed =
      must(read_text_file((source_dir() / "cmd/reference.md").native(), 1U << 20));
  // Not EXPECT_EQ, which would print both.
  EXPECT_TRUE(markdown_reference(program()) == committed)
      << "make it anew: build/cloister_docs reference cmd/reference.md";
}

TEST(Manual, ManPagesHaveTheirSections) {
  for (const CommandText& command : program().commands) {
    const std::string page = man_page(command, "0.1");
    EXPECT_TRUE(page.starts_with(".TH \"CLOISTER\\-")) << command.name;
    for (const char* section : {".SH NAME\n", ".SH SYNOPSIS\n", ".SH \"EXIT STATUS\"\n"})
      EXPECT_NE(page.find(section), std::string::npos) << command.name << section;
  }
  EXPECT_EQ(man_page_name(*program().find("build")), "cloister-build.1");
}

TEST(Manual, TextBecomesNoRequestOfRoff) {
  CommandText command;
  command.name = "cloister x";
  command.summary = ".so /etc/passwd \\n a-b";
  EXPECT_NE(man_page(command, "1").find("\\- \\&.so /etc/passwd \\en a\\-b\n"), std::string::npos);
}

TEST(CommandLine, GivesARepeatableOptionOneValueEachTime) {
  CommandLine line;
  line.parse({"pull", "--store", "x", "image"});
  EXPECT_EQ(line.path(), std::vector<std::string>{"pull"});
  CommandLine other;
  EXPECT_NO_THROW(other.parse({"manifest", "--runtime", "r", "image", "--env", "[a,b]", "--edmm"}));
  EXPECT_EQ(other.command().get_option("--env")->results(), std::vector<std::string>{"[a,b]"});
}

TEST(CommandLine, AnswersSlips) {
  const auto hint = [](const std::vector<std::string>& words) {
    return usage_error(program(), words, "what CLI11 says").hint();
  };
  EXPECT_EQ(hint({"buidl"}), "did you mean 'build'?");
  EXPECT_EQ(hint({"cache", "lss"}), "did you mean 'ls'?");
  EXPECT_EQ(hint({"build", "x", "--trsut=all"}), "did you mean '--trust'?");
  EXPECT_EQ(hint({"build", "x", "--quite-unlike-anything"}),
            "cloister build --help lists the options");
  EXPECT_EQ(hint({"cache"}), "cloister cache --help lists the commands");
  EXPECT_EQ(usage_error(program(), {"why"}, "IMAGE is required").details().front(),
            "usage: cloister why [OPTIONS] IMAGE PATH");
}

}  // namespace
}  // namespace cloister::cmd
