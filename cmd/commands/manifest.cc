#include <memory>
#include <string>

#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct ManifestOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string image, output;
};

Result<int> run_manifest(const ManifestOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions options, to_plan_options(o.plan, session->limits()));
  CL_TRY(const Plan plan, plan_manifest(*session, ref, options));
  CL_CHECK(write_result(o.output, plan.manifest.text));
  return 0;
}

}  // namespace

Action add_manifest(CLI::App& app) {
  auto o = std::make_shared<ManifestOptions>();
  app.add_option("IMAGE", o->image, "Image to make the manifest for")->required();
  add_output_option(app, o->output);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_manifest(*o, env); };
}

}  // namespace cloister::cmd
