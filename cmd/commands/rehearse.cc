// `rehearse`: run an image with only what its manifest grants, before there is an enclave.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/plan_options.h"
#include "cmd/rehearsal.h"
#include "cmd/session.h"

namespace cloister::cmd {
namespace {

struct RehearseOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string image, format = "text";
  bool learn = false, profile = false;
};

Result<int> run_rehearse(const RehearseOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions options, to_plan_options(o.plan, session->limits()));
  CL_TRY(const Plan plan, plan_manifest(*session, ref, options));
  RehearsalOptions what;
  what.learning = o.learn;
  what.profile = o.profile;
  what.exercise.duration = std::chrono::seconds(3);
  CL_TRY(const Rehearsal done, rehearse(*session, plan, what));
  std::string text;
  for (const auto& [path, use] : done.run.paths) {
    text += path;
    for (std::size_t i = 0; i < manifest::kFileUses; ++i) {
      const auto& c = use.uses[i];
      if (c.done + c.refused + c.absent > 0)
        text += cat(" ", manifest::file_use_name(static_cast<manifest::FileUse>(i)), "=", c.done,
                    "/", c.refused, "/", c.absent);
    }
    text += "\n";
  }
  for (const auto& [p, k] : done.run.programs)
    text += cat("# ", p, " n=", k.processes, " rss=", k.resident_bytes >> 10,
                "K virt=", k.virtual_bytes >> 10, "K heap=", k.heap_bytes >> 10,
                "K thr=", k.threads, " fds=", k.descriptors, "\n");
  for (const auto& [c, n] : done.run.unimplemented) text += cat("# unimpl ", c, " ", n, "\n");
  for (const auto& [c, n] : done.run.calls)
    text += cat("# call ", c.name, " ", c.object, " ", n, "\n");
  text += cat("# exit ", done.run.exit_status.value_or(-1), " sig ",
              done.run.exit_signal.value_or(-1), " ", done.run.isolation, "\n");
  CL_CHECK(write_result("", text));
  return 0;
}

}  // namespace

Action add_rehearse(CLI::App& app) {
  auto o = std::make_shared<RehearseOptions>();
  app.add_option("IMAGE", o->image, "Image to rehearse")->required();
  app.add_flag("--learn", o->learn, "Refuse nothing");
  app.add_flag("--profile", o->profile, "Count every system call");
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_rehearse(*o, env); };
}

}  // namespace cloister::cmd
