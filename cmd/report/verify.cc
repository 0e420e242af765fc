#include "cmd/report/verify.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cmd/report/quote.h"

namespace cloister::cmd {

bool VerifyReport::verified() const {
  return sign::all_passed(checks);
}

std::string checks_text(const std::vector<sign::Check>& checks) {
  std::string out;
  std::size_t width = 0;
  for (const sign::Check& check : checks) width = std::max(width, check.name.size());
  for (const sign::Check& check : checks) {
    out += cat(check.passed ? "passed  " : "FAILED  ", check.name,
               std::string(width - check.name.size() + 2, ' '), check.found, "\n");
    if (!check.passed)
      out += cat("        ", std::string(width + 2, ' '), "want ", check.expected, "\n");
  }
  return out;
}

OrderedJson checks_json(const std::vector<sign::Check>& checks) {
  OrderedJson out = OrderedJson::array();
  for (const sign::Check& check : checks) {
    OrderedJson json = OrderedJson::object();
    json["name"] = check.name;
    json["passed"] = check.passed;
    json["found"] = check.found;
    if (!check.passed) json["expected"] = check.expected;
    out.push_back(std::move(json));
  }
  return out;
}

std::string verify_text(const VerifyReport& report) {
  const auto bad = std::count_if(report.checks.begin(), report.checks.end(),
                                 [](const sign::Check& c) { return !c.passed; });
  return cat("image   ", printable(report.name), "\ndigest  ", report.digest.str(), "\n\n",
             checks_text(report.checks),
             report.verified() ? cat("\n", report.verdict, "\n")
                               : cat("\nNOT VERIFIED: ", bad, " of ", report.checks.size(),
                                     " checks failed. Do not trust this image.\n"));
}

std::string verify_json(const VerifyReport& report) {
  OrderedJson out = OrderedJson::object();
  out["image"] = OrderedJson::object({{"name", report.name}, {"digest", report.digest.str()}});
  out["verified"] = report.verified();
  out["checks"] = checks_json(report.checks);
  if (report.quote) out["quote"] = quote_object(*report.quote, &report.quote_verdict);
  return dump_json_pretty(out) + "\n";
}

}  // namespace cloister::cmd
