#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/format_option.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "cmd/template.h"

namespace cloister::cmd {
namespace {

struct VersionOptions {
  CommonOptions common;
  std::string format = "text";
};

Result<int> run_version(const VersionOptions& o) {
  std::string out = o.common.quiet ? cat(kVersion, "\n") : cat("cloister ", kVersion, "\n");
  if (o.format != "text")
    out = dump_json_pretty(OrderedJson{{"name", "cloister"}, {"version", kVersion}}) + "\n";
  if (is_template(o.format)) {
    CL_TRY(out, fill_template(o.format, out, Limits()));
  }
  CL_CHECK(write_result("", out));
  return kExitDone;
}

}  // namespace

Action add_version(CLI::App& app) {
  auto o = std::make_shared<VersionOptions>();
  add_template_option(app, o->format, {"text", "json"}, "the version");
  add_output_options(app, o->common);
  return [o](const Environment&) { return run_version(*o); };
}

}  // namespace cloister::cmd
