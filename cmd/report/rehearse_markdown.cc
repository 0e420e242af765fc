// For a job summary or a pull request. Nothing of an image is markup.
#include "base/text.h"
#include "cmd/report/markdown.h"
#include "cmd/report/rehearse.h"
#include "manifest-gen/rehearse/verdict/overlay.h"

namespace cloister::cmd {
namespace {

using manifest::Denied;

constexpr std::size_t kShownRows = 200, kShownCostRows = 20;

std::string shown_text(std::string_view text) {
  return markdown_text(printable(text));
}

void more_rows(std::string& out, std::size_t all, std::size_t shown) {
  if (all > shown) out += cat("\nand ", all - shown, " more: the JSON has them all.\n");
}

void denied_rows(std::string& out, const manifest::Verdict& verdict, bool harmless) {
  std::size_t rows = 0, all = 0;
  for (const Denied& one : verdict.denied) {
    if (one.harmless != harmless || ++all > kShownRows) continue;
    if (rows++ == 0)
      out += cat("\n### ", harmless ? "Refused, and done without" : "Refused",
                 "\n\n| path | used | why | what to do |\n|---|---|---|---|\n");
    std::string what = one.proposal ? markdown_code(manifest::overlay_line(*one.proposal)) : "";
    for (const std::string* text : {&one.finding, &one.warning})
      if (!text->empty()) what += cat(what.empty() ? "" : "<br>", shown_text(*text));
    std::string path = markdown_code(printable(one.path));
    if (const std::string is = image_phrase(one); !is.empty())
      path += cat("<br>", markdown_text(is));
    out += cat("| ", path, " | ", markdown_text(uses_phrase(one)), " | ", shown_text(one.why),
               " | ", what, " |\n");
  }
  more_rows(out, all, kShownRows);
}

void size_rows(std::string& out, const manifest::Verdict& verdict) {
  out += "\n### Sizes\n\n| key | now | seen | verdict | add |\n|---|---|---|---|---|\n";
  for (const manifest::SizeAdvice& size : verdict.sizes) {
    const bool adds = size.proposal &&
                      (verdict.tighten || size.outcome == manifest::SizeAdvice::Outcome::too_small);
    out +=
        cat("| ", markdown_code(printable(size.key)), " | ", markdown_code(printable(size.current)),
            " | ", size.seen > 0 ? size_value(size, size.seen) : "", " | ",
            manifest::size_outcome_name(size.outcome), "<br>", shown_text(size.arithmetic), " | ",
            adds ? markdown_code(manifest::overlay_line(*size.proposal)) : "", " |\n");
  }
}

void tax_rows(std::string& out, const manifest::Tax& tax) {
  out += cat("\n### Exits out of the enclave\n\n", markdown_text(tax_phrase(tax)), ".\n");
  std::size_t rows = 0;
  for (const auto& line : tax.lines) {
    if (line.exits == 0 || rows == kShownCostRows) break;
    if (rows++ == 0) out += "\n| exits | calls | call | how |\n|---|---|---|---|\n";
    out += cat("| ", line.exits, " | ", line.times, " | ", markdown_code(call_phrase(line.call)),
               " | ", markdown_text(line.cost.how), " |\n");
  }
  out += "\n";
  for (const auto& advice : tax.advice)
    out += cat("- **", shown_text(advice.what), "**: ", shown_text(advice.because), "\n");
  for (const std::string& text : tax.assumptions)
    out += cat("- assumed: ", markdown_text(text), "\n");
}

void written_rows(std::string& out, const manifest::Verdict& verdict) {
  if (verdict.written.empty()) return;
  out += "\n### Written\n\n| place | is | should be | paths | |\n|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < verdict.written.size() && i < kShownRows; ++i) {
    const manifest::Written& one = verdict.written[i];
    out += cat("| ", markdown_code(printable(one.path)), " | ", manifest::place_name(one.place),
               " | ", one.proposal ? manifest::proposal_kind_name(one.proposal->kind) : "", " | ",
               one.paths, " | ", shown_text(one.remark), " |\n");
  }
  more_rows(out, verdict.written.size(), kShownRows);
}

void unused_rows(std::string& out, const manifest::Verdict& verdict) {
  if (verdict.unused_files == 0) return;
  out += cat("\n### Granted and never touched\n\n", verdict.unused_files, " of ", verdict.granted,
             " files, ", human_bytes(verdict.unused_bytes),
             ".\n\n| reason | files | bytes | such as |\n|---|---|---|---|\n");
  for (const manifest::Unused& group : verdict.unused)
    out += cat("| ", group.reason.empty() ? "listed" : shown_text(group.reason), " | ",
               group.files.size(), " | ", human_bytes(group.bytes), " | ",
               markdown_code(printable(group.files.front().path)), " |\n");
  if (verdict.exclude.empty()) return;
  out += "\nTo build without them:\n\n";
  for (const std::string& path : verdict.exclude)
    out += cat("- ", markdown_code(cat("--exclude ", quote(path))), "\n");
}

void unimplemented_rows(std::string& out, const manifest::Verdict& verdict) {
  if (verdict.unimplemented.empty()) return;
  out +=
      "\n### System calls that Gramine does not implement\n\n| call | times | what follows | fix "
      "|\n|---|---|---|---|\n";
  for (const auto& one : verdict.unimplemented)
    out += cat("| ", markdown_code(printable(one.call)), " | ", one.times, " | ",
               markdown_text(one.effect), " | ", markdown_text(one.fix), " |\n");
}

}  // namespace

std::string rehearse_markdown(const RehearseReport& report) {
  const manifest::Verdict& verdict = report.verdict;
  std::string out =
      cat("## ", passes(report) ? "✅" : "❌", " ",
          report.image.empty() ? "" : markdown_code(printable(report.image)),
          report.image.empty() ? "" : ": ", verdict_phrase(report), "\n\n| | |\n", "|---|---|\n");
  for (const RunFact& fact : run_facts(report))
    out += cat("| ", fact.name, " | ", markdown_code(fact.value), " |\n");
  denied_rows(out, verdict, /*harmless=*/false);
  size_rows(out, verdict);
  tax_rows(out, report.tax);
  written_rows(out, verdict);
  unused_rows(out, verdict);
  unimplemented_rows(out, verdict);
  denied_rows(out, verdict, /*harmless=*/true);
  std::vector<std::string> notes = verdict.remarks;
  notes.insert(notes.end(), report.run.notes.begin(), report.run.notes.end());
  if (!notes.empty()) out += "\n### Notes\n\n";
  for (const std::string& note : notes) out += cat("- ", shown_text(note), "\n");
  return out;
}

}  // namespace cloister::cmd
