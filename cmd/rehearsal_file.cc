#include "cmd/rehearsal_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hint.h"
#include "base/json.h"
#include "base/text.h"
#include "manifest-gen/rehearse/run_json.h"

namespace cloister::cmd {
namespace {

constexpr std::string_view kWhatToGive = "give a file that `rehearse --format json` wrote";
constexpr Advice kRehearsalReport{kWhatToGive, "", kWhatToGive};

// Empty where the report is of no image.
Result<std::string> image_digest(const std::string& text, const Limits& limits,
                                 const std::string& what) {
  CL_TRY(const Json report, parse_json(text, limits, what));
  if (!report.is_object()) return Error::corrupt(cat(what, " is no report of a rehearsal"));
  CL_TRY(const Json* image, get_object(report, "image"));
  if (image == nullptr) return std::string();
  CL_TRY(const auto digest, get_string(*image, "digest"));
  return digest.value_or("");
}

}  // namespace

Result<RehearsalFiles> read_rehearsals(const std::vector<std::string>& files,
                                       const Limits& limits) {
  RehearsalFiles out;
  for (const std::string& file : files) {
    CL_TRY(const std::string text, read_text_file(file, limits.run_bytes));
    CL_TRY(const std::string digest,
           advise(image_digest(text, limits, quote(file)), kRehearsalReport));
    CL_TRY(const manifest::ObservedRun run,
           advise(manifest::parse_run_json(text, limits, quote(file)), kRehearsalReport));
    manifest::merge_run(out.run, run);
    out.files.push_back(file);
    if (!digest.empty() &&
        std::find(out.digests.begin(), out.digests.end(), digest) == out.digests.end())
      out.digests.push_back(digest);
  }
  return out;
}

}  // namespace cloister::cmd
