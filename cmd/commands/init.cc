#include <memory>
#include <string>

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/init.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct InitOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string image, output;
};

Result<int> run_init(const InitOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions options, to_plan_options(o.plan, session->limits()));
  CL_TRY(const Plan plan, plan_manifest(*session, ref, options));
  CL_CHECK(write_result(o.output, init_toml(o.image, o.plan, plan)));
  return kExitDone;
}

}  // namespace

Action add_init(CLI::App& app) {
  auto o = std::make_shared<InitOptions>();
  app.add_option("IMAGE", o->image, "Image to write options for")->required();
  add_output_option(app, o->output);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_init(*o, env); };
}

}  // namespace cloister::cmd
