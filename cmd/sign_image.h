// Signs an image where it lies and, for an enclave-ready image, attests its measurement: under the
// tags .sig and .att, which cosign 2 and the containers policy read, and as Sigstore bundles that
// refer to the image, which cosign 3 prefers as soon as there is one.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cmd/predicates.h"
#include "cmd/session.h"
#include "sign/image/image_key.h"
#include "sign/image/signing_data.h"

namespace cloister::cmd {

struct SignatureForms {
  bool legacy = true, bundle = true;
};
void add_signature_format_option(CLI::App& app, std::string& format);
// Of --sig-format. REQUIRES: a name that the option accepts.
SignatureForms signature_forms(const std::string& name);

// What is said about an image, and in which forms.
struct ImageClaims {
  SignatureForms forms;
  std::string identity;  // docker-reference; empty: the reference under which the image was named
  SbomFormat sbom = SbomFormat::none;
};
struct SignImageOptions {
  const sign::ImageKey& key;
  ImageClaims claims;
};

struct SignedImage {
  Digest digest;
  bool attested = false;  // the image is enclave-ready, and what is in it was attested
};

// A registry or a layout: nothing can be added to an archive, or to what a daemon holds. `usage`.
Status require_signable(const oci::ImageRef& ref);

// What is there already, by the same key and about the same bytes, is not added again.
Result<SignedImage> sign_image(Session& session, const oci::ImageRef& ref,
                               const SignImageOptions& options);

// All that sign_image would sign, for a key that is elsewhere. The same image, name and claims give
// the same bytes.
Result<sign::SigningData> image_signing_data(Session& session, const oci::ImageRef& ref,
                                             const ImageClaims& claims);

// States one thing about the image, and does not sign it.
Status attest_image(Session& session, const oci::ImageRef& ref, const oci::Image& image,
                    const Predicate& predicate, const SignImageOptions& options);

}  // namespace cloister::cmd
