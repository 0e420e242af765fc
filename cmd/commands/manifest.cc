#include <memory>
#include <string>

#include "cmd/build_date.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/guest/guest_build.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/session.h"
#include "cmd/targets.h"

namespace cloister::cmd {
namespace {

struct ManifestOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string tee = "sgx";
  std::string image, output;
};

Result<int> run_manifest(const ManifestOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(PlanOptions options, to_plan_options(o.plan, session->limits()));
  options.tee = target_named(o.tee).tee;
  if (target_of(options.tee).machine) {
    CL_TRY(const oci::Image image, session->resolve(ref));
    CL_TRY(const Seconds created, build_date("", env, image.config.created));
    CL_TRY(const GuestDraft draft, draft_guest(*session, ref, options, {}, created));
    CL_CHECK(write_result(o.output, manifest::encode_guest_document(document_of(draft, nullptr))));
    return 0;
  }
  CL_TRY(const Plan plan, plan_manifest(*session, ref, options));
  CL_CHECK(write_result(o.output, plan.manifest.text));
  return 0;
}

}  // namespace

Action add_manifest(CLI::App& app) {
  auto o = std::make_shared<ManifestOptions>();
  app.add_option("IMAGE", o->image, "Image to make the manifest for")->required();
  add_output_option(app, o->output);
  add_target_option(app, o->tee);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_manifest(*o, env); };
}

}  // namespace cloister::cmd
