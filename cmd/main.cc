// The command table, and the one place where exceptions end: CLI11 reports wrong usage by them,
// and the standard library an exhausted memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/environment.h"
#include "cmd/exit_code.h"
#include "cmd/render_error.h"
#include "cmd/suggest.h"

namespace cloister::cmd {
namespace {

constexpr Command kCommands[] = {
    {"pull", "Fetch an image into the local store",
     "cloister pull redis:7\n  cloister pull oci:./layout:v1\n"
     "  cloister pull docker-archive:saved.tar:redis:7\n  cloister pull docker-daemon:redis:7",
     add_pull},
    {"inspect", "Show an image's configuration, layers and, if enclave-ready, its measurement",
     "cloister inspect redis:7\n  cloister inspect reg.example/redis:7-sgx --format json\n"
     "  cloister inspect reg.example/redis:7-sgx --measurement --format marblerun --identity "
     "signer",
     add_inspect},
    {"files", "List every file of every layer",
     "cloister files redis:7 --merged\n  cloister files redis:7 --format json | jq '.files[].path'",
     add_files},
    {"deps", "Show what the program needs, and why",
     "cloister deps redis:7\n  cloister deps redis:7 /usr/bin/redis-cli --format list\n"
     "  cloister deps redis:7 --format spdx -o redis.spdx.json",
     add_deps},
    {"why", "Show why the program may open a file, or what it would take",
     "cloister why redis:7 /etc/ssl/openssl.cnf\n  cloister why redis:7 libssl.so.3 --all",
     add_why},
    {"manifest", "Print the Gramine manifest that a build would measure",
     "cloister manifest redis:7 > redis.manifest.sgx", add_manifest},
    {"build", "Turn an image into a signed, enclave-ready image",
     "cloister build redis:7 --dry-run\n"
     "  cloister build redis:7 --key enclave.pem -t reg.example/redis:7-sgx --push\n"
     "  cloister build oci:./app:v1 --key enclave.pem -o oci:./out:v1-sgx --with-direct",
     add_build},
    {"measure", "Compute MRENCLAVE of an existing Gramine manifest",
     "cloister measure app.manifest.sgx --libpal /usr/lib/x86_64-linux-gnu/gramine/sgx/libpal.so\n"
     "  cloister measure app.manifest.sgx --runtime ./gramine --explain\n"
     "  cloister measure app.manifest.sgx --libpal libpal.so --key enclave.pem --date 2024-01-02 "
     "--sig app.sig",
     add_measure},
    {"sign", "Sign an image, and attest what enclave is in it",
     "cloister sign reg.example/redis:7-sgx --key image.pem\n"
     "  cloister sign reg.example/redis:7-sgx --key 'pkcs11:token=prod;object=image'\n"
     "  cloister sign reg.example/redis:7-sgx --emit-signing-data data.json\n"
     "  cloister sign reg.example/redis:7-sgx --signature data.json --public-key image.pub\n"
     "  cosign verify --key image.pub --insecure-ignore-tlog=true reg.example/redis:7-sgx",
     add_sign},
    {"verify", "Check that an image is what its signer says",
     "cloister verify reg.example/redis:7-sgx --key image.pub\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --min-isvsvn 3 --format json\n"
     "  cloister verify reg.example/redis:7-sgx --policy policy.toml --rebuild\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --quote quote.bin "
     "--collateral ./collateral --report-data nonce:4f1c\n"
     "  cloister verify reg.example/redis:7-sgx --key image.pub --connect enclave.example:6379 "
     "--pccs https://localhost:8081",
     add_verify},
    {"quote", "Show a hardware quote, or verify that it is genuine",
     "cloister quote inspect quote.bin\n"
     "  cloister quote verify quote.bin --collateral ./collateral --report-data nonce:4f1c\n"
     "  cloister quote verify quote.bin --pccs https://localhost:8081 --allow-unbound "
     "--format json",
     add_quote},
    {"connect", "Forward local connections to a server that proves to be the signed image",
     "cloister connect reg.example/redis:7-sgx enclave.example:6379 --key image.pub "
     "--listen 127.0.0.1:6379 --pccs https://localhost:8081\n"
     "  cloister connect reg.example/redis:7-sgx enclave.example:6379 --policy policy.toml "
     "--collateral ./collateral --once",
     add_connect},
    {"attest", "Repeat the build of an image, and state that it gives the same",
     "cloister attest --rebuild reg.example/redis:7-sgx --sign-key rebuilder.pem", add_attest},
    {"marblerun", "Write what MarbleRun's Coordinator must know about images",
     "cloister marblerun manifest reg.example/redis:7-sgx -o manifest.json\n"
     "  cloister marblerun manifest cache=reg.example/redis:7-sgx web=reg.example/app:2-sgx "
     "--identity signer\n"
     "  cloister marblerun manifest reg.example/redis:8-sgx --update -o update.json",
     add_marblerun},
    {"push", "Copy an image, with what is attached to it, from one place to another",
     "cloister push oci:./out:v1-sgx reg.example/app:v1-sgx\n"
     "  cloister push reg.example/app:v1-sgx oci-archive:app.tar:v1-sgx\n"
     "  cloister push redis:7 docker-archive:redis.tar:redis:7 --platform linux/arm64",
     add_push},
    {"login", "Check credentials with a registry and keep them",
     "cloister login ghcr.io -u me\n"
     "  echo \"$TOKEN\" | cloister login ghcr.io -u me --password-stdin",
     add_login},
    {"logout", "Forget the credentials of a registry", "cloister logout ghcr.io", add_logout},
    {"cache", "Look after the local store",
     "cloister cache ls\n  cloister cache prune --keep 5G\n  cloister cache verify --repair",
     add_cache},
    {"keygen", "Make a signing key",
     "cloister keygen sgx -o enclave.pem\n  cloister keygen image -o image.pem", add_keygen},
    {"sigstruct", "Show the fields of a SIGSTRUCT and check its signature",
     "cloister sigstruct app.sig\n  cloister sigstruct app.sig --format json", add_sigstruct},
    {"version", "Show the version", "cloister version", add_version},
};

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
    for (const Command& one : kCommands) known.emplace_back(one.name);
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
  for (const Command& command : kCommands) {
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
