// What an enclave-ready image needs of the host that runs it, as its own bytes say: its enclave's
// manifest, its SIGSTRUCT, and its configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/enclave_image.h"
#include "cmd/session.h"

namespace cloister::cmd {

// Where the enclave reads and writes outside of itself, though the root is read-only.
struct HostPlace {
  std::string path;         // on the container's side, absolute, UTF-8
  bool encrypted = false;   // else the host may read and change it
  bool file = false;        // a file of the image, which no volume can stand for
  std::uint32_t owner = 0;  // of a new volume there: what the image gives the directory, or root
};

struct ExposedPort {
  std::uint16_t number = 0;
  std::string protocol;  // "tcp", "udp" or "sctp"
};

// Those of the image's configuration; what is no port is a line of `problems`.
void read_ports(const oci::ExecutionConfig& config, std::vector<ExposedPort>& ports,
                std::vector<std::string>& problems);

struct Deployment {
  std::string image;       // "reg.example/redis:7-sgx@sha256:…": the tag is for people
  std::string repository;  // "reg.example/redis"
  std::string name;        // of the repository, as a DNS label: "redis"
  sign::Sigstruct sigstruct;
  std::uint64_t enclave_size = 0;  // bytes
  bool edmm = false;
  bool attested = false;        // by DCAP: the enclave asks the host's AESM for quotes
  bool host_arguments = false;  // the host's arguments are the program's
  bool sigterm = false;         // SIGTERM reaches the program
  std::string stop_signal;      // of the image; empty: SIGTERM
  bool healthcheck = false;
  std::uint32_t uid = 0, gid = 0;  // of the container's process
  std::vector<HostPlace> places;   // by path
  std::vector<ExposedPort> ports;
  std::vector<std::string> environment;  // variables that the manifest takes from the host
  std::vector<std::string> problems;     // what is left to people, a line each

  // Without capabilities root writes only where it is the owner.
  bool other_owner() const;
};

// `rootfs` is null where only the added layer was read; wants_rootfs says whether that suffices.
// REQUIRES: `ref` names a registry.
Result<Deployment> deployment_of(const oci::ImageRef& ref, const oci::Image& image,
                                 const EnclaveImage& enclave, const measure::Rootfs* rootfs,
                                 const Limits& limits);
// Whether it matters what is in the layers below: who a user is, what kind of file is where.
Result<bool> wants_rootfs(const oci::Image& image, const EnclaveImage& enclave,
                          const Limits& limits);

// A DNS label (RFC 1123) made of a name, at most 40 characters; "enclave" where nothing is left.
std::string dns_label(std::string_view name);

// A command line for a POSIX shell. `unsupported` for a path that cannot stand on one without
// doing something to the terminal that shows it.
Result<std::string> docker_command(const Deployment& deployment);
std::string compose_file(const Deployment& deployment);
// Who gives SGX to pods: Intel's device plugin, whose webhook mounts the AESM socket, or the add-on
// confcom of AKS, which gives the devices with the memory and has the socket on the node.
enum class SgxPlugin { intel, aks };
// Volume claims, Deployment and Service; with a public key (PEM) also the rule by which sigstore's
// policy-controller admits only images with an attestation, by that key, that they hold an enclave
// of this signer and product.
std::string kubernetes_manifests(const Deployment& deployment, const std::string& public_key,
                                 SgxPlugin plugin = SgxPlugin::intel);

// Names of the volumes behind deployment.places, in their order: each once, and DNS labels. Empty
// for a file.
std::vector<std::string> volume_names(const Deployment& deployment);
// What people have to know or do, a line each.
std::vector<std::string> deployment_notes(const Deployment& deployment);

}  // namespace cloister::cmd
