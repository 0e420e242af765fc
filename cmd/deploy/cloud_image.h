// What a cloud's launcher is told of an image that needs no enclave: any image, as its manifest and
// configuration say, pinned by digest.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cmd/deploy/deployment.h"
#include "oci/documents/image.h"
#include "oci/documents/reference.h"

namespace cloister::cmd {

struct CloudImage {
  std::string reference;             // "reg.example/redis@sha256:…", without a tag
  std::string digest;                // "sha256:…" of the manifest of one platform
  std::string name;                  // of the repository, as a DNS label: "redis"
  std::vector<std::string> command;  // Entrypoint and Cmd; never empty
  std::vector<std::pair<std::string, std::string>> env;  // the last value of a name, image order
  std::string user;                                      // as the image has it; empty: root
  std::string workdir;                                   // "/" where the image names none
  std::string stop_signal;                               // empty: SIGTERM
  std::vector<std::string> volumes;                      // absolute
  std::vector<ExposedPort> ports;
  std::map<std::string, std::string> labels;
  std::size_t layers = 0;
  bool healthcheck = false;
  std::vector<std::string> problems;  // what was passed over, a line each
};

// `unsupported` for what no confidential machine of a cloud starts: an image for another platform
// than linux/amd64, one that is made for SGX, words with NUL; `invalid` for one that starts
// nothing. REQUIRES: `ref` names a registry.
Result<CloudImage> cloud_image_of(const oci::ImageRef& ref, const oci::Image& image);

// Whether the container's process is root: no user, "root", or the number 0.
bool runs_as_root(const CloudImage& image);
// A number for a signal by its number or name ("SIGQUIT", "QUIT"); 15 for what is not known.
int signal_of(const std::string& stop_signal);

}  // namespace cloister::cmd
