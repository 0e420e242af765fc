// `rehearse`: run an image with only what its manifest grants, before there is an enclave.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>

#include "base/http/url.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/option_heading.h"
#include "cmd/output.h"
#include "cmd/plan_options.h"
#include "cmd/rehearsal.h"
#include "cmd/rehearsal_file.h"
#include "cmd/render_error.h"
#include "cmd/report/rehearse.h"
#include "cmd/report_files.h"
#include "cmd/session.h"
#include "manifest-gen/gramine/enclave_manifest.h"
#include "manifest-gen/gramine/values.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::cmd {
namespace {

struct RehearseOptions {
  CommonOptions common;
  PlanArguments plan;
  std::string image, format = "text", overlay, network = "none", memory = "4G";
  std::vector<std::string> ports, commands, urls, earlier, reports, arguments;
  std::uint64_t requests = 0, processes = 1024, cycles = 0, megahertz = 0;
  std::optional<std::uint64_t> seconds;
  std::uint64_t patience = 60;
  bool learn = false, profile = false, until_exit = false, tighten = false;
};

constexpr std::uint64_t kDefaultSeconds = 10;
constexpr std::string_view kRehearseFormats[] = {"text", "json", "markdown"};

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

// A URL is asked for on this machine, where its port leads into the sandbox.
Status publish_url(const std::string& text, RehearsalOptions& what) {
  const auto url = http::parse_url(text);
  if (!url) return Error::usage(cat("--http ", quote(text), " is no URL"));
  if (!is_loopback(url->host))
    return Error::usage(cat("--http ", quote(text), " is not on this machine"))
        .hint("name the program's port at localhost: --http http://localhost:8080/");
  if (what.host_network) return {};
  const std::string port = !url->port.empty() ? url->port : url->scheme == "https" ? "443" : "80";
  const bool known = std::any_of(what.ports.begin(), what.ports.end(),
                                 [&](const PublishedPort& one) { return one.at.port == port; });
  if (known) return {};
  CL_TRY(PublishedPort published, parse_published_port(port));
  what.ports.push_back(std::move(published));
  return {};
}

Result<RehearsalOptions> to_rehearsal_options(const RehearseOptions& o) {
  RehearsalOptions what;
  what.learning = o.learn;
  what.profile = o.profile;
  what.until_exit = o.until_exit;
  what.host_network = o.network == "host";
  if (what.host_network && !o.ports.empty())
    return Error::usage("--publish has no meaning with --network host")
        .hint("the program's ports are this machine's then");
  for (const std::string& port : o.ports) {
    CL_TRY(PublishedPort published, parse_published_port(port));
    what.ports.push_back(std::move(published));
  }
  for (const std::string& url : o.urls) CL_CHECK(publish_url(url, what));
  what.exercise.urls = o.urls;
  what.exercise.commands = o.commands;
  what.exercise.requests = o.requests;
  what.exercise.patience = std::chrono::seconds(o.patience);
  const bool has_work = !o.urls.empty() || !o.commands.empty();
  what.exercise.duration =
      std::chrono::seconds(o.seconds.value_or(has_work || o.until_exit ? 0 : kDefaultSeconds));
  auto memory = manifest::parse_size(o.memory, manifest::Strictness::signer);
  if (!memory.has_value())
    return Error::usage(cat("--memory ", quote(o.memory), " is no size")).hint("write --memory 4G");
  what.limits.memory_bytes = *memory;
  what.limits.processes = static_cast<std::uint32_t>(o.processes);
  return what;
}

RehearseReport report_of(const RehearseOptions& o, const Plan& plan, Rehearsal done) {
  RehearseReport report;
  report.image = o.image;
  report.digest = plan.base.image.manifest_descriptor.digest.str();
  report.manifest_digest = sha256(as_bytes(plan.manifest.text)).str();
  report.work_problem = std::move(done.work_problem);
  report.run = std::move(done.run);
  manifest::JudgeInput input = judge_input(plan);
  input.tighten = o.tighten;
  report.verdict = manifest::judge(report.run, input);
  manifest::TaxOptions tax;
  if (o.cycles > 0) tax.cycles_per_exit = o.cycles;
  if (o.megahertz > 0) tax.megahertz = o.megahertz;
  tax.edmm = manifest::true_at(plan.manifest.manifest.table, "sgx.edmm_enable");
  report.tax = manifest::tax_of(report.run, tax);
  return report;
}

std::string rendered_rehearsal(const RehearseReport& report, std::string_view format,
                               const ResultStyle& style) {
  if (format == "json") return rehearse_json(report);
  if (format == "markdown") return rehearse_markdown(report);
  return rehearse_text(report, style.width, style.color);
}

// How the program ended, as a shell says it; the verdict where that is no failure.
int rehearse_exit_code(const RehearseOptions& o, const RehearseReport& report) {
  constexpr int kSignalled = 128;
  if (o.until_exit && report.run.exit_signal) return kSignalled + *report.run.exit_signal;
  if (o.until_exit && report.run.exit_status.value_or(0) != 0) return *report.run.exit_status;
  return passes(report) ? kExitDone : kExitPolicy;
}

Result<int> rehearse_image(const RehearseOptions& o, const RehearsalOptions& what,
                           const std::vector<ReportFile>& reports, const Environment& env) {
  CL_TRY(auto session, Session::create(o.common, env));
  CL_TRY(const oci::ImageRef ref, oci::parse_image_ref(o.image));
  RehearsalFiles earlier;
  if (!o.earlier.empty()) {
    CL_TRY(earlier, read_rehearsals(o.earlier, session->limits()));
  }
  CL_TRY(PlanOptions options, to_plan_options(o.plan, session->limits()));
  if (!o.arguments.empty()) options.launch.args = o.arguments;
  CL_TRY(const Plan plan, plan_manifest(*session, ref, options));
  CL_TRY(Rehearsal done, rehearse(*session, plan, what));
  if (!o.earlier.empty()) manifest::merge_run(done.run, earlier.run);
  const RehearseReport report = report_of(o, plan, std::move(done));
  for (const ReportFile& one : reports)
    CL_CHECK(write_result(one.path, rendered_rehearsal(report, one.format, ResultStyle())));
  if (!o.overlay.empty())
    CL_CHECK(write_result(o.overlay, manifest::overlay_toml(report.verdict.proposals())));
  if (o.overlay != "-")
    CL_CHECK(write_result(
        "", rendered_rehearsal(report, o.format, result_style(env, o.common.no_color, ""))));
  return rehearse_exit_code(o, report);
}

Result<int> run_rehearse(const RehearseOptions& o, const Environment& env) {
  CL_TRY(const auto reports,
         parse_report_files(o.reports, {std::begin(kRehearseFormats), std::end(kRehearseFormats)}));
  CL_TRY(const RehearsalOptions what, to_rehearsal_options(o));
  auto code = rehearse_image(o, what, reports, env);
  if (code.has_value() || !o.until_exit || code.error().code() == Code::cancelled) return code;
  // The program's own statuses are passed on: ours must not be taken for one.
  std::fputs(render_error(code.error(), env.stderr_tty && !o.common.no_color).c_str(), stderr);
  return kExitRehearsalFailed;
}

void add_work_options(CLI::App& app, RehearseOptions& o) {
  const OptionHeading heading(app, kHeadingWork);
  app.add_option("--exec", o.commands,
                 "Shell command that gives it work, once it takes connections; repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("CMD");
  app.add_option("--http", o.urls,
                 "Ask for this URL of it until it answers; its port is published. Repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("URL");
  app.add_option("--requests", o.requests,
                 "How often each URL is asked for, or how many requests the commands make: for\n"
                 "costs per request")
      ->type_name("N");
  app.add_option("--duration", o.seconds,
                 "Let it run for so many seconds (default: until its work is done; 10 without)")
      ->type_name("SECONDS");
  app.add_flag("--until-exit", o.until_exit,
               "Let it run until it ends, and exit with its status (125: the rehearsal failed)");
  app.add_option("--ready-timeout", o.patience, "Seconds that it may take to be ready (default 60)")
      ->type_name("SECONDS");
  app.add_option("--merge", o.earlier,
                 "Judge what an earlier rehearsal saw (its JSON) with it; repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("FILE");
}

void add_sandbox_options(CLI::App& app, RehearseOptions& o) {
  const OptionHeading heading(app, kHeadingSandbox);
  app.add_option("-p,--publish", o.ports,
                 "Port of the program that is reached from this machine: [[ADDRESS:]PORT:]PORT;\n"
                 "repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("PORT");
  app.add_option("--network", o.network,
                 "none: a loopback of its own; host: this machine's network (default none)")
      ->check(CLI::IsMember({"none", "host"}));
  app.add_option("--memory", o.memory,
                 "Memory for its files, and as much for its processes (default 4G)")
      ->type_name("SIZE");
  app.add_option("--pids-limit", o.processes, "Processes and threads at one time (default 1024)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20))
      ->type_name("N");
}

}  // namespace

Action add_rehearse(CLI::App& app) {
  auto o = std::make_shared<RehearseOptions>();
  app.add_option("IMAGE", o->image, "Image to rehearse")->required();
  app.add_option("ARG", o->arguments,
                 "Arguments of the program, after --, in place of the image's");
  app.add_flag("--learn", o->learn, "Refuse nothing of the image, and tell what would be refused");
  app.add_flag("--profile", o->profile,
               "Count every system call, for what leaving the enclave costs; slow");
  app.add_flag("--tighten", o->tighten,
               "Propose to take away what was not used, and smaller sizes");
  app.add_option("--cycles-per-exit", o->cycles,
                 "Processor cycles of leaving and entering the enclave (default 12000)")
      ->type_name("N");
  app.add_option("--mhz", o->megahertz, "Clock of the processor it will run on (default 3000)")
      ->type_name("N");
  add_work_options(app, *o);
  add_sandbox_options(app, *o);
  {
    const OptionHeading heading(app, kHeadingOutput);
    app.add_option("-o,--output", o->overlay,
                   "Write what the manifest lacks, as an overlay for build --manifest")
        ->type_name("FILE");
    add_report_option(app, o->reports);
  }
  add_format_option(app, o->format, {"text", "json", "markdown"});
  add_plan_options(app, o->plan);
  add_image_options(app, o->common);
  return [o](const Environment& env) { return run_rehearse(*o, env); };
}

}  // namespace cloister::cmd
