#include "cmd/signer_command.h"

#include "base/program.h"
#include "base/text.h"

namespace cloister::cmd {
namespace {

constexpr std::uint64_t kMaxSignature = 64 << 10;  // bytes; RSA with 16384 bits has 2048
constexpr std::chrono::seconds kSignerPatience{120};

Result<Bytes> run_signer(const ProgramRun& run) {
  auto output = run_program(run);
  if (!output.has_value()) {
    Error error = std::move(output).error();
    if (error.code() == Code::cancelled) return error;
    return std::move(error)
        .detail("it is the program of --signer-cmd")
        .hint("run it by hand: bytes on standard input, a raw signature on standard output");
  }
  if (output->status != 0)
    return Error::invalid(cat(quote(run.arguments.front()), " did not sign"))
        .detail(output->status < 0 ? std::string("it was killed by a signal")
                                   : cat("it ended with status ", output->status))
        .hint("what it printed on standard error stands above; run it by hand");
  return std::move(output->output);
}

}  // namespace

Result<sign::ExternalKey> signer_command_key(const std::string& command, std::string public_pem,
                                             const std::string& algorithm,
                                             const KeyContext& context) {
  ProgramRun run;
  for (std::string_view word : split(command, ' '))
    if (!word.empty()) run.arguments.emplace_back(word);
  if (run.arguments.empty())
    return Error::usage("--signer-cmd names no program")
        .hint("for example --signer-cmd 'my-kms-signer --key 7'");
  run.environment = context.env.variables;
  run.environment["CLOISTER_SIGN_ALGORITHM"] = algorithm;
  run.show_errors = true;
  run.max_output = kMaxSignature;
  run.patience = kSignerPatience;
  run.cancel = context.cancel;
  sign::ExternalKey key;
  key.public_pem = std::move(public_pem);
  key.name = quote(run.arguments.front());
  key.sign = [run = std::move(run)](ByteView message) {
    ProgramRun once = run;
    once.input = message;
    return run_signer(once);
  };
  return key;
}

}  // namespace cloister::cmd
