#include "manifest-gen/rehearse/verdict/rehearsal_findings.h"

#include "base/text.h"
#include "manifest-gen/audit/rules.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::manifest {
namespace {

Finding refusal(const Denied& one) {
  std::string seen;
  for (const Denied::Use& use : one.uses)
    seen += cat(seen.empty() ? "" : ", ", file_use_name(use.use), " ", use.refused + use.would,
                " times");
  if (!one.programs.empty()) seen += cat(" by ", one.programs.front());
  std::string fix =
      one.proposal ? cat("add to the overlay: ", overlay_line(*one.proposal)) : one.finding;
  if (!one.warning.empty()) fix += cat("; but ", one.warning);
  return make_finding(kRuleRehearsedRefusal, one.path, cat(seen, ": ", one.why), std::move(fix));
}

Finding size(const SizeAdvice& one) {
  return make_finding(kRuleRehearsedSize, one.key, cat("is ", one.current, ": ", one.arithmetic),
                      one.proposal ? cat("add to the overlay: ", overlay_line(*one.proposal))
                                   : "have the program take less");
}

Finding unused(const Unused& group) {
  const std::size_t files = group.files.size();
  Finding out = make_finding(
      kRuleRehearsedUnused, group.reason.empty() ? "listed" : group.reason,
      cat(files, files == 1 ? " file, " : " files, ", human_bytes(group.bytes), ", such as ",
          group.files.front().path),
      "rehearse with the work that it is meant for; what stays unused: rehearse --tighten says "
      "what to --exclude");
  for (const Unused::File& file : group.files) out.files.push_back(file.path);
  return out;
}

}  // namespace

std::vector<Finding> rehearsal_findings(const Verdict& verdict) {
  std::vector<Finding> out;
  for (const Denied& one : verdict.denied)
    if (!one.harmless) out.push_back(refusal(one));
  for (const SizeAdvice& one : verdict.sizes)
    // Where brk ends malloc goes on.
    if (one.outcome == SizeAdvice::Outcome::too_small && one.key != "sys.brk.max_size")
      out.push_back(size(one));
  for (const Unused& group : verdict.unused) out.push_back(unused(group));
  return out;
}

}  // namespace cloister::manifest
