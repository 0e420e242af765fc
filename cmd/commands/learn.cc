// `learn`: what programs were seen to do, by others, as what their manifest should say.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/pipeline.h"
#include "cmd/plan_options.h"
#include "cmd/report/learn.h"
#include "cmd/session.h"
#include "manifest-gen/rehearse/logs/image_facts.h"
#include "manifest-gen/rehearse/logs/log_format.h"
#include "manifest-gen/rehearse/run_json.h"
#include "manifest-gen/rehearse/verdict/verdict.h"

namespace cloister::cmd {
namespace {

struct LearnOptions {
  CommonOptions common;
  PlanArguments plan;
  std::vector<std::string> logs;
  std::string image, start_directory, format = "toml", output;
};

Result<manifest::ObservedRun> read_log(const std::string& log, const manifest::LogContext& context,
                                       const Session& session) {
  std::unique_ptr<FileSource> file;
  const std::string what = log == "-" ? "standard input" : quote(log);
  if (log == "-") {
    Fd input(::dup(STDIN_FILENO));
    if (!input.valid()) return Error::io_errno("standard input cannot be read", errno);
    file = std::make_unique<FileSource>(std::move(input), what);
  } else {
    CL_TRY(file, FileSource::open(log));
  }
  MeterSource source(
      *file, [](std::size_t) {}, session.cancel());
  return manifest::read_observed_run(source, context, session.limits(), what);
}

// All logs as one run: what any of them shows is wanted.
Result<manifest::ObservedRun> read_logs(const LearnOptions& o, const Session& session) {
  if (std::count(o.logs.begin(), o.logs.end(), "-") > 1)
    return Error::usage("standard input can be read once").hint("give '-' once");
  manifest::LogContext context;
  if (!o.start_directory.empty()) {
    if (!o.start_directory.starts_with('/'))
      return Error::usage(cat("--start-dir ", quote(o.start_directory), " is no absolute path"))
          .hint("it is the directory in which the logged program was started");
    context.start_directory = measure::normalize_path(o.start_directory);
  }
  manifest::ObservedRun merged;
  for (std::size_t i = 0; i < o.logs.size(); ++i) {
    CL_TRY(manifest::ObservedRun run, read_log(o.logs[i], context, session));
    if (i == 0)
      merged = std::move(run);
    else
      manifest::merge_run(merged, run);
  }
  return merged;
}

// What the manifest of a build with these options lacks.
Status hold_against_image(const LearnOptions& o, Session& session, Learned& learned) {
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  CL_TRY(const PlanOptions options, to_plan_options(o.plan, session.limits()));
  CL_TRY(const Plan plan, plan_manifest(session, ref, options));
  static const std::map<std::string, measure::RuntimeFile> kNone;
  manifest::add_image_facts(learned.run, *plan.base.rootfs,
                            plan.closure.uses_glibc_runtime ? plan.runtime.glibc : kNone);
  const manifest::Verdict verdict = manifest::judge(learned.run, judge_input(plan));
  learned.proposals = verdict.proposals();
  for (const manifest::Denied& one : verdict.denied)
    if (!one.proposal && !one.harmless)
      learned.findings.push_back(cat(one.path, ": ", one.why, "; ", one.finding));
  return {};
}

Result<int> run_learn(const LearnOptions& o, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  Learned learned;
  CL_TRY(learned.run, read_logs(o, *session));
  learned.image = o.image;
  if (o.image.empty())
    learned.proposals = manifest::propose_from_log(learned.run);
  else
    CL_CHECK(hold_against_image(o, *session, learned));
  std::string out;
  if (o.format == "json")
    out = manifest::run_json(learned.run);
  else if (o.format == "text")
    out = learn_text(learned, result_style(env, o.common.no_color, o.output).width);
  else if (o.format == "markdown")
    out = learn_markdown(learned);
  else
    out = learn_toml(learned);
  CL_CHECK(write_result(o.output, out));
  if (o.format == "toml")
    for (const auto* notes : {&learned.findings, &learned.run.notes})
      for (const std::string& note : *notes) session->note(cat("note: ", printable(note)));
  return 0;
}

}  // namespace

Action add_learn(CLI::App& app) {
  auto o = std::make_shared<LearnOptions>();
  app.add_option("LOG", o->logs,
                 "What strace, Gramine or a rehearsal (as JSON) wrote; '-' is standard input")
      ->required();
  app.add_option("--start-dir", o->start_directory,
                 "Directory in which the logged program was started, for relative paths of which\n"
                 "the log does not say where they begin")
      ->type_name("PATH");
  CLI::Option* const image =
      app.add_option("--image", o->image,
                     "Image of the program: propose only what its generated manifest lacks")
          ->type_name("IMAGE");
  add_format_option(app, o->format, {"toml", "json", "markdown", "text"});
  add_output_option(app, o->output);
  const std::vector<CLI::Option*> before = app.get_options();
  add_plan_options(app, o->plan);
  // Without an image there is no manifest that they could decide about. The runtime may be set for
  // all commands, by an environment variable.
  for (CLI::Option* option : app.get_options())
    if (std::find(before.begin(), before.end(), option) == before.end() &&
        option->get_name() != "--runtime")
      option->needs(image);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_learn(*o, env); };
}

}  // namespace cloister::cmd
