// docker-daemon:REF: an image out of a Docker or Podman daemon on this machine.
#pragma once

#include <map>
#include <memory>
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

// Exports the image at once into `spool`, a temporary file that the transport keeps: an archive is
// read at several places. Errors: `not_found` (no socket, no such image), `unauthorized` (no
// permission for the socket), `unavailable` (nobody listens, the daemon failed or stopped).
Result<std::unique_ptr<ImageTransport>> open_docker_daemon(const ImageRef& ref,
                                                           DaemonOptions options, TempFile spool,
                                                           const Limits& limits, Progress& progress,
                                                           CancelToken cancel);

}  // namespace cloister::oci
