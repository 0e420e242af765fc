// Phrases that the text and the Markdown share.
#include "cmd/report/rehearse.h"

#include <cstdio>

#include "base/text.h"
#include "cmd/report/audit.h"

namespace cloister::cmd {
namespace {

using manifest::Denied;

std::string decimal(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

// With as many digits as tell something.
std::string rounded(double value) {
  return decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::string times_phrase(std::uint64_t times) {
  return times == 1 ? "once" : cat(times, " times");
}

std::string_view past_of(manifest::FileUse use) {
  static constexpr std::string_view kPast[] = {"looked at", "listed",  "read",   "executed",
                                               "written",   "created", "removed"};
  return kPast[static_cast<std::size_t>(use)];
}

std::string end_phrase(const manifest::ObservedRun& run) {
  if (run.exit_signal) return cat("ended by signal ", *run.exit_signal);
  if (run.exit_status) return cat("ended with status ", *run.exit_status);
  return run.source == "rehearsal" ? "stopped after its work" : "";
}

}  // namespace

bool passes(const RehearseReport& report) {
  const bool failed = report.run.exit_signal || report.run.exit_status.value_or(0) != 0;
  return report.verdict.clean && !report.work_problem && !failed;
}

std::string verdict_phrase(const RehearseReport& report) {
  const manifest::Verdict& verdict = report.verdict;
  const std::string opened =
      cat(verdict.opened, verdict.opened == 1 ? " file opened" : " files opened");
  if (verdict.clean && report.work_problem)
    return cat("failed: nothing was refused, but ", printable(*report.work_problem), "; ", opened);
  if (!passes(report) && verdict.clean)
    return cat("failed: nothing was refused, but the program ", end_phrase(report.run), "; ",
               opened);
  if (verdict.clean) return cat("clean: ", opened, ", all granted");
  std::size_t paths = 0;
  for (const Denied& one : verdict.denied) paths += one.harmless ? 0 : 1;
  return cat("refused: ", paths, paths == 1 ? " path" : " paths", "; ", opened);
}

std::string uses_phrase(const Denied& denied) {
  std::string out;
  for (const Denied::Use& use : denied.uses) {
    out +=
        cat(out.empty() ? "" : ", ", past_of(use.use), " ", times_phrase(use.refused + use.would));
    if (use.refused == 0) out += " (was let through)";
  }
  for (std::size_t i = 0; i < denied.programs.size() && i < 3; ++i)
    out += cat(i == 0 ? " by " : ", ", printable(denied.programs[i]));
  if (denied.programs.size() > 3) out += cat(" and ", denied.programs.size() - 3, " more");
  return out;
}

std::string image_phrase(const Denied& denied) {
  std::string out;
  switch (denied.in_image) {
    case Denied::In::unknown:
      return {};
    case Denied::In::absent:
      return "not in the image";
    case Denied::In::file:
      out = cat("a file of the image, ", human_bytes(denied.bytes));
      break;
    case Denied::In::directory:
      out = "a directory of the image";
      break;
    case Denied::In::other:
      out = "of the image, and no regular file";
      break;
  }
  if (!denied.package.empty()) out += cat(", of ", printable(denied.package));
  if (!denied.real.empty() && denied.real != denied.path)
    out += cat("; leads to ", printable(denied.real));
  return out;
}

std::string size_value(const manifest::SizeAdvice& size, std::uint64_t value) {
  return size.in_bytes ? human_bytes(value) : cat(value);
}

std::string call_phrase(const manifest::CallKey& call) {
  return call.object.empty() ? printable(call.name)
                             : cat(printable(call.name), " (", printable(call.object), ")");
}

std::string tax_phrase(const manifest::Tax& tax) {
  if (tax.calls == 0 && tax.look_ups == 0) return "no system call was counted";
  std::string out = cat(tax.exits, " exits for ", tax.calls, " calls");
  if (tax.exits_per_second > 0)
    out += cat(": ", rounded(tax.exits_per_second), " per second, which takes ",
               rounded(tax.core_share * 100), " % of a core");
  if (tax.exits_per_request > 0)
    out += cat("; ", rounded(tax.exits_per_request), " per request, ",
               rounded(tax.micros_per_request), " µs");
  return out + (tax.profiled ? "" : " (of the calls that were watched)");
}

std::vector<RunFact> run_facts(const RehearseReport& report) {
  const manifest::ObservedRun& run = report.run;
  std::vector<RunFact> out;
  const auto add = [&](std::string name, std::string value) {
    if (!value.empty()) out.push_back({std::move(name), std::move(value)});
  };
  add("digest", report.digest);
  std::string ran = quoted_words(run.command);
  if (run.seconds > 0) ran += cat(ran.empty() ? "" : " ", "for ", rounded(run.seconds), " s");
  if (const std::string end = end_phrase(run); !end.empty())
    ran += cat(ran.empty() ? "" : ", ", end);
  add("ran", ran);
  std::string seen = cat(run.paths.size(), run.paths.size() == 1 ? " path" : " paths");
  if (run.learning) seen += ", nothing was refused";
  if (run.requests > 0)
    seen += cat(", ", run.requests, run.requests == 1 ? " request" : " requests");
  if (run.executions > 0) seen += cat(", ", run.executions, " executed");
  if (run.forks > 0) seen += cat(", ", run.forks, " forks");
  if (run.threads > 0) seen += cat(", ", run.threads, " threads");
  if (report.work_problem) add("work", printable(*report.work_problem));
  add("seen", seen);
  add("by", run.source == "rehearsal" ? std::string() : cat("the log of ", printable(run.source)));
  add("kept in", printable(run.isolation));
  return out;
}

}  // namespace cloister::cmd
