// What starts in the enclave before the image's program, and then executes it in its own place: the
// wrapper that makes an RA-TLS certificate. Gramine sees its command line, the image's is the end
// of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest-gen/launch/launch.h"
#include "measure/runtime/runtime.h"

namespace cloister::manifest {

struct Front {
  std::string name;           // base name in the runtime's bin of the built image
  measure::RuntimeFile file;  // where it comes from
  std::string reason;         // for people
  std::vector<std::string> argv;
  std::vector<std::string> directories;  // where it writes: each becomes a tmpfs, never the host's
};

// Where gramine-ratls leaves what it makes, for the program to read: PEM files in the enclave.
struct RaTlsFiles {
  std::string certificate, key;
};

// `unresolved` when the runtime has no gramine-ratls.
Result<Front> ra_tls_front(const Launch& launch, const measure::Runtime& runtime,
                           const RaTlsFiles& files);

// Lets Gramine's library fetch a secret from these servers ("HOST:PORT", several with ';') before
// the program starts, by RA-TLS: preloaded, configured by variables. `ca` is the path, in the
// image, of the certificates by which the servers are known. `unresolved` when the runtime has no
// such library.
Status add_secret_provisioning(Launch& launch, const measure::Runtime& runtime,
                               const std::string& servers, const std::string& ca);

}  // namespace cloister::manifest
