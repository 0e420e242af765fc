// An independent witness: repeats the build, and says so with a key of its own when the result is
// the same image, bit for bit.
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/rebuild.h"
#include "cmd/report/verify.h"
#include "cmd/session.h"
#include "cmd/sign_image.h"
#include "sign/image/rebuild.h"

namespace cloister::cmd {
namespace {

struct AttestOptions {
  CommonOptions common;
  KeyOptions key;
  RebuildSources sources;
  std::string image, sig_format = "both", format = "text";
  bool rebuild = false;
};

Predicate rebuild_predicate(const Rebuilt& rebuilt, const EnclaveImage& enclave) {
  return {sign::kRebuildPredicate, sign::encode_rebuild({enclave.sigstruct.mrenclave,
                                                         rebuilt.inputs, std::string(kVersion)})};
}

Result<int> run_attest(const AttestOptions& o, const Environment& env) {
  CL_CHECK(check_key_options(o.key, "sign-"));
  if (!o.key.given())
    return Error::usage("an attestation needs a key")
        .hint(
            "give --sign-key KEY (make one: cloister keygen image -o image.pem), or "
            "--sign-signer-cmd");
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_CHECK(require_signable(ref));
  CL_TRY(const auto loaded, load_image_key(o.key, session->key_context()));
  CL_TRY(const oci::Image image, session->resolve(ref));
  CL_TRY(const auto enclave, read_enclave_image(*session, ref, image));
  if (!enclave)
    return Error::invalid(cat(quote(o.image), " is not enclave-ready"))
        .hint("only what cloister built can be rebuilt");
  CL_TRY(const Rebuilt rebuilt, rebuild(*session, image, *enclave, o.sources));
  const VerifyReport report{image.name, image.manifest_descriptor.digest, rebuilt.checks,
                            "This image is what its provenance says, bit for bit."};
  if (rebuilt.identical())
    CL_CHECK(attest_image(*session, ref, image, rebuild_predicate(rebuilt, *enclave),
                          {loaded.key, {signature_forms(o.sig_format), "", SbomFormat::none}}));
  CL_CHECK(write_result("", o.format == "json" ? verify_json(report) : verify_text(report)));
  return rebuilt.identical() ? 0 : kExitPolicy;
}

}  // namespace

Action add_attest(CLI::App& app) {
  auto o = std::make_shared<AttestOptions>();
  app.add_option("IMAGE", o->image, "Image in a registry or layout, as cloister built it")
      ->required();
  app.add_flag("--rebuild", o->rebuild, "Repeat the build, and attest that it gives this image")
      ->required();
  OptionHeading heading(app, kHeadingSigning);
  app.add_option(
         "--sign-key", o->key.key,
         cat("Private key of the rebuilder, who is not the image's signer (", kKeyForms, ")"))
      ->type_name("KEY");
  add_signer_options(app, o->key, "sign-", "--sign-key");
  add_rebuild_options(app, o->sources);
  add_signature_format_option(app, o->sig_format);
  add_passphrase_options(app, o->key.passphrase);
  add_format_option(app, o->format, {"text", "json"});
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_attest(*o, env); };
}

}  // namespace cloister::cmd
