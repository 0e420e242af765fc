#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/baseline.h"
#include "cmd/build_date.h"
#include "cmd/build_record.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/key_leak.h"
#include "cmd/key_source.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/publish.h"
#include "cmd/report/build.h"
#include "cmd/report/diff.h"
#include "cmd/session.h"
#include "cmd/sign_image.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

struct BuildOptions {
  CommonOptions common;
  PlanArguments plan;
  KeyOptions key, sign_key;
  std::string image, signing_data, output, date, iidfile, metadata_file,
      format = "text", sig_format = "both", sbom = "none";
  std::vector<std::string> tags, labels;
  std::string lock, locked;  // files of --lock and --locked; empty: not given
  bool push = false, dry_run = false, with_direct = false;
};

Status check_usage(const BuildOptions& o) {
  CL_CHECK(check_key_options(o.key));
  CL_CHECK(check_key_options(o.sign_key, "sign-"));
  const bool signs = !o.dry_run && o.signing_data.empty();
  if (signs && !o.key.given())
    return Error::usage("a build needs an SGX signing key")
        .hint("give --key PEM (make one: cloister keygen sgx -o enclave.pem), or --dry-run");
  if (!o.signing_data.empty() && (o.dry_run || o.key.given() || o.push || !o.output.empty()))
    return Error::usage("--emit-signing-data is the first of two steps, and builds nothing yet")
        .hint(
            "leave out --key, --push, -o and --dry-run; the second step is the same build with "
            "--signature FILE --public-key PEM");
  if (o.push && o.tags.empty())
    return Error::usage("--push needs a destination")
        .hint("name it with -t REGISTRY/REPOSITORY:TAG");
  if (o.sbom != "none" && !o.sign_key.given())
    return Error::usage("--sbom is attested, and there is no key to sign it with")
        .hint("give --sign-key PEM; cloister deps --format spdx writes one without a key");
  if (o.sign_key.given() && signs && !o.push && !o.output.starts_with("oci:"))
    return Error::usage("--sign-key signs an image where it lies, and this build puts it nowhere")
        .hint("give -t DEST --push, or -o oci:DIR (an archive cannot be added to)");
  return {};
}

