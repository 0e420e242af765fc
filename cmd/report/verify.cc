#include "cmd/report/verify.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace cloister::cmd {

bool VerifyReport::verified() const {
  return !checks.empty() &&
         std::all_of(checks.begin(), checks.end(), [](const sign::Check& c) { return c.passed; });
}

std::string verify_text(const VerifyReport& report) {
  std::string out =
      cat("image   ", printable(report.name), "\ndigest  ", report.digest.str(), "\n\n");
  std::size_t width = 0, bad = 0;
  for (const sign::Check& check : report.checks) width = std::max(width, check.name.size());
  for (const sign::Check& check : report.checks) {
    bad += check.passed ? 0 : 1;
    out += cat(check.passed ? "passed  " : "FAILED  ", check.name,
               std::string(width - check.name.size() + 2, ' '), check.found, "\n");
    if (!check.passed)
      out += cat("        ", std::string(width + 2, ' '), "want ", check.expected, "\n");
  }
  out += report.verified() ? cat("\n", report.verdict, "\n")
                           : cat("\nNOT VERIFIED: ", bad, " of ", report.checks.size(),
                                 " checks failed. Do not trust this image.\n");
  return out;
}

std::string verify_json(const VerifyReport& report) {
  OrderedJson checks = OrderedJson::array();
  for (const sign::Check& check : report.checks) {
    OrderedJson json = OrderedJson::object();
    json["name"] = check.name;
    json["passed"] = check.passed;
    json["found"] = check.found;
    if (!check.passed) json["expected"] = check.expected;
    checks.push_back(std::move(json));
  }
  OrderedJson out = OrderedJson::object();
  out["image"] = OrderedJson::object({{"name", report.name}, {"digest", report.digest.str()}});
  out["verified"] = report.verified();
  out["checks"] = std::move(checks);
  return dump_json_pretty(out) + "\n";
}

}  // namespace cloister::cmd
