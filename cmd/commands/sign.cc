#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "cmd/sign_image.h"

namespace cloister::cmd {
namespace {

struct SignCommandOptions {
  CommonOptions common;
  KeyOptions key;
  std::string image, identity, signing_data, format = "both", sbom = "none";
};

Status check_sign_usage(const SignCommandOptions& o) {
  CL_CHECK(check_key_options(o.key));
  const bool emits = !o.signing_data.empty();
  if (emits && o.key.given())
    return Error::usage("--emit-signing-data is for a key that is elsewhere")
        .hint("leave out --key, or --emit-signing-data");
  if (!emits && !o.key.given())
    return Error::usage("a signature needs a key")
        .hint("give --key KEY (make one: cloister keygen image -o image.pem), or --signer-cmd");
  return {};
}

// The second of two steps: a key that gives the signatures in a file, all of which are there and
// good: half of an image's signatures would be worse than none.
Result<sign::ImageKey> key_of_signatures(Session& session, const oci::ImageRef& ref,
                                         const ImageClaims& claims, const KeyOptions& options) {
  const std::string name = quote(options.signature);
  CL_TRY(const sign::ImagePublicKey half,
         load_public_key(options.public_key, session.key_context()));
  CL_TRY(const std::string text,
         read_text_file(options.signature, session.limits().attachment_bytes));
  CL_TRY(sign::SigningData given, sign::parse_signing_data(text, session.limits(), name));
  CL_TRY(const sign::SigningData wanted, image_signing_data(session, ref, claims));
  CL_CHECK(sign::check_signing_data(wanted, given, half, name));
  return sign::ImageKey::external(sign::signed_elsewhere(std::move(given), half.pem(), name));
}

Result<sign::ImageKey> signing_key(Session& session, const oci::ImageRef& ref,
                                   const ImageClaims& claims, const KeyOptions& options) {
  if (!options.signature.empty()) return key_of_signatures(session, ref, claims, options);
  CL_TRY(auto loaded, load_image_key(options, session.key_context()));
  return std::move(loaded.key);
}

Result<int> run_sign(const SignCommandOptions& o, const Environment& env) {
  CL_CHECK(check_sign_usage(o));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  const ImageClaims claims{signature_forms(o.format), o.identity, sbom_format(o.sbom)};
  if (!o.signing_data.empty()) {
    CL_TRY(const sign::SigningData data, image_signing_data(*session, ref, claims));
    CL_CHECK(write_result(o.signing_data, sign::encode_signing_data(data)));
    return 0;
  }
  CL_TRY(const sign::ImageKey key, signing_key(*session, ref, claims, o.key));
  CL_TRY(const SignedImage done, sign_image(*session, ref, {key, claims}));
  if (!done.attested)
    session->note("note: the image is not enclave-ready: it was signed, nothing was attested");
  CL_CHECK(write_result("", done.digest.str() + "\n"));
  return 0;
}

}  // namespace

Action add_sign(CLI::App& app) {
  auto o = std::make_shared<SignCommandOptions>();
  app.add_option("IMAGE", o->image, "Image in a registry or layout")->required();
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--key", o->key.key,
                 cat("Private key: ECDSA P-256 or P-384, Ed25519 or RSA (", kKeyForms, ")"))
      ->type_name("KEY");
  add_signer_options(app, o->key, "", "--key");
  app.add_option("--emit-signing-data", o->signing_data,
                 "Only write what is to be signed, as JSON, for a key that is elsewhere")
      ->type_name("FILE");
  app.add_option("--signature", o->key.signature,
                 "That file, with a signature added to each message; with --public-key")
      ->type_name("FILE");
  app.add_option("--identity", o->identity,
                 "Name that the signature carries (default: the image's reference)")
      ->type_name("NAME");
  add_signature_format_option(app, o->format);
  add_sbom_option(app, o->sbom);
  add_passphrase_options(app, o->key.passphrase);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_sign(*o, env); };
}

}  // namespace cloister::cmd
