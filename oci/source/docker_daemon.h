// docker-daemon:REF: an image out of a Docker or Podman daemon on this machine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "oci/source/transport.h"

namespace cloister::oci {

// The socket to talk to, by the variables that Docker and Podman obey: DOCKER_HOST or
// CONTAINER_HOST (unix://PATH; other schemes are `unsupported`), else the first that exists of
// /var/run/docker.sock, $XDG_RUNTIME_DIR/docker.sock, $XDG_RUNTIME_DIR/podman/podman.sock and
// /run/podman/podman.sock. `not_found` when there is none.
Result<std::string> find_daemon_socket(const std::map<std::string, std::string>& variables);

struct DaemonOptions {
  std::string socket;  // path of the unix socket
  std::string user_agent;
};

// The digest of the configuration of the image that the daemon has under this name: its id. Nothing
// where the daemon names images otherwise (Docker with the containerd store has their manifest's
// digest) or does not tell; `unauthorized`, `unavailable` and `not_found` as below.
Result<std::optional<Digest>> daemon_image_id(const ImageRef& ref, const DaemonOptions& options,
                                              const Limits& limits, CancelToken cancel);

// Exports the image at once into `spool`, a temporary file that the transport keeps: an archive is
// read at several places. Errors: `not_found` (no socket, no such image), `unauthorized` (no
// permission for the socket), `unavailable` (nobody listens, the daemon failed or stopped).
Result<std::unique_ptr<ImageTransport>> open_docker_daemon(const ImageRef& ref,
                                                           const DaemonOptions& options,
                                                           TempFile spool, const Limits& limits,
                                                           Progress& progress, CancelToken cancel);

}  // namespace cloister::oci
