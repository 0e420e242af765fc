// Finds credentials in the files Docker and the containers tools keep (signing.md of the project's
// notes names the precedence; this header is the contract).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "oci/documents/reference.h"
#include "oci/registry/client.h"

namespace cloister::oci {

// The environment as cmd/ read it; libraries do not.
struct CredentialPaths {
  std::string authfile;                    // --authfile: must exist; searched alone
  std::vector<std::string> default_files;  // tried in order; those that do not exist are skipped
  std::map<std::string, std::string> environment = {};  // what a credential helper is given
  std::string new_file = {};  // what a first login makes when none of them exists
};

// From variables (HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, DOCKER_CONFIG, REGISTRY_AUTH_FILE):
// $REGISTRY_AUTH_FILE alone where it is set, as in the containers tools; else, in this order,
// $DOCKER_CONFIG/config.json, $XDG_RUNTIME_DIR/containers/auth.json (without that variable
// /run/containers/UID/auth.json: where Podman has it, root's in particular),
// ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json, ~/.docker/config.json, ~/.dockercfg. A first
// login makes Docker's file: it is the one that every tool reads, and it outlives a reboot.
CredentialPaths credential_paths(const std::map<std::string, std::string>& env,
                                 std::string authfile, unsigned user_id);

// Most specific key first (host/ns/repo … host); docker.io also as https://index.docker.io/v1/.
// credHelpers and credsStore run docker-credential-NAME. Nothing found: empty credentials.
Result<Credentials> find_credentials(const CredentialPaths& paths, const RegistryRef& ref,
                                     const Limits& limits);

}  // namespace cloister::oci
