#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "cmd/sign_image.h"

namespace cloister::cmd {
namespace {

struct SignCommandOptions {
  CommonOptions common;
  PassphraseOptions passphrase;
  std::string image, key, identity, format = "both", sbom = "none";
};

Result<int> run_sign(const SignCommandOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const sign::ImageKey key, load_image_key(*session, o.key, o.passphrase));
  CL_TRY(
      const SignedImage done,
      sign_image(*session, ref, {key, signature_forms(o.format), o.identity, sbom_format(o.sbom)}));
  if (!done.attested)
    session->note("note: the image is not enclave-ready: it was signed, nothing was attested");
  CL_CHECK(write_result("", done.digest.str() + "\n"));
  return 0;
}

}  // namespace

Action add_sign(CLI::App& app) {
  auto o = std::make_shared<SignCommandOptions>();
  app.add_option("IMAGE", o->image, "Image in a registry or layout")->required();
  app.add_option("--key", o->key, "Private key: ECDSA P-256 or P-384, Ed25519 or RSA (PEM)")
      ->required();
  app.add_option("--identity", o->identity,
                 "Name that the signature carries (default: the image's reference)");
  add_signature_format_option(app, o->format);
  add_sbom_option(app, o->sbom);
  add_passphrase_options(app, o->passphrase);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_sign(*o, env); };
}

}  // namespace cloister::cmd
