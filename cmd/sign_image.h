// Signs an image where it lies and, for an enclave-ready image, attests its measurement: under the
// tags .sig and .att, which cosign 2 and the containers policy read, and as Sigstore bundles that
// refer to the image, which cosign 3 prefers as soon as there is one.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cmd/passphrase.h"
#include "cmd/predicates.h"
#include "cmd/session.h"
#include "sign/image/image_key.h"

namespace cloister::cmd {

Result<sign::ImageKey> load_image_key(Session& session, const std::string& file,
                                      const PassphraseOptions& passphrase);

struct SignatureForms {
  bool legacy = true, bundle = true;
};
void add_signature_format_option(CLI::App& app, std::string& format);
// Of --sig-format. REQUIRES: a name that the option accepts.
SignatureForms signature_forms(const std::string& name);

struct SignImageOptions {
  const sign::ImageKey& key;
  SignatureForms forms;
  std::string identity;  // docker-reference; empty: the reference under which the image was named
  SbomFormat sbom = SbomFormat::none;
};

struct SignedImage {
  Digest digest;
  bool attested = false;  // the image is enclave-ready, and what is in it was attested
};

// What is there already, by the same key and about the same bytes, is not added again.
Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options);

// States one thing about the image, and does not sign it.
Status attest_image(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                    const Predicate& predicate, const SignImageOptions& options);

}  // namespace cloister::cmd
