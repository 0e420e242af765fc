// Nothing of the report becomes markup: it is text in the parts that are written here, and inert
// JSON in a data block (WHATWG HTML, 4.12.1) for the script, which makes elements and text of it.
// Should both fail, the policy still stops it: by CSP Level 3, only the style and the script with
// the digests written into the page count, and nothing may be loaded.
#include "cmd/report/html.h"

#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/report/html_data.h"
#include "cmd/report/html_findings.h"
#include "cmd/report/html_markup.h"
#include "cmd/report/html_rehearsal.h"
#include "cmd/report/html_sections.h"
#include "cmd/report/html_targets.h"
#include "templates/embedded.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kReportFormat = "cloister-audit-v1";

// Files of the script, in this order, in one scope.
constexpr std::array kScriptFiles = {"text.js",     "data.js",     "page.js",
                                     "findings.js", "tree.js",     "file.js",
                                     "treemap.js",  "manifest.js", "main.js"};

Result<std::string_view> report_template(std::string_view name) {
  for (const templates::File& file : templates::files())
    if (file.name == name) return file.text;
  return Error::internal(cat("no template ", quote(name)));
}

Result<std::string> report_script() {
  std::string out = "(() => {\n\"use strict\";\n";
  for (const char* name : kScriptFiles) {
    CL_TRY(const std::string_view part, report_template(cat("report/", name)));
    out += part;
  }
  return out + "})();\n";
}

std::string csp_source(std::string_view content) {
  return cat("'sha256-", base64(sha256(content).view()), "'");
}

// The template with each {{name}} replaced, in one pass: what is put in is not looked at again.
Result<std::string> filled(std::string_view page,
                           std::span<const std::pair<std::string_view, std::string>> values) {
  std::string out;
  while (true) {
    const std::size_t begin = page.find("{{");
    out += page.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = page.find("}}", begin);
    if (end == std::string_view::npos) return Error::internal("report.html: {{ without }}");
    const std::string_view name = page.substr(begin + 2, end - begin - 2);
    const std::string* value = nullptr;
    for (const auto& [key, text] : values)
      if (key == name) value = &text;
    if (value == nullptr) return Error::internal(cat("report.html: no value ", quote(name)));
    out += *value;
    page.remove_prefix(end + 2);
  }
}

}  // namespace

Result<std::string> audit_html(std::string_view json) {
  CL_TRY(const Json audit, parse_json(json, Limits{}, "the audit report"));
  if (text_of(audit, "format") != kReportFormat)
    return Error::unsupported(cat("the audit report has the format ",
                                  quote(text_of(audit, "format")), ", want ",
                                  quote(kReportFormat)));
  CL_TRY(const std::string_view page, report_template("report/report.html"));
  CL_TRY(const std::string_view style, report_template("report/report.css"));
  CL_TRY(const std::string script, report_script());
  const bool passed = flag_of(object_of(audit, "verdict"), "passed");
  const std::string name = plain_html(text_of(object_of(audit, "subject"), "name"));
  const std::array<std::pair<std::string_view, std::string>, 15> values = {{
      {"csp", cat("default-src 'none'; img-src data:; style-src ", csp_source(style),
                  "; script-src ", csp_source(script), "; base-uri 'none'; form-action 'none'")},
      {"title", cat(passed ? "Passed" : "Not passed", ": ", name)},
      {"generator", plain_html(text_of(audit, "generator"))},
      {"style", std::string(style)},
      {"verdict", html_verdict(audit).str()},
      {"surface", html_surface(audit).str()},
      {"targets", html_targets(audit).str()},
      {"targets-link", html_targets_link(audit).str()},
      {"findings", html_findings(audit).str()},
      {"rehearsal", html_rehearsal(audit).str()},
      {"rehearsal-link", html_rehearsal_link(audit).str()},
      {"format", std::string(kReportFormat)},
      {"data", html_data(audit)},
      {"script", script},
      {"outcome", passed ? "passed" : "failed"},
  }};
  return filled(page, values);
}

}  // namespace cloister::cmd
