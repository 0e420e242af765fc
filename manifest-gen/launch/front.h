// What starts in the enclave before the image's program, and then executes it in its own place: the
// wrapper that makes an RA-TLS certificate, or MarbleRun's premain. Gramine sees its command line,
// the image's is the end of it.
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
  std::vector<std::string>
      directories{};                      // where it writes: each becomes a tmpfs, never the host's
  std::vector<std::string> host_files{};  // what it shares with the host, as allowed files
  // The least that it runs in, whatever the program needs: bytes, threads.
  std::uint64_t min_enclave_size = 0;
  std::int64_t min_threads = 0;
};

// Where gramine-ratls leaves what it makes, for the program to read: PEM files in the enclave.
struct RaTlsFiles {
  std::string certificate, key;
};

// `unresolved` when the runtime has no gramine-ratls.
Result<Front> ra_tls_front(const Launch& launch, const measure::Runtime& runtime,
                           const RaTlsFiles& files);

// What MarbleRun's documentation asks for: premain is a program of Go. Bytes; threads.
inline constexpr std::uint64_t kPremainEnclaveSize = 1ULL << 30;
inline constexpr std::int64_t kPremainThreads = 16;

// MarbleRun 1.x on Gramine: premain takes argv[0] for the program to execute, asks the Coordinator
// for the rest, and keeps its identity in a file of the host's. Adds the variables that the host
// chooses to `launch`. `unresolved` when no source has a premain-libos.
Result<Front> premain_front(Launch& launch, const measure::Runtime& runtime);

// Lets Gramine's library fetch a secret from these servers ("HOST:PORT", several with ';') before
// the program starts, by RA-TLS: preloaded, configured by variables. `ca` is the path, in the
// image, of the certificates by which the servers are known. `unresolved` when the runtime has no
// such library.
Status add_secret_provisioning(Launch& launch, const measure::Runtime& runtime,
                               const std::string& servers, const std::string& ca);

}  // namespace cloister::manifest
