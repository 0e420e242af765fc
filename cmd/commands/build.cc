// `build`: the plan of an image, and what is made of it.
#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "cmd/baseline.h"
#include "cmd/build_date.h"
#include "cmd/build_image.h"
#include "cmd/command.h"
#include "cmd/guest/guest_command.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/report/build.h"
#include "cmd/report/diff.h"
#include "cmd/session.h"
#include "cmd/targets.h"
#include "manifest-gen/audit/rules.h"

namespace cloister::cmd {
namespace {

struct BuildOptions {
  CommonOptions common;
  PlanArguments plan;
  BuildTarget target;
  std::string image, signing_data, date;
  std::vector<std::string> labels;
  std::string lock, locked;  // files of --lock and --locked; empty: not given
  bool dry_run = false, with_direct = false;
  std::string tee = "sgx";
  GuestArguments guest;

  bool signs() const { return !dry_run && signing_data.empty(); }
};

Status check_usage(const BuildOptions& o) {
  CL_CHECK(check_target(o.target, o.signs()));
  const bool builds =
      o.dry_run || o.target.key.given() || o.target.push || !o.target.output.empty();
  if (!o.signing_data.empty() && builds)
    return Error::usage("--emit-signing-data is the first of two steps, and builds nothing yet")
        .hint(
            "leave out --key, --push, -o and --dry-run; the second step is the same build with "
            "--signature FILE --public-key PEM");
  return {};
}

Result<int> dry_run(const BuildOptions& o, const Plan& plan,
                    const std::vector<oci::ImageRef>& tags) {
  BuildReport report{plan, nullptr, {}, tags.empty() ? std::string() : tags.front().str(), {}};
  if (o.target.push)
    for (const oci::ImageRef& tag : tags) report.would_push.push_back(tag.str());
  CL_CHECK(write_result("", o.target.format == "json" ? build_json(report) : dry_run_text(report)));
  if (!o.target.metadata_file.empty())
    CL_CHECK(write_result(o.target.metadata_file, build_json(report)));
  return 0;
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
  CL_TRY(const Destinations destinations, parse_destinations(o.target));
  CL_TRY(const auto labels, parse_labels(o.labels));
  CL_CHECK(manifest::check_labels(labels));
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions plan_options, to_plan_options(o.plan, session->limits()));
  BuildKeys keys;
  if (o.signs()) {
    CL_TRY(keys, load_build_keys(o.target, session->key_context()));
  }
  CL_TRY(Plan plan, plan_build(*session, ref, plan_options));
  CL_CHECK(check_locked(o, session->limits(), plan));
  CL_CHECK(require_no_private_key(plan.base, plan.manifest.text, used_keys(keys)));
  if (!o.lock.empty()) CL_CHECK(write_result(o.lock, lock_json(plan)));
  if (o.dry_run) return dry_run(o, plan, destinations.tags);
  if (!o.signing_data.empty()) return emit_signing_data(o, plan, env);

  BuildRecord record = record_of(plan, public_name(ref), plan_options.overlay_text);
  record.plan = o.plan;
  record.with_direct = o.with_direct;
  record.labels = o.labels;
  CL_TRY(record.created, build_date(o.date, env, plan.base.image.config.created));
  CL_CHECK(build_image(*session, plan, record, o.target, destinations, keys));
  return 0;
}

// What would be passed over would look as if it had been done.
Status check_machine_usage(const BuildOptions& o, const Target& target) {
  const std::pair<bool, const char*> idle[] = {{!o.signing_data.empty(), "--emit-signing-data"},
                                               {!o.lock.empty(), "--lock"},
                                               {!o.locked.empty(), "--locked"},
                                               {o.with_direct, "--with-direct"}};
  for (const auto& [given, option] : idle)
    if (given)
      return Error::usage(cat(option, " is for enclaves of Gramine"))
          .hint(cat("leave it out, or --tee ", target.name));
  return {};
}

Result<int> run_for_target(const BuildOptions& o, const Environment& env) {
  const Target& target = target_named(o.tee);
  if (!target.machine) return run_build(o, env);
  CL_CHECK(check_machine_usage(o, target));
  return run_guest_build(
      {target.tee, o.common, o.plan, o.target, o.guest, o.image, o.date, o.labels, o.dry_run}, env);
}

}  // namespace

Action add_build(CLI::App& app) {
  auto o = std::make_shared<BuildOptions>();
  app.add_option("IMAGE", o->image, "Image to build from; cloister pull --help lists the forms")
      ->required();
  add_signing_options(app, o->target, &o->signing_data);
  add_destination_options(app, o->target);
  OptionHeading options(app, kHeadingOptions);
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
  add_date_option(app, o->date);
  app.add_option("--label", o->labels, "Label of the image; repeatable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  add_build_output_options(app, o->target);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  add_target_option(app, o->tee);
  add_guest_options(app, o->guest);
  return [o, &app](const Environment& env) -> Result<int> {
    const Tee tee = target_named(o->tee).tee;
    CL_CHECK(check_guest_options(app, tee));
    // Without a certificate nobody asked for a signed enclave image file.
    const bool elsewhere = tee == Tee::nitro && o->guest.certificate.empty();
    drop_default_key(o->target, elsewhere || !o->signing_data.empty(), env);
    return run_for_target(*o, env);
  };
}

}  // namespace cloister::cmd
