#include <memory>
#include <string>

#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/why.h"
#include "cmd/session.h"
#include "cmd/targets.h"
#include "manifest-gen/closure/explain.h"

namespace cloister::cmd {
namespace {

struct WhyOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string tee = "sgx";
  std::string image, path, format = "text", output;
  bool all = false;
};

Result<int> run_why(const WhyOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(PlanOptions options, to_plan_options(o.plan, session->limits()));
  options.tee = target_named(o.tee).tee;
  options.runtime_optional = true;
  CL_TRY(const ClosurePlan plan, plan_closure(*session, ref, options));
  CL_TRY(const manifest::Explanation explanation,
         manifest::explain(plan.closure, *plan.base.rootfs, plan.packages, o.path));
  CL_CHECK(write_result(o.output, o.format == "json" ? why_json(plan.closure, explanation)
                                                     : why_text(plan.closure, explanation, o.all)));
  return 0;
}

}  // namespace

Action add_why(CLI::App& app) {
  auto o = std::make_shared<WhyOptions>();
  app.add_option("IMAGE", o->image, "Image to analyse")->required();
  app.add_option("PATH", o->path,
                 "File, as the program opens it; or a bare file name, like libssl.so.3")
      ->required();
  app.add_flag("--all", o->all, "Every chain that was found, not only the first few");
  add_format_option(app, o->format, {"text", "json"});
  add_output_option(app, o->output);
  add_target_option(app, o->tee);
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_why(*o, env); };
}

}  // namespace cloister::cmd
