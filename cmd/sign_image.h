// Signs an image where it lies: the signature under its .sig tag and, for an enclave-ready image,
// the measurement attestation under .att, as cosign and the containers policy read them.
#pragma once

#include <string>

#include "cmd/passphrase.h"
#include "cmd/session.h"
#include "sign/image/image_key.h"

namespace cloister::cmd {

Result<sign::ImageKey> load_image_key(Session& session, const std::string& file,
                                      const PassphraseOptions& passphrase);

struct SignImageOptions {
  const sign::ImageKey& key;
  std::string identity;  // docker-reference; empty: the reference under which the image was named
};

struct SignedImage {
  Digest digest;
  bool attested = false;  // the image is enclave-ready, and its measurement was attested
};

// What is there already, by the same key and about the same bytes, is not added again.
Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options);

}  // namespace cloister::cmd
