#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/passphrase.h"
#include "sign/key.h"

namespace cloister::cmd {
namespace {

struct KeygenOptions {
  std::string output;
  bool encrypt = false, force = false;
  PassphraseOptions passphrase;
};

Result<int> run_keygen(const KeygenOptions& o, const Environment& env) {
  std::error_code error;
  if (!o.output.empty() && o.output != "-" && !o.force && fs::exists(o.output, error))
    return Error::conflict(cat(quote(o.output), " exists already"))
        .hint("a lost key cannot be had back; give --force to replace it");
  std::optional<std::string> passphrase;
  if (o.encrypt || o.passphrase.given()) {
    CL_TRY(passphrase,
           passphrase_source(o.passphrase, env, "passphrase for the new key", /*confirm=*/true)());
    if (!passphrase || passphrase->empty())
      return Error::invalid("an encrypted key needs a passphrase")
          .hint("give --passphrase-file, or set CLOISTER_PASSWORD");
  }
  CL_TRY(const sign::SgxKey key, sign::SgxKey::generate());
  CL_TRY(const std::string pem, key.to_pem(passphrase));
  CL_CHECK(write_result(o.output, pem, 0600));
  return 0;
}

}  // namespace

Action add_keygen(CLI::App& app) {
  auto o = std::make_shared<KeygenOptions>();
  CLI::App* sgx = app.add_subcommand(
      "sgx", "An enclave signing key: RSA-3072 with public exponent 3, PEM (PKCS#8)");
  sgx->set_help_flag("-h,--help", "Show this text");
  app.require_subcommand(1);
  sgx->add_option("-o,--output", o->output,
                  "File for the private key, mode 0600 (default: standard output)");
  sgx->add_flag("--encrypt", o->encrypt, "Protect it with a passphrase");
  sgx->add_flag("--force", o->force, "Replace an existing file");
  add_passphrase_options(*sgx, o->passphrase);
  return [o](const Environment& env) { return run_keygen(*o, env); };
}

}  // namespace cloister::cmd
