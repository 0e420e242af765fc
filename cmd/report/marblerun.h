// Images as MarbleRun's Coordinator wants to know them (edgelesssys/marblerun, "Defining a
// manifest"): schema/marblerun.schema.json, marblerun-package.schema.json,
// marblerun-update.schema.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/gramine/marble.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

// How the Coordinator recognises an enclave: exactly this one (MRENCLAVE), or every one of its
// signer and product from a security version on. MarbleRun takes one of the two, never both.
enum class MarbleIdentity { unique, signer };

struct Marble {
  std::string name;  // of package and Marble
  sign::Sigstruct sigstruct;
  manifest::MarbleLaunch launch;
};

// One package: the value of an entry of Packages.
std::string marblerun_package_json(const sign::Sigstruct& sigstruct, MarbleIdentity identity);
// A starting manifest: Packages, Marbles and, where encrypted mounts want keys, Secrets. With a
// certificate (PEM) also a user "admin" who may raise the packages' security versions: without one
// nobody can.
std::string marblerun_manifest_json(const std::vector<Marble>& marbles, MarbleIdentity identity,
                                    const std::string& admin = {});
// What `marblerun manifest update apply` takes: security versions, which can only be raised.
std::string marblerun_update_json(const std::vector<Marble>& marbles);

// The last part of an image's name, as a Marble may be called: "redis" for "reg.example/a/redis:7".
std::string marble_name(std::string_view image_path);

}  // namespace cloister::cmd
