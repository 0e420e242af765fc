// Reads an enclave-ready image back: what its own bytes say, not its labels.
#pragma once

#include <optional>

#include "cmd/session.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "sign/image/checks.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

struct EnclaveImage {
  Bytes manifest;             // /gramine/app_files/entrypoint.manifest.sgx
  sign::Sigstruct sigstruct;  // /gramine/app_files/entrypoint.sig
  Digest sigstruct_digest;    // of that file
  bool signature_valid = false;
  // MRENCLAVE of manifest and /gramine/sgx/libpal.so, by the layout of `version`; nothing when it
  // cannot be computed, with the reason.
  std::optional<Digest> recomputed;
  std::string recompute_problem;
  std::string version;     // Gramine version by the image's label
  std::string provenance;  // how it was built, by its label; empty: it does not say
  std::uint64_t enclave_size = 0;
  std::vector<sign::NamedDigest>
      runtime_files;  // libpal.so, libsysdb.so: measured, or loaded first
};

// Empty when there is none.
std::string image_label(const oci::Image& image, std::string_view name);
// By its label: what a build of ours leaves there.
bool is_enclave_ready(const oci::Image& image);
// From a root that has at least the layer that the build added.
Result<EnclaveImage> read_enclave(const measure::Rootfs& rootfs, const oci::Image& image,
                                  const Limits& limits);
// Nothing when the image is not enclave-ready. Only its last layer is fetched.
Result<std::optional<EnclaveImage>> read_enclave_image(Session& session, const oci::ImageRef& ref,
                                                       const oci::Image& image);
// The enclave in an image that must have one whose SIGSTRUCT is signed and signs what is there:
// `invalid` when the image has none, `policy` when it does not fit.
Result<EnclaveImage> read_sound_enclave(Session& session, const oci::ImageRef& ref,
                                        const oci::Image& image);

// All that verify asks of the bytes: `loaded` is the whole image. The files that the manifest
// trusts are compared with those of the merged root, which the pass over the layers hashed.
Result<sign::EnclaveEvidence> enclave_evidence(const LoadedImage& loaded,
                                               const EnclaveImage& enclave, const Limits& limits);

}  // namespace cloister::cmd
