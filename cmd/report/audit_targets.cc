#include "cmd/report/audit_targets.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cmd/report/markdown.h"
#include "cmd/report/painter.h"
#include "cmd/wrap.h"

namespace cloister::cmd {
namespace {

using manifest::Fit;
using manifest::FitReason;
using manifest::TargetFit;

std::string_view fit_phrase(Fit fit) {
  static constexpr std::string_view kPhrases[] = {"yes", "with limits", "no"};
  return kPhrases[static_cast<std::size_t>(fit)];
}

std::string painted_fit(Fit fit, const Painter& paint) {
  if (fit == Fit::yes) return paint.good(fit_phrase(fit));
  return fit == Fit::no ? paint.bad(fit_phrase(fit)) : paint.bold(fit_phrase(fit));
}

std::string reason_phrase(const FitReason& reason) {
  return cat(reason.what, " (", reason.evidence, ")");
}

}  // namespace

std::string_view target_title(std::string_view name) {
  if (name == "sgx") return "SGX enclave";
  if (name == "snp") return "SEV-SNP machine";
  if (name == "nitro") return "Nitro Enclave";
  return name;
}

OrderedJson targets_json(const std::vector<TargetFit>& targets) {
  OrderedJson out = OrderedJson::array();
  for (const TargetFit& target : targets) {
    OrderedJson reasons = OrderedJson::array();
    for (const FitReason& reason : target.reasons)
      reasons.push_back({{"effect", manifest::effect_name(reason.effect)},
                         {"what", reason.what},
                         {"evidence", reason.evidence}});
    out.push_back({{"tee", manifest::target_name(target.target)},
                   {"fits", manifest::fit_name(target.fit)},
                   {"reasons", std::move(reasons)}});
  }
  return out;
}

std::string targets_text(const std::vector<TargetFit>& targets, unsigned width, bool color) {
  if (targets.empty()) return {};
  const Painter paint(color);
  std::string out = cat("\n", paint.bold("Where it can run"), "\n");
  for (const TargetFit& target : targets) {
    std::string head = cat("  ", target_title(manifest::target_name(target.target)));
    head.resize(20, ' ');
    out += cat(head, painted_fit(target.fit, paint), "\n");
    for (const FitReason& reason : target.reasons) {
      std::string label = cat("    ", manifest::effect_name(reason.effect));
      label.resize(13, ' ');
      out += wrapped(printable(reason_phrase(reason)), label, width);
    }
  }
  return out;
}

std::string targets_markdown(const std::vector<TargetFit>& targets) {
  if (targets.empty()) return {};
  std::string out = "\n### Where it can run\n\n| | fits | why |\n|---|---|---|\n";
  for (const TargetFit& target : targets) {
    out += cat("| ", target_title(manifest::target_name(target.target)), " | ",
               fit_phrase(target.fit), " | ");
    bool first = true;
    for (const FitReason& reason : target.reasons) {
      out += cat(first ? "" : "<br>", manifest::effect_name(reason.effect), ": ",
                 markdown_text(printable(reason_phrase(reason))));
      first = false;
    }
    out += " |\n";
  }
  return out;
}

}  // namespace cloister::cmd
