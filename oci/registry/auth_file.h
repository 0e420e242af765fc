// Writes the files that find_credentials reads: what login and logout do.
#pragma once

#include <string>
#include <vector>

#include "oci/registry/credentials.h"

namespace cloister::oci {

// Where a login is kept: paths.authfile, else the first default file that exists, so that what is
// written is what is found next time, else paths.new_file. A credHelpers or credsStore entry there
// sends the secret to that helper instead, and leaves an empty entry, as Docker does. Every other
// entry stays as it is, in its order; the file appears whole, with mode 0600; a link to it stays a
// link. Answers what to call the place ("'~/.docker/config.json'", or the helper).
Result<std::string> save_credentials(const CredentialPaths& paths, const std::string& registry,
                                     const Credentials& credentials, const Limits& limits);

// Forgets a registry, in every file that would be searched (paths.authfile alone if there is one)
// and in the helpers those name. Answers the places where there was something.
Result<std::vector<std::string>> remove_credentials(const CredentialPaths& paths,
                                                    const std::string& registry,
                                                    const Limits& limits);

}  // namespace cloister::oci
