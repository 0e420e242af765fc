#include "cmd/build_image.h"

#include "base/text.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/publish.h"
#include "cmd/report/build.h"
#include "cmd/session.h"
#include "cmd/sign_image.h"

namespace cloister::cmd {
namespace {

// The destinations, checked before any work is done for them.
Result<std::vector<oci::ImageRef>> parse_tags(const std::vector<std::string>& tags) {
  std::vector<oci::ImageRef> out;
  for (const std::string& tag : tags) {
    CL_TRY(oci::ImageRef ref, oci::parse_image_ref(tag));
    if (ref.transport != oci::Transport::registry)
      return Error::usage(cat("-t ", quote(tag), " is not a registry reference"))
          .hint("a layout or an archive is written with -o");
    if (ref.registry.digest)
      return Error::usage(cat("-t ", quote(tag), " names a digest, which the build decides"))
          .hint("write a tag: -t REGISTRY/REPOSITORY:TAG");
    out.push_back(std::move(ref));
  }
  return out;
}

Result<std::optional<oci::ImageRef>> parse_output(const std::string& text) {
  if (text.empty()) return std::optional<oci::ImageRef>();
  CL_TRY(oci::ImageRef ref, oci::parse_image_ref(text));
  CL_CHECK(check_destination(ref));
  if (ref.transport == oci::Transport::registry || ref.digest)
    return Error::usage(
               cat("-o ", quote(text),
                   " is not oci:DIR[:tag], oci-archive:FILE[:tag] or docker-archive:FILE[:REF]"))
        .hint("an image is pushed to a registry with -t DEST --push");
  return std::optional(std::move(ref));
}

// The built image beside its base in the store: base blobs were fetched, new ones put there.
Result<oci::ImageContent> built_content(Session& session, const Plan& plan, const Built& built) {
  oci::Image image = plan.base.image;
  image.manifest = built.image.manifest;
  image.manifest_descriptor = built.image.manifest_descriptor;
  image.manifest_text = built.image.manifest_text;
  return content_in_store(session, image);
}

// By digest: a tag may have been moved since.
Status sign_built(Session& session, oci::ImageRef ref, const Built& built,
                  const sign::ImageKey& key, SignatureForms forms, SbomFormat sbom) {
  ref.digest = ref.registry.digest = built.image.manifest_descriptor.digest;
  CL_CHECK(sign_image(session, ref, {key, {forms, "", sbom}}));
  return {};
}

// Written and signed at each place.
Status publish_built(Session& session, const Plan& plan, const Built& built,
                     const BuildTarget& target, const Destinations& to, const BuildKeys& keys) {
  CL_TRY(const oci::ImageContent content, built_content(session, plan, built));
  CL_CHECK(session.cancel().check());
  const SignatureForms forms = signature_forms(target.sig_format);
  const SbomFormat sbom = sbom_format(target.sbom);
  if (to.output) CL_CHECK(publish(session, content, *to.output, ""));
  if (to.output && keys.image && to.output->transport == oci::Transport::layout)
    CL_CHECK(sign_built(session, *to.output, built, keys.image->key, forms, sbom));
  CL_TRY(oci::Store * store, session.store());
  for (const oci::ImageRef& tag : to.tags) {
    if (target.push) CL_CHECK(publish(session, content, tag, mountable_from(plan.base.ref, tag)));
    if (target.push && keys.image)
      CL_CHECK(sign_built(session, tag, built, keys.image->key, forms, sbom));
    CL_CHECK(store->tag(tag.str(), built.image.manifest_descriptor));
  }
  return {};
}

}  // namespace

void add_signing_options(CLI::App& app, BuildTarget& target, std::string* signing_data) {
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--key", target.key.key,
                 cat("SGX signing key: RSA-3072, exponent 3 (", kKeyForms, ")"))
      ->type_name("KEY")
      ->envname("CLOISTER_KEY");
  add_passphrase_options(app, target.key.passphrase);
  add_signer_options(app, target.key, "", "--key");
  if (signing_data != nullptr)
    add_two_step_options(app, target.key, *signing_data, "256 bytes of a SIGSTRUCT",
                         "RSA PKCS#1 v1.5 with SHA-256");
  app.add_option("--sign-key", target.sign_key.key,
                 cat("Key that signs the result and attests its measurement (", kKeyForms, ")"))
      ->type_name("KEY");
  add_signer_options(app, target.sign_key, "sign-", "--sign-key");
  add_signature_format_option(app, target.sig_format);
  add_sbom_option(app, target.sbom);
  app.add_option("--sign-passphrase-file", target.sign_key.passphrase.file,
                 "File that holds the passphrase of --sign-key")
      ->type_name("FILE");
}

