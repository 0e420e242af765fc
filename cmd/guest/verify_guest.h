// Whether a virtual machine is what its signer says: every question that can be asked of its files.
#pragma once

#include "cmd/verify_image.h"

namespace cloister::cmd {

// REQUIRES: is_guest(image.manifest). `unsupported` for options that are about enclaves of SGX.
Result<ImageVerdict> verify_guest(Session& session, const oci::ImageRef& ref,
                                  const oci::Image& image, const ImageTrust& trust,
                                  const ImageTrustOptions& options);

}  // namespace cloister::cmd
