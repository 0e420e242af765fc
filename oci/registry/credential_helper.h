// Runs a credential helper, docker-credential-NAME (protocol of docker-credential-helpers).
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "oci/registry/client.h"

namespace cloister::oci {

// `docker-credential-<name> get` from $PATH, with `server` on its standard input. A helper that
// does not know the server gives empty credentials; one that is missing, fails, prints too much or
// does not end within `patience` is an error. No shell is involved. `file` names, in errors, the
// file that asked for it; `environment` is all that the helper sees of ours.
Result<Credentials> run_credential_helper(const std::string& name, const std::string& server,
                                          const std::string& file,
                                          const std::map<std::string, std::string>& environment,
                                          const Limits& limits,
                                          std::chrono::seconds patience = std::chrono::seconds(60));

// `store` and `erase` of the same protocol, with the same rules. Erasing what a helper does not
// have is no error.
Status store_with_credential_helper(const std::string& name, const std::string& server,
                                    const Credentials& credentials, const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits,
                                    std::chrono::seconds patience = std::chrono::seconds(60));
Status erase_with_credential_helper(const std::string& name, const std::string& server,
                                    const std::string& file,
                                    const std::map<std::string, std::string>& environment,
                                    const Limits& limits,
                                    std::chrono::seconds patience = std::chrono::seconds(60));

}  // namespace cloister::oci