void add_destination_options(CLI::App& app, BuildTarget& target) {
  OptionHeading heading(app, kHeadingOptions);
  app.add_option("-t,--tag", target.tags, "Name of the result; repeatable")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  app.add_flag("--push", target.push, "Push the result under each name of -t");
  app.add_option("-o,--output", target.output,
                 "Write the result to oci:DIR[:tag], oci-archive:FILE[:tag] or "
                 "docker-archive:FILE[:REF]")
      ->type_name("IMAGE");
}

void add_build_output_options(CLI::App& app, BuildTarget& target) {
  OptionHeading heading(app, kHeadingOutput);
  app.add_option("--iidfile", target.iidfile, "Write the image's digest to a file")
      ->type_name("FILE");
  app.add_option("--metadata-file", target.metadata_file, "Write the result as JSON to a file")
      ->type_name("FILE");
  add_format_option(app, target.format, {"text", "json"});
}

void add_date_option(CLI::App& app, std::string& date) {
  app.add_option("--date", date,
                 "Date of the image and SIGSTRUCT (default: SOURCE_DATE_EPOCH, else the base's)")
      ->type_name("DATE");
}

void drop_default_key(BuildTarget& target, bool elsewhere, const Environment& env) {
  KeyOptions& key = target.key;
  if (!elsewhere && key.command.empty() && key.signature.empty()) return;
  if (env.get("CLOISTER_KEY") == key.key) key.key.clear();
}

Status check_target(const BuildTarget& target, bool signs) {
  CL_CHECK(check_key_options(target.key));
  CL_CHECK(check_key_options(target.sign_key, "sign-"));
  if (signs && !target.key.given())
    return Error::usage("a build needs an SGX signing key")
        .hint("give --key PEM (make one: cloister keygen sgx -o enclave.pem), or --dry-run");
  if (target.push && target.tags.empty())
    return Error::usage("--push needs a destination")
        .hint("name it with -t REGISTRY/REPOSITORY:TAG");
  if (target.sbom != "none" && !target.sign_key.given())
    return Error::usage("--sbom is attested, and there is no key to sign it with")
        .hint("give --sign-key PEM; cloister deps --format spdx writes one without a key");
  if (target.sign_key.given() && signs && !target.push && !target.output.starts_with("oci:"))
    return Error::usage("--sign-key signs an image where it lies, and this build puts it nowhere")
        .hint("give -t DEST --push, or -o oci:DIR (an archive cannot be added to)");
  return {};
}

Result<Destinations> parse_destinations(const BuildTarget& target) {
  Destinations out;
  CL_TRY(out.tags, parse_tags(target.tags));
  CL_TRY(out.output, parse_output(target.output));
  return out;
}

Result<BuildKeys> load_build_keys(const BuildTarget& target, const KeyContext& context) {
  BuildKeys out;
  if (target.sign_key.given()) {
    CL_TRY(out.image, load_image_key(target.sign_key, context));
  }
  CL_TRY(out.sgx, load_sgx_key(target.key, context));
  return out;
}

std::vector<UsedKey> used_keys(const BuildKeys& keys) {
  std::vector<UsedKey> out;
  if (keys.sgx) out.push_back({"--key", keys.sgx->key.fingerprint(), keys.sgx->text});
  if (keys.image)
    out.push_back({"--sign-key", keys.image->key.public_key().fingerprint(), keys.image->text});
  return out;
}

Result<Digest> build_image(Session& session, const Plan& plan, const BuildRecord& record,
                           const BuildTarget& target, const Destinations& destinations,
                           const BuildKeys& keys) {
  CL_TRY(const AssembleOptions options, assemble_options(record));
  sign::Sigstruct sigstruct = unsigned_sigstruct(plan, options.created);
  CL_CHECK(sign::sign_sigstruct(sigstruct, keys.sgx->key));
  CL_TRY(const Built built, assemble(plan, sigstruct, options, session.limits()));
  CL_CHECK(keep_built(session, built));
  CL_CHECK(publish_built(session, plan, built, target, destinations, keys));

  const Digest& digest = built.image.manifest_descriptor.digest;
  const std::string name = destinations.tags.empty() ? "" : destinations.tags.front().str();
  const BuildReport report{plan, &built, digest.str(), name, {}};
  if (!target.iidfile.empty()) CL_CHECK(write_result(target.iidfile, digest.str()));
  if (!target.metadata_file.empty())
    CL_CHECK(write_result(target.metadata_file, build_json(report)));
  if (!session.quiet() && target.format != "json") session.note(build_summary(report));
  CL_CHECK(write_result("", target.format == "json" ? build_json(report) : digest.str() + "\n"));
  return digest;
}

}  // namespace cloister::cmd
