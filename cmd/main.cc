// The one place where exceptions end: CLI11 reports wrong usage by them, and the standard library
// an exhausted memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "base/text.h"
#include "cmd/command_line.h"
#include "cmd/environment.h"
#include "cmd/exit_code.h"
#include "cmd/manual/describe.h"
#include "cmd/manual/render.h"
#include "cmd/output.h"
#include "cmd/render_error.h"

namespace cloister::cmd {
namespace {

int report(const Error& error, bool color) {
  std::fputs(render_error(error, color).c_str(), stderr);
  return exit_code(error.code());
}

// Lines that are longer than a hundred characters are hard to read, however wide the terminal is.
HelpStyle help_style(const Environment& env) {
  if (!env.stdout_tty) return {};
  return {std::clamp(env.columns, 60U, 100U), !env.get("NO_COLOR")};
}

Result<int> run_command(const std::vector<std::string>& typed, const Environment& env) {
  CL_TRY(const auto words, with_file(typed, Limits()));
  CommandLine line(words.empty() ? std::string_view() : words.front());
  try {
    line.parse(words);
  } catch (const CLI::CallForHelp&) {
    const CommandText program = line.manual();
    const CommandText* command = &program;
    for (const std::string& part : line.path()) command = command->find(part);
    CL_CHECK(write_result("", help_text(*command, help_style(env))));
    return kExitDone;
  } catch (const CLI::CallForVersion& version) {
    CL_CHECK(write_result("", cat(version.what(), "\n")));
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    Error usage = usage_error(line.manual(), typed, error.what());
    if (words != typed) return std::move(usage).detail("with what the file of -f adds");
    return usage;
  }
  return line.action()(env);
}

int run(int argc, char** argv) {
  const Environment env = read_environment();
  const bool color = env.stderr_tty && !env.get("NO_COLOR");
  const auto result = run_command(std::vector<std::string>(argv + 1, argv + argc), env);
  if (!result.has_value()) {
    // A read that was cut by Ctrl-C may have surfaced as some other error.
    if (env.interrupted->load()) return report(Error::cancelled(), color);
    return report(result.error(), color);
  }
  if (std::fflush(stdout) != 0)
    return report(Error::io("cannot write to standard output")
                      .hint("what reads it has gone, or its disk is full"),
                  color);
  return *result;
}

}  // namespace
}  // namespace cloister::cmd

int main(int argc, char** argv) {
  try {
    return cloister::cmd::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("error: out of memory\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr,
                 "error: %s\n  this is a bug in cloister; please report it with the command line\n",
                 e.what());
  }
  return cloister::cmd::kExitFailed;
}
