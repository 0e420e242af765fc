#include "cmd/marble_options.h"

namespace cloister::cmd {

void add_identity_option(CLI::App& app, std::string& value) {
  app.add_option("--identity", value,
                 "How MarbleRun recognises the enclave. unique (default): this one, by MRENCLAVE;\n"
                 "signer: all of its signer and product from its security version on")
      ->check(CLI::IsMember({"unique", "signer"}));
}

MarbleIdentity marble_identity(std::string_view value) {
  return value == "signer" ? MarbleIdentity::signer : MarbleIdentity::unique;
}

}  // namespace cloister::cmd
