// The one place where exceptions end: CLI11 reports wrong usage by them,
// and the standard library an exhausted memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cmd/command_table.h"
#include "cmd/environment.h"
#include "cmd/exit_code.h"
#include "cmd/render_error.h"
#include "cmd/suggest.h"

namespace cloister::cmd {
namespace {

int report(const Error& error, bool color) {
  std::fputs(render_error(error, color).c_str(), stderr);
  return exit_code(error.code());
}

// A wrong command or option, with the nearest right one.
Error usage_error(const CLI::App& app, const std::vector<std::string>& args,
                  const CLI::ParseError& error) {
  const CLI::App* sub = &app;  // the innermost that was named: "ls" of "cache ls"
  std::string command = "cloister";
  while (!sub->get_subcommands().empty()) {
    sub = sub->get_subcommands().front();
    command += cat(" ", sub->get_name());
  }
  std::vector<std::string> known;
  if (sub == &app) {
    for (const Command& one : commands()) known.emplace_back(one.name);
  } else {
    for (const CLI::Option* option : sub->get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  std::string what = printable(error.what());
  std::string hint = sub == &app ? "cloister --help lists the commands"
                                 : cat(command, " --help lists the options");
  if (sub == &app && !args.empty() && !args.front().starts_with("-")) {
    what = cat("there is no command ", quote(args.front()));
    if (auto near = nearest(args.front(), known)) hint = cat("did you mean ", quote(*near), "?");
  } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    for (const std::string& arg : args) {
      if (!arg.starts_with("--")) continue;
      const std::string name = arg.substr(0, arg.find('='));
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      what = cat(command, " has no option ", quote(name));
      if (auto near = nearest(name, known)) hint = cat("did you mean ", quote(*near), "?");
      break;
    }
  }
  return Error::usage(std::move(what)).hint(std::move(hint));
}

int run(int argc, char** argv) {
  const Environment env = read_environment();
  const bool color = env.stderr_tty && !env.get("NO_COLOR");
  CLI::App app(
      "cloister turns any OCI image into a signed, enclave-ready image that may touch only what "
      "it\n"
      "needs, and publishes the measurement a client must see before it trusts it.",
      "cloister");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Show this text");
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->set_help_flag("-h,--help", "Show this text");
    sub->footer("Examples:\n  " + std::string(command.examples));
    actions.emplace_back(sub, command.add(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);  // prints to stdout
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return report(usage_error(app, std::vector<std::string>(argv + 1, argv + argc), error), color);
  }
  for (const auto& [sub, action] : actions) {
    if (!sub->parsed()) continue;
    auto result = action(env);
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
  return kExitUsage;
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
