// Reads an enclave-ready image back: what its own bytes say, not its labels.
#pragma once

#include <optional>

#include "cmd/session.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "sign/sgx/sigstruct.h"

namespace cloister::cmd {

struct EnclaveImage {
  Bytes manifest;             // /gramine/app_files/entrypoint.manifest.sgx
  sign::Sigstruct sigstruct;  // /gramine/app_files/entrypoint.sig
  bool signature_valid = false;
  std::optional<Digest>
      recomputed;  // MRENCLAVE of manifest and /gramine/sgx/libpal.so; by the layout of `version`
  std::string version;  // Gramine version by the image's label
};

// Nothing when the image is not enclave-ready. Only its last layer is fetched.
Result<std::optional<EnclaveImage>> read_enclave_image(Session& session, const oci::ImageRef& ref,
                                                       const oci::Image& image);

}  // namespace cloister::cmd