// The destinations, checked before any work is done for them.
Result<std::vector<oci::ImageRef>> parse_tags(const BuildOptions& o) {
  std::vector<oci::ImageRef> out;
  for (const std::string& tag : o.tags) {
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

BuildRecord record_of(const BuildOptions& o, const Plan& plan, const PlanOptions& plan_options,
                      const AssembleOptions& options) {
  BuildRecord record;
  record.plan = o.plan;
  record.with_direct = options.with_direct;
  record.labels = o.labels;
  record.created = options.created;
  record.platform = plan.base.image.config.platform().str();
  record.inputs = build_inputs(plan, options.base_name, plan_options.overlay_text);
  record.version = std::string(kVersion);
  return record;
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

Result<int> dry_run(const BuildOptions& o, const Plan& plan,
                    const std::vector<oci::ImageRef>& tags) {
  BuildReport report{plan, nullptr, {}, tags.empty() ? std::string() : tags.front().str(), {}};
  if (o.push)
    for (const oci::ImageRef& tag : tags) report.would_push.push_back(tag.str());
  CL_CHECK(write_result("", o.format == "json" ? build_json(report) : dry_run_text(report)));
  if (!o.metadata_file.empty()) CL_CHECK(write_result(o.metadata_file, build_json(report)));
  return 0;
}

std::vector<UsedKey> used_keys(const std::optional<LoadedKey<sign::SgxKey>>& key,
                               const std::optional<LoadedKey<sign::ImageKey>>& sign_key) {
  std::vector<UsedKey> out;
  if (key) out.push_back({"--key", key->key.fingerprint(), key->text});
  if (sign_key)
    out.push_back({"--sign-key", sign_key->key.public_key().fingerprint(), sign_key->text});
  return out;
}

// The first of two steps: what the SIGSTRUCT's signature is to be over. The second step makes the
// same bytes from the same inputs, so the date is one of them.
Result<int> emit_signing_data(const BuildOptions& o, const Plan& plan, const Environment& env) {
  CL_TRY(const Seconds created, build_date(o.date, env, plan.base.image.config.created));
  const sign::Sigstruct sigstruct = unsigned_sigstruct(plan, created);
  CL_CHECK(write_result(o.signing_data, as_text(sign::signing_data(sigstruct))));
  return 0;
}

// Whether the plan is what the baseline says, to the last file; then the runtime is pinned by it.
Status check_locked(const BuildOptions& o, const Limits& limits, Plan& plan) {
  if (o.locked.empty()) return {};
  CL_TRY(const std::string text, read_text_file(o.locked, kMaxBaselineBytes));
  CL_TRY(const Baseline baseline, parse_baseline(text, limits, quote(o.locked)));
  const auto changes = manifest::compare_permissions(baseline.permissions, permissions_of(plan));
  if (!changes.empty()) {
    constexpr std::size_t kShown = 20;
    Error error =
        Error::policy(cat("this is not what ", quote(o.locked), " says: ", change_phrase(changes)));
    for (std::size_t i = 0; i < changes.size() && i < kShown; ++i)
      error = std::move(error).detail(
          cat(manifest::direction_name(changes[i].direction), "  ", change_line(changes[i])));
    if (changes.size() > kShown)
      error = std::move(error).detail(cat("and ", changes.size() - kShown, " more"));
    return std::move(error).hint(cat("look at them with cloister diff ", printable(o.locked), " ",
                                     printable(o.image), "; --lock accepts them"));
  }
  std::erase_if(plan.findings, [&](const manifest::Finding& finding) {
    return finding.id == manifest::kRuleMutableRuntime;
  });
  return {};
}

Result<int> run_build(const BuildOptions& o, const Environment& env) {
  CL_CHECK(check_usage(o));
  CL_TRY(const auto tags, parse_tags(o));
  CL_TRY(const auto output, parse_output(o.output));
  CL_TRY(auto labels, parse_labels(o.labels));
  CL_CHECK(manifest::check_labels(labels));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions plan_options, to_plan_options(o.plan, session->limits()));
  // A wrong key should not be found out after minutes of pulling.
  std::optional<LoadedKey<sign::SgxKey>> key;
  std::optional<LoadedKey<sign::ImageKey>> sign_key;
  const bool signs = !o.dry_run && o.signing_data.empty();
  if (signs && o.sign_key.given()) {
    CL_TRY(sign_key, load_image_key(o.sign_key, session->key_context()));
  }
  if (signs) {
    CL_TRY(key, load_sgx_key(o.key, session->key_context()));
  }
  CL_TRY(Plan plan, plan_build(*session, ref, plan_options));
  CL_CHECK(check_locked(o, session->limits(), plan));
  CL_CHECK(require_no_private_key(plan, used_keys(key, sign_key)));
  if (!o.lock.empty()) CL_CHECK(write_result(o.lock, lock_json(plan)));
  if (o.dry_run) return dry_run(o, plan, tags);
  if (!o.signing_data.empty()) return emit_signing_data(o, plan, env);

  AssembleOptions options;
  options.with_direct = o.with_direct;
  options.labels = std::move(labels);
  options.base_name = public_name(ref);
  CL_TRY(options.created, build_date(o.date, env, plan.base.image.config.created));
  options.provenance = encode_build_record(record_of(o, plan, plan_options, options));
  sign::Sigstruct sigstruct = unsigned_sigstruct(plan, options.created);
  CL_CHECK(sign::sign_sigstruct(sigstruct, key->key));
  CL_TRY(const Built built, assemble(plan, sigstruct, options, session->limits()));
  CL_CHECK(keep_built(*session, built));

  CL_TRY(const oci::ImageContent content, built_content(*session, plan, built));
  CL_CHECK(session->cancel().check());
  const SignatureForms forms = signature_forms(o.sig_format);
  const SbomFormat sbom = sbom_format(o.sbom);
  if (output) CL_CHECK(publish(*session, content, *output, ""));
  if (output && sign_key && output->transport == oci::Transport::layout)
    CL_CHECK(sign_built(*session, *output, built, sign_key->key, forms, sbom));
  CL_TRY(oci::Store * store, session->store());
  for (const oci::ImageRef& tag : tags) {
    if (o.push) CL_CHECK(publish(*session, content, tag, mountable_from(ref, tag)));
    if (o.push && sign_key) CL_CHECK(sign_built(*session, tag, built, sign_key->key, forms, sbom));
    CL_CHECK(store->tag(tag.str(), built.image.manifest_descriptor));
  }

  const std::string digest = built.image.manifest_descriptor.digest.str();
  const BuildReport report{
      plan, &built, digest, tags.empty() ? std::string() : tags.front().str(), {}};
  if (!o.iidfile.empty()) CL_CHECK(write_result(o.iidfile, digest));
  if (!o.metadata_file.empty()) CL_CHECK(write_result(o.metadata_file, build_json(report)));
  if (!session->quiet() && o.format != "json") session->note(build_summary(report));
  CL_CHECK(write_result("", o.format == "json" ? build_json(report) : digest + "\n"));
  return 0;
}

}  // namespace

Action add_build(CLI::App& app) {
  auto o = std::make_shared<BuildOptions>();
  app.add_option("IMAGE", o->image, "Image to build from; cloister pull --help lists the forms")
      ->required();
  OptionHeading heading(app, kHeadingSigning);
  app.add_option("--key", o->key.key,
                 cat("SGX signing key: RSA-3072, exponent 3 (", kKeyForms, ")"))
      ->type_name("KEY")
      ->envname("CLOISTER_KEY");
  add_passphrase_options(app, o->key.passphrase);
  add_signer_options(app, o->key, "", "--key");
  add_sgx_two_step_options(app, o->key, o->signing_data);
  app.add_option("--sign-key", o->sign_key.key,
                 cat("Key that signs the result and attests its measurement (", kKeyForms, ")"))
      ->type_name("KEY");
  add_signer_options(app, o->sign_key, "sign-", "--sign-key");
  add_signature_format_option(app, o->sig_format);
  add_sbom_option(app, o->sbom);
  app.add_option("--sign-passphrase-file", o->sign_key.passphrase.file,
                 "File that holds the passphrase of --sign-key")
      ->type_name("FILE");
  OptionHeading options(app, kHeadingOptions);
  app.add_option("-t,--tag", o->tags, "Name of the result; repeatable")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  app.add_flag("--push", o->push, "Push the result under each name of -t");
  app.add_option("-o,--output", o->output,
                 "Write the result to oci:DIR[:tag], oci-archive:FILE[:tag] or "
                 "docker-archive:FILE[:REF]")
      ->type_name("IMAGE");
  app.add_flag("--dry-run", o->dry_run,
               "Print the manifest and what would be built; no key, nothing written");
  // As flags that may have a value: another word would be the next argument.
  app.add_flag(cat("--lock{", kLockFile, "}"), o->lock,
               cat("Write what the build is made from, and may do, to a file to be committed\n"
                   "(default: ",
                   kLockFile, ")"))
      ->type_name("=FILE");
  app.add_flag(cat("--locked{", kLockFile, "}"), o->locked,
               "Fail with 3 when the build is not what that file says")
      ->type_name("=FILE");
  app.add_flag("--with-direct", o->with_direct,
               "Carry Gramine's direct-mode loader too, to try the image without SGX");
  app.add_option("--date", o->date,
                 "Date of the image and SIGSTRUCT (default: SOURCE_DATE_EPOCH, else the base's)")
      ->type_name("DATE");
  app.add_option("--label", o->labels, "Label of the image; repeatable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  OptionHeading output(app, kHeadingOutput);
  app.add_option("--iidfile", o->iidfile, "Write the image's digest to a file")->type_name("FILE");
  app.add_option("--metadata-file", o->metadata_file, "Write the result as JSON to a file")
      ->type_name("FILE");
  add_format_option(app, o->format, {"text", "json"});
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) {
    // $CLOISTER_KEY is for builds that say nothing else.
    const bool elsewhere =
        !o->key.command.empty() || !o->key.signature.empty() || !o->signing_data.empty();
    if (elsewhere && env.get("CLOISTER_KEY") == o->key.key) o->key.key.clear();
    return run_build(*o, env);
  };
}

}  // namespace cloister::cmd
