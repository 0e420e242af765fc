// An enclave-ready image built again, by the options it records, on what the names of its base and
// its runtime stand for now: how a fix in the base gets into the enclave.
//
// Another MRENCLAVE cannot read what the old one sealed to itself, and neither can another signer's
// enclave read what was sealed to the signer. Whoever finds that out after the update has lost the
// data; so it stops here.
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/baseline.h"
#include "cmd/build_date.h"
#include "cmd/build_image.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/moving_name.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/rebuild.h"
#include "cmd/report/diff.h"
#include "cmd/session.h"
#include "manifest-gen/gramine/values.h"

namespace cloister::cmd {
namespace {

struct RebuildOptions {
  CommonOptions common;
  BuildTarget target;
  RebuildSources sources;
  std::string image, date;
  std::vector<std::string> accepted;
  std::optional<std::uint32_t> isvsvn;
  bool dry_run = false, accept_data_loss = false;
};

// Where an input is now: by its tag, or, where it had none, the same bytes again.
Result<oci::ImageRef> place_of(const sign::BuildInput& input, std::string_view option) {
  CL_TRY(auto name, moving_name(input.uri));
  if (name) return *std::move(name);
  if (input.uri.empty())
    return Error::invalid(
               cat("the ", input.role, " of the image has no name under which to look for it"))
        .detail(cat("it was ", input.digest.str()))
        .hint(cat("say where it is now with ", option));
  oci::ImageRef out;
  CL_TRY(out.registry, oci::parse_registry_ref(input.uri));
  out.registry.digest = input.digest;
  return out;
}

Result<oci::ImageRef> base_now(const BuildRecord& record, const RebuildSources& sources) {
  if (!sources.base.empty()) return oci::parse_image_ref(sources.base);
  const sign::BuildInput* base = record.input("base");
  if (base == nullptr) return Error::corrupt("the provenance names no base");
  return place_of(*base, "--base IMAGE");
}

Result<std::vector<std::string>> runtimes_now(const BuildRecord& record,
                                              const RebuildSources& sources) {
  if (!sources.runtimes.empty()) return sources.runtimes;
  std::vector<std::string> out;
  for (const sign::BuildInput& input : record.inputs) {
    if (input.role != "runtime") continue;
    CL_TRY(const oci::ImageRef ref, place_of(input, "--runtime, once for each source"));
    out.push_back(cat("docker://", ref.registry.str()));
  }
  return out;
}

// What the image records, with what the command line changes.
Result<BuildRecord> renewed_record(const RebuildOptions& o, const EnclaveImage& old,
                                   const Limits& limits) {
  if (old.provenance.empty())
    return Error::invalid(cat(quote(o.image), " does not say how it was built"))
        .hint("build it anew with cloister build; from then on it says so");
  CL_TRY(BuildRecord record, parse_build_record(old.provenance, limits));
  for (const std::string& id : o.accepted) record.plan.accepted.push_back(id);
  if (!o.isvsvn) return record;
  if (*o.isvsvn < old.sigstruct.isvsvn)
    return Error::policy(cat("--isvsvn ", *o.isvsvn, " is lower than the image's, which is ",
                             old.sigstruct.isvsvn))
        .detail("clients would refuse it, and it could not read what the image has sealed")
        .hint("a security version only rises; leave it out to keep the image's");
  record.plan.isvsvn = *o.isvsvn;
  return record;
}

Result<PlanOptions> renewed_options(const BuildRecord& record, const RebuildSources& sources,
                                    const Limits& limits) {
  auto options = to_plan_options(record.plan, limits);
  if (!options.has_value())  // the image's word, not the user's
    return Error::corrupt(cat("the provenance of the image: ", options.error().what()))
        .hint("build the image anew with cloister build");
  CL_TRY(options->runtimes, runtimes_now(record, sources));
  if (const sign::BuildInput* overlay = record.input("overlay"))
    CL_CHECK(set_overlay(*options, overlay->content, limits, "the overlay of the image"));
  return options;
}

// The overlay may set it too, and comes last.
Status check_version(const RebuildOptions& o, const EnclaveImage& old, const Plan& plan) {
  const std::uint16_t found = plan.params.isvsvn;
  const std::uint32_t want = o.isvsvn.value_or(old.sigstruct.isvsvn);
  if (found == want) return {};
  return Error::conflict(
             cat("the image's own overlay says sgx.isvsvn = ", found, ", and not ", want))
      .hint("build it anew with cloister build and another overlay");
}

// The mounts that an enclave with these two could not read any more, by their paths.
std::vector<std::string> unreadable_mounts(const TomlTable& manifest, bool other_enclave,
                                           bool other_signer) {
  std::vector<std::string> out;
  for (const manifest::Mount& mount : manifest::mounts(manifest)) {
    if (mount.type != "encrypted") continue;
    if ((other_enclave && mount.key_name == "_sgx_mrenclave") ||
        (other_signer && mount.key_name == "_sgx_mrsigner"))
      out.push_back(cat(quote(mount.path), " (", mount.key_name, ")"));
  }
  return out;
}

Status require_readable_data(const RebuildOptions& o, const EnclaveImage& old, const Plan& plan,
                             const BuildKeys& keys, const TomlTable& manifest) {
  const bool other_enclave = plan.measurement.mrenclave != old.sigstruct.mrenclave;
  const bool other_signer =
      keys.sgx && sha256(keys.sgx->key.modulus_le()) != old.sigstruct.mrsigner();
  const auto lost = unreadable_mounts(manifest, other_enclave, other_signer);
  if (lost.empty() || o.accept_data_loss) return {};
  return Error::policy(cat("the new enclave could not read the data of ", join(lost, ", ")))
      .detail(other_signer ? "it is sealed to the old enclave or its signer, and these are others"
                           : "it is sealed to the old MRENCLAVE, and the new one is another")
      .hint(
          "move the data out through the old enclave first, and give --accept-data-loss; build "
          "with "
          "--volume PATH=encrypted:_sgx_mrsigner, or a key that is provisioned, to keep it next "
          "time");
}

void propose_version(const RebuildOptions& o, const Session& session, const EnclaveImage& old,
                     const Plan& plan, const BuildRecord& recorded) {
  if (plan.measurement.mrenclave == old.sigstruct.mrenclave) {
    const sign::BuildInput* base = recorded.input("base");
    const bool same = base != nullptr && base->digest == plan.base.image.manifest_descriptor.digest;
    session.note(
        same ? "nothing is newer: the enclave is the same"
             : "the base is another, but nothing that the enclave may touch: it is the same");
    return;
  }
  const unsigned version = old.sigstruct.isvsvn;
  if (o.isvsvn || version == UINT16_MAX) return;
  session.note(cat("note: isvsvn stays ", version, "; with --isvsvn ", version + 1,
                   " clients can be told to refuse the old image"));
}

// On standard output where it is all that is asked for, else beside the result.
Status show_changes(const RebuildOptions& o, const Session& session, const DiffReport& report,
                    const ResultStyle& style) {
  if (o.dry_run)
    return write_result("", o.target.format == "json"
                                ? diff_json(report)
                                : diff_text(report, style.width, style.color));
  session.note(diff_text(report, session.env().columns, session.color()));
  return {};
}

Result<int> run_rebuild(const RebuildOptions& o, const Environment& env) {
  if (o.dry_run && (o.target.push || !o.target.tags.empty() || !o.target.output.empty()))
    return Error::usage("--dry-run only shows what would change")
        .hint("leave out -t, --push and -o");
  CL_CHECK(check_target(o.target, !o.dry_run));
  CL_TRY(const Destinations destinations, parse_destinations(o.target));
  CL_TRY(auto session, Session::create(o.common, env));
  const Limits& limits = session->limits();
  BuildKeys keys;
  if (o.target.key.given()) {
    CL_TRY(keys, load_build_keys(o.target, session->key_context()));
  }
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const oci::Image image, session->resolve(ref));
  CL_TRY(const EnclaveImage old, read_sound_enclave(*session, ref, image));
  CL_TRY(const BuildRecord recorded, renewed_record(o, old, limits));
  CL_TRY(const PlanOptions options, renewed_options(recorded, o.sources, limits));
  CL_TRY(const oci::ImageRef base, base_now(recorded, o.sources));
  CL_TRY(const Plan plan, plan_build(*session, base, options));
  CL_CHECK(check_version(o, old, plan));
  CL_CHECK(require_no_private_key(plan.base, plan.manifest.text, used_keys(keys)));

