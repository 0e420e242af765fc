// A command: a row of the table in command_table.cc, and one file under commands/.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "cmd/environment.h"

namespace cloister::cmd {

// What a parsed command line will do: answers the exit code.
using Action = std::function<Result<int>(const Environment&)>;

struct Command {
  std::string_view name, summary, examples;  // examples: the footer of --help
  Action (*add)(CLI::App& app);              // declares the options, returns what runs them
};

Action add_pull(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_files(CLI::App& app);
Action add_deps(CLI::App& app);
Action add_why(CLI::App& app);
Action add_manifest(CLI::App& app);
Action add_audit(CLI::App& app);
Action add_diff(CLI::App& app);
Action add_build(CLI::App& app);
Action add_init(CLI::App& app);
Action add_rebuild(CLI::App& app);
Action add_outdated(CLI::App& app);
Action add_learn(CLI::App& app);
Action add_deploy(CLI::App& app);
Action add_marblerun(CLI::App& app);
Action add_rehearse(CLI::App& app);
Action add_measure(CLI::App& app);
Action add_connect(CLI::App& app);
Action add_quote(CLI::App& app);
Action add_push(CLI::App& app);
Action add_cache(CLI::App& app);
Action add_login(CLI::App& app);
Action add_logout(CLI::App& app);
Action add_keygen(CLI::App& app);
Action add_sign(CLI::App& app);
Action add_verify(CLI::App& app);
Action add_attest(CLI::App& app);
Action add_sigstruct(CLI::App& app);
Action add_completion(CLI::App& app);
Action add_version(CLI::App& app);

}  // namespace cloister::cmd