  CL_TRY(const manifest::Permissions before, permissions_of(old, image, limits));
  const DiffReport report{o.image, cat(o.image, ", rebuilt on ", base.str()),
                          manifest::compare_permissions(before, permissions_of(plan))};
  CL_CHECK(show_changes(o, *session, report, result_style(env, o.common.no_color, "")));
  propose_version(o, *session, old, plan, recorded);
  CL_CHECK(require_readable_data(o, old, plan, keys, before.manifest));
  if (o.dry_run) return kExitDone;

  BuildRecord record = record_of(plan, public_name(base), options.overlay_text);
  record.plan = recorded.plan;
  record.with_direct = recorded.with_direct;
  record.labels = recorded.labels;
  CL_TRY(record.created, build_date(o.date, env, plan.base.image.config.created));
  CL_CHECK(build_image(*session, plan, record, o.target, destinations, keys));
  return kExitDone;
}

}  // namespace

Action add_rebuild(CLI::App& app) {
  auto o = std::make_shared<RebuildOptions>();
  app.add_option("IMAGE", o->image, "Enclave-ready image, as cloister built it")->required();
  add_signing_options(app, o->target, nullptr);
  add_destination_options(app, o->target);
  {
    const OptionHeading heading(app, kHeadingOptions);
    app.add_flag("--dry-run", o->dry_run,
                 "Only show what the new image may do that the old one may not; no key needed");
    app.add_option("--isvsvn", o->isvsvn,
                   "Security version of the new image (default: the old one's)")
        ->check(CLI::Range(0U, 65535U));
    app.add_flag("--accept-data-loss", o->accept_data_loss,
                 "Rebuild although the new enclave cannot read what is in encrypted volumes:\n"
                 "their key is _sgx_mrenclave, or _sgx_mrsigner and the signer is another");
    app.add_option("--accept", o->accepted,
                   "Build in spite of a runtime advisory too, by its id; repeatable")
        ->type_name("ID")
        ->expected(1)
        ->take_all();
    add_date_option(app, o->date);
  }
  add_rebuild_options(app, o->sources);
  add_build_output_options(app, o->target);
  add_image_options(app, o->common);
  return [o](const Environment& env) {
    drop_default_key(o->target, false, env);
    return run_rebuild(*o, env);
  };
}

}  // namespace cloister::cmd
